/* Numbers that are not finite: which layer and rank had them first, and which samples led there.  Called once, when a
 * training has diverged: after_step.c and train.c write it into the reason of the end. */
#include <math.h>
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"
#include "train/train_impl.h"

/** The lowest rank for which `mine` is true; the number of ranks if there is none. */
static tutti_status first_rank(const tutti_run *run, bool mine, int *rank) {
  double first = mine ? run->rank : run->size;
  TUTTI_TRY(tutti_comm_min(run->comm, &first, 1));
  *rank = (int)first;
  return TUTTI_OK;
}

/** Write " on rank 2, for rows 17, 403 of x_train".  All ranks have the same weights, so without samples no rank is
 * named. */
static void write_rows(const tutti_run *run, char *text, size_t bytes) {
  const tutti_run_step *step = &run->step;
  const int n = step->n_bad_rows;
  text[0] = '\0';
  if (n == 0) return;
  tutti_text_append(text, bytes, " on rank %d, for row%s", tutti_log_rank(), n > 1 ? "s" : "");
  for (int i = 0; i < n && i < TUTTI_RUN_BAD_ROWS; i++)
    tutti_text_append(text, bytes, "%s %lld", i ? "," : "", (long long)step->bad_rows[i]);
  if (n > TUTTI_RUN_BAD_ROWS) tutti_text_append(text, bytes, " and %d more", n - (int)TUTTI_RUN_BAD_ROWS);
  tutti_text_append(text, bytes, " of %s", run->config->data.x_train);
}

/** Write `words` and the name of the lowest layer that any rank passes, with that rank and its samples; "" if all pass
 * -1. */
static tutti_status name_layer(const tutti_run *run, int local, const char *words, char *text, size_t bytes) {
  const int n_layers = tutti_model_n_layers(run->network.model);
  double first = local < 0 ? n_layers : local;
  char rows[160];
  int rank = 0;
  TUTTI_TRY(tutti_comm_min(run->comm, &first, 1));
  text[0] = '\0';
  if ((int)first >= n_layers) return TUTTI_OK;
  const bool mine = local == (int)first && run->step.n_bad_rows > 0;
  TUTTI_TRY(first_rank(run, mine, &rank));
  write_rows(run, rows, sizeof rows);
  if (rank < run->size) TUTTI_TRY(tutti_comm_bcast(run->comm, rank, rows, sizeof rows));
  tutti_layer_info info;
  tutti_model_layer(run->network.model, (int)first, &info);
  snprintf(text, bytes, "%s%s%s", words, info.name, rank < run->size ? rows : "");
  return TUTTI_OK;
}

tutti_status tutti_train_find_bad_layer(const tutti_run *run, char *text, size_t bytes) {
  const tutti_model *model = run->network.model;
  const int64_t rows = run->plan.micro_rows;
  int layer = run->step.bad_layer;
  if (layer < 0) layer = tutti_model_first_nonfinite(model, tutti_reducer_params(run->reducer), rows);
  TUTTI_TRY(name_layer(run, layer, ", first in layer ", text, bytes));
  if (text[0]) return TUTTI_OK;
  // Sums of squares can overflow although all outputs are finite: then the layer with the largest numbers is the cause.
  double own = 0;
  layer = tutti_model_largest_layer(model, rows, &own);
  double largest = own;
  TUTTI_TRY(tutti_comm_max(run->comm, &largest, 1));
  return name_layer(run, own == largest ? layer : -1, ", the largest numbers are in layer ", text, bytes);
}
