/** A study that has grown: which trial is which, and what its file takes over. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "study/identity_impl.h"
#include "support/folder.h"
#include "support/space.h"

static tutti_space *space_of(const char *vary) {
  char text[1024];
  tutti_space *space;
  snprintf(text, sizeof text, STUDY "%s", vary);
  CHECK_OK(make_space(text, &space));
  return space;
}

static uint64_t hash_of(const tutti_space *space, int64_t i) {
  const tutti_trial *trial = tutti_space_trial(space, i);
  return tutti_space_hash(space, trial->batch_size, trial->setting, (int64_t)trial->seed);
}

/** The trial with this hash; NULL: there is none. */
static const tutti_trial *find(const tutti_space *space, uint64_t hash) {
  for (int64_t i = 0; i < tutti_space_n_trials(space); i++)
    if (hash_of(space, i) == hash) return tutti_space_trial(space, i);
  return NULL;
}

static void check_same_overrides(const tutti_trial *a, const tutti_trial *b) {
  assert_int_equal(a->n_overrides, b->n_overrides);
  for (int i = 0; i < a->n_overrides; i++) {
    int k = 0;
    while (k < b->n_overrides && (strcmp(a->overrides[i].key, b->overrides[k].key) != 0 ||
                                  strcmp(a->overrides[i].value, b->overrides[k].value) != 0))
      k++;
    if (k == b->n_overrides) fail_msg("no %s %s", a->overrides[i].key, a->overrides[i].value);
  }
}

/** Trials of `then` that `now` has as well; each is the same training. */
static int64_t count_found(const char *then_vary, const char *now_vary) {
  tutti_space *then = space_of(then_vary), *now = space_of(now_vary);
  int64_t n = 0;
  for (int64_t i = 0; i < tutti_space_n_trials(then); i++) {
    const tutti_trial *was = tutti_space_trial(then, i), *is = find(now, hash_of(then, i));
    if (!is) continue;
    n++;
    assert_int_equal(is->batch_size, was->batch_size);
    assert_int_equal(is->seed, was->seed);
    check_same_overrides(was, is);
  }
  tutti_space_destroy(&then);
  tutti_space_destroy(&now);
  return n;
}

#define RATES "train.batch_size: [32, 64], optimizer.name: [sgd, adam], optimizer.learning_rate: [0.1]"

static void trials_are_found_by_what_they_are(void **state) {
  (void)state;
  // Another batch size before them, another seed, another rule and another rate, in another order.
  assert_int_equal(count_found("  vary: {" RATES "}\n",
                               "  seeds: 2\n  vary: {optimizer.learning_rate: [0.01, 0.1], optimizer.name: "
                               "[rmsprop, adam, sgd], train.batch_size: [16, 32, 64]}\n"),
                   4);
  // A range with points has the values of a list.
  assert_int_equal(count_found("  vary: {optimizer.learning_rate: [0.1, 0.01]}\n",
                               "  vary: {optimizer.learning_rate: {from: 0.01, to: 0.1, points: 3}}\n"),
                   2);
  // More points of a search.
  assert_int_equal(
      count_found("  search: sobol\n  trials: 3\n  vary: {optimizer.learning_rate: {from: 0.1, to: 1}}\n",
                  "  search: sobol\n  trials: 9\n  vary: {optimizer.learning_rate: {from: 0.1, to: 1}}\n"),
      3);
  // Numbers among which a word has come.
  assert_int_equal(
      count_found("  vary: {optimizer.epsilon: [1, 2]}\n", "  vary: {optimizer.epsilon: [2, auto, 1]}\n"), 2);
}

static void trials_that_would_be_lost_are_none_of_the_others(void **state) {
  (void)state;
  assert_int_equal(count_found("  vary: {" RATES "}\n",
                               "  vary: {train.batch_size: [32], optimizer.name: [adam, sgd], "
                               "optimizer.learning_rate: [0.1]}\n"),
                   2);
  assert_int_equal(count_found("  vary: {" RATES "}\n",
                               "  vary: {train.batch_size: [32, 64], optimizer.name: [sgd, adam], "
                               "optimizer.learning_rate: [0.10000000000000002]}\n"),
                   0);
  assert_int_equal(count_found("  seeds: 3\n  vary: {" RATES "}\n", "  seeds: 2\n  vary: {" RATES "}\n"), 8);
  // A key that none of them has, or that all have.
  assert_int_equal(count_found("  vary: {" RATES "}\n", "  vary: {" RATES ", optimizer.clipnorm: [1]}\n"), 0);
  assert_int_equal(count_found("  vary: {" RATES ", optimizer.clipnorm: [1]}\n", "  vary: {" RATES "}\n"), 0);
}

