/* The columns of evaluations besides that of the validation rows.  Such a column exists only in runs that have the
 * evaluation, so its name and its place are found through its prefix.  The loop writes them, and a resumed run reads
 * them back. */
#include "run/evaluated.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LOSS, METRIC, N_COLUMNS };

static void column_name(const char *prefix, const char *metric, int i, char *name, size_t bytes) {
  snprintf(name, bytes, "%s%s", prefix, i == LOSS ? "loss" : metric);
}

tutti_status tutti_run_evaluated_create(tutti_run *run, const char *prefix, int64_t samples,
                                        tutti_run_evaluated *evaluated) {
  *evaluated = (tutti_run_evaluated){.prefix = prefix, .samples = samples};
  for (int i = 0; i < N_COLUMNS; i++) {
    char name[TUTTI_METRIC_NAME];
    column_name(prefix, tutti_model_metric_name(run->network.model), i, name, sizeof name);
    TUTTI_TRY(tutti_run_add_column(run, name, &evaluated->columns[i]));
  }
  return TUTTI_OK;
}

static double value_of(const tutti_evaluation *now, int i) {
  if (now->samples == 0) return NAN;
  return i == LOSS ? now->loss : now->metric;
}

void tutti_run_evaluated_put_columns(tutti_run *run, const tutti_run_evaluated *evaluated) {
  for (int i = 0; i < N_COLUMNS && evaluated->prefix; i++)
    run->state.rows.more[evaluated->columns[i]] = value_of(&evaluated->now, i);
}

void tutti_run_evaluated_get_columns(const tutti_metrics_row *record, tutti_run_evaluated *evaluated) {
  evaluated->now = (tutti_evaluation){0};
  if (!evaluated->prefix || !record) return;
  const double *more = (const double *)(record + 1); // further columns lie behind the row of a record
  const double loss = more[evaluated->columns[LOSS]], metric = more[evaluated->columns[METRIC]];
  // The number of samples is not a column: a loss says that all of the set were evaluated.
  if (!isnan(loss)) evaluated->now = (tutti_evaluation){evaluated->samples, loss, metric};
}

bool tutti_run_evaluated_find(const char *prefix, const char *metric, const tutti_evaluation *now,
                              const char *name, double *value) {
  for (int i = 0; i < N_COLUMNS; i++) {
    char column[TUTTI_METRIC_NAME];
    column_name(prefix, metric, i, column, sizeof column);
    if (strcmp(name, column) != 0) continue;
    *value = value_of(now, i);
    return true;
  }
  return false;
}

bool tutti_run_evaluated_value(const tutti_run *run, const tutti_run_evaluated *evaluated, const char *name,
                               double *value) {
  return evaluated->prefix &&
         tutti_run_evaluated_find(evaluated->prefix, tutti_model_metric_name(run->network.model),
                                  &evaluated->now, name, value);
}
