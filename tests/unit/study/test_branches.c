/** Branches of a study: each has its own settings, its own best ones and its own fit. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "space.h"
#include "study/store.h"
#include "support/folder.h"
#include "trials.h"
#include "tutti/fit.h"

// --- the space -------------------------------------------------------------------------------------

#define SIZES "    train.batch_size: [32, 8]\n"
#define SGD                                                                                                  \
  "      sgd: {optimizer.learning_rate: {from: 0.01, to: 1}, optimizer.momentum: {from: 0.5, to: 0.9}}\n"
#define ADAM   "      adam: {optimizer.learning_rate: {from: 0.0001, to: 0.01}}\n"
#define SOBOL  STUDY "  search: sobol\n  trials: 4\n  vary:\n" SIZES
#define SHARED "    optimizer.clipnorm: {from: 0.1, to: 10}\n"

static const char *value_of(const tutti_trial *trial, const char *key) {
  for (int i = 0; i < trial->n_overrides; i++)
    if (strcmp(trial->overrides[i].key, key) == 0) return trial->overrides[i].value;
  return NULL;
}

static void settings_are_numbered_branch_by_branch(void **state) {
  (void)state;
  tutti_space *space;
  CHECK_OK(make_space(STUDY
                      "  seeds: 2\n  vary:\n" SIZES "    optimizer.name:\n"
                      "      sgd: {optimizer.learning_rate: [0.1, 0.2], optimizer.momentum: [0.5, 0.9]}\n"
                      "      rmsprop: \n"
                      "      adam: {optimizer.learning_rate: [0.01]}\n"
                      "    optimizer.nesterov: [no]\n",
                      &space));
  assert_int_equal(tutti_space_n_trials(space), 2 * (4 + 1 + 1) * 2);
  assert_int_equal(tutti_space_n_varied(space), 4);
  assert_int_equal(tutti_space_branches(space), 0);
  static const char *const keys[] = {"optimizer.name", "optimizer.learning_rate", "optimizer.momentum",
                                     "optimizer.nesterov"};
  for (int k = 0; k < 4; k++) assert_string_equal(tutti_space_varied(space, k), keys[k]);
  static const double rates[] = {0.1, 0.1, 0.2, 0.2, NAN, 0.01}, momenta[] = {0.5, 0.9, 0.5, 0.9, NAN, NAN};
  static const char *const names[] = {"sgd", "sgd", "sgd", "sgd", "rmsprop", "adam"};
  static const int branches[] = {0, 0, 0, 0, 1, 2};
  for (int64_t i = 0; i < 24; i++) {
    const tutti_trial *trial = tutti_space_trial(space, i);
    const int64_t s = i / 2 % 6;
    assert_int_equal(trial->setting, s);
    assert_int_equal(trial->seed, i % 2);
    assert_int_equal(trial->batch_size, i < 12 ? 32 : 8);
    assert_int_equal(trial->branch, branches[s]);
    assert_true(trial->values[0] == branches[s] && trial->values[3] == 0);
    assert_true(isnan(rates[s]) ? isnan(trial->values[1]) : trial->values[1] == rates[s]);
    assert_true(isnan(momenta[s]) ? isnan(trial->values[2]) : trial->values[2] == momenta[s]);
    // No key of another branch, which its rule might refuse.
    assert_string_equal(value_of(trial, "optimizer.name"), names[s]);
    assert_true(!value_of(trial, "optimizer.learning_rate") == isnan(rates[s]));
    assert_true(!value_of(trial, "optimizer.momentum") == isnan(momenta[s]));
  }
  tutti_space_destroy(&space);
}

/** The settings of a branch are those of a study that knows no other. */
static void a_branch_is_searched_as_a_study_of_its_own(void **state) {
  (void)state;
  static const char *const searches[] = {"sobol", "random"};
  for (int s = 0; s < 2; s++) {
    char text[2048];
    tutti_space *both, *one;
    snprintf(text, sizeof text,
             STUDY "  search: %s\n  trials: 4\n  vary:\n" SIZES "    optimizer.name:\n" ADAM SGD SHARED,
             searches[s]);
    CHECK_OK(make_space(text, &both));
    snprintf(text, sizeof text,
             STUDY "  search: %s\n  trials: 4\n  vary:\n" SIZES
                   "    optimizer.learning_rate: {from: 0.01, to: 1}\n"
                   "    optimizer.momentum: {from: 0.5, to: 0.9}\n" SHARED,
             searches[s]);
    CHECK_OK(make_space(text, &one));
    assert_int_equal(tutti_space_n_trials(both), 2 * tutti_space_n_trials(one));
    for (int64_t i = 0; i < 8; i++) {
      const tutti_trial *x = tutti_space_trial(both, i / 4 * 8 + 4 + i % 4), *y = tutti_space_trial(one, i);
      assert_int_equal(x->branch, 1);
      // name, learning_rate, momentum, clipnorm: the columns in the order in which they come up
      assert_true(x->values[1] == y->values[0] && x->values[3] == y->values[2]);
      assert_string_equal(value_of(x, "optimizer.momentum"), value_of(y, "optimizer.momentum"));
    }
    tutti_space_destroy(&both);
    tutti_space_destroy(&one);
  }
}

