#include <math.h>
#include <string.h>

#include "fit/records_impl.h"
#include "support/check.h"
#include "support/folder.h"
#include "support/trials.h"

#define REACHED  TUTTI_TRIAL_REACHED
#define NOT      TUTTI_TRIAL_NOT_REACHED
#define DIVERGED TUTTI_TRIAL_DIVERGED

static const char *const rate_key[] = {"optimizer.learning_rate"};
static const double rates[] = {0.1, 0.2, 0.4};

/** Three seeds of one setting. */
static void add3(tutti_trial_set *set, int64_t batch_size, int64_t setting, const tutti_trial_state states[3],
                 double a, double b, double c) {
  const double steps[] = {a, b, c};
  for (int i = 0; i < 3; i++) trials_add(set, batch_size, setting, states[i], steps[i], &rates[setting]);
}

static const tutti_trial_state all3[] = {REACHED, REACHED, REACHED};
static const tutti_trial_state two[] = {REACHED, NOT, REACHED};
static const tutti_trial_state one[] = {NOT, REACHED, DIVERGED};

static void the_effective_rate_counts_its_scaling(void **state) {
  (void)state;
  static const char *const keys[] = {"optimizer.learning_rate", "schedule.scaling"};
  static const char *const scalings[] = {"linear", "none", "adascale"};
  const double varied[][2] = {{0.0934, NAN}, {0.0934, 0}, {0.0934, 1}, {0.0934, 2}};
  const double expected[] = {6.604, 46.7, 0.934, NAN}; // 1150 = 50 * 23; of AdaScale each step has its own
  for (int i = 0; i < 4; i++) {
    tutti_trial_set set = trials_begin(1, 2, keys);
    tutti_best_table best;
    trials_choice(&set, 1, scalings, 3);
    set.momentum = 0.9;
    set.scaling = TUTTI_SCALING_SQRT;
    set.base_batch_size = 23;
    trials_add(&set, 1150, 0, REACHED, 100, varied[i]);
    CHECK_OK(tutti_fit_best_table_create(&set, &best));
    if (isnan(expected[i]))
      assert_true(isnan(best.rows[0].effective_lr));
    else
      CHECK_NEAR(best.rows[0].effective_lr, expected[i], 1e-3);
    tutti_fit_best_table_clear(&best);
    tutti_fit_trial_set_clear(&set);
  }
}

static void the_least_median_wins(void **state) {
  tutti_trial_set set = trials_begin(32, 1, rate_key);
  tutti_best_table best;
  (void)state;
  // The larger batch size first: the table is in order all the same.
  add3(&set, 64, 0, all3, 70, 90, 80);
  add3(&set, 64, 1, two, 60, 500, 50); // 50 60 and one that did not arrive: 60
  add3(&set, 64, 2, one, 500, 1, 500); // the fewest steps of all, by one lucky seed
  add3(&set, 8, 0, all3, 300, 310, 305);
  add3(&set, 8, 1, all3, 100, 400, 410);
  set.momentum = 0.5;
  CHECK_OK(tutti_fit_best_table_create(&set, &best));
  assert_int_equal(best.n_rows, 2);
  const tutti_best *small = &best.rows[0], *large = &best.rows[1];
  assert_int_equal(small->batch_size, 8);
  assert_int_equal(small->setting, 0);
  assert_int_equal(small->trial, 11); // of 305 steps
  CHECK_NEAR(small->steps, 305, 0);
  CHECK_NEAR(small->steps_low, 300, 0);
  CHECK_NEAR(small->steps_high, 310, 0);
  CHECK_NEAR(small->samples, 305 * 8, 0);
  CHECK_NEAR(small->epochs, 305 * 8 / 1000.0, 1e-12);
  CHECK_NEAR(small->seconds, 30.5, 1e-12);
  assert_int_equal(large->setting, 1);
  assert_int_equal(large->trial, 3);
  CHECK_NEAR(large->steps, 60, 0);
  CHECK_NEAR(large->steps_low, 50, 0);
  CHECK_NEAR(large->steps_high, 60, 0);
  CHECK_NEAR(best.varied[1], 0.2, 0);
  CHECK_NEAR(large->effective_lr, 0.4, 1e-15);
  assert_int_equal(large->trials, 9);
  assert_int_equal(large->reached, 6);
  assert_int_equal(large->not_reached, 2);
  assert_int_equal(large->diverged, 1);
  tutti_fit_best_table_clear(&best);
  tutti_fit_trial_set_clear(&set);
}

