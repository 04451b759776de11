/** L-BFGS-B: its iteration.  Each one minimizes the quadratic model of the function in the box (lbfgsb_model.c),
 * searches along the line from x to that minimum (lbfgsb_line.c), and adds the step to the approximation of the
 * Hessian (lbfgsb_matrix.c).  Order of the operations and constants are those of the authors' version 3.0, so that
 * ten iterations give their numbers.  Called by sharpness_max.c. */
#include "curvature/lbfgsb_impl.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "curvature/curvature_impl.h"

enum { MAX_TRIALS = 20 }; // of a line search

typedef struct {
  const tutti_curvature_lbfgsb_problem *problem;
  tutti_curvature_bfgs bfgs;
  tutti_curvature_breakpoint *breaks; // [n] owned
  double *work;                       // [n] owned, the begin of the memory of the next five
  double *z, *direction;              // [n] minimum of the model, and the way to it
  double *x_before, *g_before, *g;    // [n]
  double *x;                          // [n] borrowed
  double value;
} search;

/** One piece of memory holds all arrays of doubles. */
static tutti_status allocate(search *s) {
  const int64_t n = s->problem->n;
  TUTTI_TRY(TUTTI_NEW(s->work, 6 * n));
  s->z = s->work + n;
  s->direction = s->z + n;
  s->x_before = s->direction + n;
  s->g_before = s->x_before + n;
  s->g = s->g_before + n;
  return TUTTI_NEW(s->breaks, n);
}

static tutti_status evaluate(search *s) {
  return s->problem->evaluate(s->problem->context, s->x, &s->value, s->g);
}

/** The longest step along the direction, from the previous point, that stays in the box. */
static double longest_step(const search *s) {
  const tutti_curvature_lbfgsb_problem *problem = s->problem;
  double longest = 1e10;
  for (int64_t i = 0; i < problem->n; i++) {
    const double d = s->direction[i];
    if (d == 0) continue;
    const double room = (d < 0 ? problem->lower[i] : problem->upper[i]) - s->x_before[i];
    if (fabs(d) * longest > fabs(room)) longest = room / d;
  }
  return longest;
}

/** Set x to the point of a step.  The full step leads to z exactly, without rounding; the clamp removes rounding
 * beyond a bound. */
static void go(search *s, double step) {
  const tutti_curvature_lbfgsb_problem *problem = s->problem;
  for (int64_t i = 0; i < problem->n; i++) {
    const double wanted = step == 1 ? s->z[i] : s->x_before[i] + step * s->direction[i];
    s->x[i] = fmax(problem->lower[i], fmin(wanted, problem->upper[i]));
  }
}

typedef enum { MOVED, STUCK, ENDED } outcome;

/** Search from the previous point along the direction.  STUCK: no lower point was found, and x is the previous point.
 * @param[in] first  in the first iteration, whose direction has no curvature yet, the step is at most 1 */
static tutti_status search_line(search *s, bool first, double *step, outcome *result) {
  const int64_t n = s->problem->n;
  const double value_before = s->value, slope = tutti_curvature_dot(n, s->g_before, s->direction);
  *result = STUCK;
  if (!(slope < 0)) return TUTTI_OK;
  tutti_curvature_line_search line;
  *step = 1;
  tutti_curvature_line_search_init(&line, (tutti_curvature_line_point){0, s->value, slope}, *step,
                                   first ? 1 : longest_step(s));
  for (int trial = 0; trial < MAX_TRIALS; trial++) {
    go(s, *step);
    TUTTI_TRY(evaluate(s));
    *result = isfinite(s->value) ? MOVED : ENDED;
    if (*result == ENDED) return TUTTI_OK;
    const tutti_curvature_line_point point = {*step, s->value, tutti_curvature_dot(n, s->g, s->direction)};
    if (!tutti_curvature_line_search_step(&line, point, step)) return TUTTI_OK;
  }
  *result = STUCK;
  s->value = value_before;
  memcpy(s->x, s->x_before, (size_t)n * sizeof *s->x);
  memcpy(s->g, s->g_before, (size_t)n * sizeof *s->g);
  return TUTTI_OK;
}

/** Add the pair of the step to the approximation of the Hessian.  A pair with y's near 0 or below is skipped,
 * because the matrix would no longer be positive definite. */
static tutti_status add_pair(search *s, double step) {
  const int64_t n = s->problem->n;
  const double slope_before = tutti_curvature_dot(n, s->g_before, s->direction),
               slope = tutti_curvature_dot(n, s->g, s->direction);
  if ((slope - slope_before) * step <= -DBL_EPSILON * slope_before * step) return TUTTI_OK;
  for (int64_t i = 0; i < n; i++) {
    s->direction[i] *= step;
    s->work[i] = s->g[i] - s->g_before[i];
  }
  return tutti_curvature_bfgs_add(&s->bfgs, s->direction, s->work);
}

static tutti_status iterate(search *s, bool first, outcome *result) {
  const int64_t n = s->problem->n;
  memcpy(s->x_before, s->x, (size_t)n * sizeof *s->x);
  memcpy(s->g_before, s->g, (size_t)n * sizeof *s->g);
  for (;;) {
    double step = 1;
    tutti_curvature_model_minimum(s->problem, &s->bfgs, s->x, s->g, s->breaks, s->work, s->z);
    for (int64_t i = 0; i < n; i++) s->direction[i] = s->z[i] - s->x[i];
    TUTTI_TRY(search_line(s, first, &step, result));
    if (*result == MOVED) return add_pair(s, step);
    if (*result == ENDED || s->bfgs.n_pairs == 0) return TUTTI_OK;
    tutti_curvature_bfgs_reset(&s->bfgs); // old pairs may mislead: try once more, along the gradient
  }
}

static tutti_status minimize(search *s) {
  const tutti_curvature_lbfgsb_problem *problem = s->problem;
  TUTTI_TRY(allocate(s));
  s->bfgs.n = problem->n;
  tutti_curvature_bfgs_reset(&s->bfgs);
  for (int64_t i = 0; i < problem->n; i++)
    s->x[i] = fmax(problem->lower[i], fmin(s->x[i], problem->upper[i]));
  TUTTI_TRY(evaluate(s));
  outcome result = isfinite(s->value) ? MOVED : ENDED;
  for (int i = 0; i < problem->iterations && result == MOVED; i++) TUTTI_TRY(iterate(s, i == 0, &result));
  return TUTTI_OK;
}

tutti_status tutti_curvature_lbfgsb_minimize(const tutti_curvature_lbfgsb_problem *problem, double *x,
                                             double *value) {
  search s = {.problem = problem, .x = x};
  const tutti_status status = minimize(&s);
  tutti_free(s.work);
  tutti_free(s.breaks);
  tutti_curvature_bfgs_clear(&s.bfgs);
  *value = s.value;
  return status;
}
