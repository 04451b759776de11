/** Merges of the folder into the study's file.
 *
 * A merge writes the whole file again, so it happens now and then only.  One process at a time has the right to write.
 * Trials stay in the folder until the file has all of them, so a job that ends during a merge loses nothing.  Without
 * locks several jobs may write; the last one finds all trials in the folder.  run.c calls this on rank 0. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "fit/trial_set.h"
#include "study/identity_impl.h"

/** Minimum time between two merges, and the largest part of the time that they may take. */
static const double MERGE_EVERY_S = 20, MERGE_PART = 0.02;

// --- one merge

/** Take the results of the file, if it has any. */
static tutti_status read_there(tutti_study *study, const tutti_file *file, bool *known) {
  tutti_trial_set there = {0};
  if (!tutti_file_has(file, "/trials")) return TUTTI_OK;
  TUTTI_TRY(tutti_fit_trial_set_read(file, &there));
  const tutti_status status = tutti_study_output_adopt(study, file, &there, known);
  tutti_fit_trial_set_clear(&there);
  return status;
}

/** Find out whether study.at_budget asks for a metric that the file does not answer for. */
static tutti_status asks_more(const tutti_study *study, const tutti_file *file, bool *asks) {
  const char *asked = study->set.asks.metric;
  char *answered = NULL;
  *asks = asked[0] && !tutti_file_has(file, TUTTI_AT_BUDGET);
  if (!asked[0] || *asks) return TUTTI_OK;
  TUTTI_TRY(tutti_file_get_text(file, TUTTI_AT_BUDGET, "metric", &answered));
  *asks = strcmp(answered, asked) != 0;
  tutti_free(answered);
  return TUTTI_OK;
}

/** Write the study's file, unless it has everything already. */
static tutti_status update(tutti_study *study, bool last) {
  tutti_file *file = NULL;
  bool *known = NULL;
  tutti_status status = TUTTI_OK;
  bool changed = last && !isnan(study->head.idle), asks;
  TUTTI_TRY_GOTO(done, tutti_file_update(study->config->study.output, &file));
  TUTTI_TRY_GOTO(done, asks_more(study, file, &asks));
  changed = changed || asks;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(known, study->set.n_trials));
  TUTTI_TRY_GOTO(done, read_there(study, file, known));
  for (int64_t i = 0; i < study->set.n_trials; i++) {
    if (known[i] || study->set.results[i].status == TUTTI_TRIAL_WAITING) continue;
    changed = true;
    TUTTI_TRY_GOTO(done, tutti_study_output_add_curve(study, file, i));
  }
  // If the folder has been removed meanwhile, somebody has made the file complete.
  if (!changed || !tutti_study_store_current(&study->store)) goto done;
  TUTTI_TRY_GOTO(done, tutti_study_output_write(study, file));
  TUTTI_TRY_GOTO(done, tutti_fault("study.merge"));
  TUTTI_TRY_GOTO(done, tutti_file_commit(&file));
done:
  if (status == TUTTI_OK) tutti_study_curves_forget(study);
  tutti_free(known);
  tutti_file_close(&file);
  return status;
}

static int64_t count_waiting(const tutti_study *study) {
  int64_t counts[TUTTI_N_TRIAL_STATES];
  tutti_study_output_count(study, counts);
  return counts[TUTTI_TRIAL_WAITING];
}

/** Merge while nobody else writes.  If the folder is gone, another job has made the file complete. */
static tutti_status merge_alone(tutti_study *study, bool last) {
  tutti_study_difference found = {0};
  if (tutti_study_store_current(&study->store)) {
    TUTTI_TRY(tutti_study_output_collect_trials(study));
    TUTTI_TRY(update(study, last));
  }
  return tutti_study_store_current(&study->store) ? TUTTI_OK : tutti_study_output_read(study, &found);
}

// --- now and then

double tutti_study_output_pause(double cost) {
  return fmax(MERGE_EVERY_S, cost / MERGE_PART);
}

/** Return whether the file is old enough for a merge.  Its age counts, so that one of several jobs writes at a time. */
static bool is_old(const tutti_study *study) {
  struct stat state;
  if (stat(study->config->study.output, &state) != 0) return true;
  return difftime(time(NULL), state.st_mtime) >= MERGE_EVERY_S;
}

/** Merge, unless another process writes just now. */
static tutti_status try_merge(tutti_study *study) {
  bool taken = false;
  TUTTI_TRY(tutti_io_claims_take(study->store.claims, TUTTI_CLAIM_WRITING, &taken));
  if (!taken && tutti_study_store_current(&study->store)) return TUTTI_OK;
  const tutti_status status = merge_alone(study, false);
  tutti_io_claims_give_back(study->store.claims, TUTTI_CLAIM_WRITING);
  return status;
}

void tutti_study_output_merge_now(tutti_study *study) {
  const double start = tutti_clock_s();
  if (try_merge(study) != TUTTI_OK) tutti_study_output_warn(study);
  study->merge_s = tutti_clock_s() - start;
}

