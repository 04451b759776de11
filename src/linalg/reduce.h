#pragma once
/** Sums over the rows of a matrix, column by column.  Local; rows may be 0. */
#include <stdbool.h>

#include "tutti/base.h"

/** sums[n] = (accumulate: +=) sum over the rows of x[rows, n]: the gradient of a bias. */
void tutti_column_sums(const float *x, int64_t rows, int64_t n, bool accumulate, float *sums);

/** sums[n] += sum of x, squares[n] += sum of x^2 over the rows of x[rows, n]. */
void tutti_column_moments(const float *x, int64_t rows, int64_t n, double *sums, double *squares);