static void branches_may_bring_keys_of_their_own(void **state) {
  (void)state;
  assert_int_equal(count_found("  vary: {optimizer.name: {sgd: {optimizer.momentum: [0.5, 0.9]}}}\n",
                               "  vary: {optimizer.name: {rmsprop: {optimizer.rho: [0.9]}, "
                               "sgd: {optimizer.momentum: [0.9, 0.5]}, adam: {}}}\n"),
                   2);
  // A branch that varies nothing is not the one that varies a key.
  assert_int_equal(count_found("  vary: {optimizer.name: {sgd: {}, adam: {}}}\n",
                               "  vary: {optimizer.name: {sgd: {optimizer.momentum: [0.5]}, adam: {}}}\n"),
                   1);
}

static void each_trial_has_a_hash_of_its_own(void **state) {
  (void)state;
  tutti_space *space =
      space_of("  seeds: 3\n  vary: {train.batch_size: [1, 2, 3], optimizer.learning_rate: [1, 2, 3], "
               "optimizer.momentum: [0.1, 0.2, 0.3]}\n");
  const int64_t n = tutti_space_n_trials(space);
  for (int64_t i = 0; i < n; i++) {
    assert_true(hash_of(space, i) != 0);
    assert_ptr_equal(find(space, hash_of(space, i)), tutti_space_trial(space, i));
  }
  // A fresh seed is none of the search; a batch size or a setting that is not there has no hash.
  const uint64_t fresh = tutti_space_hash(space, 2, 4, TUTTI_CONFIRM_SEED);
  assert_true(fresh != 0 && fresh != tutti_space_hash(space, 2, 4, TUTTI_CONFIRM_SEED + 1));
  assert_null(find(space, fresh));
  assert_int_equal(tutti_space_hash(space, 4, 0, 0), 0);
  assert_int_equal(tutti_space_hash(space, 2, 9, 0), 0);
  assert_int_equal(tutti_space_hash(space, 2, -1, 0), 0);
  tutti_space_destroy(&space);
  // A varied seed is that of the trial.
  space = space_of("  vary: {train.seed: [3, 4]}\n");
  assert_true(hash_of(space, 0) != hash_of(space, 1));
  tutti_space_destroy(&space);
}

// --- the file

static const char small[] = STUDY "  vary: {optimizer.learning_rate: [0.1, 0.2]}\n",
                  large[] = STUDY "  vary: {optimizer.learning_rate: [0.3, 0.2, 0.1]}\n";

/** A study of learning rates, whose trials wait, with its folder. */
static void make_study(void **state, const char *text, tutti_config *config, tutti_study *study) {
  static const char *varied[] = {"optimizer.learning_rate"};
  const tutti_override output = {"study.output", folder_path(state, "study.h5")};
  CHECK_OK(tutti_config_parse(text, NULL, &output, 1, config));
  *study = (tutti_study){.config = config, .claims_reach = true};
  study->head = (tutti_study_head){
      .config = text, .goal = "", .budget = "", .metric = study->metric, .varied = varied, .n_varied = 1};
  CHECK_OK(tutti_space_create(config, &study->space));
  tutti_trial_set *set = &study->set;
  *set = (tutti_trial_set){.n_trials = tutti_space_n_trials(study->space), .n_varied = 1};
  CHECK_OK(TUTTI_NEW(set->names, 1));
  CHECK_OK(TUTTI_NEW(set->texts, 1));
  CHECK_OK(TUTTI_NEW(set->results, set->n_trials));
  CHECK_OK(TUTTI_NEW(set->varied, set->n_trials));
  set->names[0] = tutti_strdup(varied[0]);
  for (int64_t i = 0; i < set->n_trials; i++) {
    set->results[i] = tutti_trial_waiting(tutti_space_trial(study->space, i));
    set->varied[i] = tutti_space_trial(study->space, i)->values[0];
  }
  CHECK_OK(tutti_study_confirm_make(study));
  CHECK_OK(tutti_study_store_open(config->study.output, true, &study->store));
}

