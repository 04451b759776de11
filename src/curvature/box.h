#pragma once
/** The least value of a smooth function in a box: L-BFGS-B (Byrd, Lu, Nocedal and Zhu 1995, "A limited memory
 * algorithm for bound constrained optimization", with the projection of Morales and Nocedal 2011 and the line search of
 * Moré and Thuente 1994).  Local.
 *
 * Why not a library: the authors' own, in Fortran, brings its run-time library, LAPACK and a
 * second BLAS, with threads of its own, into every process of a job; NLopt's bounded L-BFGS is another algorithm, and
 * counts evaluations.  A measurement that is defined by ten iterations of this algorithm wants just these; the steps
 * are those of the authors' version 3.0, which the tests have numbers of. */
#include "tutti/base.h"

typedef struct {
  int64_t n;
  const double *lower, *upper; // [n] borrowed, finite, lower <= upper
  int iterations;              // at most
  /** Value and gradient[n] at x[n], which lies in the box. */
  tutti_status (*evaluate)(void *context, const double *x, double *value, double *gradient);
  void *context;
} tutti_box_problem;

/** Local; as collective as `evaluate` is.  Ends after so many iterations, or before where no direction leads down, or at
 * a value that is not finite.
 * @param[in,out] x      [n] where to start, in the box (else its nearest point there); the last and least point
 * @param[out]    value  there
 * @return ERR_MEMORY; what `evaluate` returns */
TUTTI_NODISCARD
tutti_status tutti_box_minimize(const tutti_box_problem *problem, double *x, double *value);
