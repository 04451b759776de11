/** A study of more batch sizes, values, settings or seeds than its file has.
 *
 * In the file, trials have the numbers of the smaller study.  The config there gives its space, so each row has a hash,
 * and by that its number here; a new file with these numbers replaces the old one.  The trials of the folder have their
 * hashes for names, and stay as they are.  open.c calls this while nobody else is at work. */
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "study/identity_impl.h"

/** The file as it is, and the numbers that its trials have here; -1: there is none. */
typedef struct {
  tutti_study *study;
  tutti_identity *ours; // [n_ours]
  int64_t n_ours;
  tutti_file *file;       // NULL: there is none
  tutti_space *space;     // of the study that wrote it
  tutti_trial_set then;   // its trials
  int64_t *numbers;       // [then.n_trials]
  int64_t *fresh_numbers; // [then.n_confirm]
  int64_t n_lost;         // trials that are done, but are not part of this study
} growth;

static void clear(growth *g) {
  tutti_free(g->fresh_numbers);
  tutti_free(g->numbers);
  tutti_free(g->ours);
  tutti_fit_trial_set_clear(&g->then);
  tutti_space_destroy(&g->space);
  tutti_file_close(&g->file);
}

/** Return the number that a trial of the file has here. */
static int64_t number_now(const growth *g, int64_t batch_size, int64_t setting, int64_t seed) {
  const uint64_t hash = tutti_space_hash(g->space, batch_size, setting, seed);
  return hash == 0 ? -1 : tutti_study_identity_find(g->ours, g->n_ours, hash);
}

/** Take a result over as that of trial i, unless it is known already. */
static void take(tutti_study *study, int64_t i, const tutti_trial_result *result) {
  if (study->set.results[i].status == TUTTI_TRIAL_WAITING) tutti_study_take(study, i, result);
}

/** Find the number here of each trial in the file, and take the results over. */
static tutti_status read_file(growth *g) {
  TUTTI_TRY(tutti_file_open(g->study->config->study.output, &g->file));
  TUTTI_TRY(tutti_fit_trial_set_read(g->file, &g->then));
  TUTTI_TRY(tutti_study_identity_space(g->file, &g->space));
  TUTTI_TRY(TUTTI_NEW(g->numbers, g->then.n_trials));
  for (int64_t i = 0; i < g->then.n_trials; i++) {
    const tutti_trial_result *result = &g->then.results[i];
    const bool is_done = result->status != TUTTI_TRIAL_WAITING;
    TUTTI_CHECK(
        tutti_study_identity_is_of(g->space, &g->then, i), TUTTI_ERR_DATA,
        "%s: /trials row %lld is not the trial of its config: damaged, or of a version that drew other "
        "settings; continue with that version, or choose another study.output",
        tutti_file_path(g->file), (long long)i);
    g->numbers[i] = is_done ? number_now(g, result->batch_size, result->setting, result->seed) : -1;
    g->n_lost += is_done && g->numbers[i] < 0;
    if (g->numbers[i] >= 0) take(g->study, g->numbers[i], result);
  }
  return TUTTI_OK;
}

/** Count the trials of the folder that are not part of this study.  A fresh seed of a setting that is not the best any
 * more is no loss. */
static tutti_status count_lost(growth *g) {
  uint64_t *hashes = NULL;
  int64_t n = 0;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_study_store_list(&g->study->store, TUTTI_STORE_BY_HASH, &hashes, &n));
  for (int64_t k = 0; k < n; k++) {
    tutti_trial_record record;
    if (tutti_study_identity_find(g->ours, g->n_ours, hashes[k]) >= 0) continue;
    TUTTI_TRY_GOTO(done, tutti_study_store_read_hash(&g->study->store, hashes[k], &record));
    g->n_lost += !tutti_study_confirm_is(g->study, &record.result);
    tutti_trial_record_clear(&record);
  }
done:
  tutti_free(hashes);
  return status;
}

/** Refuse a study without trials that are done: they may have taken hours. */
static tutti_status check_lost(const growth *g, const tutti_study_difference *found) {
  const char *output = g->study->config->study.output;
  TUTTI_CHECK(g->n_lost == 0 || !found->any, TUTTI_ERR_CONFIG,
              "%s: %s, without %lld of the trials that are done; keep what "
              "was there beside what is new, or choose another study.output",
              output, found->text, (long long)g->n_lost);
  TUTTI_CHECK(g->n_lost == 0, TUTTI_ERR_CONFIG,
              "%s: %lld of the trials in it are not part of this study; move it away, or choose another "
              "study.output",
              g->study->store.folder, (long long)g->n_lost);
  return TUTTI_OK;
}

