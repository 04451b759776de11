#pragma once
/** Small symmetric systems in double, such as the normal equations of a fit.  Local. */
#include <stdbool.h>

#include "tutti/base.h"

/** Replace the lower triangle of a[n, n] by that of its Cholesky factor L, a = L L'; the elements above it are neither
 * read nor written.
 * @param[in] least_part  part of a diagonal element that has to be left after the columns before it are subtracted;
 *                        less is rounding
 * @return false if the matrix is not positive definite, or so nearly singular that a solution would be noise */
bool tutti_linalg_cholesky_factor(int n, double least_part, double *a);

/** The least part for normal equations of measured values. */
#define TUTTI_CHOLESKY_LEAST_PART 1e-10

/** Replace b[n] by the solution of L y = b, the first half of a solution of a x = b: sum y^2 is b' a^-1 b. */
void tutti_linalg_cholesky_forward(int n, const double *factor, double *b);

/** Replace b[n] by the solution of a x = b, from the factor of a. */
void tutti_linalg_cholesky_solve(int n, const double *factor, double *b);
