/** The study's file: begun, compared, brought up to date. */
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
#include "study/grow.h"
#include "study/study_impl.h"

/** Not more often than this, seconds: each time the whole file is written anew. */
static const double MERGE_EVERY_S = 20;

/** A writer that takes longer is told of. */
static const double WAIT_SILENT_S = 5;

static int64_t writing(const tutti_study *study) {
  return study->set.n_trials;
}

// --- what it holds

static void take_metric(tutti_study *study, const char *metric) {
  if (!study->metric[0]) snprintf(study->metric, sizeof study->metric, "%s", metric);
}

static bool is_same_trial(const tutti_trial_result *a, const tutti_trial_result *b) {
  return a->trial == b->trial && a->setting == b->setting && a->seed == b->seed &&
         a->batch_size == b->batch_size;
}

/** Its trials are these; those that are done there are done. */
static tutti_status adopt(tutti_study *study, const tutti_file *file, const tutti_trial_set *there) {
  const int64_t n = study->set.n_trials;
  bool same = there->n_trials == n;
  for (int64_t i = 0; i < n && same; i++) same = is_same_trial(&there->results[i], &study->set.results[i]);
  TUTTI_CHECK(same, TUTTI_ERR_DATA, "%s: /trials does not hold the %lld trials of its config: damaged",
              tutti_file_path(file), (long long)n);
  for (int64_t i = 0; i < n; i++)
    if (there->results[i].status != TUTTI_TRIAL_WAITING) study->set.results[i] = there->results[i];
  return TUTTI_OK;
}

static tutti_status read_head(tutti_study *study, const tutti_file *file) {
  char *metric = NULL;
  TUTTI_TRY(tutti_file_get_text(file, "/", "metric", &metric));
  take_metric(study, metric);
  tutti_free(metric);
  return tutti_file_get_real(file, "/", "began", &study->head.began);
}

/** @param[out] found  of another extent: then nothing but the head is taken */
static tutti_status read_file(tutti_study *study, tutti_study_difference *found) {
  tutti_file *file = NULL;
  tutti_trial_set there = {0};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_file_open(study->config->study.output, &file));
  TUTTI_TRY_GOTO(done, tutti_study_check_file(study, file, found));
  TUTTI_TRY_GOTO(done, tutti_trial_set_read(file, &there));
  if (!found->extent) TUTTI_TRY_GOTO(done, adopt(study, file, &there));
  TUTTI_TRY_GOTO(done, read_head(study, file));
done:
  tutti_trial_set_clear(&there);
  tutti_file_close(&file);
  return status;
}

tutti_status tutti_output_learn(tutti_study *study) {
  const int64_t n = study->set.n_trials;
  bool *there = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(there, n));
  tutti_store_list(&study->store, there);
  for (int64_t i = 0; i < n; i++) {
    tutti_trial_record record;
    if (!there[i] || study->set.results[i].status != TUTTI_TRIAL_WAITING) continue;
    TUTTI_TRY_GOTO(done, tutti_store_get(&study->store, i, false, &record));
    study->set.results[i] = record.result;
    take_metric(study, record.metric);
  }
done:
  tutti_free(there);
  return status;
}

void tutti_output_count(const tutti_study *study, int64_t counts[TUTTI_N_TRIAL_STATES]) {
  for (int s = 0; s < TUTTI_N_TRIAL_STATES; s++) counts[s] = 0;
  for (int64_t i = 0; i < study->set.n_trials; i++) counts[study->set.results[i].status]++;
}

// --- writing

typedef struct {
  double started, ended;
} span;

static int by_start(const void *a, const void *b) {
  const span *x = a, *y = b;
  return x->started < y->started ? -1 : x->started > y->started;
}

/** Time in which there was a trial under way: whichever jobs there were, however they ended. */
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

static tutti_status write_all(tutti_study *study, tutti_file *file) {
  study->head.metric = study->metric;
  TUTTI_TRY(sum_seconds(study));
  TUTTI_TRY(tutti_study_head_write(file, &study->head));
  TUTTI_TRY(tutti_trial_set_write(file, &study->set));
  return tutti_study_conclude(file, &study->set);
}

