/** Which trials a job begins in the time that it has left. */
#include <math.h>

#include "base/clock.h"
#include "study/study_impl.h"
#include "support/check.h"
#include "support/folder.h"
#include "support/space.h"
#include "support/trials.h"

static void a_trial_that_fits_is_begun(void **state) {
  (void)state;
  assert_true(tutti_study_worth_beginning(100, 200, 1000));
  assert_true(tutti_study_worth_beginning(100, 125, 1000));
  assert_true(tutti_study_worth_beginning(100, INFINITY, INFINITY));
  assert_true(tutti_study_worth_beginning(NAN, 1, 1000)); // nothing is known
}

static void a_trial_that_another_job_can_finish_is_left_to_it(void **state) {
  (void)state;
  assert_false(tutti_study_worth_beginning(100, 50, 1000));
  assert_false(tutti_study_worth_beginning(100, 110, 1000)); // trials differ
  assert_false(tutti_study_worth_beginning(100, -5, 1000));
}

static void a_trial_longer_than_a_job_is_begun(void **state) {
  (void)state;
  assert_true(tutti_study_worth_beginning(5000, 1000, 1000));
  assert_true(tutti_study_worth_beginning(5000, 30, 1000));
}

static void seconds_are_those_of_trials_that_count(void **state) {
  (void)state;
  enum { N = 5 };
  const double cost[N] = {10, 10, 20, 10, 10};
  tutti_trial_result results[N] = {
      {.status = TUTTI_TRIAL_WAITING, .ranks = 0},
      {.status = TUTTI_TRIAL_DIVERGED, .ranks = 2, .seconds = 0.1, .started = 0, .ended = 0.1},
      {.status = TUTTI_TRIAL_NOT_REACHED, .ranks = 2, .seconds = 30, .started = 100, .ended = 140},
      {.status = TUTTI_TRIAL_WAITING, .ranks = 0},
      {.status = TUTTI_TRIAL_WAITING, .ranks = 0}};
  CHECK_NEAR(tutti_study_seconds_per_cost(results, cost, N, 2), 2, 1e-12);
  CHECK_NEAR(tutti_study_seconds_per_cost(results, cost, N, 4), 2, 1e-12); // better than nothing
  assert_true(isnan(tutti_study_seconds_per_cost(results, cost, 2, 2)));
  // It was continued: its training took longer than its last job.
  results[3] = (tutti_trial_result){
      .status = TUTTI_TRIAL_REACHED, .ranks = 4, .seconds = 90, .started = 200, .ended = 210};
  CHECK_NEAR(tutti_study_seconds_per_cost(results, cost, N, 4), 9, 1e-12);
  CHECK_NEAR(tutti_study_seconds_per_cost(results, cost, N, 2), 2, 1e-12);
}

static const char text[] = STUDY "  vary: {optimizer.learning_rate: [0.1, 0.2, 0.3]}\n";

/** Three trials of the same cost, of which the first has taken 100 s. */
static void make_study(void **state, tutti_config *config, tutti_study *study) {
  static const char *const keys[] = {"optimizer.learning_rate"};
  const tutti_override output = {"study.output", folder_path(state, "study.h5")};
  CHECK_OK(tutti_config_parse(text, NULL, &output, 1, config));
  *study = (tutti_study){.config = config, .claims_reach = true};
  study->set = trials_begin(3, 1, keys);
  for (int i = 0; i < 3; i++)
    trials_add(&study->set, 32, i, TUTTI_TRIAL_WAITING, 0, &(double){0.1 * (i + 1)});
  CHECK_OK(tutti_study_confirm_make(study));
  CHECK_OK(tutti_space_create(config, &study->space));
  CHECK_OK(tutti_study_store_open(config->study.output, true, &study->store));
  CHECK_OK(tutti_study_queue_make(study));
  study->set.results[0].status = TUTTI_TRIAL_NOT_REACHED;
  study->set.results[0].started = 0;
  study->set.results[0].ended = study->set.results[0].seconds = 100;
}

static void clear_study(tutti_config *config, tutti_study *study) {
  tutti_study_store_remove(&study->store);
  tutti_study_store_close(&study->store);
  tutti_fit_trial_set_clear(&study->set);
  tutti_space_destroy(&study->space);
  tutti_config_clear(config);
  tutti_free(study->order);
  tutti_free(study->cost);
  tutti_free(study->elsewhere);
}

/** The job had `whole` seconds and has `left`. */
static int64_t take(tutti_study *study, double left, double whole) {
  int64_t trial = -1;
  study->deadline = tutti_clock_s() + left;
  study->whole = whole;
  CHECK_OK(tutti_study_queue_take(study, &trial));
  return trial;
}

static void a_job_takes_no_new_trial_without_time(void **state) {
  tutti_config config = {0};
  tutti_study study;
  make_study(state, &config, &study);
  study.has_begun = true;
  assert_int_equal(take(&study, 60, 1000), -1);
  CHECK_NEAR(study.passed_over, 100, 1e-9);
  // A trial that another job has left, the last one here, is continued.
  char *path = NULL;
  CHECK_OK(tutti_study_trial_folder(config.study.output, tutti_study_hash(&study, 2), &path));
  CHECK_OK(tutti_io_make_folder(path));
  assert_int_equal(take(&study, 60, 1000), 2);
  tutti_study_trial_folder_remove(config.study.output, tutti_study_hash(&study, 2));
  tutti_free(path);
  clear_study(&config, &study);
}

static void a_job_takes_a_trial_that_fits_or_that_no_job_can_finish(void **state) {
  tutti_config config = {0};
  tutti_study study;
  make_study(state, &config, &study);
  study.has_begun = true;
  assert_int_equal(take(&study, 200, 1000), 1);
  study.elsewhere[1] = true; // a claim does not keep its own process away
  assert_int_equal(take(&study, 60, 90), 2);
  CHECK_NEAR(study.passed_over, 0, 0);
  clear_study(&config, &study);
}

/** Otherwise a trial that needs nearly the time of a whole job would be left to other jobs for ever. */
static void the_first_trial_of_a_job_is_always_begun(void **state) {
  tutti_config config = {0};
  tutti_study study;
  make_study(state, &config, &study);
  assert_int_equal(take(&study, 110, 126), 1);
  assert_true(study.has_begun);
  assert_int_equal(take(&study, 110, 126), -1);
  clear_study(&config, &study);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_trial_that_fits_is_begun),
      cmocka_unit_test(a_trial_that_another_job_can_finish_is_left_to_it),
      cmocka_unit_test(a_trial_longer_than_a_job_is_begun),
      cmocka_unit_test(seconds_are_those_of_trials_that_count),
      cmocka_unit_test_setup_teardown(a_job_takes_no_new_trial_without_time, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(a_job_takes_a_trial_that_fits_or_that_no_job_can_finish, folder_make,
                                      folder_remove),
      cmocka_unit_test_setup_teardown(the_first_trial_of_a_job_is_always_begun, folder_make, folder_remove),
  };
  return cmocka_run_group_tests_name("study.forecast", tests, NULL, check_no_leak);
}
