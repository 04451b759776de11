/** The trials of a set, sorted by branch, batch size, setting and seed, with the places where each of these begins.
 * All that compares settings or batch sizes walks through this order. */
#include <stdlib.h>
#include <string.h>

#include "fit/fit_impl.h"

typedef struct {
  const tutti_trial_result *result;
  int64_t index;
  int branch;
} entry;

static int compare(int64_t a, int64_t b) {
  return (a > b) - (a < b);
}

static int compare_entries(const void *a, const void *b) {
  const tutti_trial_result *x = ((const entry *)a)->result, *y = ((const entry *)b)->result;
  const int by_branch = compare(((const entry *)a)->branch, ((const entry *)b)->branch);
  const int by_size = compare(x->batch_size, y->batch_size), by_setting = compare(x->setting, y->setting);
  if (by_branch) return by_branch;
  return by_size ? by_size : by_setting ? by_setting : compare(x->trial, y->trial);
}

/** Note where branches, batch sizes and settings begin in the sorted trials. */
static void group(const tutti_trial_set *set, const entry *entries, tutti_trial_order *order) {
  for (int64_t i = 0; i < set->n_trials; i++) {
    const tutti_trial_result *now = entries[i].result, *before = i > 0 ? entries[i - 1].result : NULL;
    const int branch = entries[i].branch;
    const bool new_size = !before || now->batch_size != before->batch_size || branch != entries[i - 1].branch;
    order->order[i] = entries[i].index;
    if (new_size) order->sizes[order->n_sizes++] = order->n_settings;
    if (new_size || now->setting != before->setting)
      order->settings[order->n_settings++] = (tutti_setting_trials){i, 0, now->batch_size, branch};
    order->settings[order->n_settings - 1].n++;
  }
  order->sizes[order->n_sizes] = order->n_settings;
  // A branch without trials begins where the next one does.
  for (int b = 0, s = 0; b <= order->n_branches; b++) {
    while (s < order->n_sizes && order->settings[order->sizes[s]].branch < b) s++;
    order->branches[b] = s;
  }
}

tutti_status tutti_fit_trial_order_make(const tutti_trial_set *set, tutti_trial_order *order) {
  tutti_status status = TUTTI_OK;
  entry *entries = NULL;
  *order = (tutti_trial_order){.n_branches = tutti_fit_trial_set_n_branches(set)};
  TUTTI_TRY_GOTO(done, TUTTI_POOL_NEW(&order->pool, order->branches, order->n_branches + 1));
  TUTTI_TRY_GOTO(done, TUTTI_POOL_NEW(&order->pool, entries, set->n_trials));
  TUTTI_TRY_GOTO(done, TUTTI_POOL_NEW(&order->pool, order->order, set->n_trials));
  TUTTI_TRY_GOTO(done, TUTTI_POOL_NEW(&order->pool, order->settings, set->n_trials));
  TUTTI_TRY_GOTO(done, TUTTI_POOL_NEW(&order->pool, order->sizes, set->n_trials + 1));
  for (int64_t i = 0; i < set->n_trials; i++)
    entries[i] = (entry){&set->results[i], i, tutti_fit_trial_set_branch(set, i)};
  qsort(entries, (size_t)set->n_trials, sizeof *entries, compare_entries);
  group(set, entries, order);
done:
  if (status != TUTTI_OK) tutti_fit_trial_order_clear(order);
  return status;
}

void tutti_fit_trial_order_clear(tutti_trial_order *order) {
  tutti_pool_clear(&order->pool);
  *order = (tutti_trial_order){0};
}
