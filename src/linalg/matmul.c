/** The three products of a dense layer, each by our own loops (product.c) or by the BLAS (product_blas.c).  The rule
 * depends on shapes alone, so that all ranks choose alike. */
#include "linalg/matmul.h"

#include "linalg/product_impl.h"
#include "tutti/linalg.h"

typedef enum { FORWARD, WEIGHT_GRADIENT, INPUT_GRADIENT } which;

/** Whether the columns fill whole vectors, or are so many that the last vector does not count. */
static bool fills_vectors(int columns, int width, int many) {
  return columns % width == 0 || columns >= many;
}

/** The rule is drawn from the table of tests/bench/bench_products, against OpenBLAS 0.3.21.  With AVX-512 our loops
 * are faster if the columns of the result fill vectors, most of all with few rows, which a BLAS packs in vain.  The
 * BLAS is faster for narrow results and for products with a vector.  With AVX2 our loops are faster only for products with few rows. */
static bool is_ours(which product, int width, int rows, const tutti_product *p) {
  const int columns = p->n;
  if (width < 8 || columns < 64) return false;
  if (width < 16) return rows <= 8 && columns % width == 0;
  if (product == INPUT_GRADIENT) return rows >= 4;
  return rows >= 2 && fills_vectors(columns, width,
                                    rows < 8                           ? 1000
                                    : product == FORWARD && rows >= 32 ? 100
                                                                       : 256);
}

/** @param[in] rows  of the micro-batch; our own loops fill the results of a product without terms */
static void multiply(tutti_sum_order order, which product, int rows, const tutti_product *p) {
  // The last kind is the fastest one that this processor runs.
  const tutti_product_kind *kind = tutti_linalg_product_kind_at(tutti_linalg_product_n_kinds() - 1);
  const bool by_rule = order == TUTTI_SUM_ANY && is_ours(product, kind->width, rows, p);
  if (rows > 0 && order != TUTTI_SUM_IN_ORDER && !by_rule)
    tutti_linalg_product_by_blas(p);
  else if (rows > 0 || product == WEIGHT_GRADIENT)
    tutti_linalg_product_run(kind, p, tutti_linalg_threads());
}

void tutti_matmul_forward(tutti_sum_order order, const float *x, const float *w, const float *bias, int rows,
                          int n_in, int n_out, float *z) {
  const tutti_product product = {.m = rows,
                                 .n = n_out,
                                 .k = n_in,
                                 .a = x,
                                 .a_row = n_in,
                                 .a_col = 1,
                                 .b = w,
                                 .ldb = n_out,
                                 .bias = bias,
                                 .c = z,
                                 .ldc = n_out,
                                 .panel = 4};
  multiply(order, FORWARD, rows, &product);
}

void tutti_matmul_weight_gradient_part(tutti_sum_order order, const float *x, int stride, const float *dz,
                                       int rows, int n_in, int n_out, bool accumulate, float *dw) {
  const tutti_product product = {.m = n_in,
                                 .n = n_out,
                                 .k = rows,
                                 .a = x,
                                 .a_row = 1,
                                 .a_col = stride,
                                 .b = dz,
                                 .ldb = n_out,
                                 .accumulate = accumulate,
                                 .c = dw,
                                 .ldc = n_out,
                                 .panel = 2};
  multiply(order, WEIGHT_GRADIENT, rows, &product);
}

void tutti_matmul_weight_gradient(tutti_sum_order order, const float *x, const float *dz, int rows, int n_in,
                                  int n_out, bool accumulate, float *dw) {
  tutti_matmul_weight_gradient_part(order, x, n_in, dz, rows, n_in, n_out, accumulate, dw);
}

void tutti_matmul_input_gradient(tutti_sum_order order, const float *dz, const float *w, int rows, int n_in,
                                 int n_out, float *dx) {
  const tutti_product product = {.m = rows,
                                 .n = n_in,
                                 .k = n_out,
                                 .a = dz,
                                 .a_row = n_out,
                                 .a_col = 1,
                                 .b = w,
                                 .ldb = n_out,
                                 .b_transposed = true,
                                 .c = dx,
                                 .ldc = n_in,
                                 .panel = 4};
  multiply(order, INPUT_GRADIENT, rows, &product);
}
