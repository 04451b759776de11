#include <math.h>

#include "support/check.h"
#include "support/folder.h"
#include "support/trials.h"

typedef struct {
  int64_t step, samples;
  double seconds, val_accuracy;
} evaluation;

static void add_curve(tutti_file *file, const char *name, const evaluation *rows, int64_t n) {
  static const tutti_column columns[] = {{"step", TUTTI_I64, offsetof(evaluation, step)},
                                         {"samples", TUTTI_I64, offsetof(evaluation, samples)},
                                         {"seconds", TUTTI_F64, offsetof(evaluation, seconds)},
                                         {"val_accuracy", TUTTI_F64, offsetof(evaluation, val_accuracy)}};
  CHECK_OK(tutti_table_append(file, name, columns, 4, sizeof *rows, rows, n));
}

/** Four trials of batch size 8 over 64 samples: one that reached 0.9, one that did not, one that diverged on the way
 * and one that waits. */
static tutti_trial_set make_set(void **state, tutti_file **file) {
  static const evaluation reached[] = {{8, 64, 1, 0.5}, {16, 128, 2, 0.75}, {24, 192, 3, 0.9}};
  static const evaluation slow[] = {{8, 64, 1, 0.25}, {16, 128, 2, 0.5}, {24, 192, 3, 0.75}};
  static const evaluation wild[] = {{8, 64, 1, 0.75}, {16, 128, 2, NAN}};
  const char *path = folder_path(state, "study.h5");
  CHECK_OK(tutti_file_create(path, file));
  add_curve(*file, "/curves/000000", reached, 3);
  add_curve(*file, "/curves/000001", slow, 3);
  add_curve(*file, "/curves/000002", wild, 2);
  tutti_trial_set set = trials_begin(4, 0, NULL);
  trials_add(&set, 8, 0, TUTTI_TRIAL_REACHED, 24, NULL);
  trials_add(&set, 8, 1, TUTTI_TRIAL_NOT_REACHED, 24, NULL);
  trials_add(&set, 8, 2, TUTTI_TRIAL_DIVERGED, 16, NULL);
  trials_add(&set, 8, 3, TUTTI_TRIAL_WAITING, 0, NULL);
  for (int64_t i = 0; i < 4; i++) {
    set.results[i].samples = (double)(i == 2 ? 128 : 192);
    set.results[i].epochs = set.results[i].samples / 64;
  }
  return set;
}

/** Judge by `text`; what the trials are then. */
static tutti_status judge(void **state, const char *text, tutti_trial_state states[4],
                          tutti_trial_result *first) {
  tutti_file *file;
  tutti_goal goal;
  tutti_trial_set set = make_set(state, &file);
  CHECK_OK(tutti_config_goal_parse(text, &goal));
  const tutti_status status = tutti_fit_trial_set_regoal(&set, file, &goal);
  for (int i = 0; i < 4; i++) states[i] = (tutti_trial_state)set.results[i].status;
  *first = set.results[0];
  tutti_fit_trial_set_clear(&set);
  tutti_file_close(&file);
  return status;
}

static void the_first_evaluation_there_counts(void **state) {
  tutti_trial_state states[4];
  tutti_trial_result first;
  CHECK_OK(judge(state, "val_accuracy > 0.5", states, &first));
  assert_int_equal(states[0], TUTTI_TRIAL_REACHED);
  assert_int_equal(states[1], TUTTI_TRIAL_REACHED);
  assert_int_equal(states[2], TUTTI_TRIAL_REACHED); // before it diverged
  assert_int_equal(states[3], TUTTI_TRIAL_WAITING);
  assert_true(first.goal_step == 16 && first.goal_samples == 128 && first.goal_epoch == 2 &&
              first.goal_seconds == 2);
}

static void what_never_came_stays_what_it_was(void **state) {
  tutti_trial_state states[4];
  tutti_trial_result first;
  CHECK_OK(judge(state, "val_accuracy >= 0.8", states, &first));
  assert_int_equal(states[0], TUTTI_TRIAL_REACHED);
  assert_int_equal(states[1], TUTTI_TRIAL_NOT_REACHED);
  assert_int_equal(states[2], TUTTI_TRIAL_DIVERGED);
}

static void a_goal_beyond_the_studys_own_is_refused(void **state) {
  tutti_trial_state states[4];
  tutti_trial_result first;
  CHECK_FAILS(judge(state, "val_accuracy >= 0.95", states, &first), TUTTI_ERR_USAGE,
              "trial 0 was stopped at the study's goal");
}

static void a_metric_that_no_curve_has_is_refused(void **state) {
  tutti_trial_state states[4];
  tutti_trial_result first;
  CHECK_FAILS(judge(state, "val_loss >= 0.5", states, &first), TUTTI_ERR_USAGE,
              "no curve of this study has a value of val_loss");
}

