/** A study that has grown: which trial is which. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "study/grow_impl.h"
#include "study/store_impl.h"
#include "support/check.h"
#include "support/folder.h"
#include "support/trials.h"

static const char *const keys[] = {"optimizer.name", "optimizer.learning_rate"};
static const char *const two[] = {"sgd", "adam"}, *const three[] = {"rmsprop", "adam", "sgd"};

static void add(tutti_trial_set *set, int64_t batch, int64_t seed, double rule, double rate,
                tutti_trial_state state) {
  const double values[] = {rule, rate};
  trials_add(set, batch, 0, state, 10 + (double)set->n_trials, values);
  set->results[set->n_trials - 1].seed = seed;
}

/** sgd and adam at two batch sizes; one trial waits. */
static tutti_trial_set make_then(void) {
  tutti_trial_set set = trials_begin(4, 2, keys);
  trials_choice(&set, 0, two, 2);
  add(&set, 32, 0, 0, 0.1, TUTTI_TRIAL_REACHED);
  add(&set, 32, 0, 1, 0.1, TUTTI_TRIAL_DIVERGED);
  add(&set, 64, 0, 0, 0.1, TUTTI_TRIAL_WAITING);
  add(&set, 64, 0, 1, 0.1, TUTTI_TRIAL_NOT_REACHED);
  return set;
}

/** The same among more: another batch size before them, another seed, another rule and another rate. */
static tutti_trial_set make_now(void) {
  tutti_trial_set set = trials_begin(64, 2, keys);
  trials_choice(&set, 0, three, 3);
  for (int64_t batch = 16; batch <= 64; batch *= 2)
    for (int rule = 0; rule < 3; rule++)
      for (int rate = 0; rate < 2; rate++)
        for (int64_t seed = 0; seed < 2; seed++) {
          add(&set, batch, seed, rule, rate == 0 ? 0.01 : 0.1, TUTTI_TRIAL_WAITING);
          set.results[set.n_trials - 1].setting = 2 * rule + rate;
        }
  return set;
}

static void finished_trials_are_found_by_what_they_are(void **state) {
  (void)state;
  tutti_trial_set then = make_then(), now = make_now();
  int64_t numbers[4], n_lost = -1;
  CHECK_OK(tutti_grow_match(&then, &now, numbers, &n_lost));
  assert_int_equal(n_lost, 0);
  assert_int_equal(numbers[0], 12 + 8 + 2); // batch 32, sgd, 0.1, seed 0
  assert_int_equal(numbers[1], 12 + 4 + 2);
  assert_int_equal(numbers[2], -1); // it waits
  assert_int_equal(numbers[3], 24 + 4 + 2);
  tutti_grow_results(&then, numbers, &now);
  const tutti_trial_result *taken = &now.results[22];
  assert_int_equal(taken->status, TUTTI_TRIAL_REACHED);
  assert_int_equal(taken->trial, 22);
  assert_int_equal(taken->setting, 5); // of the new study
  CHECK_NEAR(taken->goal_step, 10, 0);
  int64_t n_done = 0;
  for (int64_t i = 0; i < now.n_trials; i++) n_done += now.results[i].status != TUTTI_TRIAL_WAITING;
  assert_int_equal(n_done, 3);
  tutti_trial_set_clear(&then);
  tutti_trial_set_clear(&now);
}

static void trials_that_would_be_lost_are_counted(void **state) {
  (void)state;
  tutti_trial_set then = make_then(), now = make_now();
  int64_t numbers[4], n_lost = -1;
  then.results[0].seed = 7;                   // no such seed
  then.varied[1 * 2 + 1] = 0.1 + 1e-18;       // the same number
  then.varied[3 * 2 + 1] = nextafter(0.1, 1); // another one
  CHECK_OK(tutti_grow_match(&then, &now, numbers, &n_lost));
  assert_int_equal(n_lost, 2);
  assert_int_equal(numbers[0], -1);
  assert_int_equal(numbers[1], 18);
  assert_int_equal(numbers[3], -1);
  now.n_texts[0] = 2; // without sgd
  then.results[0].seed = 0;
  CHECK_OK(tutti_grow_match(&then, &now, numbers, &n_lost));
  assert_int_equal(numbers[0], -1);
  now.n_texts[0] = 3;
  tutti_trial_set_clear(&then);
  tutti_trial_set_clear(&now);
}

