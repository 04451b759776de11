#pragma once
/** The three products of a dense layer z = x W + b.  Local; row-major; rows may be 0, the other sizes are at
 * least 1.  The sizes are int as in BLAS.  The owner of the matrices checks them once with
 * tutti_to_int. */
#include <stdbool.h>

#include "tutti/linalg.h"

// With bfloat16 both factors are rounded to it, to nearest and ties to even, and the terms are added by the processor's
// instruction for pairs of them, in a fixed order whatever by.order says.

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

/** Whether products of bfloat16 numbers can be computed here: this program has the loops, and the processor AVX-512
 * BF16. */
bool tutti_matmul_has_bfloat16(void);

/** Floats of scratch memory that the products of a layer need with bfloat16. */
int64_t tutti_matmul_scratch(int rows, int n_in, int n_out);

/** The name of our own loops that this processor runs, for example "AVX-512". */
const char *tutti_matmul_own_loops(void);
