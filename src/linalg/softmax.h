#pragma once
/** Softmax over the columns of each row, by the shifted exponentials that cannot overflow.  Local. */
#include "tutti/base.h"

/** exponentials[n] = exp(z - top) with top the largest of z[n]; NULL where they are not wanted.
 * @return their sum, at least 1 (NaN where z holds NaN or +infinity) */
double tutti_softmax_exponentials(const float *z, int64_t n, float *exponentials, float *top);

/** y[rows, n] = softmax of the rows of z[rows, n]; y may be z. */
void tutti_softmax_forward(const float *z, int64_t rows, int64_t n, float *y);

/** dz = y (dy - sum over the row of y dy), from the outputs y; dz may be dy. */
void tutti_softmax_backward(const float *y, const float *dy, int64_t rows, int64_t n, float *dz);
