#include "bench/xsmm.h"

#include <libxsmm.h>
#include <stdint.h>
#include <string.h>

// LIBXSMM is column-major: its c[m, n] = a[m, k] b[k, n] is our c^T = b^T a^T, with m the rows' length.

static libxsmm_smmfunction kernel(int m, int n, int k, int ldb, bool transposed_b, bool add) {
  const float one = 1, beta = add ? 1 : 0;
  const int flags = transposed_b ? LIBXSMM_GEMM_FLAG_TRANS_B : LIBXSMM_GEMM_FLAG_NONE;
  return libxsmm_smmdispatch(m, n, k, &m, &ldb, &m, &one, &beta, &flags, NULL);
}

bool xsmm_takes(int rows, int n_in, int n_out) {
  const double n_products = (double)rows * n_in * n_out;
  return n_products <= 1 << 27 && kernel(n_out, rows, n_in, n_in, false, true) &&
         kernel(n_out, n_in, rows, n_in, true, false);
}

void xsmm_forward(const float *x, const float *w, const float *bias, int rows, int n_in, int n_out,
                  float *z) {
  for (int64_t i = 0; bias && i < rows; i++) memcpy(z + i * n_out, bias, (size_t)n_out * sizeof *z);
  kernel(n_out, rows, n_in, n_in, false, bias != NULL)(w, x, z);
}

void xsmm_weight_gradient(const float *x, const float *dz, int rows, int n_in, int n_out, bool accumulate,
                          float *dw) {
  kernel(n_out, n_in, rows, n_in, true, accumulate)(dz, x, dw);
}
