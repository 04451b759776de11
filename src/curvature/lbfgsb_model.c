/** The minimum of the quadratic model g'(z - x) + (z - x)'B(z - x) / 2 in the box (Byrd, Lu, Nocedal and Zhu 1995,
 * sections 4 and 5), in two steps:
 *
 * 1. The generalized Cauchy point: the first local minimum along the path x - t g, projected onto the box.  The path is
 *    straight between its breakpoints, where one variable reaches its bound, so the model is a parabola in each part.
 * 2. The minimum over the variables that are not at a bound there, with the others fixed.
 *
 * Each costs O(n) per column of W, because B is never formed.  Called by lbfgsb.c. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "curvature/curvature_impl.h"
#include "curvature/lbfgsb_impl.h"

/** a'M b. */
static double between(const tutti_curvature_bfgs *bfgs, const double *a, const double *b) {
  double mb[TUTTI_CURVATURE_WIDTH];
  tutti_curvature_bfgs_multiply(bfgs, b, mb);
  return tutti_curvature_dot(2 * bfgs->n_pairs, a, mb);
}

/** The order of breakpoints along the path; equal ones in the order of their variables, so that it is the same on each
 * machine. */
static int by_place(const void *a, const void *b) {
  const tutti_curvature_breakpoint *const p = a, *const q = b;
  if (p->at != q->at) return p->at < q->at ? -1 : 1;
  return (p->i > q->i) - (p->i < q->i);
}

/** A place on the path: d is the direction of the variables that still move, p = W'd, c = W'(z - x), and the slope
 * and the curvature are those of the model along d. */
typedef struct {
  double p[TUTTI_CURVATURE_WIDTH], c[TUTTI_CURVATURE_WIDTH];
  double slope, curvature;
} path;

/** Set d to the negative gradient, with 0 for each variable that is at a bound and would leave the box; and list the
 * breakpoints of all others in breaks[*n_breaks]. */
static path begin_path(const tutti_curvature_lbfgsb_problem *problem, const tutti_curvature_bfgs *b,
                       const double *x, const double *g, double *d, tutti_curvature_breakpoint *breaks,
                       int64_t *n_breaks) {
  path w = {.slope = 0};
  double row[TUTTI_CURVATURE_WIDTH];
  *n_breaks = 0;
  for (int64_t i = 0; i < problem->n; i++) {
    const double room = g[i] > 0 ? x[i] - problem->lower[i] : problem->upper[i] - x[i];
    d[i] = g[i] == 0 || room <= 0 ? 0 : -g[i];
    if (d[i] == 0) continue;
    breaks[(*n_breaks)++] = (tutti_curvature_breakpoint){room / fabs(g[i]), i};
    w.slope -= d[i] * d[i];
    tutti_curvature_bfgs_row(b, i, row);
    for (int k = 0; k < 2 * b->n_pairs; k++) w.p[k] += row[k] * d[i];
  }
  w.curvature = -b->theta * w.slope - between(b, w.p, w.p);
  return w;
}

/** Variable i has reached its bound, and the path continues without it.  The update costs O(n_pairs^2), while computing
 * slope and curvature again would cost O(n) per breakpoint.
 * @param[in] gradient  of variable i
 * @param[in] moved     distance that variable i has moved
 * @param[in] length    of the part of the path that ends here */
static void turn(const tutti_curvature_bfgs *b, int64_t i, double gradient, double moved, double length,
                 double least_curvature, path *w) {
  const int width = 2 * b->n_pairs;
  double row[TUTTI_CURVATURE_WIDTH];
  tutti_curvature_bfgs_row(b, i, row);
  for (int k = 0; k < width; k++) w->c[k] += length * w->p[k];
  w->slope += length * w->curvature + gradient * gradient + b->theta * gradient * moved;
  w->curvature -= b->theta * gradient * gradient;
  if (width > 0) {
    w->slope -= gradient * between(b, row, w->c);
    w->curvature -= gradient * (2 * between(b, row, w->p) + gradient * between(b, row, row));
  }
  w->curvature = fmax(least_curvature, w->curvature);
  for (int k = 0; k < width; k++) w->p[k] += gradient * row[k];
}

/** Set z to the first local minimum along the path, and c = W'(z - x). */
static void cauchy_point(const tutti_curvature_lbfgsb_problem *problem, const tutti_curvature_bfgs *b,
                         const double *x, const double *g, tutti_curvature_breakpoint *breaks, double *d,
                         double *z, double *c) {
  int64_t n_breaks;
  path w = begin_path(problem, b, x, g, d, breaks, &n_breaks);
  const double least_curvature = DBL_EPSILON * w.curvature;
  qsort(breaks, (size_t)n_breaks, sizeof *breaks, by_place);
  for (int64_t i = 0; i < problem->n; i++) z[i] = x[i];
  double done = 0;
  for (int64_t k = 0; k < n_breaks; k++) {
    const int64_t i = breaks[k].i;
    const double length = breaks[k].at - done;
    if (-w.slope / w.curvature < length) break; // the parabola has its minimum before the next breakpoint
    z[i] = d[i] > 0 ? problem->upper[i] : problem->lower[i];
    d[i] = 0;
    done = breaks[k].at;
    turn(b, i, g[i], z[i] - x[i], length, least_curvature, &w);
    if (k + 1 == n_breaks) w.slope = 0; // every variable is at a bound
  }
  const double length = n_breaks > 0 ? fmax(0, -w.slope / w.curvature) : 0;
  for (int64_t i = 0; i < problem->n; i++)
    if (d[i] != 0) z[i] = x[i] + (done + length) * d[i];
  for (int k = 0; k < 2 * b->n_pairs; k++) c[k] = w.c[k] + length * w.p[k];
}

