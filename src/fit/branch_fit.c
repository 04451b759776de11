/** The fit of a branch: through its local model if enough batch sizes have one, else through the best steps of the
 * search. summary.c writes it into the study's file, and `tutti info` makes it for another goal. */
#include <stdio.h>

#include "fit/local_branch_impl.h"

static int count_made(const tutti_local_model *model) {
  int n = 0;
  for (int i = 0; i < model->n_sizes; i++) n += model->states[i] == TUTTI_LOCAL_MADE;
  return n;
}

/** Say why the intervals are not 95 %, by the first batch size without a local model. */
static void explain_no_claim(const tutti_local_model *model, const tutti_best *rows, tutti_fit *fit) {
  int i = 0;
  while (i < model->n_sizes && model->states[i] == TUTTI_LOCAL_MADE) i++;
  if (fit->refused[0] || i == model->n_sizes) return;
  snprintf(fit->no_claim, sizeof fit->no_claim,
           "these are not 95 %% intervals: %d batch sizes have a local model, %d are needed, so that the "
           "steps are "
           "the best of each search, luck and all (batch_size %lld: %s)",
           count_made(model), TUTTI_FIT_LEAST_SIZES, (long long)rows[i].batch_size,
           tutti_fit_local_state_names[model->states[i]]);
}

/** Fit the steps of the local model. */
static tutti_status fit_model(const tutti_local_model *model, const tutti_best *rows, uint64_t seed,
                              int64_t n_draws, double *draws, tutti_fit *fit) {
  double *batch = NULL;
  TUTTI_TRY(TUTTI_NEW(batch, model->n_sizes));
  for (int i = 0; i < model->n_sizes; i++) batch[i] = (double)rows[i].batch_size;
  const tutti_status status = tutti_fit_local_fit(model, batch, seed, n_draws, draws, fit);
  tutti_free(batch);
  return status;
}

tutti_status tutti_fit_study(const tutti_trial_set *set, const tutti_best_table *best, int branch,
                             uint64_t seed, int64_t n_draws, double *draws, tutti_fit *fit) {
  const tutti_best *rows = best->rows + best->first[branch];
  const tutti_local_model *model = &best->local[branch].model;
  if (count_made(model) >= TUTTI_FIT_LEAST_SIZES) {
    TUTTI_TRY(fit_model(model, rows, seed, n_draws, draws, fit));
  } else {
    TUTTI_TRY(tutti_fit_search(set, best, branch, seed, n_draws, draws, fit));
    explain_no_claim(model, rows, fit);
  }
  tutti_fit_advise(set, best, branch, fit);
  return TUTTI_OK;
}
