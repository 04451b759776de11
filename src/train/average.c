#include "train/average.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LOSS, METRIC, N_COLUMNS };

static void column_name(const char *metric, int i, char *name, size_t bytes) {
  snprintf(name, bytes, "ema_val_%s", i == LOSS ? "loss" : metric);
}

tutti_status tutti_average_create(tutti_run *run) {
  if (!tutti_optim_average(run->optim)) return TUTTI_OK;
  TUTTI_TRY(TUTTI_NEW(run->averaged, tutti_model_n_params(run->network.model)));
  if (run->samples.validation.n == 0) return TUTTI_OK;
  for (int i = 0; i < N_COLUMNS; i++) {
    char name[TUTTI_METRIC_NAME];
    column_name(tutti_model_metric_name(run->network.model), i, name, sizeof name);
    TUTTI_TRY(tutti_rows_add_column(run, name, &run->average_columns[i]));
  }
  run->has_average_columns = true;
  return TUTTI_OK;
}

void tutti_average_begin(tutti_run *run) {
  int64_t begin = 0, end = 0;
  if (!run->averaged) return;
  tutti_reducer_slice(run->reducer, &begin, &end);
  memcpy(tutti_optim_slot(run->optim, tutti_optim_n_slots(run->optim) - 1),
         tutti_reducer_params(run->reducer) + begin, (size_t)(end - begin) * sizeof(float));
}

tutti_status tutti_average_evaluate(const tutti_run *run, const tutti_samples *set,
                                    tutti_evaluation *result) {
  *result = (tutti_evaluation){0};
  if (!run->averaged || set->n == 0) return TUTTI_OK;
  TUTTI_TRY(tutti_reducer_gather(run->reducer, tutti_optim_average(run->optim), run->averaged));
  TUTTI_TRY(tutti_bcast(run->comm, 0, run->averaged,
                        tutti_model_n_params(run->network.model) * (int64_t)sizeof *run->averaged));
  return tutti_network_evaluate(&run->network, run->averaged, set, result);
}

static double value_of(const tutti_evaluation *average, int i) {
  if (average->samples == 0) return NAN;
  return i == LOSS ? average->loss : average->metric;
}

void tutti_average_tell(tutti_run *run) {
  for (int i = 0; i < N_COLUMNS && run->has_average_columns; i++)
    run->more[run->average_columns[i]] = value_of(&run->average, i);
}

void tutti_average_recall(tutti_run *run, const tutti_metrics_row *record) {
  run->average = (tutti_evaluation){0};
  if (!run->has_average_columns) return;
  double values[N_COLUMNS];
  for (int i = 0; i < N_COLUMNS; i++)
    memcpy(&values[i], (const char *)(record + 1) + (size_t)run->average_columns[i] * sizeof(double),
           sizeof(double));
  if (!isnan(values[LOSS]))
    run->average = (tutti_evaluation){run->samples.validation.n, values[LOSS], values[METRIC]};
}

static bool average_value(const char *metric, const tutti_evaluation *average, const char *name,
                          double *value) {
  for (int i = 0; i < N_COLUMNS; i++) {
    char column[TUTTI_METRIC_NAME];
    column_name(metric, i, column, sizeof column);
    if (strcmp(name, column) != 0) continue;
    *value = value_of(average, i);
    return true;
  }
  return false;
}

bool tutti_average_value(const tutti_run *run, const char *name, double *value) {
  return run->has_average_columns &&
         average_value(tutti_model_metric_name(run->network.model), &run->average, name, value);
}

bool tutti_average_has(const tutti_run *run, const char *name) {
  double unused;
  return name && tutti_average_value(run, name, &unused);
}

bool tutti_train_value(const tutti_train_result *result, const tutti_metrics_row *row, const char *name,
                       double *value) {
  return tutti_metrics_value(row, result->metric, name, value) ||
         average_value(result->metric, &result->average_validation, name, value);
}
