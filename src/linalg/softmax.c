/** Softmax and its derivatives.  Short rows are put together, so that their exponentials fill the vectors, because
 * work row by row would cost as much as the exponentials.  Long rows fill the vectors by themselves.  Activations
 * and the categorical cross-entropy call it. */
#include "linalg/softmax_impl.h"

#include "base/clones.h"
#include "base/loops.h"
#include "linalg/vector_math.h"

enum {
  LONG = 32,   // columns from which sums in lanes are worth their end
  LANES = 8,   // of a sum in double: the order of the additions is fixed, whatever the vectors
  BLOCK = 512, // exponentials on the stack
  ROWS = 64
};

/** Turns the bits of a float into an integer of the same order, and back.  The compiler may take the largest of
 * integers in any order, which it may not do with floats, because of NaN. */
TUTTI_INLINE int32_t ordered(uint32_t bits) {
  return (int32_t)(bits >> 31 ? bits ^ INT32_MAX : bits);
}

/** NaN counts as beyond infinity, on the side of its sign. */
TUTTI_INLINE float largest(const float *z, int64_t n) {
  int32_t top = INT32_MIN;
  for (int64_t j = 0; j < n; j++) {
    const int32_t at = ordered(tutti_float_bits(z[j]));
    top = at > top ? at : top;
  }
  return tutti_float_of_bits((uint32_t)ordered((uint32_t)top));
}

TUTTI_INLINE void add_to_lanes(const float *x, int64_t n, double *lanes) {
  int64_t j = 0;
  for (; j + LANES <= n; j += LANES)
    for (int l = 0; l < LANES; l++) lanes[l] += (double)x[j + l];
  for (int l = 0; j < n; j++, l++) lanes[l] += (double)x[j];
}

TUTTI_INLINE double sum_of_lanes(const double *s) {
  return ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7]));
}

/** Rows that together have at most BLOCK elements. */
TUTTI_INLINE void short_rows(const float *z, int64_t rows, int64_t n, double scale, float *y, float *tops,
                             double *sums) {
  float e[BLOCK];
  for (int64_t i = 0; i < rows; i++) {
    tops[i] = largest(z + i * n, n);
    for (int64_t j = 0; j < n; j++) e[i * n + j] = z[i * n + j] - tops[i];
  }
  for (int64_t k = 0; k < rows * n; k++) e[k] = tutti_exp(e[k]);
  for (int64_t i = 0; i < rows; i++) {
    double sum = 0;
    for (int64_t j = 0; j < n; j++) sum += (double)e[i * n + j];
    sums[i] = sum;
    if (!y) continue;
    const float factor = (float)(scale / sum);
    for (int64_t j = 0; j < n; j++) y[i * n + j] = factor * e[i * n + j];
  }
}

TUTTI_INLINE double long_row(const float *z, int64_t n, double scale, float *y, float *top) {
  float e[BLOCK];
  double lanes[LANES] = {0};
  *top = largest(z, n);
  for (int64_t first = 0; first < n; first += BLOCK) {
    const int64_t count = n - first < BLOCK ? n - first : BLOCK;
    for (int64_t j = 0; j < count; j++) e[j] = tutti_exp(z[first + j] - *top);
    add_to_lanes(e, count, lanes);
    if (y) memcpy(y + first, e, (size_t)count * sizeof *e);
  }
  const double sum = sum_of_lanes(lanes);
  if (y) {
    const float factor = (float)(scale / sum);
    for (int64_t j = 0; j < n; j++) y[j] *= factor;
  }
  return sum;
}

TUTTI_CLONES void tutti_linalg_softmax_scaled(const float *z, int64_t rows, int64_t n, double scale, float *y,
                                              float *tops, double *sums) {
  if (n >= LONG) {
    for (int64_t i = 0; i < rows; i++)
      sums[i] = long_row(z + i * n, n, scale, y ? y + i * n : NULL, &tops[i]);
    return;
  }
  const int64_t together = BLOCK / n;
  for (int64_t i = 0; i < rows; i += together)
    short_rows(z + i * n, rows - i < together ? rows - i : together, n, scale, y ? y + i * n : NULL, tops + i,
               sums + i);
}

void tutti_linalg_softmax_forward(const float *z, int64_t rows, int64_t n, float *y) {
  float tops[ROWS];
  double sums[ROWS];
  for (int64_t i = 0; i < rows; i += ROWS)
    tutti_linalg_softmax_scaled(z + i * n, rows - i < ROWS ? rows - i : ROWS, n, 1, y + i * n, tops, sums);
}

TUTTI_INLINE double dot(const float *x, const float *y, int64_t n) {
  double lanes[LANES] = {0};
  int64_t j = 0;
  for (; j + LANES <= n; j += LANES)
    for (int l = 0; l < LANES; l++) lanes[l] += (double)x[j + l] * y[j + l];
  for (int l = 0; j < n; j++, l++) lanes[l] += (double)x[j] * y[j];
  return sum_of_lanes(lanes);
}

TUTTI_CLONES void tutti_linalg_softmax_backward(const float *y, const float *dy, int64_t rows, int64_t n,
                                                float *dz) {
  for (int64_t i = 0; i < rows; i++) {
    const float *y_row = y + i * n, *dy_row = dy + i * n;
    float *dz_row = dz + i * n;
    const float mean = (float)dot(y_row, dy_row, n);
    TUTTI_INDEPENDENT
    for (int64_t j = 0; j < n; j++) dz_row[j] = y_row[j] * (dy_row[j] - mean);
  }
}

void tutti_linalg_softmax_curvature(const float *y, const float *ty, const float *dy, int64_t rows, int64_t n,
                                    float *dz) {
  for (int64_t i = 0; i < rows; i++, y += n, ty += n, dy += n, dz += n) {
    double mean = 0, change = 0;
    for (int64_t j = 0; j < n; j++) {
      mean += (double)y[j] * dy[j];
      change += (double)ty[j] * dy[j];
    }
    for (int64_t j = 0; j < n; j++) dz[j] += ty[j] * (dy[j] - (float)mean) - y[j] * (float)change;
  }
}