// --- fresh seeds of the best settings

/** Return the number here of a setting that the file has tried; -1 if there is none. */
static int64_t setting_now(const growth *g, const tutti_trial_result *then) {
  const int64_t i = number_now(g, then->batch_size, then->setting, (int64_t)g->study->config->train.seed);
  return i < 0 ? -1 : g->study->set.results[i].setting;
}

/** Those whose batch size is not complete here, or has another best setting, are carried along.  They get no number,
 * because theirs may be that of another trial with its curve. */
static tutti_status take_fresh(growth *g) {
  tutti_trial_result *fresh = NULL;
  const int64_t n = g->then.n_confirm;
  TUTTI_TRY(TUTTI_NEW(g->fresh_numbers, n));
  TUTTI_TRY(TUTTI_NEW(fresh, n));
  for (int64_t k = 0; k < n; k++) {
    fresh[k] = g->then.confirm[k];
    fresh[k].setting = setting_now(g, &fresh[k]);
    g->fresh_numbers[k] = tutti_study_confirm_find(g->study, &fresh[k]);
    if (g->fresh_numbers[k] >= 0) take(g->study, g->fresh_numbers[k], &fresh[k]);
    fresh[k].trial = -1;
  }
  const tutti_status status = tutti_study_confirm_keep(g->study, fresh, n);
  tutti_free(fresh);
  return status;
}

// --- the new file

/** Copy the curves of the trials that have a number here.
 * @param[in] results  [n] as the file has them
 * @param[in] numbers  [n] */
static tutti_status copy_curves(const growth *g, const tutti_trial_result *results, const int64_t *numbers,
                                int64_t n, tutti_file *to) {
  tutti_status status = TUTTI_OK;
  for (int64_t i = 0; i < n && status == TUTTI_OK; i++) {
    if (numbers[i] < 0) continue;
    tutti_trial_record record = {.result = results[i]};
    snprintf(record.metric, sizeof record.metric, "%s", g->study->metric);
    status = tutti_study_curve_read(g->file, &record);
    record.result.trial = numbers[i];
    if (status == TUTTI_OK) status = tutti_study_curve_write(to, &record);
    tutti_trial_record_clear(&record);
  }
  return status;
}

/** The curves come first, because rows may take their values from them. */
static tutti_status write_all(growth *g) {
  tutti_study *study = g->study;
  const tutti_trial_set *then = &g->then;
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_file_create(study->config->study.output, &file));
  if (g->file) {
    TUTTI_TRY_GOTO(done, copy_curves(g, then->results, g->numbers, then->n_trials, file));
    TUTTI_TRY_GOTO(done, copy_curves(g, then->confirm, g->fresh_numbers, then->n_confirm, file));
  }
  for (int64_t i = 0; i < study->set.n_trials; i++)
    if (study->set.results[i].status != TUTTI_TRIAL_WAITING)
      TUTTI_TRY_GOTO(done, tutti_study_output_add_curve(study, file, i));
  TUTTI_TRY_GOTO(done, tutti_study_output_write(study, file));
  TUTTI_TRY_GOTO(done, tutti_fault("study.grow"));
  TUTTI_TRY_GOTO(done, tutti_file_commit(&file));
  TUTTI_TRY_GOTO(done, tutti_fault("study.grown"));
done:
  tutti_file_close(&file);
  return status;
}

tutti_status tutti_study_grow(tutti_study *study, bool has_file, const tutti_study_difference *found) {
  growth g = {.study = study};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_study_identity_list(study, &g.ours, &g.n_ours));
  if (has_file) TUTTI_TRY_GOTO(done, read_file(&g));
  TUTTI_TRY_GOTO(done, count_lost(&g));
  TUTTI_TRY_GOTO(done, check_lost(&g, found));
  TUTTI_TRY_GOTO(done, tutti_study_output_collect_trials(study));
  TUTTI_TRY_GOTO(done, take_fresh(&g));
  TUTTI_TRY_GOTO(done, write_all(&g));
done:
  clear(&g);
  return status;
}
