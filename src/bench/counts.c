/** Lists of numbers to try.  Called by bench.c and layouts.c. */
#include "bench/model_impl.h"

void tutti_bench_counts_add(tutti_bench_counts *counts, int64_t value) {
  int at = counts->n;
  while (at > 0 && counts->values[at - 1] > value) at--;
  if ((at > 0 && counts->values[at - 1] == value) || counts->n == TUTTI_BENCH_MAX_COUNTS) return;
  for (int i = counts->n; i > at; i--) counts->values[i] = counts->values[i - 1];
  counts->values[at] = value;
  counts->n++;
}

tutti_bench_counts tutti_bench_counts_powers(int64_t most) {
  tutti_bench_counts counts = {.n = 0};
  for (int64_t n = 1; n <= most; n *= 2) tutti_bench_counts_add(&counts, n);
  return counts;
}
