#pragma once
/** The three products of a dense layer z = x W + b.  Local; row-major; rows may be 0, the other sizes are at
 * least 1.  The sizes are int as in BLAS.  The owner of the matrices checks them once with
 * tutti_to_int. */
#include <stdbool.h>

#include "tutti/linalg.h"

/** z[rows, n_out] = x[rows, n_in] w[n_in, n_out] + bias[n_out] (NULL: none). */
void tutti_matmul_forward(tutti_matmul_by by, const float *x, const float *w, const float *bias, int rows,
                          int n_in, int n_out, float *z);

/** dw[n_in, n_out] = (accumulate: +=) x^T[n_in, rows] dz[rows, n_out]. */
void tutti_matmul_weight_gradient(tutti_matmul_by by, const float *x, const float *dz, int rows, int n_in,
                                  int n_out, bool accumulate, float *dw);

/** The same for n_in features of longer rows.
 * @param[in] stride  elements from one row of x to the next */
void tutti_matmul_weight_gradient_part(tutti_matmul_by by, const float *x, int stride, const float *dz,
                                       int rows, int n_in, int n_out, bool accumulate, float *dw);

/** dx[rows, n_in] = dz[rows, n_out] w^T[n_out, n_in]. */
void tutti_matmul_input_gradient(tutti_matmul_by by, const float *dz, const float *w, int rows, int n_in,
                                 int n_out, float *dx);

/** The name of our own loops that this processor runs, for example "avx512". */
const char *tutti_matmul_own_loops(void);
