/** Sums of squares in many lanes of floats per block, and in double over blocks: norms of gradients and of
 * parameters. */
#include "linalg/squares.h"

#include <stdbool.h>

#include "base/clones.h"
#include "linalg/parallel.h"

// Lanes of a sum: many for long rows, since each addition waits for the one before it, and few for short ones.
enum { WIDE = 64, NARROW = 16 };

/** Sum the squares of n <= TUTTI_BLOCK elements of x - y (y NULL: of x).  The lanes are added in one fixed order. */
TUTTI_INLINE float sum_block(const float *x, const float *y, int64_t n, int lanes) {
  float sum[WIDE] = {0};
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    for (int j = 0; j < lanes; j++) {
      const float v = y ? x[i + j] - y[i + j] : x[i + j];
      sum[j] += v * v;
    }
  for (int j = 0; i < n; i++, j++) {
    const float v = y ? x[i] - y[i] : x[i];
    sum[j] += v * v;
  }
  for (int half = lanes / 2; half > 0; half /= 2)
    for (int j = 0; j < half; j++) sum[j] += sum[j + half];
  return sum[0];
}

TUTTI_INLINE double sum_blocks(const float *x, const float *y, int64_t n, int lanes) {
  double sum = 0;
  for (int64_t at = 0; at < n; at += TUTTI_BLOCK)
    sum += sum_block(x + at, y ? y + at : y, n - at < TUTTI_BLOCK ? n - at : TUTTI_BLOCK, lanes);
  return sum;
}

TUTTI_CLONES double tutti_linalg_squares(const float *x, int64_t n) {
  return sum_blocks(x, NULL, n, WIDE);
}

TUTTI_CLONES double tutti_linalg_squares_of_difference(const float *x, const float *y, int64_t n) {
  return sum_blocks(x, y, n, WIDE);
}

typedef struct {
  const float *x;
  int64_t n;
  double *squares;
} matrix;

TUTTI_CLONES static void wide_rows(const float *x, int64_t rows, int64_t n, double *squares) {
  for (int64_t i = 0; i < rows; i++) squares[i] = sum_blocks(x + i * n, NULL, n, WIDE);
}

/** Sum the squares of a row of whole lanes and a rest.  The rest is loaded as whole lanes too: the last elements of
 * the row, or if the row is shorter than the lanes, the row and the elements after it.
 * @param[in] keep  [NARROW] 1 for the elements of `rest` that are not added yet, else 0 */
TUTTI_INLINE double sum_narrow(const float *row, int64_t n, const float *rest, const float *keep) {
  float sum[NARROW];
  for (int j = 0; j < NARROW; j++) {
    const float v = keep[j] * rest[j];
    sum[j] = v * v;
  }
  for (int64_t i = 0; i + NARROW <= n; i += NARROW)
    for (int j = 0; j < NARROW; j++) sum[j] += row[i + j] * row[i + j];
  for (int half = NARROW / 2; half > 0; half /= 2)
    for (int j = 0; j < half; j++) sum[j] += sum[j + half];
  return sum[0];
}

TUTTI_CLONES static void narrow_rows(const float *x, int64_t rows, int64_t n, double *squares) {
  const int rest = (int)(n % NARROW);
  const bool is_short = n < NARROW;
  float keep[NARROW], copy[NARROW] = {0};
  for (int j = 0; j < NARROW; j++) keep[j] = is_short ? j < rest : j >= NARROW - rest;
  for (int64_t i = 0; i < rows; i++) {
    const float *row = x + i * n, *last = is_short ? row : row + n - NARROW;
    if (is_short && (rows - i) * n < NARROW) { // what follows is not the matrix any more
      for (int64_t j = 0; j < n; j++) copy[j] = row[j];
      last = copy;
    }
    squares[i] = sum_narrow(row, n, last, keep);
  }
}

static void some_rows(void *context, int64_t begin, int64_t end) {
  const matrix *m = context;
  (m->n < 4 * WIDE ? narrow_rows : wide_rows)(m->x + begin * m->n, end - begin, m->n, m->squares + begin);
}

void tutti_linalg_row_squares(const float *x, int64_t rows, int64_t n, double *squares) {
  static const double ns = 0.05; // of an element
  tutti_linalg_parallel(rows, 1, ns * (double)n, some_rows, &(matrix){x, n, squares});
}