static bool is_free(const tutti_curvature_lbfgsb_problem *problem, const double *z, int64_t i) {
  return z[i] > problem->lower[i] && z[i] < problem->upper[i];
}

/** Set d to the way from the Cauchy point z to the minimum of the model over the free variables, with 0 for the others:
 * d = -B_FF^-1 r, where r is the gradient of the model at z.  By the formula of Sherman, Morrison and Woodbury, the
 * inverse of the free part B_FF needs only a system of 2 n_pairs rows (Byrd et al. 1995, section 5.1, direct primal
 * method).  @return false: no variable is free, or the system is singular */
static bool free_direction(const tutti_curvature_lbfgsb_problem *problem, const tutti_curvature_bfgs *b,
                           const double *x, const double *g, const double *z, const double *c, double *d) {
  const int width = 2 * b->n_pairs;
  double mc[TUTTI_CURVATURE_WIDTH], row[TUTTI_CURVATURE_WIDTH];
  double v[TUTTI_CURVATURE_WIDTH] = {0}, mv[TUTTI_CURVATURE_WIDTH];
  double gram[TUTTI_CURVATURE_WIDTH][TUTTI_CURVATURE_WIDTH] = {{0}};
  double a[TUTTI_CURVATURE_WIDTH][TUTTI_CURVATURE_WIDTH];
  bool any = false;
  tutti_curvature_bfgs_multiply(b, c, mc);
  for (int64_t i = 0; i < problem->n; i++) {
    d[i] = 0;
    if (!is_free(problem, z, i)) continue;
    any = true;
    tutti_curvature_bfgs_row(b, i, row);
    d[i] = g[i] + b->theta * (z[i] - x[i]) - tutti_curvature_dot(width, row, mc);
    for (int k = 0; k < width; k++) {
      v[k] += row[k] * d[i];
      for (int j = 0; j < width; j++) gram[k][j] += row[k] * row[j];
    }
  }
  if (!any) return false;
  for (int k = 0; k < width; k++)
    for (int j = 0; j < width; j++) {
      a[k][j] = k == j;
      for (int l = 0; l < width; l++) a[k][j] -= b->m[k][l] * gram[l][j] / b->theta;
    }
  tutti_curvature_bfgs_multiply(b, v, mv);
  if (!tutti_curvature_solve(width, a, mv)) return false;
  for (int64_t i = 0; i < problem->n; i++) {
    if (!is_free(problem, z, i)) continue;
    tutti_curvature_bfgs_row(b, i, row);
    d[i] = -(d[i] + tutti_curvature_dot(width, row, mv) / b->theta) / b->theta;
  }
  return true;
}

static double clamped(const tutti_curvature_lbfgsb_problem *problem, int64_t i, double value) {
  return fmax(problem->lower[i], fmin(value, problem->upper[i]));
}

/** z += length d with the largest length <= 1 that stays in the box. */
static void step_within(const tutti_curvature_lbfgsb_problem *problem, const double *d, double *z) {
  double length = 1;
  int64_t blocking = -1;
  for (int64_t i = 0; i < problem->n; i++) {
    const double room = (d[i] < 0 ? problem->lower[i] : problem->upper[i]) - z[i];
    if (fabs(length * d[i]) <= fabs(room)) continue;
    length = room / d[i];
    blocking = i;
  }
  for (int64_t i = 0; i < problem->n; i++) z[i] = clamped(problem, i, z[i] + length * d[i]);
  if (blocking >= 0) z[blocking] = d[blocking] < 0 ? problem->lower[blocking] : problem->upper[blocking];
}

/** z += d, projected onto the box, if the direction from x to that point leads down (Morales and Nocedal 2011,
 * "Remark on Algorithm 778"); else z moves along d to the first bound. */
static void step_projected(const tutti_curvature_lbfgsb_problem *problem, const double *x, const double *g,
                           const double *d, double *z) {
  double slope = 0;
  bool outside = false;
  for (int64_t i = 0; i < problem->n; i++) {
    const double wanted = z[i] + d[i], inside = d[i] == 0 ? z[i] : clamped(problem, i, wanted);
    outside = outside || (d[i] != 0 && inside != wanted);
    slope += g[i] * (inside - x[i]);
  }
  if (outside && slope > 0) {
    step_within(problem, d, z);
    return;
  }
  for (int64_t i = 0; i < problem->n; i++)
    if (d[i] != 0) z[i] = clamped(problem, i, z[i] + d[i]);
}

void tutti_curvature_model_minimum(const tutti_curvature_lbfgsb_problem *problem,
                                   const tutti_curvature_bfgs *bfgs, const double *x, const double *gradient,
                                   tutti_curvature_breakpoint *breaks, double *work, double *z) {
  double c[TUTTI_CURVATURE_WIDTH] = {0};
  cauchy_point(problem, bfgs, x, gradient, breaks, work, z, c);
  // With B = I the Cauchy point is the minimum already.
  if (bfgs->n_pairs == 0) return;
  if (free_direction(problem, bfgs, x, gradient, z, c, work)) step_projected(problem, x, gradient, work, z);
}