static void a_column_has_the_choices_and_bounds_of_all_branches(void **state) {
  (void)state;
  tutti_space *space;
  double low, high;
  int n;
  CHECK_OK(make_space(STUDY "  vary:\n    schedule.decay:\n"
                            "      cosine: {model.initializer: [he_normal], optimizer.learning_rate: [0.5]}\n"
                            "      constant: {model.initializer: [glorot_normal, he_normal], "
                            "optimizer.learning_rate: [0.1, 0.2]}\n",
                      &space));
  assert_true(tutti_space_bounds(space, 2, &low, &high) && low == 0.1 && high == 0.5);
  const char *const *texts = tutti_space_choices(space, 1, &n);
  assert_int_equal(n, 2);
  assert_string_equal(texts[0], "he_normal");
  assert_string_equal(texts[1], "glorot_normal");
  assert_true(tutti_space_trial(space, 0)->values[1] == 0 && tutti_space_trial(space, 1)->values[1] == 1);
  assert_true(tutti_space_trial(space, 3)->values[1] == 0);
  tutti_space_destroy(&space);
}

static void a_branch_without_keys_has_one_setting(void **state) {
  (void)state;
  tutti_space *space;
  CHECK_OK(make_space(SOBOL "    optimizer.name:\n" SGD "      adam: {}\n", &space));
  assert_int_equal(tutti_space_n_trials(space), 2 * (4 + 1));
  assert_int_equal(tutti_space_trial(space, 4)->branch, 1);
  tutti_space_destroy(&space);
  CHECK_NO_SPACE(SOBOL "    optimizer.name: {sgd: {}, adam: {}}\n",
                 "but only optimizer.name is varied; vary another");
  CHECK_NO_SPACE(SOBOL "    optimizer.name:\n" SGD "      adam: {optimizer.epsilon: [1, 2, 3]}\n",
                 "study.trials is 4, but the varied keys of adam have only 3 settings");
}

static void a_branchs_own_seed_is_the_trials(void **state) {
  (void)state;
  tutti_space *space;
  CHECK_OK(make_space(STUDY "  vary: {optimizer.name: {sgd: {train.seed: [5]}, adam: {}}}\n", &space));
  assert_int_equal(tutti_space_trial(space, 0)->seed, 5);
  assert_int_equal(tutti_space_trial(space, 1)->seed, 0);
  tutti_space_destroy(&space);
}

// --- the best and the fit --------------------------------------------------------------------------

enum { N_SIZES = 6 };
static const char *const keys[] = {"optimizer.learning_rate", "optimizer.name", "optimizer.momentum"};
static const char *const rules[] = {"sgd", "adam"};

/** Steps of the best setting: of adam with half the fewest steps and four times the critical batch size. */
static double steps_of(int branch, double batch) {
  return branch == 0 ? 100 + 6400 / batch : 50 + 12800 / batch;
}

/** Two seeds of three rates of both rules at each size; of sgd the middle rate is the best, of adam the last, which is
 * below all rates of sgd. */
