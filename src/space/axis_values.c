/** The values of one varied key, from its list or its range.
 *
 * A range from a to b places its values evenly on a scale: linear v = a + u (b - a), log v = exp of that between log a
 * and log b, reverse_log v = 1 - exp of that between log(1 - a) and log(1 - b).  settings.c chooses the places u. */
#include "space/space_impl.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

enum { TEXT_BYTES = 40 };

static tutti_status start(const tutti_axis *axis, int64_t n, tutti_space_values *list) {
  *list = (tutti_space_values){.key = tutti_strdup(axis->key), .is_choice = axis->kind == TUTTI_AXIS_CHOICE};
  if (!list->key) return TUTTI_ERR_MEMORY;
  return TUTTI_NEW(list->values, n);
}

void tutti_space_values_clear(tutti_space_values *list) {
  tutti_texts_clear(&list->texts);
  tutti_free(list->values);
  tutti_free(list->key);
  *list = (tutti_space_values){0};
}

static tutti_status append(tutti_space_values *list, double value, const char *text) {
  list->values[list->n++] = value;
  return tutti_texts_add(&list->texts, text);
}

// --- ranges --------------------------------------------------------------------------------------

static double between(double a, double b, double u) {
  return a + u * (b - a);
}

/** Return the value at a place of the scale, rounded to ten digits: exp differs in the last bit between C libraries,
 * and a study may continue on another machine. */
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

static tutti_status add_points(const tutti_axis *axis, tutti_space_values *list) {
  char text[TEXT_BYTES];
  for (int64_t i = 0; i < axis->points; i++) {
    const double value = place(axis, (double)i / (double)(axis->points - 1), text);
    if (list->n == 0 || list->values[list->n - 1] != value) TUTTI_TRY(append(list, value, text));
  }
  return TUTTI_OK;
}

// --- lists ---------------------------------------------------------------------------------------

static tutti_status add_list(const tutti_axis *axis, tutti_space_values *list) {
  for (int i = 0; i < axis->n_values; i++) {
    double value = i;
    const bool is_number = list->is_choice || tutti_text_real(axis->values[i], &value);
    TUTTI_CHECK(is_number, TUTTI_ERR_INTERNAL, "study.vary.%s: '%s' is not a number", axis->key,
                axis->values[i]);
    TUTTI_TRY(append(list, value, axis->values[i]));
  }
  return TUTTI_OK;
}

bool tutti_space_is_discrete(const tutti_axis *axis) {
  return axis->n_values > 0 || axis->points > 0;
}

tutti_status tutti_space_values_create(const tutti_axis *axis, tutti_space_values *list) {
  TUTTI_CHECK(tutti_space_is_discrete(axis), TUTTI_ERR_CONFIG, "study.vary.%s: the range lacks points",
              axis->key);
  TUTTI_TRY(start(axis, axis->n_values > 0 ? axis->n_values : axis->points, list));
  return axis->n_values > 0 ? add_list(axis, list) : add_points(axis, list);
}

tutti_status tutti_space_values_draw(const tutti_axis *axis, const double *u, int64_t n,
                                     tutti_space_values *list) {
  char text[TEXT_BYTES];
  TUTTI_TRY(start(axis, n, list));
  for (int64_t i = 0; i < n; i++) {
    const double value = place(axis, u[i], text);
    TUTTI_TRY(append(list, value, text));
  }
  return TUTTI_OK;
}
