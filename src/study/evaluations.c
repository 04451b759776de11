#include "study/evaluations.h"

#include <math.h>
#include <string.h>

/** No row where there is no curve. */
static tutti_status read_curve(const tutti_file *file, const char *name, const char *metric,
                               tutti_evaluation **rows, int64_t *n) {
  const tutti_column columns[] = {{"step", TUTTI_I64, offsetof(tutti_evaluation, step)},
                                  {"epoch", TUTTI_I64, offsetof(tutti_evaluation, epoch)},
                                  {"samples", TUTTI_I64, offsetof(tutti_evaluation, samples)},
                                  {"seconds", TUTTI_F64, offsetof(tutti_evaluation, seconds)},
                                  {metric, TUTTI_F64, offsetof(tutti_evaluation, value)}};
  TUTTI_TRY(tutti_table_rows(file, name, n));
  if (*n == 0) return TUTTI_OK;
  TUTTI_TRY(TUTTI_NEW(*rows, *n));
  for (int64_t i = 0; i < *n; i++) (*rows)[i].value = NAN; // as it stays where the curve has no such column
  return tutti_table_read(file, name, columns, 5, sizeof **rows, 0, *n, *rows);
}

/** Means over a part of an epoch are none that a training is judged by. */
static void leave_out_parts(const tutti_trial_result *result, tutti_evaluation *rows, int64_t n) {
  const double n_train = result->samples / result->epochs;
  for (int64_t i = 0; i < n && n_train >= 1; i++)
    if (rows[i].samples < rows[i].epoch * llround(n_train)) rows[i].value = NAN;
}

tutti_status tutti_evaluations_read(const tutti_file *file, const tutti_trial_result *result,
                                    const char *metric, bool of_epochs, tutti_evaluation **rows, int64_t *n) {
  char name[TUTTI_CURVE_NAME];
  tutti_curve_name(result->trial, name);
  TUTTI_TRY(read_curve(file, name, metric, rows, n));
  if (of_epochs) leave_out_parts(result, *rows, *n);
  return TUTTI_OK;
}

tutti_status tutti_evaluations_are_of_epochs(const tutti_file *file, const char *name, bool *of_epoch) {
  char *metric = NULL;
  *of_epoch = strcmp(name, "loss") == 0;
  if (*of_epoch || !tutti_file_has_attribute(file, "/", "metric")) return TUTTI_OK;
  TUTTI_TRY(tutti_file_get_text(file, "/", "metric", &metric));
  *of_epoch = strcmp(name, metric) == 0;
  tutti_free(metric);
  return TUTTI_OK;
}
