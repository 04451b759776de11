/** The three products of a dense layer by the BLAS, one call per thread.  matmul.c calls it for the shapes that the BLAS does best,
 * and the benchmarks for comparison. */
#include "linalg/matmul_blas.h"

#include <cblas.h>
#include <string.h>

#include "linalg/parallel.h"

/** C[m, n] = A B + init C. */
typedef struct {
  int m, n, k;
  bool a_transposed, b_transposed; // stored so
  const float *a, *b;
  int lda, ldb, ldc;
  float init;
  float *c;
} operation;

/** Compute rows [begin, end) of C, or columns if C has more of those. */
static void multiply_part(void *context, int64_t begin, int64_t end) {
  const operation *o = context;
  const bool by_rows = o->m >= o->n;
  const int64_t row = by_rows ? begin : 0, column = by_rows ? 0 : begin;
  cblas_sgemm(CblasRowMajor, o->a_transposed ? CblasTrans : CblasNoTrans,
              o->b_transposed ? CblasTrans : CblasNoTrans, by_rows ? (int)(end - begin) : o->m,
              by_rows ? o->n : (int)(end - begin), o->k, 1, o->a + row * (o->a_transposed ? 1 : o->lda),
              o->lda, o->b + column * (o->b_transposed ? o->ldb : 1), o->ldb, o->init,
              o->c + row * o->ldc + column, o->ldc);
}

/** Each thread computes a product of its own with a BLAS of one thread.  The threads of a BLAS with its own pool would wait in
 * vain for the cores, because our threads spin there for a while after each loop.  The longer side of C is cut, because each
 * part reads all of the other operand. */
static void multiply(operation o) {
  enum { BLOCK = 16 }; // rows and columns of the kernels
  const int longer = o.m >= o.n ? o.m : o.n, shorter = o.m >= o.n ? o.n : o.m;
  const int64_t terms_of_block = (int64_t)BLOCK * shorter * o.k;
  tutti_linalg_parallel(longer, BLOCK * (1 + TUTTI_TERMS_WORTH_A_THREAD / terms_of_block), multiply_part, &o);
}

void tutti_blas_forward(const float *x, const float *w, const float *bias, int rows, int n_in, int n_out,
                        float *z) {
  if (rows == 0) return;
  // The product is added to rows that already hold the bias.
  if (bias)
    for (int64_t i = 0; i < rows; i++) memcpy(z + i * n_out, bias, (size_t)n_out * sizeof *z);
  multiply((operation){.m = rows,
                       .n = n_out,
                       .k = n_in,
                       .a = x,
                       .b = w,
                       .lda = n_in,
                       .ldb = n_out,
                       .ldc = n_out,
                       .init = bias ? 1 : 0,
                       .c = z});
}

void tutti_blas_weight_gradient_part(const float *x, int stride, const float *dz, int rows, int n_in,
                                     int n_out, bool accumulate, float *dw) {
  if (rows == 0) {
    if (!accumulate) memset(dw, 0, (size_t)n_in * (size_t)n_out * sizeof *dw);
    return;
  }
  multiply((operation){.m = n_in,
                       .n = n_out,
                       .k = rows,
                       .a_transposed = true,
                       .a = x,
                       .b = dz,
                       .lda = stride,
                       .ldb = n_out,
                       .ldc = n_out,
                       .init = accumulate ? 1 : 0,
                       .c = dw});
}

void tutti_blas_weight_gradient(const float *x, const float *dz, int rows, int n_in, int n_out,
                                bool accumulate, float *dw) {
  tutti_blas_weight_gradient_part(x, n_in, dz, rows, n_in, n_out, accumulate, dw);
}

void tutti_blas_input_gradient(const float *dz, const float *w, int rows, int n_in, int n_out, float *dx) {
  if (rows == 0) return;
  multiply((operation){.m = rows,
                       .n = n_in,
                       .k = n_out,
                       .b_transposed = true,
                       .a = dz,
                       .b = w,
                       .lda = n_out,
                       .ldb = n_out,
                       .ldc = n_in,
                       .init = 0,
                       .c = dx});
}
