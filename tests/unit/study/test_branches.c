/** Branches of a study: each has its own best settings and its own fit. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "study/store_impl.h"
#include "support/check.h"
#include "support/folder.h"
#include "support/trials.h"
#include "tutti/study.h"

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
  CHECK_OK(tutti_fit_best_table_create(&set, &best));
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
  tutti_fit_best_table_clear(&best);
  tutti_fit_trial_set_clear(&set);
}

/** The trials of one branch as a study of their own. */
static tutti_trial_set take_branch(const tutti_trial_set *set, int branch) {
  tutti_trial_set one = trials_begin(set->n_trials, 3, keys);
  for (int64_t i = 0; i < set->n_trials; i++) {
    const tutti_trial_result *r = &set->results[i];
    if (tutti_fit_trial_set_branch(set, i) == branch)
      trials_add(&one, r->batch_size, r->setting, (tutti_trial_state)r->status, r->goal_step,
                 set->varied + 3 * i);
  }
  return one;
}

static void the_fit_of_a_branch_is_that_of_its_trials_alone(void **state) {
  (void)state;
  enum { N_DRAWS = 100 };
  tutti_trial_set set = make_set();
  tutti_best_table best, alone;
  CHECK_OK(tutti_fit_best_table_create(&set, &best));
  for (int b = 0; b < 2; b++) {
    tutti_trial_set one = take_branch(&set, b);
    tutti_fit fit, expected;
    CHECK_OK(tutti_fit_best_table_create(&one, &alone));
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
    tutti_fit_best_table_clear(&alone);
    tutti_fit_trial_set_clear(&one);
  }
  tutti_fit_best_table_clear(&best);
  tutti_fit_trial_set_clear(&set);
}

// --- in the file -----------------------------------------------------------------------------------

#define CONFIG(vary) "data: {file: digits.h5}\nmodel: {layers: [dense 10 softmax]}\nstudy: {vary: " vary "}\n"

static void write_study_of(const char *path, const tutti_trial_set *set, const char *branches,
                           const char *config) {
  tutti_file *file = NULL;
  const tutti_study_head head = {.config = config,
                                 .goal = "",
                                 .budget = "",
                                 .metric = "loss",
                                 .varied = (const char *const *)set->names,
                                 .n_varied = 3,
                                 .branches = branches};
  CHECK_OK(tutti_file_create(path, &file));
  CHECK_OK(tutti_study_head_write(file, &head));
  CHECK_OK(tutti_fit_trial_set_write(file, set));
  CHECK_OK(tutti_fit_summary_write(file, set));
  CHECK_OK(tutti_file_commit(&file));
}

static void write_study(const char *path, const tutti_trial_set *set, const char *branches) {
  write_study_of(path, set, branches, CONFIG("{optimizer.name: {sgd: {}, adam: {}}}"));
}

static void a_file_tells_the_branches(void **state) {
  const char *path = folder_path(state, "study.h5");
  tutti_trial_set set = make_set(), back;
  tutti_best_table best, made;
  tutti_fit fit;
  tutti_file *file = NULL;
  write_study(path, &set, "optimizer.name");
  CHECK_OK(tutti_file_open(path, &file));
  CHECK_OK(tutti_fit_trial_set_read(file, &back));
  assert_int_equal(back.branches, 2);
  assert_int_equal(tutti_fit_trial_set_n_branches(&back), 2);
  assert_string_equal(tutti_fit_trial_set_branch_name(&back, 1), "adam");
  for (int64_t i = 0; i < set.n_trials; i++)
    assert_int_equal(tutti_fit_trial_set_branch(&back, i), tutti_fit_trial_set_branch(&set, i));
  CHECK_OK(tutti_fit_best_table_read(file, &back, &best));
  CHECK_OK(tutti_fit_best_table_create(&set, &made));
  assert_int_equal(best.n_branches, 2);
  for (int b = 0; b <= 2; b++) assert_int_equal(best.first[b], made.first[b]);
  assert_memory_equal(best.rows, made.rows, (size_t)best.n_rows * sizeof *best.rows);
  CHECK_OK(tutti_fit_read(file, &back, 1, &fit));
  CHECK_NEAR(fit.value[TUTTI_FIT_B_CRIT], 256, 1e-4);
  assert_true(tutti_file_has(file, "/fit/sgd/draws") && !tutti_file_has(file, "/fit/draws"));
  tutti_file_close(&file);
  tutti_fit_best_table_clear(&best);
  tutti_fit_best_table_clear(&made);
  tutti_fit_trial_set_clear(&back);
  tutti_fit_trial_set_clear(&set);
}

static void damaged_branches_are_refused(void **state) {
  const char *path = folder_path(state, "study.h5");
  tutti_trial_set set = make_set(), back;
  tutti_file *file = NULL;
  write_study(path, &set, "optimizer.learning_rate");
  CHECK_OK(tutti_file_open(path, &file));
  CHECK_FAILS(tutti_fit_trial_set_read(file, &back), TUTTI_ERR_DATA, "names no varied key with texts");
  tutti_file_close(&file);
  set.branches = 0;
  set.varied[3 * 7 + 1] = NAN;
  write_study(path, &set, "optimizer.name");
  CHECK_OK(tutti_file_open(path, &file));
  CHECK_FAILS(tutti_fit_trial_set_read(file, &back), TUTTI_ERR_DATA,
              "/trials row 7: optimizer.name is nan, expected 0 to 1");
  tutti_file_close(&file);
  tutti_fit_trial_set_clear(&set);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_branch_has_its_own_best),
      cmocka_unit_test(the_fit_of_a_branch_is_that_of_its_trials_alone),
      cmocka_unit_test_setup_teardown(a_file_tells_the_branches, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(damaged_branches_are_refused, folder_make, folder_remove),
  };
  return cmocka_run_group_tests_name("study.branches", tests, NULL, check_no_leak);
}
