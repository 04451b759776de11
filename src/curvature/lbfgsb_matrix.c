/** The limited-memory approximation of the Hessian, in the compact form of Byrd, Nocedal and Schnabel 1994,
 * "Representations of quasi-Newton matrices and their use in limited memory methods", equation 3.5:
 *
 *   B = theta I - W M W',  W = (Y, theta S),  M = inverse of (-D, L'; L, theta S'S)
 *
 * with the steps S, the changes of the gradient Y, D the diagonal of S'Y, and L its part below the diagonal.  M has at
 * most 20 rows, so that it is computed again after each step.  lbfgsb.c adds the pairs, lbfgsb_model.c multiplies. */
#include <math.h>
#include <string.h>

#include "curvature/curvature_impl.h"
#include "curvature/lbfgsb_impl.h"

void tutti_curvature_bfgs_reset(tutti_curvature_bfgs *bfgs) {
  bfgs->n_pairs = 0;
  bfgs->theta = 1;
}

void tutti_curvature_bfgs_clear(tutti_curvature_bfgs *bfgs) {
  for (int k = 0; k < TUTTI_CURVATURE_PAIRS; k++) {
    tutti_free(bfgs->s[k]);
    tutti_free(bfgs->y[k]);
  }
}

// M is indefinite, so that Cholesky's method does not apply: this is elimination with row pivots.
bool tutti_curvature_solve(int n, double a[][TUTTI_CURVATURE_WIDTH], double *b) {
  for (int k = 0; k < n; k++) {
    int pivot = k;
    for (int i = k + 1; i < n; i++)
      if (fabs(a[i][k]) > fabs(a[pivot][k])) pivot = i;
    if (!(fabs(a[pivot][k]) > 0)) return false;
    for (int j = k; j < n && pivot != k; j++) {
      const double held = a[k][j];
      a[k][j] = a[pivot][j];
      a[pivot][j] = held;
    }
    const double held = b[k];
    b[k] = b[pivot];
    b[pivot] = held;
    for (int i = k + 1; i < n; i++) {
      const double factor = a[i][k] / a[k][k];
      for (int j = k; j < n; j++) a[i][j] -= factor * a[k][j];
      b[i] -= factor * b[k];
    }
  }
  for (int k = n - 1; k >= 0; k--) {
    for (int j = k + 1; j < n; j++) b[k] -= a[k][j] * b[j];
    b[k] /= a[k][k];
  }
  return true;
}

/** Compute M column by column.  @return false: the matrix is singular */
static bool make_middle(tutti_curvature_bfgs *bfgs) {
  const int c = bfgs->n_pairs;
  for (int column = 0; column < 2 * c; column++) {
    double a[TUTTI_CURVATURE_WIDTH][TUTTI_CURVATURE_WIDTH] = {{0}}, b[TUTTI_CURVATURE_WIDTH] = {0};
    for (int i = 0; i < c; i++) {
      a[i][i] = -bfgs->sy[i][i];
      for (int j = 0; j < i; j++) a[c + i][j] = a[j][c + i] = bfgs->sy[i][j];
      for (int j = 0; j < c; j++) a[c + i][c + j] = bfgs->theta * bfgs->ss[i][j];
    }
    b[column] = 1;
    if (!tutti_curvature_solve(2 * c, a, b)) return false;
    for (int i = 0; i < 2 * c; i++) bfgs->m[i][column] = b[i];
  }
  return true;
}

/** The buffers of the oldest pair go to the end of the list, for the new pair. */
static void drop_oldest(tutti_curvature_bfgs *bfgs) {
  enum { LAST = TUTTI_CURVATURE_PAIRS - 1 };
  double *const s = bfgs->s[0], *const y = bfgs->y[0];
  memmove(bfgs->s, bfgs->s + 1, LAST * sizeof *bfgs->s);
  memmove(bfgs->y, bfgs->y + 1, LAST * sizeof *bfgs->y);
  bfgs->s[LAST] = s;
  bfgs->y[LAST] = y;
  for (int i = 0; i < LAST; i++) {
    memmove(bfgs->sy[i], bfgs->sy[i + 1] + 1, LAST * sizeof(double));
    memmove(bfgs->ss[i], bfgs->ss[i + 1] + 1, LAST * sizeof(double));
  }
  bfgs->n_pairs--;
}

tutti_status tutti_curvature_bfgs_add(tutti_curvature_bfgs *bfgs, const double *s, const double *y) {
  const int64_t n = bfgs->n;
  if (bfgs->n_pairs == TUTTI_CURVATURE_PAIRS) drop_oldest(bfgs);
  const int last = bfgs->n_pairs;
  if (!bfgs->s[last]) TUTTI_TRY(TUTTI_NEW(bfgs->s[last], n));
  if (!bfgs->y[last]) TUTTI_TRY(TUTTI_NEW(bfgs->y[last], n));
  memcpy(bfgs->s[last], s, (size_t)n * sizeof *s);
  memcpy(bfgs->y[last], y, (size_t)n * sizeof *y);
  for (int k = 0; k <= last; k++) {
    bfgs->sy[last][k] = tutti_curvature_dot(n, s, bfgs->y[k]);
    bfgs->sy[k][last] = tutti_curvature_dot(n, bfgs->s[k], y);
    bfgs->ss[last][k] = bfgs->ss[k][last] = tutti_curvature_dot(n, s, bfgs->s[k]);
  }
  // The scale of B is the curvature along the last step.
  bfgs->theta = tutti_curvature_dot(n, y, y) / bfgs->sy[last][last];
  bfgs->n_pairs++;
  if (!make_middle(bfgs)) tutti_curvature_bfgs_reset(bfgs);
  return TUTTI_OK;
}

void tutti_curvature_bfgs_row(const tutti_curvature_bfgs *bfgs, int64_t i, double *row) {
  const int c = bfgs->n_pairs;
  for (int k = 0; k < c; k++) {
    row[k] = bfgs->y[k][i];
    row[c + k] = bfgs->theta * bfgs->s[k][i];
  }
}

void tutti_curvature_bfgs_multiply(const tutti_curvature_bfgs *bfgs, const double *v, double *out) {
  const int width = 2 * bfgs->n_pairs;
  for (int i = 0; i < width; i++) {
    out[i] = 0;
    for (int j = 0; j < width; j++) out[i] += bfgs->m[i][j] * v[j];
  }
}