static tutti_trial_set make_set(void) {
  static const double rates[2][3] = {{0.1, 0.2, 0.4}, {0.001, 0.002, 0.004}};
  tutti_trial_set set = trials_begin(N_SIZES * 12, 3, keys);
  trials_choice(&set, 1, rules, 2);
  set.branches = 2;
  for (int64_t batch = 16; batch < 16 << N_SIZES; batch *= 2)
    for (int branch = 0; branch < 2; branch++)
      for (int rate = 0; rate < 3; rate++)
        for (int seed = 0; seed < 2; seed++) {
          const double values[] = {rates[branch][rate], branch, branch == 0 ? 0.5 : NAN};
          const double steps = steps_of(branch, (double)batch) * (rate == 1 + branch ? 1 : 2);
          trials_add(&set, batch, 3 * branch + rate, TUTTI_TRIAL_REACHED, steps, values);
        }
  return set;
}

static void each_branch_has_its_own_best(void **state) {
  (void)state;
  tutti_trial_set set = make_set();
  tutti_best_table best;
  // One that reached the goal nowhere has its rows all the same.
  for (int64_t i = 0; i < set.n_trials; i++)
    if (set.results[i].batch_size == 16 && set.results[i].setting < 3)
      set.results[i].status = TUTTI_TRIAL_DIVERGED;
  CHECK_OK(tutti_study_best(&set, &best));
  assert_int_equal(best.n_rows, 2 * N_SIZES);
  assert_int_equal(best.n_branches, 2);
  assert_true(best.first[0] == 0 && best.first[1] == N_SIZES && best.first[2] == 2 * N_SIZES);
  for (int i = 0; i < best.n_rows; i++) {
    const int branch = i / N_SIZES;
    const tutti_best *row = &best.rows[i];
    const double *varied = best.varied + 3 * i;
    assert_int_equal(row->batch_size, 16 << i % N_SIZES);
    assert_int_equal(row->trials, 6);
    assert_true(varied[1] == branch);
    if (i == 0) {
      assert_true(row->setting == -1 && row->diverged == 6 && isnan(varied[0]));
      continue;
    }
    assert_int_equal(row->setting, branch == 0 ? 1 : 5);
    CHECK_NEAR(row->steps, steps_of(branch, (double)row->batch_size), 1e-12);
    // The rates of the other branch are no neighbours, and its momentum is nobody's edge.
    assert_int_equal(row->at_edge, branch == 0 ? 0 : 1);
    assert_true(branch == 0 ? row->effective_lr == 0.4 : isnan(row->effective_lr));
  }
  tutti_best_table_clear(&best);
  tutti_trial_set_clear(&set);
}

/** The trials of one branch as a study of their own. */
static tutti_trial_set take_branch(const tutti_trial_set *set, int branch) {
  tutti_trial_set one = trials_begin(set->n_trials, 3, keys);
  for (int64_t i = 0; i < set->n_trials; i++) {
    const tutti_trial_result *r = &set->results[i];
    if (tutti_trial_set_branch(set, i) == branch)
      trials_add(&one, r->batch_size, r->setting, r->status, r->goal_step, set->varied + 3 * i);
  }
  return one;
}

static void the_fit_of_a_branch_is_that_of_its_trials_alone(void **state) {
  (void)state;
  enum { N_DRAWS = 100 };
  tutti_trial_set set = make_set();
  tutti_best_table best, alone;
  CHECK_OK(tutti_study_best(&set, &best));
  for (int b = 0; b < 2; b++) {
    tutti_trial_set one = take_branch(&set, b);
    tutti_fit fit, expected;
    CHECK_OK(tutti_study_best(&one, &alone));
    assert_int_equal(alone.n_branches, 1);
    CHECK_OK(tutti_fit_study(&set, &best, b, 3, N_DRAWS, NULL, &fit));
    CHECK_OK(tutti_fit_study(&one, &alone, 0, 3, N_DRAWS, NULL, &expected));
    assert_string_equal(fit.refused, "");
    assert_int_equal(fit.n_sizes, N_SIZES);
    CHECK_NEAR(fit.value[TUTTI_FIT_B_CRIT], b == 0 ? 64 : 256, 1e-4);
    for (int k = 0; k < TUTTI_N_FIT_NUMBERS; k++) {
      CHECK_NEAR(fit.value[k], expected.value[k], 0);
      CHECK_NEAR(fit.low[k], expected.low[k], 0);
      CHECK_NEAR(fit.high[k], expected.high[k], 0);
    }
    tutti_best_table_clear(&alone);
    tutti_trial_set_clear(&one);
  }
  tutti_best_table_clear(&best);
  tutti_trial_set_clear(&set);
}

