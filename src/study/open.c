/** A study's file and folder as a job finds them: begun, gone on with, or taken over from a study of another extent. */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "study/grow_impl.h"
#include "study/study_impl.h"

/** The folder, and the right to write.  A job that ends may remove the folder just before we have got it. */
static tutti_status enter(tutti_study *study) {
  enum { TRIES = 100 };
  for (int i = 0; i < TRIES; i++) {
    bool taken = false;
    TUTTI_TRY(tutti_store_open(study->config->study.output, true, &study->store));
    TUTTI_TRY(tutti_store_wait(&study->store, TUTTI_CLAIM_WRITING, &taken));
    if (taken && tutti_store_current(&study->store)) return TUTTI_OK;
    tutti_store_close(&study->store);
  }
  TUTTI_FAIL(TUTTI_ERR_CREATE, "%s.d: cannot be entered: it goes away again and again",
             study->config->study.output);
}

// --- trials that were done under other numbers

/** What is there, and which trials of the study it is; -1: none. */
typedef struct {
  tutti_study *study;
  const tutti_study_difference *found;
  tutti_grow_index *index;
  tutti_file *file;        // of them, the study's; NULL: there is none
  tutti_trial_set in_file; // its trials
  int64_t *numbers;        // [in_file.n_trials]
  int64_t *confirm;        // [in_file.n_confirm]
  int64_t *in_folder, n;   // [n] numbers of the trials in the folder, there
  int64_t *folder_numbers; // [n]
  int64_t n_lost;
} legacy;

static void clear(legacy *old) {
  tutti_free(old->folder_numbers);
  tutti_free(old->in_folder);
  tutti_free(old->numbers);
  tutti_free(old->confirm);
  tutti_trial_set_clear(&old->in_file);
  tutti_file_close(&old->file);
  tutti_grow_index_destroy(&old->index);
}

static tutti_status look_into_file(legacy *old) {
  tutti_study *study = old->study;
  TUTTI_TRY(tutti_file_open(study->config->study.output, &old->file));
  TUTTI_TRY(tutti_trial_set_read(old->file, &old->in_file));
  TUTTI_TRY(TUTTI_NEW(old->numbers, old->in_file.n_trials));
  TUTTI_TRY(tutti_grow_match(&old->in_file, &study->set, old->numbers, &old->n_lost));
  tutti_grow_results(&old->in_file, old->numbers, &study->set);
  return TUTTI_OK;
}

/** One that the file has as well is the same there.  A fresh seed of a setting that is no longer the best is no loss. */
static void take_result(legacy *old, int64_t k, bool fresh, const tutti_trial_set *one,
                        const tutti_trial_record *record) {
  tutti_trial_set *set = &old->study->set;
  if (tutti_confirm_is(old->study, &record->result) != fresh) return;
  const int64_t number = tutti_grow_find(old->index, one, 0);
  old->folder_numbers[k] = number;
  old->n_lost += number < 0 && !fresh;
  if (number < 0 || set->results[number].status != TUTTI_TRIAL_WAITING) return;
  tutti_grow_result(&record->result, number, set);
  tutti_output_take_metric(old->study, record->metric);
}

static tutti_status look_at_trial(legacy *old, int64_t k, bool fresh) {
  tutti_study *study = old->study;
  tutti_file *file = NULL;
  tutti_trial_set one = {0};
  tutti_trial_record record = {0};
  tutti_study_difference found = {0};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_store_open_trial(&study->store, old->in_folder[k], &file));
  TUTTI_TRY_GOTO(done, tutti_study_check_file(study, file, &found));
  TUTTI_TRY_GOTO(done, tutti_store_read_trial(file, old->in_folder[k], false, &one, &record));
  take_result(old, k, fresh, &one, &record);
done:
  tutti_trial_record_clear(&record);
  tutti_trial_set_clear(&one);
  tutti_file_close(&file);
  return status;
}

static tutti_status look_into_folder(legacy *old) {
  TUTTI_TRY(tutti_store_list(&old->study->store, &old->in_folder, &old->n));
  TUTTI_TRY(TUTTI_NEW(old->folder_numbers, old->n));
  for (int64_t k = 0; k < old->n; k++) {
    old->folder_numbers[k] = -1;
    TUTTI_TRY(look_at_trial(old, k, false));
  }
  return TUTTI_OK;
}

