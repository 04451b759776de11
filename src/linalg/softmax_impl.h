#pragma once
/** Softmax over the columns of each row, by the shifted exponentials that cannot overflow.  Local. */
#include "tutti/base.h"

/** Softmax of the rows of z[rows, n], times a scale.
 * @param[out] y     [rows, n] scale * softmax; may be z; NULL: not wanted
 * @param[out] tops  [rows] the largest element of each row
 * @param[out] sums  [rows] the sum of exp(z - top), at least 1; NaN if z has NaN or +infinity */
void tutti_linalg_softmax_scaled(const float *z, int64_t rows, int64_t n, double scale, float *y, float *tops,
                                 double *sums);

/** y[rows, n] = softmax of the rows of z[rows, n]; y may be z. */
void tutti_linalg_softmax_forward(const float *z, int64_t rows, int64_t n, float *y);

/** dz = y (dy - sum over the row of y dy), from the outputs y; dz may be dy. */
void tutti_linalg_softmax_backward(const float *y, const float *dy, int64_t rows, int64_t n, float *dz);

/** Add the derivative of that dz by the inputs, along a direction: with S = diag y - y y' and u = ty, the derivative
 * of y along it, (dS) dy = u (dy - y'dy) - y (u'dy). */
void tutti_linalg_softmax_curvature(const float *y, const float *ty, const float *dy, int64_t rows, int64_t n,
                                    float *dz);
