#include "study/grow_impl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "fit/trial_set.h"
#include "study/store_impl.h"

// --- by what a trial is known --------------------------------------------------------------------

typedef struct {
  int64_t batch_size, seed;
  const double *values; // [n_values]
  int n_values;
  int64_t trial;
} entry;

struct tutti_grow_index {
  const tutti_trial_set *set; // borrowed
  entry *entries;             // [set->n_trials] sorted
  double *values;             // [set->n_varied] of the trial that is looked for
};

/** A key that a trial does not have, NaN, comes before all values. */
static int order(double a, double b) {
  if (isnan(a) || isnan(b)) return isnan(b) - isnan(a);
  return (a > b) - (a < b);
}

static int compare(const void *a, const void *b) {
  const entry *x = a, *y = b;
  if (x->batch_size != y->batch_size) return x->batch_size < y->batch_size ? -1 : 1;
  if (x->seed != y->seed) return x->seed < y->seed ? -1 : 1;
  for (int k = 0; k < x->n_values; k++)
    if (order(x->values[k], y->values[k]) != 0) return order(x->values[k], y->values[k]);
  return 0;
}

static entry make_entry(const tutti_trial_set *set, int64_t i, const double *values) {
  return (entry){set->results[i].batch_size, set->results[i].seed, values, set->n_varied, i};
}

tutti_status tutti_grow_index_create(const tutti_trial_set *set, tutti_grow_index **index) {
  tutti_status status = TUTTI_OK;
  tutti_grow_index *made = NULL;
  *index = NULL;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(made, 1));
  made->set = set;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(made->entries, set->n_trials));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(made->values, set->n_varied));
  for (int64_t i = 0; i < set->n_trials; i++)
    made->entries[i] = make_entry(set, i, set->varied + i * set->n_varied);
  qsort(made->entries, (size_t)set->n_trials, sizeof *made->entries, compare);
  *index = made;
  made = NULL;
done:
  tutti_grow_index_destroy(&made);
  return status;
}

void tutti_grow_index_destroy(tutti_grow_index **index) {
  if (!*index) return;
  tutti_free((*index)->values);
  tutti_free((*index)->entries);
  tutti_free(*index);
  *index = NULL;
}

/** Number, or text of an index: whether text i of now's list is the same. */
static bool is_same(const tutti_trial_set *then, int k, double value, const char *text) {
  double number;
  if (!then->texts[k]) return tutti_text_real(text, &number) && number == value;
  return value >= 0 && value < then->n_texts[k] && strcmp(then->texts[k][(int)value], text) == 0;
}

/** A choice is known by its text: its index is another one in a longer list, and a word beside them makes numbers
 * choices.
 * @param[in]  k, c  the same key there and here
 * @param[out] *found  what the value is here
 * @return false: there is none like it */
static bool translate(const tutti_trial_set *then, int k, const tutti_trial_set *now, int c, double value,
                      double *found) {
  *found = value;
  if (isnan(value) || (!then->texts[k] && !now->texts[c])) return true;
  for (int i = 0; i < now->n_texts[c]; i++) {
    *found = i;
    if (is_same(then, k, value, now->texts[c][i])) return true;
  }
  return false;
}

int64_t tutti_grow_find(tutti_grow_index *index, const tutti_trial_set *then, int64_t i) {
  const tutti_trial_set *now = index->set;
  const tutti_trial_result *result = &then->results[i];
  for (int c = 0; c < now->n_varied; c++) index->values[c] = NAN;
  for (int k = 0; k < then->n_varied; k++) {
    const double value = then->varied[i * then->n_varied + k];
    const int c = tutti_trial_set_find(now, then->names[k]);
    if (c < 0 && !isnan(value)) return -1;
    if (c >= 0 && !translate(then, k, now, c, value, &index->values[c])) return -1;
  }
  const entry wanted = {result->batch_size, result->seed, index->values, now->n_varied, -1};
  const entry *found =
      bsearch(&wanted, index->entries, (size_t)now->n_trials, sizeof *index->entries, compare);
  return found ? found->trial : -1;
}

void tutti_grow_result(const tutti_trial_result *then, int64_t number, tutti_trial_set *now) {
  tutti_trial_result *to = &now->results[number];
  const int64_t setting = to->setting;
  *to = *then;
  to->trial = number;
  to->setting = setting;
}

// --- all of a file -------------------------------------------------------------------------------

tutti_status tutti_grow_match(const tutti_trial_set *then, const tutti_trial_set *now, int64_t *numbers,
                              int64_t *n_lost) {
  tutti_grow_index *index = NULL;
  *n_lost = 0;
  TUTTI_TRY(tutti_grow_index_create(now, &index));
  for (int64_t i = 0; i < then->n_trials; i++) {
    const bool is_done = then->results[i].status != TUTTI_TRIAL_WAITING;
    numbers[i] = is_done ? tutti_grow_find(index, then, i) : -1;
    *n_lost += is_done && numbers[i] < 0;
  }
  tutti_grow_index_destroy(&index);
  return TUTTI_OK;
}

void tutti_grow_results(const tutti_trial_set *then, const int64_t *numbers, tutti_trial_set *now) {
  for (int64_t i = 0; i < then->n_trials; i++)
    if (numbers[i] >= 0) tutti_grow_result(&then->results[i], numbers[i], now);
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
