/** A matrix product by the BLAS, one call per thread.  matmul.c calls it for the shapes that the BLAS does best. */
#include <cblas.h>
#include <string.h>

#include "linalg/parallel.h"
#include "linalg/product_impl.h"

/** Compute rows [begin, end) of C, or columns if C has more of those. */
static void multiply_part(void *context, int64_t begin, int64_t end) {
  const tutti_product *p = context;
  const bool by_rows = p->m >= p->n;
  const int64_t row = by_rows ? begin : 0, column = by_rows ? 0 : begin;
  // Both steps are 1 if A is a single row or column.  A single row with this leading dimension has to count as
  // transposed.
  const bool a_transposed = p->a_col != 1 || (p->a_row == 1 && p->m == 1);
  cblas_sgemm(CblasRowMajor, a_transposed ? CblasTrans : CblasNoTrans,
              p->b_transposed ? CblasTrans : CblasNoTrans, by_rows ? (int)(end - begin) : p->m,
              by_rows ? p->n : (int)(end - begin), p->k, 1, p->a + row * p->a_row,
              (int)(a_transposed ? p->a_col : p->a_row), p->b + column * (p->b_transposed ? p->ldb : 1),
              (int)p->ldb, p->accumulate || p->bias ? 1 : 0, p->c + row * p->ldc + column, (int)p->ldc);
}

/** Each thread computes a product of its own with a BLAS of one thread.  The threads of a BLAS with its own pool
 * would wait in vain for the cores, because our threads spin there for a while after each loop.  The longer side of
 * C is cut, because each part reads all of the other operand. */
void tutti_linalg_product_by_blas(const tutti_product *p, int n_threads) {
  enum { BLOCK = 16 }; // rows and columns of the kernels
  tutti_product product = *p;
  // The product is added to rows that already hold the bias.
  for (int64_t i = 0; p->bias && i < p->m; i++)
    memcpy(p->c + i * p->ldc, p->bias, (size_t)p->n * sizeof *p->c);
  const int longer = p->m >= p->n ? p->m : p->n, shorter = p->m >= p->n ? p->n : p->m;
  const int64_t terms_of_block = (int64_t)BLOCK * shorter * p->k;
  tutti_linalg_parallel_by(n_threads, longer, BLOCK * (1 + TUTTI_TERMS_WORTH_A_THREAD / terms_of_block),
                           multiply_part, &product);
}
