/** The study's file: reading it, and merging the trials of the folder into it.
 *
 * A merge writes the whole file again, so it happens now and then only.  One process at a time has the right to write.  Trials
 * stay in the folder until the file has all of them, so a job that ends during a merge loses nothing.  Without locks several
 * jobs may write; the last one finds all trials in the folder. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "fit/trial_set.h"
#include "study/identity_impl.h"

/** Minimum time between two merges, and the largest part of the time that they may take. */
static const double MERGE_EVERY_S = 20, MERGE_PART = 0.02;

// --- what it holds

void tutti_output_set_metric(tutti_study *study, const char *metric) {
  if (!study->metric[0]) snprintf(study->metric, sizeof study->metric, "%s", metric);
}

static void take(tutti_study *study, int64_t i, const tutti_trial_result *result, bool *known) {
  study->set.results[i] = *result;
  study->set.results[i].trial = i;
  if (known) known[i] = true;
}

/** Return whether trial i of two sets is the same, by its numbers and its values. */
static bool is_same(const tutti_trial_set *a, const tutti_trial_set *b, int64_t i) {
  const tutti_trial_result *x = &a->results[i], *y = &b->results[i];
  bool same = a->n_varied == b->n_varied && x->trial == y->trial && x->batch_size == y->batch_size &&
              x->seed == y->seed && x->setting == y->setting;
  for (int v = 0; v < a->n_varied && same; v++) {
    const double value = a->varied[i * a->n_varied + v], other = b->varied[i * b->n_varied + v];
    same = value == other || (isnan(value) && isnan(other));
  }
  return same;
}

/** Take the results of the file, whose trials must be those of the study.
 * @param[out] known  [study->set.n_trials] whether the file has the result of a trial; NULL: not wanted */
static tutti_status adopt(tutti_study *study, const tutti_file *file, const tutti_trial_set *there,
                          bool *known) {
  const int64_t n = study->n_searched;
  bool same = there->n_trials == n;
  for (int64_t i = 0; i < n && same; i++) same = is_same(there, &study->set, i);
  TUTTI_CHECK(same, TUTTI_ERR_DATA, "%s: /trials does not hold the %lld trials of its config: damaged",
              tutti_file_path(file), (long long)n);
  for (int64_t i = 0; i < n; i++)
    if (there->results[i].status != TUTTI_TRIAL_WAITING) take(study, i, &there->results[i], known);
  TUTTI_TRY(tutti_confirm_plan(study));
  for (int64_t k = 0; k < there->n_confirm; k++) {
    const int64_t i = tutti_confirm_find(study, &there->confirm[k]);
    if (i >= 0) take(study, i, &there->confirm[k], known);
  }
  return tutti_confirm_keep(study, there->confirm, there->n_confirm);
}

static tutti_status read_head(tutti_study *study, const tutti_file *file) {
  char *metric = NULL;
  TUTTI_TRY(tutti_file_get_text(file, "/", "metric", &metric));
  tutti_output_set_metric(study, metric);
  tutti_free(metric);
  return tutti_file_get_real(file, "/", "began", &study->head.began);
}

tutti_status tutti_output_read(tutti_study *study, tutti_study_difference *found) {
  tutti_file *file = NULL;
  tutti_trial_set there = {0};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_file_open(study->config->study.output, &file));
  TUTTI_TRY_GOTO(done, tutti_study_check_file(study, file, found));
  TUTTI_TRY_GOTO(done, tutti_trial_set_read(file, &there));
  if (!found->extent) TUTTI_TRY_GOTO(done, adopt(study, file, &there, NULL));
  TUTTI_TRY_GOTO(done, read_head(study, file));
done:
  tutti_trial_set_clear(&there);
  tutti_file_close(&file);
  return status;
}

