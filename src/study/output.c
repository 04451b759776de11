/** The study's file: what is read of it, what is written into it, and the trials of the folder that join them.  open.c
 * and merge.c put these together. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fit/trial_set.h"
#include "study/identity_impl.h"

// --- its contents

void tutti_study_output_set_metric(tutti_study *study, const char *metric) {
  if (!study->metric[0]) snprintf(study->metric, sizeof study->metric, "%s", metric);
}

/** Return whether row i of a file is trial i of the study, by its numbers and its values. */
static bool is_same(const tutti_study *study, const tutti_trial_set *there, int64_t i) {
  const tutti_trial_result *x = &there->results[i], *y = &study->set.results[i];
  return x->trial == y->trial && x->batch_size == y->batch_size && x->seed == y->seed &&
         x->setting == y->setting && tutti_study_identity_is_of(study->space, there, i);
}

/** Take a result of a file over as that of trial i. */
static void take(tutti_study *study, int64_t i, const tutti_trial_result *result, bool *known) {
  tutti_study_take(study, i, result);
  if (known) known[i] = true;
}

tutti_status tutti_study_output_adopt(tutti_study *study, const tutti_file *file,
                                      const tutti_trial_set *there, bool *known) {
  const int64_t n = study->n_searched;
  bool same = there->n_trials == n;
  for (int64_t i = 0; i < n && same; i++) same = is_same(study, there, i);
  TUTTI_CHECK(
      same, TUTTI_ERR_DATA,
      "%s: /trials does not hold the %lld trials of its config: damaged, of a version that drew other "
      "settings, or another job has grown the study; choose another study.output, or start again",
      tutti_file_path(file), (long long)n);
  for (int64_t i = 0; i < n; i++)
    if (there->results[i].status != TUTTI_TRIAL_WAITING) take(study, i, &there->results[i], known);
  TUTTI_TRY(tutti_study_confirm_plan(study));
  for (int64_t k = 0; k < there->n_confirm; k++) {
    const int64_t i = tutti_study_confirm_find(study, &there->confirm[k]);
    if (i >= 0) take(study, i, &there->confirm[k], known);
  }
  return tutti_study_confirm_keep(study, there->confirm, there->n_confirm);
}

/** Take what only the file knows: the name of the metric, and when the study began. */
static tutti_status read_head(tutti_study *study, const tutti_file *file) {
  char *metric = NULL;
  TUTTI_TRY(tutti_file_get_text(file, "/", "metric", &metric));
  tutti_study_output_set_metric(study, metric);
  tutti_free(metric);
  return tutti_file_get_real(file, "/", "began", &study->head.began);
}

tutti_status tutti_study_output_read(tutti_study *study, tutti_study_difference *found) {
  tutti_file *file = NULL;
  tutti_trial_set there = {0};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_file_open(study->config->study.output, &file));
  TUTTI_TRY_GOTO(done, tutti_study_check_file(study, file, found));
  TUTTI_TRY_GOTO(done, tutti_fit_trial_set_read(file, &there));
  if (!found->extent) TUTTI_TRY_GOTO(done, tutti_study_output_adopt(study, file, &there, NULL));
  TUTTI_TRY_GOTO(done, read_head(study, file));
done:
  tutti_fit_trial_set_clear(&there);
  tutti_file_close(&file);
  return status;
}

/** Read trial i of the folder, with its curve if that is to be kept.  A curve that cannot be read does not concern the
 * search, so the trial counts; the merge, which needs the curve, says what is wrong with it. */
static tutti_status read_trial(const tutti_study *study, int64_t i, tutti_trial_record *record) {
  const tutti_store *store = &study->store;
  const uint64_t hash = tutti_study_hash(study, i);
  const bool wants_curve = !study->curves_are_full;
  if (wants_curve &&
      tutti_study_store_get(store, TUTTI_STORE_BY_HASH, hash, &study->set, i, true, record) == TUTTI_OK)
    return TUTTI_OK;
  return tutti_study_store_get(store, TUTTI_STORE_BY_HASH, hash, &study->set, i, false, record);
}

/** Read those of the trials [begin, end) that wait and are in a list of the folder [n]. */
static tutti_status collect(tutti_study *study, const uint64_t *hashes, int64_t n, int64_t begin,
                            int64_t end) {
  for (int64_t i = begin; i < end && n > 0; i++) {
    tutti_trial_record record;
    if (study->set.results[i].status != TUTTI_TRIAL_WAITING || !tutti_study_is_due(study, i)) continue;
    if (!tutti_study_store_lists(hashes, n, tutti_study_hash(study, i))) continue;
    TUTTI_TRY(read_trial(study, i, &record));
    study->set.results[i] = record.result;
    tutti_study_output_set_metric(study, record.metric);
    tutti_study_curves_keep(study, &record);
    tutti_trial_record_clear(&record);
  }
  return TUTTI_OK;
}

tutti_status tutti_study_output_collect_trials(tutti_study *study) {
  uint64_t *hashes = NULL;
  int64_t n = 0;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_study_store_list(&study->store, TUTTI_STORE_BY_HASH, &hashes, &n));
  TUTTI_TRY_GOTO(done, collect(study, hashes, n, 0, study->n_searched));
  TUTTI_TRY_GOTO(done, tutti_study_confirm_plan(study));
  TUTTI_TRY_GOTO(done, collect(study, hashes, n, study->n_searched, study->set.n_trials));
done:
  tutti_free(hashes);
  // If the folder is removed meanwhile, somebody has made the study's file complete.
  return tutti_study_store_current(&study->store) ? status : TUTTI_OK;
}

int64_t tutti_study_output_count(const tutti_study *study, int64_t counts[TUTTI_N_TRIAL_STATES]) {
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

tutti_status tutti_study_output_write(tutti_study *study, tutti_file *file) {
  study->head.metric = study->metric;
  TUTTI_TRY(sum_seconds(study));
  TUTTI_TRY(tutti_study_head_write(file, &study->head));
  tutti_trial_set results;
  TUTTI_TRY(tutti_study_results(study, &results));
  // Without a goal, the best values belong to the metric of study.at_budget, which may have changed since they ran.
  if (!study->config->study.goal.metric[0] && results.asks.metric[0])
    TUTTI_TRY(tutti_fit_trial_set_take_values(&results, file, results.asks.metric));
  TUTTI_TRY(tutti_fit_trial_set_write(file, &results));
  TUTTI_TRY(tutti_fit_trial_set_write_confirm(file, &results));
  return tutti_fit_summary_write(file, &results);
}

tutti_status tutti_study_output_add_curve(const tutti_study *study, tutti_file *file, int64_t i) {
  tutti_trial_record record;
  const uint64_t hash = tutti_study_hash(study, i);
  const tutti_trial_record *kept = tutti_study_curves_find(study, i);
  if (kept) return tutti_study_curve_write(file, kept);
  if (!tutti_study_store_has(&study->store, hash)) return TUTTI_OK; // a trial of the file's own, then
  TUTTI_TRY(tutti_study_store_get(&study->store, TUTTI_STORE_BY_HASH, hash, &study->set, i, true, &record));
  const tutti_status status = tutti_study_curve_write(file, &record);
  tutti_trial_record_clear(&record);
  return status;
}