/** A setting that the file has tried, as it is numbered now; -1: there is none. */
static int64_t setting_now(legacy *old, const tutti_trial_result *then) {
  for (int64_t i = 0; i < old->in_file.n_trials; i++) {
    const tutti_trial_result *like = &old->in_file.results[i];
    if (like->batch_size == then->batch_size && like->setting == then->setting && old->numbers[i] >= 0)
      return old->study->set.results[old->numbers[i]].setting;
  }
  return -1;
}

/** Its number may be that of another trial now, and its curve with it: one that has no new number has none.
 * @param[in,out] then  its setting, as it is numbered now */
static void take_confirm(legacy *old, int64_t k, tutti_trial_result *then) {
  then->setting = setting_now(old, then);
  old->confirm[k] = tutti_confirm_find(old->study, then);
  if (old->confirm[k] >= 0) tutti_grow_result(then, old->confirm[k], &old->study->set);
  then->trial = -1;
}

/** Those whose batch size is not complete, or has another best now, are carried along. */
static tutti_status take_all_confirm(legacy *old) {
  tutti_trial_result *then = NULL;
  const int64_t n = old->in_file.n_confirm;
  TUTTI_TRY(TUTTI_NEW(then, n));
  for (int64_t k = 0; k < n; k++) {
    then[k] = old->in_file.confirm[k];
    take_confirm(old, k, &then[k]);
  }
  const tutti_status status = tutti_confirm_keep(old->study, then, n);
  tutti_free(then);
  return status;
}

/** Where the best settings of the larger study are known already, their fresh seeds go on. */
static tutti_status look_at_confirm(legacy *old) {
  TUTTI_TRY(tutti_confirm_plan(old->study));
  TUTTI_TRY(TUTTI_NEW(old->confirm, old->in_file.n_confirm));
  TUTTI_TRY(take_all_confirm(old));
  tutti_grow_index_destroy(&old->index);
  TUTTI_TRY(tutti_grow_index_create(&old->study->set, &old->index));
  for (int64_t k = 0; k < old->n; k++) TUTTI_TRY(look_at_trial(old, k, true));
  return TUTTI_OK;
}

/** Nothing of a trial that is not taken over. */
static tutti_status copy_curve(const legacy *old, int64_t k, tutti_file *to) {
  tutti_file *file = NULL;
  tutti_trial_set one = {0};
  tutti_trial_record record = {0};
  tutti_status status = TUTTI_OK;
  if (old->folder_numbers[k] < 0) return TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_store_open_trial(&old->study->store, old->in_folder[k], &file));
  TUTTI_TRY_GOTO(done, tutti_store_read_trial(file, old->in_folder[k], true, &one, &record));
  record.result.trial = old->folder_numbers[k];
  TUTTI_TRY_GOTO(done, tutti_curve_write(to, &record));
done:
  tutti_trial_record_clear(&record);
  tutti_trial_set_clear(&one);
  tutti_file_close(&file);
  return status;
}

static tutti_status copy_curves_of_file(const legacy *old, tutti_file *to) {
  const tutti_trial_set fresh = {.n_trials = old->in_file.n_confirm, .results = old->in_file.confirm};
  const char *metric = old->study->metric;
  TUTTI_TRY(tutti_grow_curves(old->file, &old->in_file, old->numbers, metric, to));
  return tutti_grow_curves(old->file, &fresh, old->confirm, metric, to);
}

static tutti_status write_all(legacy *old) {
  tutti_study *study = old->study;
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_file_create(study->config->study.output, &file));
  // First the curves, of which the trials have their values.
  if (old->file) TUTTI_TRY_GOTO(done, copy_curves_of_file(old, file));
  for (int64_t k = 0; k < old->n; k++) TUTTI_TRY_GOTO(done, copy_curve(old, k, file));
  TUTTI_TRY_GOTO(done, tutti_output_write(study, file));
  TUTTI_TRY_GOTO(done, tutti_fault("study.grow"));
  TUTTI_TRY_GOTO(done, tutti_file_commit(&file));
  TUTTI_TRY_GOTO(done, tutti_fault("study.grown"));
done:
  tutti_file_close(&file);
  return status;
}

static tutti_status check_lost(const legacy *old) {
  const char *output = old->study->config->study.output;
  TUTTI_CHECK(old->n_lost == 0 || !old->found->any, TUTTI_ERR_CONFIG,
              "%s: %s, without %lld of the trials that are done; keep what "
              "was there beside what is new, or choose another study.output",
              output, old->found->text, (long long)old->n_lost);
  TUTTI_CHECK(old->n_lost == 0, TUTTI_ERR_CONFIG,
              "%s: %lld of the trials in it are none of this study; move it away, or choose another "
              "study.output",
              old->study->store.folder, (long long)old->n_lost);
  return TUTTI_OK;
}

