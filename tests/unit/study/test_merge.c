/** A study's file while its job runs: how often it is written, and what is taken from it and from the folder. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fit/trial_set.h"
#include "study/study_impl.h"
#include "support/folder.h"
#include "support/space.h"
#include "support/trials.h"

/** Of a job that writes and pauses in turn. */
static double part_of_time(double cost) {
  return cost / (cost + tutti_study_output_pause(cost));
}

static void merges_take_a_small_part_of_the_time(void **state) {
  (void)state;
  CHECK_NEAR(tutti_study_output_pause(0), 20, 0);
  CHECK_NEAR(tutti_study_output_pause(0.1), 20, 0);
  for (double cost = 0.01; cost < 1e4; cost *= 1.7)
    if (part_of_time(cost) > 0.02) fail_msg("merges of %g s take %g of the time", cost, part_of_time(cost));
  // A study that is slow to write is written, still.
  CHECK_NEAR(part_of_time(60), 0.02, 0.001);
}

static const char text[] = STUDY "  vary: {optimizer.learning_rate: [0.1, 0.2]}\n";

/** Two trials that wait, and the folder; the file is not there yet. */
static void make_study(void **state, tutti_config *config, tutti_study *study) {
  static const char *const keys[] = {"optimizer.learning_rate"};
  static const char *varied[] = {"optimizer.learning_rate"};
  const tutti_override output = {"study.output", folder_path(state, "study.h5")};
  CHECK_OK(tutti_config_parse(text, NULL, &output, 1, config));
  *study = (tutti_study){.config = config, .claims_reach = true};
  study->head = (tutti_study_head){.config = text,
                                   .goal = "",
                                   .budget = "",
                                   .metric = study->metric,
                                   .varied = varied,
                                   .n_varied = 1,
                                   .idle = NAN};
  study->set = trials_begin(2, 1, keys);
  for (int i = 0; i < 2; i++)
    trials_add(&study->set, 32, i, TUTTI_TRIAL_WAITING, 0, &(double){0.1 * (i + 1)});
  CHECK_OK(tutti_study_confirm_make(study));
  CHECK_OK(tutti_space_create(config, &study->space));
  CHECK_OK(tutti_study_store_open(config->study.output, true, &study->store));
}

static void clear_study(tutti_config *config, tutti_study *study) {
  tutti_study_store_close(&study->store);
  tutti_study_curves_forget(study);
  tutti_fit_trial_set_clear(&study->set);
  tutti_space_destroy(&study->space);
  tutti_config_clear(config);
}

/** Leave a file in which trial 1 has diverged; here it waits. */
static void leave_file(tutti_study *study) {
  tutti_file *file;
  study->set.results[1].status = TUTTI_TRIAL_DIVERGED;
  CHECK_OK(tutti_file_create(study->config->study.output, &file));
  CHECK_OK(tutti_study_output_write(study, file));
  CHECK_OK(tutti_file_commit(&file));
  study->set.results[1].status = TUTTI_TRIAL_WAITING;
}

/** As a version that draws other settings has left it. */
static void results_of_other_values_are_not_taken(void **state) {
  tutti_config config;
  tutti_study study;
  tutti_study_difference found = {0};
  make_study(state, &config, &study);
  leave_file(&study);
  CHECK_OK(tutti_study_output_read(&study, &found));
  assert_int_equal(study.set.results[1].status, TUTTI_TRIAL_DIVERGED);
  study.set.varied[1] = 0.25;
  leave_file(&study);
  CHECK_FAILS(tutti_study_output_read(&study, &found), TUTTI_ERR_DATA, "/trials does not hold the 2 trials");
  assert_int_equal(study.set.results[1].status, TUTTI_TRIAL_WAITING);
  clear_study(&config, &study);
}

/** Another job removes the folder, when all is done, while this one looks into it. */
static void a_folder_that_goes_away_is_no_failure(void **state) {
  tutti_config config;
  tutti_study study;
  make_study(state, &config, &study);
  char name[64];
  snprintf(name, sizeof name, "study.h5.d/%016llx.h5", (unsigned long long)tutti_study_hash(&study, 1));
  folder_put(folder_path(state, name), "", 0);
  CHECK_FAILS(tutti_study_output_collect_trials(&study), TUTTI_ERR_DATA, name + strlen("study.h5.d/"));
  assert_int_equal(unlink(folder_path(state, "study.h5.d/claims")), 0);
  CHECK_OK(tutti_study_output_collect_trials(&study));
  clear_study(&config, &study);
}