static void half_of_the_seeds_are_not_enough(void **state) {
  tutti_trial_set set = trials_begin(8, 1, rate_key);
  tutti_best_table best;
  (void)state;
  trials_add(&set, 8, 0, REACHED, 10, &rates[0]);
  trials_add(&set, 8, 0, NOT, 99, &rates[0]);
  trials_add(&set, 8, 1, TUTTI_TRIAL_WAITING, 0, &rates[1]);
  CHECK_OK(tutti_fit_best_table_create(&set, &best));
  assert_int_equal(best.n_rows, 1);
  assert_int_equal(best.rows[0].setting, -1);
  assert_int_equal(best.rows[0].trial, -1);
  assert_true(isnan(best.rows[0].steps) && isnan(best.rows[0].steps_low) && isnan(best.varied[0]));
  assert_int_equal(best.rows[0].trials, 3);
  assert_int_equal(best.rows[0].reached + best.rows[0].not_reached, 2);
  assert_int_equal(best.rows[0].at_edge, 0);
  tutti_fit_best_table_clear(&best);
  // Of an even number the later of the two in the middle.
  trials_add(&set, 8, 2, REACHED, 10, &rates[2]);
  trials_add(&set, 8, 2, REACHED, 30, &rates[2]);
  CHECK_OK(tutti_fit_best_table_create(&set, &best));
  CHECK_NEAR(best.rows[0].steps, 30, 0);
  CHECK_NEAR(best.rows[0].steps_low, 10, 0);
  tutti_fit_best_table_clear(&best);
  tutti_fit_trial_set_clear(&set);
}

/** Seven settings of (rule, rate, momentum), the one numbered `winner` is the fastest. */
static tutti_best best_of(int winner, int n) {
  static const char *const names[] = {"optimizer.nesterov", "optimizer.learning_rate", "optimizer.momentum"};
  static const char *const rules[] = {"no", "yes"};
  static const double points[][3] = {{0, 0.1, 0.9}, {0, 0.2, 0.9}, {0, 0.3, 0.9}, {1, 0.1, 0.5},
                                     {1, 0.2, 0.5}, {1, 0.3, 0.5}, {1, 0.2, 0.7}};
  tutti_trial_set set = trials_begin(8, 3, names);
  tutti_best_table best;
  trials_choice(&set, 0, rules, 2);
  for (int i = 0; i < n; i++) trials_add(&set, 4, i, REACHED, i == winner ? 10 : 20, points[i]);
  CHECK_OK(tutti_fit_best_table_create(&set, &best));
  const tutti_best row = best.rows[0];
  assert_int_equal(row.setting, winner);
  tutti_fit_best_table_clear(&best);
  tutti_fit_trial_set_clear(&set);
  return row;
}

static void the_edge_is_named(void **state) {
  (void)state;
  assert_int_equal(best_of(6, 7).at_edge, 0);
  assert_int_equal(best_of(0, 7).at_edge, 2); // the first of two that end there
  assert_int_equal(best_of(2, 7).at_edge, 2);
  assert_int_equal(best_of(4, 7).at_edge, 3);
  assert_int_equal(best_of(0, 1).at_edge, 0); // nothing else was tried
  CHECK_NEAR(best_of(6, 7).effective_lr, 0.2 / 0.3, 1e-12);
}

