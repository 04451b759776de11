#pragma once
/** Activations as Keras 3 defines them: gelu by the error function, leaky_relu with slope 0.2, elu with alpha
 * 1, hard_sigmoid = relu6(z + 3) / 6.  Local.  NaN stays NaN, also through those that clamp. */
#include "tutti/linalg.h"

/** Whether backward needs the input z; the others take all from the output y. */
bool tutti_activation_needs_input(tutti_activation kind);

/** y[rows, n] = activation of z[rows, n]; y may be z. */
void tutti_activation_forward(tutti_activation kind, const float *z, int64_t rows, int64_t n, float *y);

/** dz[rows, n] from dy[rows, n]; dz may be dy.
 * @param[in] z  inputs; not read (may be NULL) unless tutti_activation_needs_input
 * @param[in] y  outputs; not read where z is */
void tutti_activation_backward(tutti_activation kind, const float *z, const float *y, const float *dy,
                               int64_t rows, int64_t n, float *dz);
