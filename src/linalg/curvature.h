#pragma once
/** Second derivatives of activations and losses, for products with a Hessian (Pearlmutter 1994, "Fast exact
 * multiplication by the Hessian").  Local.
 *
 * Where a function has a kink, its second derivative is taken from the side that its first one is taken from: that
 * of pieces of straight lines is 0 everywhere. */
#include "tutti/linalg.h"

/** The derivative of tutti_activation_backward(dy) by the inputs, along tz: dz[rows, n] += (d^2 y / dz^2 tz) dy.
 * An activation's own derivative along tz is tutti_activation_backward(tz), whose matrix is symmetric.
 * @param[in] z, y  as tutti_activation_backward has them
 * @param[in] tz    [rows, n] the direction
 * @param[in] ty    [rows, n] the derivative of y along tz; not read but for softmax */
void tutti_activation_curvature(tutti_activation kind, const float *z, const float *y, const float *tz,
                                const float *ty, const float *dy, int64_t rows, int64_t n, float *dz);

/** The derivative along tz of the gradient that tutti_loss_rows gives: out[rows, n] = scale d^2 loss / dz^2 tz. */
void tutti_loss_curvature(tutti_loss loss, const float *z, tutti_targets targets, int64_t rows, int64_t n,
                          double scale, const float *tz, float *out);