static void a_waiting_trial_is_no_neighbour(void **state) {
  tutti_trial_set set = trials_begin(4, 1, rate_key);
  tutti_best_table best;
  (void)state;
  trials_add(&set, 8, 0, NOT, 99, &rates[0]);
  trials_add(&set, 8, 1, REACHED, 10, &rates[1]);
  trials_add(&set, 8, 2, TUTTI_TRIAL_WAITING, 0, &rates[2]);
  CHECK_OK(tutti_fit_best_table_create(&set, &best));
  assert_int_equal(best.rows[0].at_edge, 1);
  assert_true(isnan(best.rows[0].effective_lr)); // no momentum anywhere
  tutti_fit_best_table_clear(&best);
  set.results[2].status = DIVERGED;
  CHECK_OK(tutti_fit_best_table_create(&set, &best));
  assert_int_equal(best.rows[0].at_edge, 0);
  tutti_fit_best_table_clear(&best);
  tutti_fit_trial_set_clear(&set);
}

/** Of six rates one alone lies beyond the best: no bound where it reached the goal as well. */
static void one_neighbour_is_no_bound(void **state) {
  (void)state;
  for (int side = 0; side < 2; side++)
    for (int failed = 0; failed < 2; failed++) {
      tutti_trial_set set = trials_begin(6, 1, rate_key);
      tutti_best_table best;
      for (int i = 0; i < 6; i++) {
        const double rate = side ? 0.7 - 0.1 * i : 0.1 + 0.1 * i;
        trials_add(&set, 8, i, i == 5 && failed ? DIVERGED : REACHED, i == 4 ? 10 : 20, &rate);
      }
      CHECK_OK(tutti_fit_best_table_create(&set, &best));
      assert_int_equal(best.rows[0].setting, 4);
      assert_int_equal(best.rows[0].at_edge, failed ? 0 : 1);
      tutti_fit_best_table_clear(&best);
      tutti_fit_trial_set_clear(&set);
    }
}

// --- the local model of a row

enum { N_SIZES = 5, N_SETTINGS = 20 };

/** Exact bowls in log rate with the least at `star`, a hundred steps high at all batch sizes. */
static tutti_trial_set make_bowls(double star) {
  tutti_trial_set set = trials_begin(N_SIZES * N_SETTINGS, 1, rate_key);
  set.momentum = 0.5;
  for (int64_t size = 0; size < N_SIZES; size++)
    for (int i = 0; i < N_SETTINGS; i++) {
      const double rate = 0.01 * pow(100, (i + 0.5) / N_SETTINGS);
      trials_add(&set, 16 << size, i, REACHED, 100 * exp(0.5 * pow(log(rate / star), 2)), &rate);
    }
  return set;
}

static void a_row_has_the_least_of_its_model(void **state) {
  (void)state;
  tutti_trial_set set = make_bowls(0.1);
  tutti_best_table best;
  char claim[TUTTI_CLAIM_BYTES];
  CHECK_OK(tutti_fit_best_table_create(&set, &best));
  for (int i = 0; i < N_SIZES; i++) {
    const tutti_best *row = &best.rows[i];
    assert_int_equal(row->model, TUTTI_LOCAL_MADE);
    assert_true(row->model_settings >= 5 && row->model_settings <= N_SETTINGS);
    CHECK_CLOSE(row->model_steps, 100, 1e-4, 0);
    CHECK_CLOSE(best.model[i].value, 0.1, 1e-3, 0);
    assert_true(row->model_steps_low <= row->model_steps && row->model_steps <= row->model_steps_high);
    assert_true(row->steps > 100.1); // the search hit the least nowhere
    tutti_fit_best_claim(row, claim);
    assert_string_equal(claim, "95 %");
  }
  tutti_fit_best_table_clear(&best);
  // Of words, or of few, there is none, and nothing of 95 %.
  set.n_trials = 3;
  CHECK_OK(tutti_fit_best_table_create(&set, &best));
  tutti_fit_best_claim(&best.rows[0], claim);
  assert_string_equal(claim, "best of 3 trials: too few settings near the best");
  assert_true(isnan(best.rows[0].model_steps) && isnan(best.model[0].value));
  tutti_fit_best_table_clear(&best);
  tutti_fit_trial_set_clear(&set);
}