static void clear_study(tutti_config *config, tutti_study *study) {
  tutti_study_store_close(&study->store);
  tutti_study_curves_forget(study);
  tutti_fit_trial_set_clear(&study->set);
  tutti_space_destroy(&study->space);
  tutti_free(study->carried);
  tutti_config_clear(config);
}

/** Trial i is done, with a curve of one row. */
static tutti_trial_record make_record(const tutti_study *study, int64_t i) {
  static const char *const more_columns[] = {"noise_scale"};
  const tutti_metrics_layout layout = {"accuracy", more_columns, 1};
  tutti_trial_record record = {.result = study->set.results[i], .metric = "accuracy"};
  record.result.status = TUTTI_TRIAL_NOT_REACHED;
  record.result.steps = 100 + (double)i;
  record.result.started = 0;
  record.result.ended = 1;
  CHECK_OK(tutti_metrics_records_append(
      &record.curve, &layout, &(tutti_metrics_row){.step = 5 + i, .val_metric = 0.5}, &(double){123}));
  return record;
}

/** The small study: trial 0 is in its file, trial 1 in the folder. */
static void write_small(void **state) {
  tutti_config config;
  tutti_study study;
  tutti_file *file;
  make_study(state, small, &config, &study);
  tutti_trial_record record = make_record(&study, 0);
  snprintf(study.metric, sizeof study.metric, "accuracy");
  study.set.results[0] = record.result;
  CHECK_OK(tutti_file_create(config.study.output, &file));
  CHECK_OK(tutti_study_curve_write(file, &record));
  CHECK_OK(tutti_study_output_write(&study, file));
  CHECK_OK(tutti_file_commit(&file));
  tutti_trial_record_clear(&record);
  record = make_record(&study, 1);
  CHECK_OK(
      tutti_study_store_put(&study.store, tutti_study_hash(&study, 1), &study.head, &study.set, &record));
  tutti_trial_record_clear(&record);
  clear_study(&config, &study);
}

static void check_curve(const tutti_file *file, const char *table, int64_t step) {
  tutti_metrics_records curve;
  CHECK_OK(tutti_metrics_read(file, table, "accuracy", &curve));
  assert_true(curve.n == 1 && curve.more_columns.n == 1);
  assert_int_equal(tutti_metrics_record(&curve, 0)->step, step);
  assert_string_equal(curve.more_columns.list[0], "noise_scale");
  CHECK_NEAR(tutti_metrics_more(&curve, 0, 0), 123, 0);
  tutti_metrics_records_clear(&curve);
}

static void check_grown(const char *path) {
  tutti_file *file;
  tutti_trial_set set;
  CHECK_OK(tutti_file_open(path, &file));
  CHECK_OK(tutti_fit_trial_set_read(file, &set));
  assert_int_equal(set.n_trials, 3);
  assert_int_equal(set.results[0].status, TUTTI_TRIAL_WAITING);
  for (int64_t i = 1; i < 3; i++) {
    assert_int_equal(set.results[i].trial, i);
    assert_int_equal(set.results[i].setting, i);
    CHECK_NEAR(set.results[i].steps, 102 - (double)i, 0);
  }
  assert_false(tutti_file_has(file, "/curves/000000"));
  check_curve(file, "/curves/000001", 6);
  check_curve(file, "/curves/000002", 5);
  tutti_fit_trial_set_clear(&set);
  tutti_file_close(&file);
}

static void file_and_folder_are_taken_over(void **state) {
  const tutti_study_difference found = {.any = true, .extent = true, .text = "study.vary"};
  tutti_status status = TUTTI_ERR_MEMORY;
  int nth = 1;
  write_small(state);
  for (; status != TUTTI_OK && nth < 1000; nth++) {
    char fault[32];
    tutti_config config;
    tutti_study study;
    make_study(state, large, &config, &study);
    snprintf(study.metric, sizeof study.metric, "accuracy");
    const int64_t before = tutti_alloc_live();
    snprintf(fault, sizeof fault, "memory:0:%d", nth);
    setenv("TUTTI_FAULT", fault, 1);
    status = tutti_study_grow(&study, true, &found);
    unsetenv("TUTTI_FAULT");
    if (status != TUTTI_OK) check_status(status, TUTTI_ERR_MEMORY, "growth", __FILE__, __LINE__);
    if (status != TUTTI_OK) assert_int_equal(tutti_alloc_live(), before);
    clear_study(&config, &study);
  }
  if (nth < 10 || nth == 1000) fail_msg("%d allocations failed", nth - 1);
  check_grown(folder_path(state, "study.h5"));
}