/** Read those of the trials [begin, end) that wait and are in a list of the folder [n]. */
static tutti_status collect(tutti_study *study, const uint64_t *hashes, int64_t n, int64_t begin,
                            int64_t end) {
  for (int64_t i = begin; i < end && n > 0; i++) {
    tutti_trial_record record;
    if (study->set.results[i].status != TUTTI_TRIAL_WAITING || !tutti_study_is_due(study, i)) continue;
    const uint64_t hash = tutti_study_hash(study, i);
    if (!tutti_store_lists(hashes, n, hash)) continue;
    TUTTI_TRY(tutti_store_get(&study->store, hash, &study->set, i, false, &record));
    study->set.results[i] = record.result;
    tutti_output_set_metric(study, record.metric);
  }
  return TUTTI_OK;
}

tutti_status tutti_output_collect_trials(tutti_study *study) {
  uint64_t *hashes = NULL;
  int64_t n = 0;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_store_list(&study->store, &hashes, &n));
  TUTTI_TRY_GOTO(done, collect(study, hashes, n, 0, study->n_searched));
  TUTTI_TRY_GOTO(done, tutti_confirm_plan(study));
  TUTTI_TRY_GOTO(done, collect(study, hashes, n, study->n_searched, study->set.n_trials));
done:
  tutti_free(hashes);
  // If the folder is removed meanwhile, somebody has made the study's file complete.
  return tutti_store_current(&study->store) ? status : TUTTI_OK;
}

int64_t tutti_output_count(const tutti_study *study, int64_t counts[TUTTI_N_TRIAL_STATES]) {
  int64_t n = 0;
  for (int s = 0; s < TUTTI_N_TRIAL_STATES; s++) counts[s] = 0;
  for (int64_t i = 0; i < study->set.n_trials; i++) {
    if (!tutti_study_is_due(study, i)) continue;
    counts[study->set.results[i].status]++;
    n++;
  }
  return n;
}

// --- writing

typedef struct {
  double started, ended;
} span;

static int by_start(const void *a, const void *b) {
  const span *x = a, *y = b;
  return x->started < y->started ? -1 : x->started > y->started;
}

/** Sum the time during which any trial was under way, over all jobs, however they ended. */
static tutti_status sum_seconds(tutti_study *study) {
  span *spans = NULL;
  int64_t n = 0;
  TUTTI_TRY(TUTTI_NEW(spans, study->set.n_trials));
  for (int64_t i = 0; i < study->set.n_trials; i++) {
    const tutti_trial_result *result = &study->set.results[i];
    if (result->status != TUTTI_TRIAL_WAITING) spans[n++] = (span){result->started, result->ended};
  }
  qsort(spans, (size_t)n, sizeof *spans, by_start);
  double until = -INFINITY;
  study->head.seconds = 0;
  for (int64_t i = 0; i < n; i++) {
    if (spans[i].ended <= until) continue;
    study->head.seconds += spans[i].ended - fmax(spans[i].started, until);
    until = spans[i].ended;
  }
  tutti_free(spans);
  return TUTTI_OK;
}

tutti_status tutti_output_write(tutti_study *study, tutti_file *file) {
  study->head.metric = study->metric;
  TUTTI_TRY(sum_seconds(study));
  TUTTI_TRY(tutti_study_head_write(file, &study->head));
  tutti_trial_set results;
  TUTTI_TRY(tutti_study_results(study, &results));
  // Without a goal, the best values belong to the metric of study.at_budget, which may have changed since they ran.
  if (!study->config->study.goal.metric[0] && results.asks.metric[0])
    TUTTI_TRY(tutti_trial_set_take_values(&results, file, results.asks.metric));
  TUTTI_TRY(tutti_trial_set_write(file, &results));
  TUTTI_TRY(tutti_trial_set_write_confirm(file, &results));
  return tutti_fit_summary_write(file, &results);
}

tutti_status tutti_output_add_curve(const tutti_study *study, tutti_file *file, int64_t i) {
  tutti_trial_record record;
  const uint64_t hash = tutti_study_hash(study, i);
  if (!tutti_store_has(&study->store, hash)) return TUTTI_OK; // a trial of the file's own, then
  TUTTI_TRY(tutti_store_get(&study->store, hash, &study->set, i, true, &record));
  const tutti_status status = tutti_curve_write(file, &record);
  tutti_trial_record_clear(&record);
  return status;
}

