/** A loop cut into parts for the threads of this rank.  Products, sums of squares and elementwise layers call it. */
#include "linalg/parallel.h"

#include "tutti/linalg.h"

void tutti_linalg_parallel(int64_t n, int64_t unit, tutti_loop_part part, void *context) {
  tutti_linalg_parallel_by(tutti_linalg_threads(), n, unit, part, context);
}

void tutti_linalg_parallel_by(int n_threads, int64_t n, int64_t unit, tutti_loop_part part, void *context) {
  TUTTI_ASSERT(unit >= 1);
  const int64_t n_units = (n + unit - 1) / unit;
  const int n_parts = n_units < n_threads ? (int)n_units : n_threads;
  if (n_parts <= 1) {
    if (n > 0) part(context, 0, n);
    return;
  }
#pragma omp parallel for num_threads(n_parts) schedule(static, 1)
  for (int i = 0; i < n_parts; i++) {
    const int64_t begin = n_units * i / n_parts * unit, end = n_units * (i + 1) / n_parts * unit;
    part(context, begin, end < n ? end : n);
  }
}
