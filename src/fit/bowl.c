/** The shape of a local model: a polynomial of second and third degree in the keys, with its derivatives and its
 * minimum.
 *
 * Terms are products of two or three keys, so that values, slopes and second derivatives come from leaving factors out.
 * local_bowls.c fits the factors of the terms, and local.c needs the derivatives for errors. */
#include "fit/bowl_impl.h"

#include <math.h>
#include <string.h>

#include "linalg/cholesky.h"

static void add_term(tutti_bowl *bowl, int a, int b, int c) {
  const int keys[3] = {a, b, c};
  memcpy(bowl->keys[bowl->n_terms++], keys, sizeof keys);
}

tutti_bowl tutti_fit_bowl_make(int n_keys, bool skew) {
  tutti_bowl bowl = {.n_keys = n_keys};
  for (int a = 0; a < n_keys; a++)
    for (int b = a; b < n_keys; b++) add_term(&bowl, a, b, -1);
  for (int a = 0; a < n_keys && skew; a++)
    for (int b = a; b < n_keys; b++)
      for (int c = b; c < n_keys; c++)
        if (n_keys <= 2 || a == c) add_term(&bowl, a, b, c);
  return bowl;
}

/** Return the product of a term without its factors number p and q; -1: leave none out. */
static double part_of(const int keys[3], const double *t, int p, int q) {
  double product = 1;
  for (int i = 0; i < 3; i++)
    if (i != p && i != q && keys[i] >= 0) product *= t[keys[i]];
  return product;
}

void tutti_fit_bowl_terms(const tutti_bowl *bowl, const double *t, double *values) {
  for (int k = 0; k < bowl->n_terms; k++) values[k] = part_of(bowl->keys[k], t, -1, -1);
}

void tutti_fit_bowl_slopes(const tutti_bowl *bowl, const double *t, int key, double *slopes) {
  for (int k = 0; k < bowl->n_terms; k++) {
    slopes[k] = 0;
    for (int p = 0; p < 3; p++)
      if (bowl->keys[k][p] == key) slopes[k] += part_of(bowl->keys[k], t, p, -1);
  }
}

/** Return the second derivative of a term by keys a and b: the sum over its pairs of factors. */
static double bend_of_term(const int keys[3], const double *t, int a, int b) {
  double sum = 0;
  for (int p = 0; p < 3; p++)
    for (int q = 0; q < 3; q++)
      if (p != q && keys[p] == a && keys[q] == b) sum += part_of(keys, t, p, q);
  return sum;
}

/** Get the second derivatives [n_keys, n_keys] of the sum of the terms with these factors. */
static void bend_at(const tutti_bowl *bowl, const double *factors, const double *t, double *bend) {
  const int n = bowl->n_keys;
  for (int i = 0; i < n * n; i++) {
    bend[i] = 0;
    for (int k = 0; k < bowl->n_terms; k++)
      bend[i] += factors[k] * bend_of_term(bowl->keys[k], t, i / n, i % n);
  }
}

/** Set there = slope + derivatives of the sum of the terms at t. */
static void slope_at(const tutti_bowl *bowl, const double *slope, const double *factors, const double *t,
                     double *there) {
  double slopes[TUTTI_BOWL_TERMS];
  for (int key = 0; key < bowl->n_keys; key++) {
    tutti_fit_bowl_slopes(bowl, t, key, slopes);
    there[key] = slope[key];
    for (int k = 0; k < bowl->n_terms; k++) there[key] += factors[k] * slopes[k];
  }
}

bool tutti_fit_bowl_descend(const tutti_bowl *bowl, const double *slope, const double *factors,
                            const double *low, const double *high, double *t, double *bend, bool *inside) {
  enum { MOST_STEPS = 50 };
  const double close = 1e-9;
  double step[TUTTI_BOWL_KEYS], moved = INFINITY;
  for (int i = 0; i < MOST_STEPS && moved > close; i++) {
    slope_at(bowl, slope, factors, t, step);
    bend_at(bowl, factors, t, bend);
    if (!tutti_linalg_cholesky_factor(bowl->n_keys, TUTTI_CHOLESKY_LEAST_PART, bend)) return false;
    tutti_linalg_cholesky_solve(bowl->n_keys, bend, step);
    moved = 0;
    *inside = true;
    for (int key = 0; key < bowl->n_keys; key++) {
      const double to = fmin(fmax(t[key] - step[key], low[key]), high[key]);
      *inside = *inside && to > low[key] && to < high[key];
      moved = fmax(moved, fabs(to - t[key]));
      t[key] = to;
    }
  }
  *inside = *inside && moved <= close;
  return true;
}