/** Take the results of the file, if it has any. */
static tutti_status read_there(tutti_study *study, const tutti_file *file, bool *known) {
  tutti_trial_set there = {0};
  if (!tutti_file_has(file, "/trials")) return TUTTI_OK;
  TUTTI_TRY(tutti_trial_set_read(file, &there));
  const tutti_status status = adopt(study, file, &there, known);
  tutti_trial_set_clear(&there);
  return status;
}

/** Find out whether study.at_budget asks for a metric that the file does not answer for. */
static tutti_status asks_more(const tutti_study *study, const tutti_file *file, bool *anew) {
  const char *asked = study->set.asks.metric;
  char *told = NULL;
  *anew = asked[0] && !tutti_file_has(file, TUTTI_AT_BUDGET);
  if (!asked[0] || *anew) return TUTTI_OK;
  TUTTI_TRY(tutti_file_get_text(file, TUTTI_AT_BUDGET, "metric", &told));
  *anew = strcmp(told, asked) != 0;
  tutti_free(told);
  return TUTTI_OK;
}

static tutti_status update(tutti_study *study, bool last) {
  tutti_file *file = NULL;
  bool *known = NULL;
  tutti_status status = TUTTI_OK;
  bool changed = last && !isnan(study->head.idle), anew;
  TUTTI_TRY_GOTO(done, tutti_file_update(study->config->study.output, &file));
  TUTTI_TRY_GOTO(done, asks_more(study, file, &anew));
  changed = changed || anew;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(known, study->set.n_trials));
  TUTTI_TRY_GOTO(done, read_there(study, file, known));
  for (int64_t i = 0; i < study->set.n_trials; i++) {
    if (known[i] || study->set.results[i].status == TUTTI_TRIAL_WAITING) continue;
    changed = true;
    TUTTI_TRY_GOTO(done, tutti_output_add_curve(study, file, i));
  }
  // If the folder has been removed meanwhile, somebody has made the file complete.
  if (!changed || !tutti_store_current(&study->store)) goto done;
  TUTTI_TRY_GOTO(done, tutti_output_write(study, file));
  TUTTI_TRY_GOTO(done, tutti_fault("study.merge"));
  TUTTI_TRY_GOTO(done, tutti_file_commit(&file));
done:
  tutti_free(known);
  tutti_file_close(&file);
  return status;
}

static int64_t count_waiting(const tutti_study *study) {
  int64_t counts[TUTTI_N_TRIAL_STATES];
  tutti_output_count(study, counts);
  return counts[TUTTI_TRIAL_WAITING];
}

/** Merge while nobody else writes.  If the folder is gone, another job has made the file complete. */
static tutti_status merge_alone(tutti_study *study, bool last) {
  tutti_study_difference found = {0};
  if (tutti_store_current(&study->store)) {
    TUTTI_TRY(tutti_output_collect_trials(study));
    TUTTI_TRY(update(study, last));
  }
  return tutti_store_current(&study->store) ? TUTTI_OK : tutti_output_read(study, &found);
}

// --- now and then

double tutti_output_pause(double cost) {
  return fmax(MERGE_EVERY_S, cost / MERGE_PART);
}

/** Return whether the file is old enough for a merge.  Its age counts, so that one of several jobs writes at a time. */
static bool is_old(const tutti_study *study) {
  struct stat state;
  if (stat(study->config->study.output, &state) != 0) return true;
  return difftime(time(NULL), state.st_mtime) >= MERGE_EVERY_S;
}

static tutti_status try_merge(tutti_study *study) {
  bool taken = false;
  TUTTI_TRY(tutti_claims_take(study->store.claims, TUTTI_CLAIM_WRITING, &taken));
  if (!taken && tutti_store_current(&study->store)) return TUTTI_OK;
  const tutti_status status = merge_alone(study, false);
  tutti_claims_give_back(study->store.claims, TUTTI_CLAIM_WRITING);
  return status;
}

