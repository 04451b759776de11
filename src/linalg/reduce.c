#include "linalg/reduce.h"

#include <string.h>

#include "base/clones.h"

TUTTI_CLONES void tutti_column_sums(const float *restrict x, int64_t rows, int64_t n, bool accumulate,
                                    float *restrict sums) {
  if (!accumulate) memset(sums, 0, (size_t)n * sizeof *sums);
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < n; j++) sums[j] += x[i * n + j];
}

TUTTI_CLONES void tutti_column_moments(const float *restrict x, int64_t rows, int64_t n,
                                       double *restrict sums, double *restrict squares) {
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t j = 0; j < n; j++) {
      const double v = x[i * n + j];
      sums[j] += v;
      squares[j] += v * v;
    }
  }
}
