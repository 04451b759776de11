/** Fresh seeds: the best setting of each batch size runs again, with seeds that the search has not used.
 *
 * The best of many settings is partly luck.  New seeds have no part in that choice, so they check it.  Which setting is
 * the best is known when all trials of its batch size are done; until then its fresh seeds are slots without a setting.
 *  prepare.c makes the slots, output.c fills them. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fit/trial_set.h"
#include "study/study_impl.h"

// --- which there are

/** Return the set without the fresh seeds, which have no part in the search. */
static tutti_trial_set searched(const tutti_study *study) {
  tutti_trial_set set = study->set;
  set.n_trials = study->n_searched;
  return set;
}

static uint64_t first_seed(const tutti_study *study) {
  return study->config->train.seed + TUTTI_CONFIRM_SEED;
}

bool tutti_study_confirm_is(const tutti_study *study, const tutti_trial_result *result) {
  return tutti_fit_trial_set_find(&study->set, "train.seed") < 0 &&
         result->seed >= (int64_t)first_seed(study);
}

/** Extend the arrays of the set to n trials. */
static tutti_status extend(tutti_study *study, int64_t n) {
  tutti_trial_set *set = &study->set;
  const size_t n_values = (size_t)(set->n_trials * set->n_varied);
  tutti_trial_result *results = NULL;
  double *varied = NULL;
  TUTTI_TRY(TUTTI_NEW(results, n));
  memcpy(results, set->results, (size_t)set->n_trials * sizeof *results);
  tutti_free(set->results);
  set->results = results;
  TUTTI_TRY(TUTTI_NEW(varied, n * set->n_varied));
  if (n_values > 0) memcpy(varied, set->varied, n_values * sizeof *varied);
  tutti_free(set->varied);
  set->varied = varied;
  return TUTTI_OK;
}

/** Add the slots of all batch sizes, seed by seed, so that more seeds do not move the others. */
static tutti_status add_slots(tutti_study *study, const tutti_trial_order *order) {
  tutti_trial_set *set = &study->set;
  const int64_t per_row = study->config->study.confirm, n = set->n_trials + per_row * order->n_sizes;
  TUTTI_CHECK(n <= TUTTI_SPACE_MOST_TRIALS, TUTTI_ERR_CONFIG,
              "study.confirm: %" PRId64 " fresh seeds at %d batch sizes and %" PRId64
              " trials of the search are more than %d trials; confirm with fewer",
              per_row, order->n_sizes, set->n_trials, TUTTI_SPACE_MOST_TRIALS);
  study->n_rows = order->n_sizes;
  TUTTI_TRY(extend(study, n));
  for (int64_t i = set->n_trials; i < n; i++) {
    const int64_t row = (i - study->n_searched) % order->n_sizes,
                  j = (i - study->n_searched) / order->n_sizes;
    const tutti_trial slot = {.trial = i,
                              .setting = -1,
                              .batch_size = order->settings[order->sizes[row]].batch_size,
                              .seed = first_seed(study) + (uint64_t)j};
    set->results[i] = tutti_trial_waiting(&slot);
    for (int k = 0; k < set->n_varied; k++) set->varied[i * set->n_varied + k] = NAN;
  }
  set->n_trials = n;
  return TUTTI_OK;
}

tutti_status tutti_study_confirm_make(tutti_study *study) {
  tutti_trial_order order = {0};
  study->n_searched = study->set.n_trials;
  study->planned = -1;
  if (study->config->study.confirm == 0) return TUTTI_OK;
  TUTTI_TRY(tutti_fit_trial_order_make(&study->set, &order));
  const tutti_status status = add_slots(study, &order);
  tutti_fit_trial_order_clear(&order);
  return status;
}

// --- which settings they run

bool tutti_study_is_due(const tutti_study *study, int64_t i) {
  return i < study->n_searched || study->set.results[i].setting >= 0;
}

/** Count the trials of the search that are done. */
static int64_t count_searched(const tutti_study *study) {
  int64_t n = 0;
  for (int64_t i = 0; i < study->n_searched; i++) n += study->set.results[i].status != TUTTI_TRIAL_WAITING;
  return n;
}

