/** Medians over the seeds of a setting.  A seed that did not reach the goal counts as infinitely late. */
#include <stdlib.h>

#include "base/compare.h"
#include "fit/fit_impl.h"

void tutti_fit_sort_reals(double *values, int64_t n) {
  qsort(values, (size_t)n, sizeof *values, tutti_compare_doubles);
}

double tutti_fit_median_of_seeds(double *steps, int64_t n) {
  tutti_fit_sort_reals(steps, n);
  return steps[n / 2];
}