void tutti_output_merge_if_due(tutti_study *study) {
  const double start = tutti_clock_s();
  if (start < study->merge_at || !is_old(study)) return;
  if (try_merge(study) != TUTTI_OK) tutti_output_warn(study);
  const double end = tutti_clock_s();
  study->merge_at = end + tutti_output_pause(end - start);
}

void tutti_output_warn(tutti_study *study) {
  if (study->warned) return;
  study->warned = true;
  tutti_log(
      TUTTI_LOG_WARNING,
      "%s; the trials that are done are safe in %s, and the job continues and tries it again: make sure "
      "that there is space, and that files can be read and written there",
      tutti_fail_text(), study->store.folder);
}

// --- at the end

/** Return whether a trial is one that only a job with a larger study.confirm knows, as far as it can be read. */
static bool is_of_more(const tutti_study *study, uint64_t hash) {
  const tutti_study_options *options = &study->config->study;
  const int64_t end = (int64_t)study->config->train.seed + TUTTI_CONFIRM_SEED + options->confirm;
  tutti_trial_record record;
  if (tutti_store_read_hash(&study->store, hash, &record) != TUTTI_OK) return true;
  const bool is_more = tutti_confirm_is(study, &record.result) && record.result.seed >= end;
  tutti_trial_record_clear(&record);
  return is_more;
}

/** Look for trials in the folder that another job brings into the file: those with more fresh seeds. */
static tutti_status look_for_more(const tutti_study *study, bool *more) {
  uint64_t *hashes = NULL;
  tutti_identity *ours = NULL;
  int64_t n = 0, n_ours = 0;
  tutti_status status = TUTTI_OK;
  *more = false;
  TUTTI_TRY_GOTO(done, tutti_identity_list(study, &ours, &n_ours));
  TUTTI_TRY_GOTO(done, tutti_store_list(&study->store, &hashes, &n));
  for (int64_t k = 0; k < n; k++)
    *more = *more || (tutti_identity_find(ours, n_ours, hashes[k]) < 0 && is_of_more(study, hashes[k]));
done:
  tutti_free(hashes);
  tutti_free(ours);
  return status;
}

static tutti_status leave_folder(const tutti_study *study) {
  bool more;
  TUTTI_TRY(look_for_more(study, &more));
  if (more)
    tutti_log(TUTTI_LOG_WARNING,
              "%s stays: it holds trials of a larger study.confirm than %lld; the job that runs them, or "
              "tutti study with that value, brings them into %s",
              study->store.folder, (long long)study->config->study.confirm, study->config->study.output);
  else
    tutti_store_remove(&study->store);
  return TUTTI_OK;
}

/** Merge for the last time in this job.  Without locks others may write at the same time and replace the file by one that
 * lacks trials.  The folder keeps all of them, whoever comes last finds them there, and nobody removes it. */
static tutti_status merge_last(tutti_study *study) {
  int64_t before;
  do {
    before = count_waiting(study);
    TUTTI_TRY(merge_alone(study, true));
  } while (!study->claims_reach && count_waiting(study) < before);
  if (count_waiting(study) > 0 || !tutti_store_current(&study->store)) return TUTTI_OK;
  if (study->claims_reach) return leave_folder(study);
  tutti_log(TUTTI_LOG_WARNING,
            "%s: all trials are in %s, but without locks nobody can tell whether another job is at work "
            "here: remove this folder when none is",
            study->store.folder, study->config->study.output);
  return TUTTI_OK;
}

tutti_status tutti_output_merge(tutti_study *study) {
  char text[2048];
  bool taken = false;
  tutti_status status = tutti_store_wait(&study->store, TUTTI_CLAIM_WRITING, &taken);
  if (status == TUTTI_OK) status = merge_last(study);
  tutti_claims_give_back(study->store.claims, TUTTI_CLAIM_WRITING);
  if (status == TUTTI_OK) return status;
  snprintf(text, sizeof text,
           "%s; no trial is lost: those that are done are in %s, and the same command, given again, brings "
           "them into %s",
           tutti_fail_text(), study->store.folder, study->config->study.output);
  tutti_fail_set_text(text);
  return status;
}