enum { BAD, GOOD };

/** Put both trials into the folder.  The curve of the first one is no table. */
static void put_trials(const tutti_study *study, tutti_store *store) {
  for (int i = 0; i < 2; i++) {
    const tutti_metrics_layout layout = {.metric = "accuracy"};
    tutti_trial_record record = {.result = study->set.results[i], .metric = "accuracy"};
    record.result.status = TUTTI_TRIAL_REACHED;
    if (i == GOOD)
      CHECK_OK(tutti_metrics_records_append(&record.curve, &layout, &(tutti_metrics_row){.step = 10}, NULL));
    CHECK_OK(tutti_study_store_put(store, tutti_study_hash(study, i), &study->head, &study->set, &record));
    tutti_trial_record_clear(&record);
  }
  char name[TUTTI_CURVE_NAME], path[1024];
  tutti_file *file = NULL;
  tutti_fit_trial_curve_name(BAD, name);
  snprintf(path, sizeof path, "%s/%016llx.h5", store->folder,
           (unsigned long long)tutti_study_hash(study, BAD));
  CHECK_OK(tutti_file_update(path, &file));
  CHECK_OK(tutti_file_write(file, name, TUTTI_I32, 1, &(int64_t){1}, 0, &(int32_t){3}));
  CHECK_OK(tutti_file_commit(&file));
}

/** The search needs the row alone.  The merge needs the curve, and says how to get it again. */
static void a_trial_counts_without_its_curve(void **state) {
  tutti_config config;
  tutti_study study;
  make_study(state, &config, &study);
  put_trials(&study, &study.store);
  CHECK_OK(tutti_study_output_collect_trials(&study));
  for (int i = 0; i < 2; i++) assert_int_equal(study.set.results[i].status, TUTTI_TRIAL_REACHED);
  assert_null(tutti_study_curves_find(&study, BAD));
  assert_non_null(tutti_study_curves_find(&study, GOOD));
  CHECK_FAILS(tutti_study_output_merge(&study), TUTTI_ERR_DATA,
              "move this file away, and the trial is computed again");
  clear_study(&config, &study);
}

/** What is not kept is not read either. */
static void curves_are_read_while_there_is_room(void **state) {
  tutti_config config;
  tutti_study study;
  make_study(state, &config, &study);
  put_trials(&study, &study.store);
  study.curve_bytes = INT64_C(1) << 40;
  CHECK_OK(tutti_study_output_collect_trials(&study));
  assert_true(study.curves_are_full);
  assert_null(tutti_study_curves_find(&study, GOOD));
  assert_int_equal(study.set.results[GOOD].status, TUTTI_TRIAL_REACHED);
  tutti_study_curves_forget(&study);
  study.set.results[GOOD].status = TUTTI_TRIAL_WAITING;
  CHECK_OK(tutti_study_output_collect_trials(&study));
  assert_non_null(tutti_study_curves_find(&study, GOOD));
  clear_study(&config, &study);
}

/** Where all is done the folder goes, but not with a trial that only a job with more fresh seeds knows. */
static void trials_of_a_larger_confirm_stay(void **state) {
  const char *theirs = folder_path(state, "study.h5.d/0123456789abcdef.h5");
  for (int more = 1; more >= 0; more--) {
    tutti_config config;
    tutti_study study;
    make_study(state, &config, &study);
    for (int i = 0; i < 2; i++) study.set.results[i].status = TUTTI_TRIAL_DIVERGED;
    if (more) folder_put(theirs, "", 0);
    CHECK_OK(tutti_study_output_merge(&study));
    assert_int_equal(access(theirs, F_OK) == 0, more);
    assert_int_equal(tutti_study_store_current(&study.store), more);
    if (more) assert_int_equal(unlink(theirs), 0);
    clear_study(&config, &study);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(merges_take_a_small_part_of_the_time),
      cmocka_unit_test_setup_teardown(results_of_other_values_are_not_taken, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(a_folder_that_goes_away_is_no_failure, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(a_trial_counts_without_its_curve, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(curves_are_read_while_there_is_room, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(trials_of_a_larger_confirm_stay, folder_make, folder_remove),
  };
  return cmocka_run_group_tests_name("study.merge", tests, NULL, check_no_leak);
}
