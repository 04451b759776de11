/** The Cholesky factor of a small symmetric matrix, row by row.  The room fit solves its normal equations with
 * it, and the room curvature finds the coordinates of a vector in a random subspace. */
#include "linalg/cholesky.h"

#include <math.h>

static double dot(int n, const double *x, const double *y) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += x[i] * y[i];
  return sum;
}

bool tutti_linalg_cholesky_factor(int n, double least_part, double *a) {
  for (int j = 0; j < n; j++) {
    double *row = a + (int64_t)j * n;
    // Row j of L so far is what was subtracted from row j of a: a_jj - sum of l_jk^2 is l_jj^2.
    const double whole = row[j], left = whole - dot(j, row, row);
    if (!(left > least_part * whole)) return false;
    row[j] = sqrt(left);
    for (int i = j + 1; i < n; i++) {
      double *below = a + (int64_t)i * n;
      below[j] = (below[j] - dot(j, below, row)) / row[j];
    }
  }
  return true;
}

void tutti_linalg_cholesky_forward(int n, const double *factor, double *b) {
  for (int i = 0; i < n; i++) {
    const double *row = factor + (int64_t)i * n;
    b[i] = (b[i] - dot(i, row, b)) / row[i];
  }
}

void tutti_linalg_cholesky_solve(int n, const double *factor, double *b) {
  tutti_linalg_cholesky_forward(n, factor, b);
  for (int i = n - 1; i >= 0; i--) {
    for (int k = i + 1; k < n; k++) b[i] -= factor[(int64_t)k * n + i] * b[k];
    b[i] /= factor[(int64_t)i * n + i];
  }
}