static tutti_status add_curve(const tutti_study *study, tutti_file *file, int64_t trial) {
  tutti_trial_record record;
  if (!tutti_store_has(&study->store, trial)) return TUTTI_OK; // a trial of the file's own, then
  TUTTI_TRY(tutti_store_get(&study->store, trial, true, &record));
  const tutti_status status = tutti_curve_write(file, &record);
  tutti_trial_record_clear(&record);
  return status;
}

/** The trials of the file, none of which is done where there is no file. */
static tutti_status read_there(tutti_study *study, const tutti_file *file, tutti_trial_set *there) {
  if (!tutti_file_has(file, "/trials")) return TUTTI_OK;
  TUTTI_TRY(tutti_trial_set_read(file, there));
  return adopt(study, file, there);
}

static tutti_status update(tutti_study *study, bool last) {
  tutti_file *file = NULL;
  tutti_trial_set there = {0};
  tutti_status status = TUTTI_OK;
  bool changed = last && !isnan(study->head.idle);
  TUTTI_TRY_GOTO(done, tutti_file_update(study->config->study.output, &file));
  TUTTI_TRY_GOTO(done, read_there(study, file, &there));
  for (int64_t i = 0; i < study->set.n_trials; i++) {
    const bool known = there.results && there.results[i].status != TUTTI_TRIAL_WAITING;
    if (known || study->set.results[i].status == TUTTI_TRIAL_WAITING) continue;
    changed = true;
    TUTTI_TRY_GOTO(done, add_curve(study, file, i));
  }
  if (!changed) goto done;
  TUTTI_TRY_GOTO(done, write_all(study, file));
  TUTTI_TRY_GOTO(done, tutti_fault("study.merge"));
  TUTTI_TRY_GOTO(done, tutti_file_commit(&file));
done:
  tutti_trial_set_clear(&there);
  tutti_file_close(&file);
  return status;
}

static bool is_done(const tutti_study *study) {
  int64_t counts[TUTTI_N_TRIAL_STATES];
  tutti_output_count(study, counts);
  return counts[TUTTI_TRIAL_WAITING] == 0;
}

/** The right to write.  Whoever has it needs a moment; one that hangs with it is told of, since only a user can end
 * it.
 * @param[out] taken  false: the folder is gone */
static tutti_status wait_to_write(const tutti_study *study, bool *taken) {
  const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
  const double start = tutti_clock_s();
  bool told = false;
  for (;;) {
    TUTTI_TRY(tutti_claims_take(study->store.claims, writing(study), false, taken));
    if (*taken || !tutti_store_current(&study->store)) return TUTTI_OK;
    if (!told && tutti_clock_s() - start > WAIT_SILENT_S) {
      tutti_log(
          TUTTI_LOG_WARNING,
          "%s: another process has the right to write it for more than %.0f s; waiting for it: if it hangs, "
          "end it",
          study->config->study.output, WAIT_SILENT_S);
      told = true;
    }
    nanosleep(&pause, NULL);
  }
}

/** While nobody else writes.  Where the folder is gone another job has made the file complete. */
static tutti_status merge_alone(tutti_study *study, bool last) {
  tutti_study_difference found = {0};
  if (!tutti_store_current(&study->store)) return read_file(study, &found);
  TUTTI_TRY(tutti_output_learn(study));
  TUTTI_TRY(update(study, last));
  if (last && is_done(study)) tutti_store_remove(&study->store);
  return TUTTI_OK;
}

/** By the file's age, so that one group of many writes at a time. */
static bool is_due(const tutti_study *study) {
  struct stat state;
  if (stat(study->config->study.output, &state) != 0) return true;
  return difftime(time(NULL), state.st_mtime) >= MERGE_EVERY_S;
}

tutti_status tutti_output_merge(tutti_study *study, bool last) {
  bool taken = false;
  if (!last && !is_due(study)) return TUTTI_OK;
  TUTTI_TRY(last ? wait_to_write(study, &taken)
                 : tutti_claims_take(study->store.claims, writing(study), false, &taken));
  if (!taken && tutti_store_current(&study->store)) return TUTTI_OK;
  const tutti_status status = merge_alone(study, last);
  tutti_claims_give_back(study->store.claims, writing(study));
  return status;
}

