/** Sums over the rows of a matrix, column by column, in double: gradients of biases and of prelu, and the statistics
 * of batch_norm. */
#include "linalg/reduce.h"

#include "base/clones.h"

enum { TOGETHER = 8 }; // rows that are added before a sum goes back to memory

TUTTI_INLINE void add_rows(const float *restrict x, int rows, int64_t n, double *restrict sums) {
  for (int64_t j = 0; j < n; j++) {
    double sum = sums[j];
    for (int i = 0; i < rows; i++) sum += (double)x[i * n + j];
    sums[j] = sum;
  }
}

TUTTI_CLONES void tutti_linalg_column_sums(const float *restrict x, int64_t rows, int64_t n,
                                           double *restrict sums) {
  int64_t i = 0;
  for (; i + TOGETHER <= rows; i += TOGETHER) add_rows(x + i * n, TOGETHER, n, sums);
  for (; i < rows; i++) add_rows(x + i * n, 1, n, sums);
}

TUTTI_CLONES void tutti_linalg_round_sums(const double *restrict sums, const float *restrict x, int64_t n,
                                          float *restrict rounded) {
  for (int64_t j = 0; j < n; j++) rounded[j] = (float)(sums[j] + (double)x[j]);
}

TUTTI_CLONES void tutti_linalg_column_sums_below(const float *restrict x, const float *restrict dy,
                                                 int64_t rows, int64_t n, double *restrict sums) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < n; j++) {
      // The product is computed for all elements, because a branch would keep the loop from the vector units.
      const float product = dy[i * n + j] * x[i * n + j];
      sums[j] += (double)(x[i * n + j] > 0 ? 0 : product);
    }
}

TUTTI_CLONES void tutti_linalg_column_moments(const float *restrict x, int64_t rows, int64_t n,
                                              double *restrict sums, double *restrict squares) {
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t j = 0; j < n; j++) {
      const double v = x[i * n + j];
      sums[j] += v;
      squares[j] += v * v;
    }
  }
}
