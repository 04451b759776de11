/** The three products of a dense layer, each by our own loops (product.c) or by the BLAS (product_blas.c). */
#include "linalg/matmul.h"

#include "base/arithmetic.h"
#include "linalg/choices.h"
#include "linalg/product_impl.h"
#include "tutti/linalg.h"

/** Whether the columns fill whole vectors, or are so many that the last vector does not count. */
static bool fills_vectors(int columns, int width, int many) {
  return columns % width == 0 || columns >= many;
}

/** The rule for what nobody has measured.  It is drawn from the table of tests/bench/bench_products, against OpenBLAS
 * 0.3.21, and depends on the shape alone.  With AVX-512 our loops are faster if the columns of the result fill vectors,
 * most of all with few rows, which a BLAS packs in vain.  The BLAS is faster for narrow results and for products with a
 * vector.  With AVX2 our loops are faster only for products with few rows. */
static bool is_ours(tutti_matmul product, int width, int rows, const tutti_product *p) {
  const int columns = p->n;
  if (width < 8 || columns < 64) return false;
  if (width < 16) return rows <= 8 && columns % width == 0;
  if (product == TUTTI_MATMUL_INPUT_GRADIENT) return rows >= 4;
  return rows >= 2 && fills_vectors(columns, width,
                                    rows < 8                                        ? 1000
                                    : product == TUTTI_MATMUL_FORWARD && rows >= 32 ? 100
                                                                                    : 256);
}

/** The fastest kind of loops that this processor runs. */
static const tutti_product_kind *own_loops(void) {
  return tutti_linalg_product_kind_at(tutti_linalg_product_n_kinds() - 1);
}

const char *tutti_matmul_own_loops(void) {
  return own_loops()->name;
}

const char *const tutti_matmul_computes[TUTTI_N_COMPUTES] = {"float32", "bfloat16"};

int64_t tutti_matmul_scratch(int rows, int n_in, int n_out) {
  const int64_t forward = tutti_linalg_pairs_scratch(rows, n_out, n_in),
                weight_gradient = tutti_linalg_pairs_scratch(n_in, n_out, rows),
                input_gradient = tutti_linalg_pairs_scratch(rows, n_in, n_out);
  return tutti_max64(forward, tutti_max64(weight_gradient, input_gradient));
}

/** @param[in] n_in, n_out  of the whole layer */
static void multiply(tutti_matmul_by by, tutti_matmul which, int rows, int n_in, int n_out,
                     const tutti_product *p) {
  if (rows == 0 && which != TUTTI_MATMUL_WEIGHT_GRADIENT) return;
  const tutti_product_kind *kind = own_loops();
  const tutti_matmul_choice *choice = tutti_matmul_find_choice(by.choices, which, rows, n_in, n_out);
  bool by_blas = by.order == TUTTI_SUM_BY_BLAS;
  if (by.order == TUTTI_SUM_ANY)
    by_blas = choice && choice->who != TUTTI_BY_RULE ? choice->who == TUTTI_BY_BLAS
                                                     : !is_ours(which, kind->width, rows, p);
  int n_threads = tutti_linalg_threads();
  if (choice && choice->n_threads > 0 && choice->n_threads < n_threads) n_threads = choice->n_threads;
  if (by.compute == TUTTI_COMPUTE_BFLOAT16 && rows > 0) {
    tutti_linalg_product_of_pairs(p, by.scratch, n_threads);
    return;
  }
  // Our own loops fill the results of a product without terms.
  if (by_blas && rows > 0)
    tutti_linalg_product_by_blas(p, n_threads);
  else
    tutti_linalg_product_run(kind, p, n_threads);
}

void tutti_matmul_forward(tutti_matmul_by by, const float *x, const float *w, const float *bias, int rows,
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
  multiply(by, TUTTI_MATMUL_FORWARD, rows, n_in, n_out, &product);
}

void tutti_matmul_weight_gradient_part(tutti_matmul_by by, const float *x, int stride, const float *dz,
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
  multiply(by, TUTTI_MATMUL_WEIGHT_GRADIENT, rows, stride, n_out, &product);
}

void tutti_matmul_weight_gradient(tutti_matmul_by by, const float *x, const float *dz, int rows, int n_in,
                                  int n_out, bool accumulate, float *dw) {
  tutti_matmul_weight_gradient_part(by, x, n_in, dz, rows, n_in, n_out, accumulate, dw);
}

void tutti_matmul_input_gradient(tutti_matmul_by by, const float *dz, const float *w, int rows, int n_in,
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
  multiply(by, TUTTI_MATMUL_INPUT_GRADIENT, rows, n_in, n_out, &product);
}
