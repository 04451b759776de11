#pragma once
/** The products of linalg/matmul.h by the BLAS: for shapes that the BLAS does best, and for comparisons.  Local; the arguments are
 * the same. */
#include <stdbool.h>

#include "tutti/base.h"

void tutti_blas_forward(const float *x, const float *w, const float *bias, int rows, int n_in, int n_out,
                        float *z);

void tutti_blas_weight_gradient(const float *x, const float *dz, int rows, int n_in, int n_out,
                                bool accumulate, float *dw);

void tutti_blas_weight_gradient_part(const float *x, int stride, const float *dz, int rows, int n_in,
                                     int n_out, bool accumulate, float *dw);

void tutti_blas_input_gradient(const float *dz, const float *w, int rows, int n_in, int n_out, float *dx);
