#pragma once
/** The loops of the activations in activations.def, whose rows say what each is.  Local; the threads of this rank share
 * the rows, but for curvature.  NaN stays NaN. */
#include "tutti/linalg.h"

/** Whether backward needs the input z; all other activations need only the output y. */
bool tutti_activation_needs_input(tutti_activation kind);

/** y[rows, n] = activation of z[rows, n]; y may be z. */
void tutti_activation_forward(tutti_activation kind, const float *z, int64_t rows, int64_t n, float *y);

/** dz[rows, n] from dy[rows, n]; dz may be dy.
 * @param[in] z  inputs; read only if tutti_activation_needs_input, else it may be NULL
 * @param[in] y  outputs; read only if z is not */
void tutti_activation_backward(tutti_activation kind, const float *z, const float *y, const float *dy,
                               int64_t rows, int64_t n, float *dz);

/** The derivative of tutti_activation_backward(dy) by the inputs, along tz: dz[rows, n] += (d^2 y / dz^2 tz) dy, for
 * products with a Hessian (Pearlmutter, "Fast exact multiplication by the Hessian", 1994).  The derivative of y
 * itself along tz is tutti_activation_backward(tz), whose matrix is symmetric.
 * @param[in] z, y  as for tutti_activation_backward
 * @param[in] tz    [rows, n] the direction
 * @param[in] ty    [rows, n] the derivative of y along tz; read only for activations of a row */
void tutti_activation_curvature(tutti_activation kind, const float *z, const float *y, const float *tz,
                                const float *ty, const float *dy, int64_t rows, int64_t n, float *dz);