/** Whether in the file or in the folder, what is done is not given up. */
static void nothing_that_is_done_is_lost(void **state) {
  static const char *const others[] = {STUDY "  vary: {optimizer.learning_rate: [0.1, 0.3]}\n",
                                       STUDY "  vary: {optimizer.learning_rate: [0.2, 0.3]}\n"};
  const tutti_study_difference found = {.any = true, .extent = true, .text = "study.vary"};
  write_small(state);
  for (int i = 0; i < 2; i++) {
    tutti_config config;
    tutti_study study;
    make_study(state, others[i], &config, &study);
    CHECK_FAILS(tutti_study_grow(&study, true, &found), TUTTI_ERR_CONFIG,
                "without 1 of the trials that are done");
    clear_study(&config, &study);
  }
}

/** As a version that draws other settings has left it. */
static void rows_of_other_values_are_refused(void **state) {
  const tutti_study_difference found = {.any = true, .extent = true, .text = "study.vary"};
  tutti_config config;
  tutti_study study;
  tutti_file *file;
  make_study(state, small, &config, &study);
  study.set.varied[1] = 0.25;
  CHECK_OK(tutti_file_create(config.study.output, &file));
  CHECK_OK(tutti_study_output_write(&study, file));
  CHECK_OK(tutti_file_commit(&file));
  clear_study(&config, &study);
  make_study(state, large, &config, &study);
  CHECK_FAILS(tutti_study_grow(&study, true, &found), TUTTI_ERR_DATA, "row 1 is not the trial of its config");
  clear_study(&config, &study);
}

/** Trial i of the small study, in the folder under its number. */
static void leave_numbered(void **state, int64_t i, double value) {
  tutti_config config;
  tutti_study study;
  char from[64], to[64], path[1024];
  make_study(state, small, &config, &study);
  study.set.varied[i] = value;
  tutti_trial_record record = make_record(&study, i);
  const uint64_t hash = tutti_study_hash(&study, i);
  CHECK_OK(tutti_study_store_put(&study.store, hash, &study.head, &study.set, &record));
  tutti_trial_record_clear(&record);
  snprintf(from, sizeof from, "study.h5.d/%016llx.h5", (unsigned long long)hash);
  snprintf(to, sizeof to, "study.h5.d/%06lld.h5", (long long)i);
  snprintf(path, sizeof path, "%s", folder_path(state, from));
  assert_int_equal(rename(path, folder_path(state, to)), 0);
  clear_study(&config, &study);
}

static void trials_with_numbers_get_hashes(void **state) {
  tutti_config config;
  tutti_study study;
  uint64_t *list;
  int64_t n;
  leave_numbered(state, 0, 0.1);
  leave_numbered(state, 1, 0.2);
  // Their numbers are those of their own config, which this study has grown from.
  make_study(state, large, &config, &study);
  const int64_t before = tutti_alloc_live();
  CHECK_OK(tutti_study_take_numbered(&study));
  assert_int_equal(tutti_alloc_live(), before);
  CHECK_OK(tutti_study_store_list(&study.store, TUTTI_STORE_BY_NUMBER, &list, &n));
  assert_int_equal(n, 0);
  CHECK_OK(tutti_study_output_collect_trials(&study));
  assert_int_equal(study.set.results[0].status, TUTTI_TRIAL_WAITING);
  CHECK_NEAR(study.set.results[1].steps, 101, 0);
  CHECK_NEAR(study.set.results[2].steps, 100, 0);
  clear_study(&config, &study);
  // As a version that draws other settings has left it.
  leave_numbered(state, 1, 0.25);
  make_study(state, large, &config, &study);
  CHECK_FAILS(tutti_study_take_numbered(&study), TUTTI_ERR_DATA, "does not hold trial 1 of its config");
  clear_study(&config, &study);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(trials_are_found_by_what_they_are),
      cmocka_unit_test(trials_that_would_be_lost_are_none_of_the_others),
      cmocka_unit_test(branches_may_bring_keys_of_their_own),
      cmocka_unit_test(each_trial_has_a_hash_of_its_own),
      cmocka_unit_test_setup_teardown(file_and_folder_are_taken_over, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(nothing_that_is_done_is_lost, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(rows_of_other_values_are_refused, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(trials_with_numbers_get_hashes, folder_make, folder_remove),
  };
  return cmocka_run_group_tests_name("study.grow", tests, NULL, check_no_leak);
}