// --- the beginning

static tutti_status begin_file(tutti_study *study) {
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  study->head.began = tutti_clock_unix_s();
  TUTTI_TRY_GOTO(done, tutti_file_create(study->config->study.output, &file));
  TUTTI_TRY_GOTO(done, write_all(study, file));
  TUTTI_TRY_GOTO(done, tutti_file_commit(&file));
done:
  tutti_file_close(&file);
  return status;
}

/** The folder, and the right to write.  A job that ends may remove the folder just before we have got it. */
static tutti_status enter(tutti_study *study) {
  enum { TRIES = 100 };
  for (int i = 0; i < TRIES; i++) {
    bool taken = false;
    TUTTI_TRY(tutti_store_open(study->config->study.output, study->set.n_trials, true, &study->store));
    TUTTI_TRY(wait_to_write(study, &taken));
    if (taken && tutti_store_current(&study->store)) return TUTTI_OK;
    tutti_store_close(&study->store);
  }
  TUTTI_FAIL(TUTTI_ERR_CREATE, "%s.d: cannot be entered: it goes away again and again",
             study->config->study.output);
}

static tutti_status write_enlarged(tutti_study *study, const tutti_file *old, const tutti_trial_set *there,
                                   const int64_t *numbers) {
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  tutti_grow_results(there, numbers, &study->set);
  TUTTI_TRY_GOTO(done, tutti_file_create(study->config->study.output, &file));
  TUTTI_TRY_GOTO(done, write_all(study, file));
  TUTTI_TRY_GOTO(done, tutti_grow_curves(old, there, numbers, study->metric, file));
  TUTTI_TRY_GOTO(done, tutti_fault("study.grow"));
  TUTTI_TRY_GOTO(done, tutti_file_commit(&file));
done:
  tutti_file_close(&file);
  return status;
}

/** The file has fewer trials than the study, or other ones: no finished one may be lost. */
static tutti_status enlarge_file(tutti_study *study, const tutti_study_difference *found) {
  tutti_file *old = NULL;
  tutti_trial_set there = {0};
  int64_t *numbers = NULL, n_lost = 0;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_file_open(study->config->study.output, &old));
  TUTTI_TRY_GOTO(done, tutti_trial_set_read(old, &there));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(numbers, there.n_trials));
  TUTTI_TRY_GOTO(done, tutti_grow_match(&there, &study->set, numbers, &n_lost));
  TUTTI_CHECK_GOTO(done, n_lost == 0, TUTTI_ERR_CONFIG,
                   "%s: %s was %s there and is %s now, without %lld of the trials that are done; keep what "
                   "was there beside what is new, or choose another study.output",
                   study->config->study.output, found->key, found->then, found->now, (long long)n_lost);
  TUTTI_TRY_GOTO(done, tutti_study_check_folder(study));
  TUTTI_TRY_GOTO(done, write_enlarged(study, old, &there, numbers));
done:
  tutti_free(numbers);
  tutti_trial_set_clear(&there);
  tutti_file_close(&old);
  return status;
}

static tutti_status begin_alone(tutti_study *study) {
  tutti_study_difference found = {0};
  const bool exists = access(study->config->study.output, F_OK) == 0;
  if (exists) TUTTI_TRY(read_file(study, &found));
  if (found.extent)
    TUTTI_TRY(enlarge_file(study, &found));
  else
    TUTTI_TRY(tutti_study_check_folder(study));
  if (!exists) TUTTI_TRY(begin_file(study));
  return tutti_output_learn(study);
}

tutti_status tutti_output_begin(tutti_study *study) {
  TUTTI_TRY(enter(study));
  const tutti_status status = begin_alone(study);
  if (status != TUTTI_OK) tutti_store_leave(&study->store);
  tutti_claims_give_back(study->store.claims, writing(study));
  return status;
}
