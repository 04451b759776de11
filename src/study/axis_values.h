#pragma once
/** The values that the trials of a study take of one varied key.  Local. */
#include <stdbool.h>

#include "tutti/config.h"

typedef struct {
  char *key;
  bool is_choice;
  double low, high; // of numbers
  int64_t n;
  double *values; // [n] numbers; of choices: 0, 1, ...
  char **texts;   // [n] as YAML
} tutti_axis_values;

/** Has the axis a finite number of values? */
bool tutti_axis_is_discrete(const tutti_axis *axis);

/** The values of a discrete axis.  Neighbours that are alike after rounding to whole numbers are one.
 * @return ERR_CONFIG it has neither a list nor points */
TUTTI_NODISCARD
tutti_status tutti_axis_values_create(const tutti_axis *axis, tutti_axis_values *list);

/** The values of a range at the places u[n] of its scale from 0 to 1. */
TUTTI_NODISCARD
tutti_status tutti_axis_values_draw(const tutti_axis *axis, const double *u, int64_t n,
                                    tutti_axis_values *list);

/** Frees what it owns; zeroes it. */
void tutti_axis_values_clear(tutti_axis_values *list);