/** A varied train.seed has neighbours in name alone: no bowl goes over it, and no range of it ends too early. */
static void seeds_have_no_scale(void **state) {
  (void)state;
  enum { N_VARIED_SEEDS = 4 };
  static const char *const keys[] = {"optimizer.learning_rate", "train.seed"};
  tutti_trial_set set = trials_begin(N_SIZES * N_SETTINGS * N_VARIED_SEEDS, 2, keys);
  tutti_best_table best;
  for (int64_t size = 0; size < N_SIZES; size++)
    for (int i = 0; i < N_SETTINGS * N_VARIED_SEEDS; i++) {
      const double seed = 1 + i / N_SETTINGS,
                   values[] = {0.01 * pow(100, (i % N_SETTINGS + 0.5) / N_SETTINGS), seed};
      trials_add(&set, 16 << size, i, REACHED, 100 * exp(0.5 * pow(log(values[0] / 0.1), 2) + 0.1 * seed),
                 values);
    }
  CHECK_OK(tutti_fit_best_table_create(&set, &best));
  assert_int_equal(best.rows[0].model, TUTTI_LOCAL_WORDS);
  assert_int_equal(best.rows[0].at_edge, 0);
  tutti_fit_best_table_clear(&best);
  tutti_fit_trial_set_clear(&set);
}

/** Of two seeds the search takes the later, in its rows and in its choice; the model is of neither. */
static void the_model_is_of_the_median_of_seeds(void **state) {
  (void)state;
  enum { N_SEEDS = 4 };
  static const double off[N_SEEDS] = {-0.9, -0.2, 0.2, 0.9}; // of logs
  tutti_trial_set set = trials_begin(N_SIZES * N_SETTINGS * N_SEEDS, 1, rate_key);
  tutti_best_table best;
  for (int64_t size = 0; size < N_SIZES; size++)
    for (int i = 0; i < N_SETTINGS; i++)
      for (int seed = 0; seed < N_SEEDS; seed++) {
        const double rate = 0.01 * pow(100, (i + 0.5) / N_SETTINGS), spread = i == N_SETTINGS / 2 ? 1.5 : 1;
        trials_add(&set, 16 << size, i, REACHED,
                   100 * exp(0.5 * pow(log(rate / 0.1), 2) + spread * off[seed]), &rate);
      }
  CHECK_OK(tutti_fit_best_table_create(&set, &best));
  for (int i = 0; i < N_SIZES; i++) {
    const tutti_best *row = &best.rows[i];
    CHECK_CLOSE(row->model_steps, 100, 1e-4, 0);
    CHECK_CLOSE(row->setting_steps, row->steps * exp(-0.2), 1e-3, 0); // of the setting that the search found
    assert_int_equal(row->setting, N_SETTINGS / 2 - 1);
  }
  tutti_fit_best_table_clear(&best);
  tutti_fit_trial_set_clear(&set);
}

/** The luckiest trial lies well inside, but all others say that the range ends too early. */
static void the_model_sees_the_edge(void **state) {
  (void)state;
  tutti_trial_set set = make_bowls(0.1);
  tutti_best_table best;
  for (int i = 0; i < N_SETTINGS; i++)
    set.results[i].goal_step = i == 16 ? 130 : 100 * exp(0.5 * pow(log(set.varied[i] / 2), 2));
  CHECK_OK(tutti_fit_best_table_create(&set, &best));
  assert_int_equal(best.rows[0].setting, 16);
  assert_int_equal(best.rows[0].model, TUTTI_LOCAL_EDGE);
  assert_int_equal(best.rows[0].at_edge, 1);
  tutti_fit_best_table_clear(&best);
  tutti_fit_trial_set_clear(&set);
}

