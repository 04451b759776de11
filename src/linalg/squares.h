#pragma once
/** Sums of squares.  Local.  Squares are added in float over at most TUTTI_BLOCK elements, in many lanes, so that the
 * rounding of a sum stays near that of one number (relative 1e-7), and in double over blocks.  Squares outside of the
 * range of a float count as 0 or as infinity. */
#include "tutti/base.h"

/** The sum over x[n]. */
double tutti_linalg_squares(const float *x, int64_t n);

/** The sum over x[n] - y[n]. */
double tutti_linalg_squares_of_difference(const float *x, const float *y, int64_t n);

/** squares[i] = the sum over row i of x[rows, n].  Uses several threads if that pays. */
void tutti_linalg_row_squares(const float *x, int64_t rows, int64_t n, double *squares);
