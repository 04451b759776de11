#pragma once
/** The minimum of a smooth function in a box: L-BFGS-B (Byrd, Lu, Nocedal and Zhu 1995, "A limited memory algorithm for
 * bound constrained optimization"; code: Zhu et al. 1997), with the projection of Morales and Nocedal 2011 and the line
 * search of Moré and Thuente 1994.  Local.
 *
 * The authors' library is not used.  It is written in Fortran and brings its run-time library, LAPACK and a second BLAS
 * with threads of its own into every process of a job.  The bounded L-BFGS of NLopt is another algorithm, and counts
 * evaluations.  The sharpness is defined by ten iterations of this algorithm, so it needs exactly these: the steps are
 * those of the authors' version 3.0, whose numbers the tests compare with. */
#include <stdbool.h>

#include "tutti/base.h"

// --- lbfgsb.c: for the room --------------------------------------------------------------------------------------

typedef struct {
  int64_t n;
  const double *lower, *upper; // [n] borrowed, finite, lower <= upper
  int iterations;              // at most
  /** Value and gradient[n] at x[n], which lies in the box. */
  tutti_status (*evaluate)(void *context, const double *x, double *value, double *gradient);
  void *context; // borrowed
} tutti_curvature_lbfgsb_problem;

/** As collective as `evaluate`.  Minimize.  It stops after the iterations, if no direction leads down, or at a value
 * that is not finite.
 * @param[in,out] x      [n] the start, which is moved to the nearest point in the box; then the last and lowest
 * point
 * @param[out]    value  at the last point
 * @return ERR_MEMORY; what `evaluate` returns */
TUTTI_NODISCARD
tutti_status tutti_curvature_lbfgsb_minimize(const tutti_curvature_lbfgsb_problem *problem, double *x,
                                             double *value);

// --- lbfgsb_matrix.c ---------------------------------------------------------------------------------------------

enum { TUTTI_CURVATURE_PAIRS = 10, TUTTI_CURVATURE_WIDTH = 2 * TUTTI_CURVATURE_PAIRS };

/** Approximation of the Hessian from the last steps s and the changes y of the gradient along them: B = theta I - W
 * M W', where row i of W is (y_k[i], theta s_k[i]) over the pairs k (Byrd, Nocedal and Schnabel 1994). */
typedef struct {
  int64_t n;
  int n_pairs;
  double *s[TUTTI_CURVATURE_PAIRS],
      *y[TUTTI_CURVATURE_PAIRS]; // [n] owned, the oldest first; NULL: not allocated yet
  double sy[TUTTI_CURVATURE_PAIRS][TUTTI_CURVATURE_PAIRS], ss[TUTTI_CURVATURE_PAIRS][TUTTI_CURVATURE_PAIRS];
  double theta;
  double m[TUTTI_CURVATURE_WIDTH][TUTTI_CURVATURE_WIDTH]; // M
} tutti_curvature_bfgs;

/** Local.  Drop all pairs: B = I. */
void tutti_curvature_bfgs_reset(tutti_curvature_bfgs *bfgs);

/** Local.  Add a pair with y's > 0, in place of the oldest if there is no room.  If M becomes singular, all pairs go.
 * @param[in] s  [n] step
 * @param[in] y  [n] change of the gradient
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_curvature_bfgs_add(tutti_curvature_bfgs *bfgs, const double *s, const double *y);
void tutti_curvature_bfgs_clear(tutti_curvature_bfgs *bfgs);

/** Local.  row[2 n_pairs] = row i of W. */
void tutti_curvature_bfgs_row(const tutti_curvature_bfgs *bfgs, int64_t i, double *row);

/** Local.  out[2 n_pairs] = M v[2 n_pairs]. */
void tutti_curvature_bfgs_multiply(const tutti_curvature_bfgs *bfgs, const double *v, double *out);

/** Local.  Solve a x = b for an indefinite matrix by elimination with pivots, n <= TUTTI_CURVATURE_WIDTH.
 * @param[in,out] a  [n, n] overwritten
 * @param[in,out] b  [n] overwritten by x
 * @return false: a is singular */
bool tutti_curvature_solve(int n, double a[][TUTTI_CURVATURE_WIDTH], double *b);

// --- lbfgsb_model.c ----------------------------------------------------------------------------------------------

/** Where the projected path along the negative gradient reaches the bound of variable i. */
typedef struct {
  double at;
  int64_t i;
} tutti_curvature_breakpoint;

/** Local.  Find a low point z of the quadratic model in the box: the first local minimum along the projected path (the
 * Cauchy point), then the minimum over the variables that are free there, brought back into the box.
 * @param[in]  x, gradient  [n]
 * @param      breaks, work  [n] work space
 * @param[out] z            [n] */
void tutti_curvature_model_minimum(const tutti_curvature_lbfgsb_problem *problem,
                                   const tutti_curvature_bfgs *bfgs, const double *x, const double *gradient,
                                   tutti_curvature_breakpoint *breaks, double *work, double *z);

// --- lbfgsb_line.c -----------------------------------------------------------------------------------------------

/** A point on a line: a step, the value there, and the slope along the line. */
typedef struct {
  double step, value, slope;
} tutti_curvature_line_point;

/** The search for a step of sufficient descent. */
typedef struct {
  tutti_curvature_line_point start, best;
  tutti_curvature_line_point other; // second end of the interval, if it is bracketed
  bool bracketed, second_stage;
  double least, most; // of the next step
  double width, width_before, longest;
} tutti_curvature_line_search;

/** Local.  Begin at `start` (slope < 0).
 * @param[in] step     the first trial
 * @param[in] longest  no step is longer */
void tutti_curvature_line_search_init(tutti_curvature_line_search *line, tutti_curvature_line_point start,
                                      double step, double longest);

/** Local.  Judge a trial.
 * @param[out] step  the next one to try
 * @return false: the trial is good enough, and *step is unchanged */
bool tutti_curvature_line_search_step(tutti_curvature_line_search *line, tutti_curvature_line_point trial,
                                      double *step);
