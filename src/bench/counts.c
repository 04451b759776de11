#include "bench/counts.h"

void tutti_counts_add(tutti_counts *counts, int64_t value) {
  int at = counts->n;
  while (at > 0 && counts->values[at - 1] > value) at--;
  if ((at > 0 && counts->values[at - 1] == value) || counts->n == TUTTI_MAX_COUNTS) return;
  for (int i = counts->n; i > at; i--) counts->values[i] = counts->values[i - 1];
  counts->values[at] = value;
  counts->n++;
}

tutti_counts tutti_counts_powers(int64_t most) {
  tutti_counts counts = {.n = 0};
  for (int64_t n = 1; n <= most; n *= 2) tutti_counts_add(&counts, n);
  return counts;
}
