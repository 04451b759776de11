#pragma once
/** Sums over the rows of a matrix, column by column, by the threads of this rank.  Local; rows may be 0. */
#include "tutti/base.h"

/** sums[n] += sum over the rows of x[rows, n], row after row in double: the gradient of a bias.  In single precision
 * a sum of 2^24 equal numbers would have an error of 10 %. */
void tutti_linalg_column_sums(const float *x, int64_t rows, int64_t n, double *sums);

/** rounded[n] = sums + x. */
void tutti_linalg_round_sums(const double *sums, const float *x, int64_t n, float *rounded);

/** sums[n] += sum over the rows of x[rows, n] dy[rows, n] where x <= 0: the gradient of alpha of prelu. */
void tutti_linalg_column_sums_below(const float *x, const float *dy, int64_t rows, int64_t n, double *sums);

/** sums[n] += sum of x, squares[n] += sum of x^2 over the rows of x[rows, n]. */
void tutti_linalg_column_moments(const float *x, int64_t rows, int64_t n, double *sums, double *squares);