/** No finished trial may be lost, whenever this ends: all come into the new file first, and are known by what they are
 * until the folder has none with an old number. */
static tutti_status take_over(tutti_study *study, bool has_file, const tutti_study_difference *found) {
  legacy old = {.study = study, .found = found};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_grow_index_create(&study->set, &old.index));
  if (has_file) TUTTI_TRY_GOTO(done, look_into_file(&old));
  TUTTI_TRY_GOTO(done, look_into_folder(&old));
  TUTTI_TRY_GOTO(done, look_at_confirm(&old));
  TUTTI_TRY_GOTO(done, check_lost(&old));
  TUTTI_TRY_GOTO(done, write_all(&old));
  tutti_store_empty(&study->store);
done:
  clear(&old);
  return status;
}

/** Whoever is at work goes on to store trials under the numbers that they had. */
static tutti_status check_alone(const tutti_study *study, const tutti_study_difference *found) {
  const char *folder = study->store.folder;
  const char *why = found->any ? found->text : "the trials there have no config.yaml beside them";
  TUTTI_CHECK(!tutti_claims_held(study->store.claims, TUTTI_CLAIM_PRESENCE), TUTTI_ERR_CONFIG,
              "%s: another job is at work on the study as it was: %s; let that end, and start this one then",
              folder, why);
  TUTTI_CHECK(tutti_claims_work(study->store.claims), TUTTI_ERR_CONFIG,
              "%s: %s, but the file system has no locks to tell whether another job is at work on the study "
              "as it was; let that come to its end, remove this folder, and change it then",
              folder, why);
  return TUTTI_OK;
}

// --- all of it

/** What the study's file would tell, which is gone: of what data the trials are, and from when their times count. */
static tutti_status ask_trial(tutti_study *study, int64_t trial) {
  tutti_file *file = NULL;
  tutti_study_difference found = {0};
  TUTTI_TRY(tutti_store_open_trial(&study->store, trial, &file));
  tutti_status status = tutti_study_check_file(study, file, &found);
  if (status == TUTTI_OK) status = tutti_file_get_real(file, "/", "began", &study->head.began);
  tutti_file_close(&file);
  return status;
}

static tutti_status begin_file(tutti_study *study) {
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_file_create(study->config->study.output, &file));
  TUTTI_TRY_GOTO(done, tutti_output_write(study, file));
  TUTTI_TRY_GOTO(done, tutti_file_commit(&file));
done:
  tutti_file_close(&file);
  return status;
}

/** What lies in the folder without a config, or with that of another extent, has other numbers. */
static tutti_status begin_alone(tutti_study *study) {
  tutti_study_difference of_file = {0}, of_folder = {0};
  bool marked = false;
  int64_t *trials = NULL, n = 0;
  const bool has_file = access(study->config->study.output, F_OK) == 0;
  study->head.began = tutti_clock_unix_s();
  if (has_file) TUTTI_TRY(tutti_output_read(study, &of_file));
  TUTTI_TRY(tutti_study_check_folder(study, &marked, &of_folder));
  TUTTI_TRY(tutti_store_list(&study->store, &trials, &n));
  const tutti_status status = !has_file && n > 0 ? ask_trial(study, trials[0]) : TUTTI_OK;
  tutti_free(trials);
  TUTTI_TRY(status);
  const bool renumbers = of_file.extent || of_folder.extent || (!marked && n > 0);
  const tutti_study_difference *found = of_file.extent ? &of_file : &of_folder;
  if (renumbers && (marked || n > 0)) TUTTI_TRY(check_alone(study, found));
  if (renumbers)
    TUTTI_TRY(take_over(study, has_file, found));
  else if (!has_file)
    TUTTI_TRY(begin_file(study));
  if (!marked || of_folder.extent) TUTTI_TRY(tutti_study_mark_folder(study));
  return tutti_output_learn(study);
}

tutti_status tutti_output_begin(tutti_study *study) {
  bool present = false;
  TUTTI_TRY(enter(study));
  tutti_status status = begin_alone(study);
  if (status == TUTTI_OK) status = tutti_claims_share(study->store.claims, TUTTI_CLAIM_PRESENCE, &present);
  if (status != TUTTI_OK) tutti_store_leave(&study->store);
  tutti_claims_give_back(study->store.claims, TUTTI_CLAIM_WRITING);
  return status;
}
