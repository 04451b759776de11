#pragma once
/** Products by kernels that LIBXSMM generates while the program runs, one for each shape; arguments as in
 * linalg/matmul.h.  Local.  Not the gradient by the input: that has a transposed left matrix, for which there
 * are no kernels. */
#include <stdbool.h>

/** Whether there are kernels for these sizes.  Large products are left out: they are not cut into pieces that
 * fit a cache. */
bool xsmm_takes(int rows, int n_in, int n_out);

void xsmm_forward(const float *x, const float *w, const float *bias, int rows, int n_in, int n_out, float *z);
void xsmm_weight_gradient(const float *x, const float *dz, int rows, int n_in, int n_out, bool accumulate,
                          float *dw);
