#include <math.h>
#include <string.h>

#include "curvature/lbfgsb_impl.h"

static double dot(int64_t n, const double *a, const double *b) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

void tutti_curvature_bfgs_reset(tutti_curvature_bfgs *curvature) {
  curvature->n_pairs = 0;
  curvature->theta = 1;
}

void tutti_curvature_bfgs_clear(tutti_curvature_bfgs *curvature) {
  for (int k = 0; k < TUTTI_LBFGSB_PAIRS; k++) {
    tutti_free(curvature->s[k]);
    tutti_free(curvature->y[k]);
  }
}

bool tutti_curvature_solve(int n, double a[][TUTTI_LBFGSB_WIDTH], double *b) {
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

/** The inverse of (-D, L'; L, theta S'S), with D the diagonal of S'Y and L what is below it. */
static bool make_middle(tutti_curvature_bfgs *curvature) {
  const int c = curvature->n_pairs;
  for (int column = 0; column < 2 * c; column++) {
    double a[TUTTI_LBFGSB_WIDTH][TUTTI_LBFGSB_WIDTH] = {{0}}, b[TUTTI_LBFGSB_WIDTH] = {0};
    for (int i = 0; i < c; i++) {
      a[i][i] = -curvature->sy[i][i];
      for (int j = 0; j < i; j++) a[c + i][j] = a[j][c + i] = curvature->sy[i][j];
      for (int j = 0; j < c; j++) a[c + i][c + j] = curvature->theta * curvature->ss[i][j];
    }
    b[column] = 1;
    if (!tutti_curvature_solve(2 * c, a, b)) return false;
    for (int i = 0; i < 2 * c; i++) curvature->m[i][column] = b[i];
  }
  return true;
}

static void drop_oldest(tutti_curvature_bfgs *curvature) {
  enum { LAST = TUTTI_LBFGSB_PAIRS - 1 };
  double *const s = curvature->s[0], *const y = curvature->y[0];
  memmove(curvature->s, curvature->s + 1, LAST * sizeof *curvature->s);
  memmove(curvature->y, curvature->y + 1, LAST * sizeof *curvature->y);
  curvature->s[LAST] = s;
  curvature->y[LAST] = y;
  for (int i = 0; i < LAST; i++) {
    memmove(curvature->sy[i], curvature->sy[i + 1] + 1, LAST * sizeof(double));
    memmove(curvature->ss[i], curvature->ss[i + 1] + 1, LAST * sizeof(double));
  }
  curvature->n_pairs--;
}

tutti_status tutti_curvature_bfgs_add(tutti_curvature_bfgs *curvature, const double *s, const double *y) {
  const int64_t n = curvature->n;
  if (curvature->n_pairs == TUTTI_LBFGSB_PAIRS) drop_oldest(curvature);
  const int last = curvature->n_pairs;
  if (!curvature->s[last]) TUTTI_TRY(TUTTI_NEW(curvature->s[last], n));
  if (!curvature->y[last]) TUTTI_TRY(TUTTI_NEW(curvature->y[last], n));
  memcpy(curvature->s[last], s, (size_t)n * sizeof *s);
  memcpy(curvature->y[last], y, (size_t)n * sizeof *y);
  for (int k = 0; k <= last; k++) {
    curvature->sy[last][k] = dot(n, s, curvature->y[k]);
    curvature->sy[k][last] = dot(n, curvature->s[k], y);
    curvature->ss[last][k] = curvature->ss[k][last] = dot(n, s, curvature->s[k]);
  }
  curvature->theta = dot(n, y, y) / curvature->sy[last][last];
  curvature->n_pairs++;
  if (!make_middle(curvature)) tutti_curvature_bfgs_reset(curvature);
  return TUTTI_OK;
}

void tutti_curvature_bfgs_row(const tutti_curvature_bfgs *curvature, int64_t i, double *row) {
  const int c = curvature->n_pairs;
  for (int k = 0; k < c; k++) {
    row[k] = curvature->y[k][i];
    row[c + k] = curvature->theta * curvature->s[k][i];
  }
}

void tutti_curvature_bfgs_multiply(const tutti_curvature_bfgs *curvature, const double *v, double *out) {
  const int width = 2 * curvature->n_pairs;
  for (int i = 0; i < width; i++) {
    out[i] = 0;
    for (int j = 0; j < width; j++) out[i] += curvature->m[i][j] * v[j];
  }
}
