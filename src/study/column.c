#include "study/column.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

enum { TEXT_BYTES = 40 };

static tutti_status start(const tutti_axis *axis, int64_t n, tutti_column *column) {
  *column = (tutti_column){.key = tutti_strdup(axis->key),
                           .is_choice = axis->kind == TUTTI_AXIS_CHOICE,
                           .low = axis->from,
                           .high = axis->to};
  if (!column->key) return TUTTI_ERR_MEMORY;
  TUTTI_TRY(TUTTI_NEW(column->values, n));
  TUTTI_TRY(TUTTI_NEW(column->texts, n));
  return TUTTI_OK;
}

void tutti_column_clear(tutti_column *column) {
  for (int64_t i = 0; i < column->n; i++) tutti_free(column->texts[i]);
  tutti_free(column->texts);
  tutti_free(column->values);
  tutti_free(column->key);
  *column = (tutti_column){0};
}

static tutti_status append(tutti_column *column, double value, const char *text) {
  char *copy = tutti_strdup(text);
  if (!copy) return TUTTI_ERR_MEMORY;
  column->values[column->n] = value;
  column->texts[column->n++] = copy;
  return TUTTI_OK;
}

// --- ranges --------------------------------------------------------------------------------------

static double between(double a, double b, double u) {
  return a + u * (b - a);
}

/** The value at a place of the scale, cut to ten digits: exponentials differ in the last bit from one machine's library
 * to another's, and a study goes on elsewhere. */
static double place(const tutti_axis *axis, double u, char text[TEXT_BYTES]) {
  double value = NAN;
  switch (axis->scale) {
  case TUTTI_AXIS_LINEAR:
    value = between(axis->from, axis->to, u);
    break;
  case TUTTI_AXIS_REVERSE_LOG:
    value = 1 - exp(between(log1p(-axis->from), log1p(-axis->to), u));
    break;
  case TUTTI_AXIS_LOG:
  case TUTTI_N_AXIS_SCALES:
    value = exp(between(log(axis->from), log(axis->to), u));
    break;
  }
  if (axis->kind == TUTTI_AXIS_WHOLE) {
    snprintf(text, TEXT_BYTES, "%" PRId64, (int64_t)llround(value));
    return round(value);
  }
  snprintf(text, TEXT_BYTES, "%.10g", value);
  value = fmin(fmax(strtod(text, NULL), axis->from), axis->to);
  tutti_text_print_real(text, TEXT_BYTES, value);
  return value;
}

static tutti_status add_points(const tutti_axis *axis, tutti_column *column) {
  char text[TEXT_BYTES];
  for (int64_t i = 0; i < axis->points; i++) {
    const double value = place(axis, (double)i / (double)(axis->points - 1), text);
    if (column->n == 0 || column->values[column->n - 1] != value) TUTTI_TRY(append(column, value, text));
  }
  return TUTTI_OK;
}

// --- lists ---------------------------------------------------------------------------------------

static tutti_status add_list(const tutti_axis *axis, tutti_column *column) {
  for (int i = 0; i < axis->n_values; i++) {
    double value = i;
    const bool is_number = column->is_choice || tutti_text_real(axis->values[i], &value);
    TUTTI_CHECK(is_number, TUTTI_ERR_INTERNAL, "study.vary.%s: '%s' is no number", axis->key,
                axis->values[i]);
    TUTTI_TRY(append(column, value, axis->values[i]));
    column->low = i == 0 ? value : fmin(column->low, value);
    column->high = i == 0 ? value : fmax(column->high, value);
  }
  return TUTTI_OK;
}

bool tutti_axis_is_discrete(const tutti_axis *axis) {
  return axis->n_values > 0 || axis->points > 0;
}

tutti_status tutti_column_create(const tutti_axis *axis, tutti_column *column) {
  TUTTI_CHECK(tutti_axis_is_discrete(axis), TUTTI_ERR_CONFIG, "study.vary.%s: the range lacks points",
              axis->key);
  TUTTI_TRY(start(axis, axis->n_values > 0 ? axis->n_values : axis->points, column));
  return axis->n_values > 0 ? add_list(axis, column) : add_points(axis, column);
}

tutti_status tutti_column_draw(const tutti_axis *axis, const double *u, int64_t n, tutti_column *column) {
  char text[TEXT_BYTES];
  TUTTI_TRY(start(axis, n, column));
  for (int64_t i = 0; i < n; i++) {
    const double value = place(axis, u[i], text);
    TUTTI_TRY(append(column, value, text));
  }
  return TUTTI_OK;
}