void tutti_study_output_merge_if_due(tutti_study *study) {
  if (tutti_clock_s() < study->merge_at || !is_old(study)) return;
  tutti_study_output_merge_now(study);
  study->merge_at = tutti_clock_s() + tutti_study_output_pause(study->merge_s);
}

void tutti_study_output_warn(tutti_study *study) {
  if (study->warned) return;
  study->warned = true;
  tutti_log(
      TUTTI_LOG_WARNING,
      "%s; the trials that are done are safe in %s, and the job continues and tries it again: make sure "
      "that there is space, and that files can be read and written there",
      tutti_fail_text(), study->store.folder);
}

// --- at the end

/** Return whether a trial that this study does not have must be kept.  Only a fresh seed of a setting that is not the
 * best any more may go.  Others are of a job with a larger study.confirm, of another version, or cannot be read. */
static bool is_needed(const tutti_study *study, uint64_t hash) {
  const tutti_study_options *options = &study->config->study;
  const int64_t end = (int64_t)study->config->train.seed + TUTTI_CONFIRM_SEED + options->confirm;
  tutti_trial_record record;
  if (tutti_study_store_read_hash(&study->store, hash, &record) != TUTTI_OK) return true;
  const bool is_stale = tutti_study_confirm_is(study, &record.result) && record.result.seed < end;
  tutti_trial_record_clear(&record);
  return !is_stale;
}

/** Look for trials in the folder that another job brings into the file: those with more fresh seeds, and those of a job
 * of an earlier version, which started after this one and knows its trials by their numbers. */
static tutti_status look_for_more(const tutti_study *study, bool *more) {
  uint64_t *hashes = NULL, *numbers = NULL;
  tutti_identity *ours = NULL;
  int64_t n = 0, n_ours = 0, n_numbers = 0;
  tutti_status status = TUTTI_OK;
  *more = false;
  TUTTI_TRY_GOTO(done, tutti_study_identity_list(study, &ours, &n_ours));
  TUTTI_TRY_GOTO(done, tutti_study_store_list(&study->store, TUTTI_STORE_BY_HASH, &hashes, &n));
  TUTTI_TRY_GOTO(done, tutti_study_store_list(&study->store, TUTTI_STORE_BY_NUMBER, &numbers, &n_numbers));
  *more = n_numbers > 0 || tutti_io_claims_held(study->store.claims, TUTTI_CLAIM_EARLIER_START);
  for (int64_t k = 0; k < n; k++)
    *more = *more || (tutti_study_identity_find(ours, n_ours, hashes[k]) < 0 && is_needed(study, hashes[k]));
done:
  tutti_free(numbers);
  tutti_free(hashes);
  tutti_free(ours);
  return status;
}

/** Remove the folder, unless another job still needs it. */
static tutti_status leave_folder(const tutti_study *study) {
  bool more;
  TUTTI_TRY(look_for_more(study, &more));
  if (more)
    tutti_log(
        TUTTI_LOG_WARNING,
        "%s stays: it holds trials of a larger study.confirm than %lld, of another version, or damaged; "
        "the job that runs them, or tutti study with that value, brings them into %s",
        study->store.folder, (long long)study->config->study.confirm, study->config->study.output);
  else
    tutti_study_store_remove(&study->store);
  return TUTTI_OK;
}

/** Merge for the last time in this job.  Without locks others may write at the same time and replace the file by one
 * that lacks trials.  The folder keeps all of them, whoever comes last finds them there, and nobody removes it. */
static tutti_status merge_last(tutti_study *study) {
  int64_t before;
  do {
    before = count_waiting(study);
    TUTTI_TRY(merge_alone(study, true));
  } while (!study->claims_reach && count_waiting(study) < before);
  if (count_waiting(study) > 0 || !tutti_study_store_current(&study->store)) return TUTTI_OK;
  if (study->claims_reach) return leave_folder(study);
  tutti_log(TUTTI_LOG_WARNING,
            "%s: all trials are in %s, but without locks nobody can tell whether another job is at work "
            "here: remove this folder when none is",
            study->store.folder, study->config->study.output);
  return TUTTI_OK;
}

tutti_status tutti_study_output_merge(tutti_study *study) {
  char text[2048];
  bool taken = false;
  tutti_status status = tutti_study_store_wait(&study->store, TUTTI_CLAIM_WRITING, &taken);
  if (status == TUTTI_OK) status = merge_last(study);
  tutti_io_claims_give_back(study->store.claims, TUTTI_CLAIM_WRITING);
  if (status == TUTTI_OK) return status;
  snprintf(text, sizeof text,
           "%s; no trial is lost: those that are done are in %s, and the same command, given again, brings "
           "them into %s",
           tutti_fail_text(), study->store.folder, study->config->study.output);
  tutti_fail_set_text(text);
  return status;
}