static void a_key_that_a_trial_lacks_is_like_itself(void **state) {
  (void)state;
  static const char *const names[] = {"optimizer.momentum", "optimizer.learning_rate"};
  tutti_trial_set then = trials_begin(4, 2, names), now = trials_begin(4, 2, names);
  add(&then, 32, 0, NAN, 0.1, TUTTI_TRIAL_REACHED);
  add(&then, 32, 0, NAN, 0.2, TUTTI_TRIAL_REACHED);
  add(&then, 32, 0, 0.9, 0.2, TUTTI_TRIAL_REACHED);
  add(&now, 32, 0, 0.9, 0.2, TUTTI_TRIAL_WAITING);
  add(&now, 32, 0, 0.5, 0.2, TUTTI_TRIAL_WAITING);
  add(&now, 32, 0, NAN, 0.2, TUTTI_TRIAL_WAITING);
  add(&now, 32, 0, NAN, 0.1, TUTTI_TRIAL_WAITING);
  int64_t numbers[3], n_lost = -1;
  CHECK_OK(tutti_grow_match(&then, &now, numbers, &n_lost));
  assert_int_equal(n_lost, 0);
  assert_int_equal(numbers[0], 3);
  assert_int_equal(numbers[1], 2);
  assert_int_equal(numbers[2], 0);
  tutti_trial_set_clear(&then);
  tutti_trial_set_clear(&now);
}

/** A list of numbers that a word has come into, so that all of them are choices. */
static void numbers_are_found_among_words(void **state) {
  (void)state;
  static const char *const name[] = {"train.micro_batch_size"};
  static const char *const texts[] = {"2", "1", "auto"};
  tutti_trial_set then = trials_begin(3, 1, name), now = trials_begin(3, 1, name);
  trials_choice(&now, 0, texts, 3);
  for (int i = 0; i < 3; i++) {
    trials_add(&then, 32, i, TUTTI_TRIAL_REACHED, 10, &(double){i});
    trials_add(&now, 32, i, TUTTI_TRIAL_WAITING, 0, &(double){i});
    then.results[i].seed = now.results[i].seed = 0;
  }
  int64_t numbers[3], n_lost = -1;
  CHECK_OK(tutti_grow_match(&then, &now, numbers, &n_lost));
  assert_int_equal(n_lost, 1); // 0, which is none of them
  assert_int_equal(numbers[0], -1);
  assert_int_equal(numbers[1], 1);
  assert_int_equal(numbers[2], 0);
  tutti_trial_set_clear(&then);
  tutti_trial_set_clear(&now);
}

/** Another branch may bring a key, and take another place among the columns. */
static void keys_are_matched_by_their_names(void **state) {
  (void)state;
  static const char *const names_then[] = {"optimizer.name", "optimizer.momentum"};
  static const char *const names_now[] = {"optimizer.rho", "optimizer.name", "optimizer.momentum"};
  static const char *const rules[] = {"rmsprop", "sgd"};
  tutti_trial_set then = trials_begin(2, 2, names_then), now = trials_begin(4, 3, names_now);
  trials_choice(&then, 0, two, 1);
  trials_choice(&now, 1, rules, 2);
  add(&then, 32, 0, 0, 0.5, TUTTI_TRIAL_REACHED);
  add(&then, 32, 0, 0, 0.9, TUTTI_TRIAL_REACHED);
  static const double points[][3] = {{0.5, 0, NAN}, {0.9, 0, NAN}, {NAN, 1, 0.9}, {NAN, 1, 0.5}};
  for (int i = 0; i < 4; i++) {
    trials_add(&now, 32, i, TUTTI_TRIAL_WAITING, 0, points[i]);
    now.results[i].seed = 0;
  }
  int64_t numbers[2], n_lost = -1;
  CHECK_OK(tutti_grow_match(&then, &now, numbers, &n_lost));
  assert_int_equal(n_lost, 0);
  assert_int_equal(numbers[0], 3);
  assert_int_equal(numbers[1], 2);
  // A value of a key that nobody has now is lost.
  tutti_trial_set_clear(&now);
  now = trials_begin(1, 1, names_now + 1);
  trials_choice(&now, 0, rules, 2);
  trials_add(&now, 32, 0, TUTTI_TRIAL_WAITING, 0, (const double[]){1});
  CHECK_OK(tutti_grow_match(&then, &now, numbers, &n_lost));
  assert_int_equal(n_lost, 2);
  tutti_trial_set_clear(&then);
  tutti_trial_set_clear(&now);
}

