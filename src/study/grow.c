#include "study/grow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "study/store.h"

// --- by what a trial is known --------------------------------------------------------------------

typedef struct {
  int64_t batch_size, seed;
  const double *values; // [n_values]
  int n_values;
  int64_t trial;
} entry;

static int order(double a, double b) {
  return (a > b) - (a < b);
}

static int compare(const void *a, const void *b) {
  const entry *x = a, *y = b;
  if (x->batch_size != y->batch_size) return x->batch_size < y->batch_size ? -1 : 1;
  if (x->seed != y->seed) return x->seed < y->seed ? -1 : 1;
  for (int k = 0; k < x->n_values; k++)
    if (x->values[k] != y->values[k]) return order(x->values[k], y->values[k]);
  return 0;
}

static entry make_entry(const tutti_trial_set *set, int64_t i, const double *values) {
  return (entry){set->results[i].batch_size, set->results[i].seed, values, set->n_varied, i};
}

/** A choice is known by its text: its index is another one in a longer list.  -1: there is none like it. */
static double translate(const tutti_trial_set *then, const tutti_trial_set *now, int k, double value) {
  if (!then->texts[k]) return value;
  for (int i = 0; value >= 0 && value < then->n_texts[k] && i < now->n_texts[k]; i++)
    if (strcmp(then->texts[k][(int)value], now->texts[k][i]) == 0) return i;
  return -1;
}

static int64_t find(const tutti_trial_set *then, int64_t i, const tutti_trial_set *now, const entry *entries,
                    double *values) {
  for (int k = 0; k < then->n_varied; k++)
    values[k] = translate(then, now, k, then->varied[i * then->n_varied + k]);
  const entry wanted = make_entry(then, i, values);
  const entry *found = bsearch(&wanted, entries, (size_t)now->n_trials, sizeof *entries, compare);
  return found ? found->trial : -1;
}

tutti_status tutti_grow_match(const tutti_trial_set *then, const tutti_trial_set *now, int64_t *numbers,
                              int64_t *n_lost) {
  tutti_status status = TUTTI_OK;
  entry *entries = NULL;
  double *values = NULL;
  *n_lost = 0;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(entries, now->n_trials));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(values, now->n_varied));
  for (int64_t i = 0; i < now->n_trials; i++)
    entries[i] = make_entry(now, i, now->varied + i * now->n_varied);
  qsort(entries, (size_t)now->n_trials, sizeof *entries, compare);
  for (int64_t i = 0; i < then->n_trials; i++) {
    const bool is_done = then->results[i].status != TUTTI_TRIAL_WAITING;
    numbers[i] = is_done ? find(then, i, now, entries, values) : -1;
    *n_lost += is_done && numbers[i] < 0;
  }
done:
  tutti_free(values);
  tutti_free(entries);
  return status;
}

// --- what it has ---------------------------------------------------------------------------------

void tutti_grow_results(const tutti_trial_set *then, const int64_t *numbers, tutti_trial_set *now) {
  for (int64_t i = 0; i < then->n_trials; i++) {
    if (numbers[i] < 0) continue;
    tutti_trial_result *to = &now->results[numbers[i]];
    const int64_t setting = to->setting;
    *to = then->results[i];
    to->trial = numbers[i];
    to->setting = setting;
  }
}

tutti_status tutti_grow_curves(const tutti_file *from, const tutti_trial_set *then, const int64_t *numbers,
                               const char *metric, tutti_file *to) {
  tutti_status status = TUTTI_OK;
  for (int64_t i = 0; i < then->n_trials && status == TUTTI_OK; i++) {
    if (numbers[i] < 0) continue;
    tutti_trial_record record = {.result = then->results[i]};
    snprintf(record.metric, sizeof record.metric, "%s", metric);
    status = tutti_curve_read(from, &record);
    record.result.trial = numbers[i];
    if (status == TUTTI_OK) status = tutti_curve_write(to, &record);
    tutti_trial_record_clear(&record);
  }
  return status;
}