// --- in the file -----------------------------------------------------------------------------------

static const char config[] = "data: {file: digits.h5}\nmodel: {layers: [dense 10 softmax]}\n"
                             "study: {vary: {optimizer.name: {sgd: {}, adam: {}}}}\n";

static void write_study(const char *path, const tutti_trial_set *set, const char *branches) {
  tutti_file *file = NULL;
  const tutti_study_head head = {.config = config,
                                 .goal = "",
                                 .budget = "",
                                 .metric = "",
                                 .varied = keys,
                                 .n_varied = 3,
                                 .branches = branches};
  CHECK_OK(tutti_file_create(path, &file));
  CHECK_OK(tutti_study_head_write(file, &head));
  CHECK_OK(tutti_trial_set_write(file, set));
  CHECK_OK(tutti_study_conclude(file, set));
  CHECK_OK(tutti_file_commit(&file));
}

static void a_file_tells_the_branches(void **state) {
  const char *path = folder_path(state, "study.h5");
  tutti_trial_set set = make_set(), back;
  tutti_best_table best, made;
  tutti_fit fit;
  tutti_file *file = NULL;
  write_study(path, &set, "optimizer.name");
  CHECK_OK(tutti_file_open(path, &file));
  CHECK_OK(tutti_trial_set_read(file, &back));
  assert_int_equal(back.branches, 2);
  assert_int_equal(tutti_trial_set_n_branches(&back), 2);
  assert_string_equal(tutti_trial_set_branch_name(&back, 1), "adam");
  for (int64_t i = 0; i < set.n_trials; i++)
    assert_int_equal(tutti_trial_set_branch(&back, i), tutti_trial_set_branch(&set, i));
  CHECK_OK(tutti_best_table_read(file, &back, &best));
  CHECK_OK(tutti_study_best(&set, &made));
  assert_int_equal(best.n_branches, 2);
  for (int b = 0; b <= 2; b++) assert_int_equal(best.first[b], made.first[b]);
  assert_memory_equal(best.rows, made.rows, (size_t)best.n_rows * sizeof *best.rows);
  CHECK_OK(tutti_fit_read(file, &back, 1, &fit));
  CHECK_NEAR(fit.value[TUTTI_FIT_B_CRIT], 256, 1e-4);
  assert_true(tutti_file_has(file, "/fit/sgd/draws") && !tutti_file_has(file, "/fit/draws"));
  tutti_file_close(&file);
  tutti_best_table_clear(&best);
  tutti_best_table_clear(&made);
  tutti_trial_set_clear(&back);
  tutti_trial_set_clear(&set);
}

static void damaged_branches_are_refused(void **state) {
  const char *path = folder_path(state, "study.h5");
  tutti_trial_set set = make_set(), back;
  tutti_file *file = NULL;
  write_study(path, &set, "optimizer.learning_rate");
  CHECK_OK(tutti_file_open(path, &file));
  CHECK_FAILS(tutti_trial_set_read(file, &back), TUTTI_ERR_DATA, "names no varied key with texts");
  tutti_file_close(&file);
  set.branches = 0;
  set.varied[3 * 7 + 1] = NAN;
  write_study(path, &set, "optimizer.name");
  CHECK_OK(tutti_file_open(path, &file));
  CHECK_FAILS(tutti_trial_set_read(file, &back), TUTTI_ERR_DATA,
              "/trials row 7: optimizer.name is nan, expected 0 to 1");
  tutti_file_close(&file);
  tutti_trial_set_clear(&set);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(settings_are_numbered_branch_by_branch),
      cmocka_unit_test(a_branch_is_searched_as_a_study_of_its_own),
      cmocka_unit_test(a_column_has_the_choices_and_bounds_of_all_branches),
      cmocka_unit_test(a_branch_without_keys_has_one_setting),
      cmocka_unit_test(a_branchs_own_seed_is_the_trials),
      cmocka_unit_test(each_branch_has_its_own_best),
      cmocka_unit_test(the_fit_of_a_branch_is_that_of_its_trials_alone),
      cmocka_unit_test_setup_teardown(a_file_tells_the_branches, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(damaged_branches_are_refused, folder_make, folder_remove),
  };
  return cmocka_run_group_tests_name("study.branches", tests, NULL, check_no_leak);
}