/** Give the slots of a row of /best their setting, if all trials of the search are done there. */
static void set_setting(tutti_study *study, int row, const tutti_best *best, const double *varied) {
  tutti_trial_set *set = &study->set;
  const bool complete = best->trials == best->reached + best->not_reached + best->diverged;
  if (!complete || best->setting < 0) return;
  for (int64_t i = study->n_searched + row; i < set->n_trials; i += study->n_rows) {
    set->results[i].setting = best->setting;
    for (int k = 0; k < set->n_varied; k++) set->varied[i * set->n_varied + k] = varied[k];
  }
}

/** Take the results that the study's file has for slots whose setting is known now. */
static void take_carried(tutti_study *study) {
  for (int64_t k = 0; k < study->n_carried; k++) {
    const int64_t i = tutti_study_confirm_find(study, &study->carried[k]);
    if (i >= 0 && study->set.results[i].status == TUTTI_TRIAL_WAITING)
      tutti_study_take(study, i, &study->carried[k]);
  }
}

tutti_status tutti_study_confirm_plan(tutti_study *study) {
  const tutti_trial_set set = searched(study);
  const int64_t n = count_searched(study);
  tutti_best_table best;
  if (study->set.n_trials == study->n_searched || n == study->planned) return TUTTI_OK;
  TUTTI_TRY(tutti_fit_best_table_create(&set, &best));
  for (int row = 0; row < best.n_rows; row++)
    set_setting(study, row, &best.rows[row], best.varied + (int64_t)row * best.n_varied);
  tutti_fit_best_table_clear(&best);
  take_carried(study);
  study->planned = n;
  return TUTTI_OK;
}

int64_t tutti_study_confirm_find(const tutti_study *study, const tutti_trial_result *result) {
  for (int64_t i = study->n_searched; i < study->set.n_trials; i++) {
    const tutti_trial_result *slot = &study->set.results[i];
    if (slot->setting >= 0 && slot->setting == result->setting && slot->seed == result->seed &&
        slot->batch_size == result->batch_size)
      return i;
  }
  return -1;
}

// --- in the file

tutti_status tutti_study_confirm_keep(tutti_study *study, const tutti_trial_result *results, int64_t n) {
  tutti_trial_result *kept = NULL;
  if (n > 0) {
    TUTTI_TRY(TUTTI_NEW(kept, n));
    memcpy(kept, results, (size_t)n * sizeof *kept);
  }
  tutti_free(study->carried);
  study->carried = kept;
  study->n_carried = n;
  take_carried(study);
  return TUTTI_OK;
}

tutti_status tutti_study_results(tutti_study *study, tutti_trial_set *set) {
  const int64_t n = study->set.n_trials - study->n_searched;
  *set = searched(study);
  set->n_confirm = n;
  set->confirm = study->set.results + study->n_searched;
  if (study->n_carried == 0) return TUTTI_OK;
  tutti_free(study->written);
  study->written = NULL;
  TUTTI_TRY(TUTTI_NEW(study->written, n + study->n_carried));
  memcpy(study->written, set->confirm, (size_t)n * sizeof *study->written);
  set->confirm = study->written;
  for (int64_t k = 0; k < study->n_carried; k++)
    if (tutti_study_confirm_find(study, &study->carried[k]) < 0)
      set->confirm[set->n_confirm++] = study->carried[k];
  return TUTTI_OK;
}

// --- as trials

tutti_status tutti_study_trial(tutti_study *study, int64_t number, int64_t setting, tutti_trial *trial) {
  const tutti_trial_result *slot = &study->set.results[number];
  if (number < study->n_searched) {
    *trial = *tutti_space_trial(study->space, number);
    return TUTTI_OK;
  }
  *trial = *tutti_space_find(study->space, slot->batch_size, setting);
  tutti_free(study->fresh);
  study->fresh = NULL;
  TUTTI_TRY(TUTTI_NEW(study->fresh, trial->n_overrides));
  memcpy(study->fresh, trial->overrides, (size_t)trial->n_overrides * sizeof *study->fresh);
  snprintf(study->fresh_seed, sizeof study->fresh_seed, "%" PRId64, slot->seed);
  for (int i = 0; i < trial->n_overrides; i++)
    if (strcmp(study->fresh[i].key, "train.seed") == 0) study->fresh[i].value = study->fresh_seed;
  trial->overrides = study->fresh;
  trial->trial = number;
  trial->seed = (uint64_t)slot->seed;
  return TUTTI_OK;
}
