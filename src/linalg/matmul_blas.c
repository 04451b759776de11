#include "linalg/matmul_blas.h"

#include <cblas.h>
#include <string.h>

void tutti_blas_forward(const float *x, const float *w, const float *bias, int rows, int n_in, int n_out,
                        float *z) {
  if (rows == 0) return;
  // The product adds itself to rows that hold the bias already.
  if (bias)
    for (int64_t i = 0; i < rows; i++) memcpy(z + i * n_out, bias, (size_t)n_out * sizeof *z);
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, n_out, n_in, 1, x, n_in, w, n_out,
              bias ? 1 : 0, z, n_out);
}

void tutti_blas_weight_gradient_part(const float *x, int stride, const float *dz, int rows, int n_in,
                                     int n_out, bool accumulate, float *dw) {
  if (rows == 0) {
    if (!accumulate) memset(dw, 0, (size_t)n_in * (size_t)n_out * sizeof *dw);
    return;
  }
  cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n_in, n_out, rows, 1, x, stride, dz, n_out,
              accumulate ? 1 : 0, dw, n_out);
}

void tutti_blas_weight_gradient(const float *x, const float *dz, int rows, int n_in, int n_out,
                                bool accumulate, float *dw) {
  tutti_blas_weight_gradient_part(x, n_in, dz, rows, n_in, n_out, accumulate, dw);
}

void tutti_blas_input_gradient(const float *dz, const float *w, int rows, int n_in, int n_out, float *dx) {
  if (rows == 0) return;
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, n_in, n_out, 1, dz, n_out, w, n_out, 0, dx,
              n_in);
}
