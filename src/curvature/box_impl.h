#pragma once
/** What the files of the search in a box share.  Private to this room. */
#include <stdbool.h>

#include "curvature/box.h"

enum { TUTTI_BOX_PAIRS = 10, TUTTI_BOX_WIDTH = 2 * TUTTI_BOX_PAIRS };

/** The curvature seen so far, as B = theta I - W M W', where row i of W is (y_k[i], theta s_k[i]) over the pairs of
 * steps s and changes of the gradient y (Byrd, Nocedal and Schnabel 1994). */
typedef struct {
  int64_t n;
  int n_pairs;
  double *s[TUTTI_BOX_PAIRS], *y[TUTTI_BOX_PAIRS]; // [n] owned, the oldest first; those to come may be NULL
  double sy[TUTTI_BOX_PAIRS][TUTTI_BOX_PAIRS], ss[TUTTI_BOX_PAIRS][TUTTI_BOX_PAIRS];
  double theta;
  double m[TUTTI_BOX_WIDTH][TUTTI_BOX_WIDTH]; // M
} tutti_box_curvature;

/** Local.  Nothing is known: B = I. */
void tutti_box_curvature_forget(tutti_box_curvature *curvature);

/** Local.  Take a pair in, in the place of the oldest where all are taken; a singular matrix makes it forget.  y's > 0.
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_box_curvature_add(tutti_box_curvature *curvature, const double *s, const double *y);
void tutti_box_curvature_clear(tutti_box_curvature *curvature);

/** Local.  row[2 n_pairs] of W, and out = M v. */
void tutti_box_curvature_row(const tutti_box_curvature *curvature, int64_t i, double *row);
void tutti_box_curvature_apply(const tutti_box_curvature *curvature, const double *v, double *out);

/** Local.  Solve a x = b, n <= TUTTI_BOX_WIDTH; a and b are overwritten, b by x.  @return false: singular */
bool tutti_box_solve(int n, double a[][TUTTI_BOX_WIDTH], double *b);

/** Where the path along the negative gradient, bent at each bound, meets a variable's bound. */
typedef struct {
  double at;
  int64_t i;
} tutti_box_break;

/** Local.  In z[n] the least point of the quadratic model in the box, nearly: the first local minimum along the bent
 * path (the Cauchy point), then the minimum over the variables that are free there, brought back into the box.
 * @param      breaks    [n] work space
 * @param      work      [n] work space
 * @param[in]  gradient  [n] at x */
void tutti_box_model_minimum(const tutti_box_problem *problem, const tutti_box_curvature *curvature,
                             const double *x, const double *gradient, tutti_box_break *breaks, double *work,
                             double *z);

/** A point on a line: a step, the value there and the slope along the line. */
typedef struct {
  double step, value, slope;
} tutti_box_point;

/** Bracketing a step of sufficient descent. */
typedef struct {
  tutti_box_point start, best, other; // `other` is the interval's second end where there is one
  bool bracketed, second_stage;
  double least, most; // of the next step
  double width, width_before, longest;
} tutti_box_line;

/** Local.  Begin at `start` (slope < 0) with a first trial `step`, none longer than `longest`. */
void tutti_box_line_begin(tutti_box_line *line, tutti_box_point start, double step, double longest);

/** Local.  Judge the trial; false: it will do.  Else *step is the next one to try. */
bool tutti_box_line_next(tutti_box_line *line, tutti_box_point trial, double *step);