// --- in a file

static void write_best(const char *path, const tutti_trial_set *set, tutti_best_table *best) {
  tutti_file *file = NULL;
  CHECK_OK(tutti_file_update(path, &file));
  CHECK_OK(tutti_fit_best_table_write(file, set, best));
  CHECK_OK(tutti_file_commit(&file));
}

/** A table of an earlier version is read, and replaced. */
static void earlier_tables_are_read(void **state) {
  const char *path = folder_path(state, "study.h5");
  const struct {
    int64_t batch_size;
    double steps, rate;
  } old = {8, 300, 0.2};
  const tutti_column columns[] = {
      {"batch_size", TUTTI_I64, 0}, {"steps", TUTTI_F64, 8}, {"optimizer.learning_rate", TUTTI_F64, 16}};
  tutti_trial_set set = make_bowls(0.1);
  tutti_best_table best, back;
  tutti_file *file = NULL;
  char claim[TUTTI_CLAIM_BYTES];
  CHECK_OK(tutti_file_create(path, &file));
  CHECK_OK(tutti_table_append(file, "/best", columns, 3, sizeof old, &old, 1));
  CHECK_OK(tutti_fit_best_table_read(file, &set, &back));
  assert_int_equal(back.n_rows, 1);
  CHECK_NEAR(back.rows[0].steps, 300, 0);
  CHECK_NEAR(back.varied[0], 0.2, 0);
  assert_true(isnan(back.model[0].value) && isnan(back.rows[0].model_steps));
  tutti_fit_best_claim(&back.rows[0], claim);
  assert_non_null(strstr(claim, "an earlier version"));
  tutti_fit_best_table_clear(&back);
  CHECK_OK(tutti_file_commit(&file));
  CHECK_OK(tutti_fit_best_table_create(&set, &best));
  for (int i = 0; i < 2; i++) write_best(path, &set, &best);
  CHECK_OK(tutti_file_open(path, &file));
  CHECK_OK(tutti_fit_best_table_read(file, &set, &back));
  tutti_file_close(&file);
  assert_int_equal(back.n_rows, N_SIZES);
  assert_memory_equal(back.rows, best.rows, N_SIZES * sizeof *back.rows);
  assert_memory_equal(back.model, best.model, N_SIZES * sizeof *back.model);
  tutti_fit_best_table_clear(&back);
  tutti_fit_best_table_clear(&best);
  tutti_fit_trial_set_clear(&set);
}

static void no_trials_no_rows(void **state) {
  tutti_trial_set set = trials_begin(0, 1, rate_key);
  tutti_best_table best;
  (void)state;
  CHECK_OK(tutti_fit_best_table_create(&set, &best));
  assert_int_equal(best.n_rows, 0);
  tutti_fit_best_table_clear(&best);
  tutti_fit_trial_set_clear(&set);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_effective_rate_counts_its_scaling),
      cmocka_unit_test(the_least_median_wins),
      cmocka_unit_test(half_of_the_seeds_are_not_enough),
      cmocka_unit_test(the_edge_is_named),
      cmocka_unit_test(a_waiting_trial_is_no_neighbour),
      cmocka_unit_test(one_neighbour_is_no_bound),
      cmocka_unit_test(a_row_has_the_least_of_its_model),
      cmocka_unit_test(the_model_is_of_the_median_of_seeds),
      cmocka_unit_test(seeds_have_no_scale),
      cmocka_unit_test(the_model_sees_the_edge),
      cmocka_unit_test_setup_teardown(earlier_tables_are_read, folder_make, folder_remove),
      cmocka_unit_test(no_trials_no_rows),
  };
  return cmocka_run_group_tests_name("fit.best", tests, NULL, check_no_leak);
}