/** Match and copy the curves with the nth allocation failing; nothing may be left behind. */
static tutti_status try_growth(const tutti_file *from, const tutti_trial_set *then, tutti_trial_set *now,
                               tutti_file *to, int nth) {
  char fault[32];
  int64_t numbers[4], n_lost;
  snprintf(fault, sizeof fault, "memory:0:%d", nth);
  setenv("TUTTI_FAULT", fault, 1);
  tutti_status status = tutti_grow_match(then, now, numbers, &n_lost);
  if (status == TUTTI_OK) status = tutti_grow_curves(from, then, numbers, "accuracy", to);
  unsetenv("TUTTI_FAULT");
  return status;
}

/** A curve of one row, with what was measured. */
static void write_curve(const char *path, const tutti_trial_result *result) {
  static const char *const more_columns[] = {"noise_scale"};
  const tutti_metrics_layout layout = {"accuracy", more_columns, 1};
  tutti_trial_record record = {.result = *result, .metric = "accuracy"};
  tutti_file *file = NULL;
  CHECK_OK(tutti_metrics_records_append(&record.curve, &layout,
                                        &(tutti_metrics_row){.step = 5, .val_metric = 0.5}, &(double){123}));
  CHECK_OK(tutti_file_create(path, &file));
  CHECK_OK(tutti_curve_write(file, &record));
  CHECK_OK(tutti_file_commit(&file));
  tutti_trial_record_clear(&record);
}

static void check_curve(const tutti_file *file, const char *table) {
  tutti_metrics_records curve;
  CHECK_OK(tutti_metrics_read(file, table, "accuracy", &curve));
  assert_true(curve.n == 1 && curve.n_more == 1);
  assert_int_equal(tutti_metrics_record(&curve, 0)->step, 5);
  assert_string_equal(curve.more_columns[0], "noise_scale");
  CHECK_NEAR(tutti_metrics_more(&curve, 0, 0), 123, 0);
  tutti_metrics_records_clear(&curve);
}

static void any_allocation_may_fail(void **state) {
  tutti_trial_set then = make_then(), now = make_now();
  tutti_file *from = NULL, *to = NULL;
  write_curve(folder_path(state, "from.h5"), &then.results[3]);
  CHECK_OK(tutti_file_open(folder_path(state, "from.h5"), &from));
  CHECK_OK(tutti_file_create(folder_path(state, "to.h5"), &to));
  const int64_t before = tutti_alloc_live();
  int nth = 1;
  tutti_status status;
  while ((status = try_growth(from, &then, &now, to, nth)) != TUTTI_OK && nth < 1000) {
    check_status(status, TUTTI_ERR_MEMORY, "growth", __FILE__, __LINE__);
    assert_int_equal(status, TUTTI_ERR_MEMORY);
    assert_int_equal(tutti_alloc_live(), before);
    nth++;
  }
  if (nth < 4 || nth == 1000) fail_msg("%d allocations failed", nth - 1);
  assert_int_equal(tutti_alloc_live(), before);
  check_curve(to, "/curves/000030");
  assert_false(tutti_file_has(to, "/curves/000003"));
  tutti_file_close(&to);
  tutti_file_close(&from);
  tutti_trial_set_clear(&then);
  tutti_trial_set_clear(&now);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(finished_trials_are_found_by_what_they_are),
      cmocka_unit_test(trials_that_would_be_lost_are_counted),
      cmocka_unit_test(a_key_that_a_trial_lacks_is_like_itself),
      cmocka_unit_test(numbers_are_found_among_words),
      cmocka_unit_test(keys_are_matched_by_their_names),
      cmocka_unit_test_setup_teardown(any_allocation_may_fail, folder_make, folder_remove),
  };
  return cmocka_run_group_tests_name("study.grow", tests, NULL, check_no_leak);
}
