#pragma once
/** Comparisons for qsort and bsearch. */

/** Of doubles, none of which is NaN. */
static inline int tutti_compare_doubles(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}