typedef struct {
  int64_t step, epoch, samples;
  double loss, accuracy;
} training_row;

/** Two evaluations an epoch of 64 samples; means over a half of one are no goal, of a training neither. */
static void training_samples_count_at_the_end_of_an_epoch(void **state) {
  static const training_row rows[] = {
      {4, 1, 32, 0.4, 0.6}, {8, 1, 64, 0.8, 0.4}, {12, 2, 96, 0.4, 0.6}, {16, 2, 128, 0.5, 0.6}};
  static const tutti_column columns[] = {{"step", TUTTI_I64, offsetof(training_row, step)},
                                         {"epoch", TUTTI_I64, offsetof(training_row, epoch)},
                                         {"samples", TUTTI_I64, offsetof(training_row, samples)},
                                         {"loss", TUTTI_F64, offsetof(training_row, loss)},
                                         {"accuracy", TUTTI_F64, offsetof(training_row, accuracy)}};
  static const char *const goals[] = {"loss < 0.7", "accuracy >= 0.5"};
  tutti_file *file;
  CHECK_OK(tutti_file_create(folder_path(state, "study.h5"), &file));
  CHECK_OK(tutti_file_set_text(file, "/", "metric", "accuracy"));
  CHECK_OK(tutti_table_append(file, "/curves/000000", columns, 5, sizeof *rows, rows, 4));
  for (int i = 0; i < 2; i++) {
    tutti_goal goal;
    tutti_trial_set set = trials_begin(1, 0, NULL);
    trials_add(&set, 8, 0, TUTTI_TRIAL_NOT_REACHED, 16, NULL);
    set.results[0].epochs = 2;
    CHECK_OK(tutti_config_goal_parse(goals[i], &goal));
    CHECK_OK(tutti_fit_trial_set_regoal(&set, file, &goal));
    assert_int_equal(set.results[0].status, TUTTI_TRIAL_REACHED);
    CHECK_NEAR(set.results[0].goal_step, 16, 0);
    tutti_fit_trial_set_clear(&set);
  }
  tutti_file_close(&file);
}

/** A study that grew keeps the results of fresh seeds without their curves, which have no number then. */
static void a_fresh_seed_without_a_curve_waits(void **state) {
  tutti_file *file;
  tutti_goal goal;
  tutti_trial_set set = make_set(state, &file);
  CHECK_OK(TUTTI_NEW(set.confirm, 4));
  set.n_confirm = 4;
  for (int i = 0; i < 4; i++) set.confirm[i] = set.results[i == 2 ? 0 : 2];
  set.confirm[0].trial = set.confirm[2].trial = -1;
  set.confirm[3].trial = 7; // diverged before it had a curve
  CHECK_OK(tutti_config_goal_parse("val_accuracy > 0.5", &goal));
  CHECK_OK(tutti_fit_trial_set_regoal(&set, file, &goal));
  assert_int_equal(set.confirm[0].status, TUTTI_TRIAL_WAITING);
  assert_int_equal(set.confirm[1].status, TUTTI_TRIAL_REACHED);
  assert_int_equal(set.confirm[2].status, TUTTI_TRIAL_WAITING);
  assert_int_equal(set.confirm[3].status, TUTTI_TRIAL_DIVERGED);
  tutti_fit_trial_set_clear(&set);
  tutti_file_close(&file);
}

/** The noisy quadratic has no curves. */
static void trials_without_curves_cannot_be_judged(void **state) {
  tutti_file *file;
  tutti_goal goal;
  tutti_trial_set set = trials_begin(1, 0, NULL);
  trials_add(&set, 8, 0, TUTTI_TRIAL_REACHED, 24, NULL);
  CHECK_OK(tutti_file_create(folder_path(state, "study.h5"), &file));
  CHECK_OK(tutti_config_goal_parse("loss <= 0.1", &goal));
  CHECK_FAILS(tutti_fit_trial_set_regoal(&set, file, &goal), TUTTI_ERR_USAGE, "trial 0 has no curve");
  tutti_fit_trial_set_clear(&set);
  tutti_file_close(&file);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(the_first_evaluation_there_counts, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(what_never_came_stays_what_it_was, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(a_goal_beyond_the_studys_own_is_refused, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(a_metric_that_no_curve_has_is_refused, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(training_samples_count_at_the_end_of_an_epoch, folder_make,
                                      folder_remove),
      cmocka_unit_test_setup_teardown(a_fresh_seed_without_a_curve_waits, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(trials_without_curves_cannot_be_judged, folder_make, folder_remove),
  };
  return cmocka_run_group_tests_name("fit.regoal", tests, NULL, check_no_leak);
}
