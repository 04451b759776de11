/** Narrow products whose last columns fill a small part of a vector, like 50 columns of vectors of 16.
 *
 * The other lanes of that vector would be computed in vain, for each row and term.  So these columns are computed turned,
 * C^T = B^T A^T, where the rows of A fill the vectors.  The chains of the elements stay the same. */
#include "linalg/product_impl.h"

enum {
  MOST_COLUMNS = 16, // no kind has wider vectors
  ROWS = 128,        // of C at a time
};

typedef struct {
  const tutti_product_kind *kind;
  const tutti_product *p;
  int first, count; // columns of C
} job;

/** The turned columns are across[count, ROWS]: what C begins with. */
static void begin_columns(const job *j, int begin, int rows, float *across) {
  const tutti_product *p = j->p;
  for (int i = 0; i < j->count; i++)
    for (int row = 0; row < rows; row++) {
      const float *c = p->c + (begin + row) * p->ldc + j->first + i;
      across[i * ROWS + row] = p->accumulate ? *c : p->bias[j->first + i];
    }
}

static void multiply_some(const job *j, int begin, int rows) {
  _Alignas(64) float across[MOST_COLUMNS * ROWS];
  const tutti_product *p = j->p;
  const bool a_is_turned = p->a_row == 1;
  const tutti_product product = {.m = j->count,
                                 .n = rows,
                                 .k = p->k,
                                 .a = p->b + j->first * (p->b_transposed ? p->ldb : 1),
                                 .a_row = p->b_transposed ? p->ldb : 1,
                                 .a_col = p->b_transposed ? 1 : p->ldb,
                                 .b = p->a + begin * p->a_row,
                                 .ldb = a_is_turned ? p->a_col : p->a_row,
                                 .b_transposed = !a_is_turned,
                                 .accumulate = p->accumulate || p->bias,
                                 .c = across,
                                 .ldc = ROWS,
                                 .panel = j->kind->panel};
  if (product.accumulate) begin_columns(j, begin, rows, across);
  tutti_linalg_product_by_columns(j->kind, &product, 1);
  for (int row = 0; row < rows; row++)
    for (int i = 0; i < j->count; i++) p->c[(begin + row) * p->ldc + j->first + i] = across[i * ROWS + row];
}

static void multiply(void *context, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; i += ROWS)
    multiply_some(context, (int)i, (int)(i + ROWS < end ? ROWS : end - i));
}

/** It saves a part of a vector for each element of A.  It costs that A is turned, if it is not, which takes as long for each
 * element with any vectors, and that C is; in units of a vector's term.  Less than a few hundredths of the product are not
 * worth it. */
static bool pays(const tutti_product_kind *kind, const tutti_product *p, int count) {
  const double turn_a = p->a_row == 1 ? 0 : 8.0 / kind->width, turn_c = 3, least = 0.04,
               n_vectors = p->n / kind->width + 1,
               gain = p->k * (1 - (double)count / kind->width - turn_a) - turn_c * count;
  // A is turned as rows or columns that lie one after another.
  const bool lies_well = p->a_row == 1 || p->a_col == 1;
  return lies_well && p->m >= 2 * kind->width && gain > least * n_vectors * p->k;
}

int tutti_linalg_product_tail(const tutti_product_kind *kind, const tutti_product *p, int n_threads) {
  const int count = p->n % kind->width;
  if (count == 0 || !pays(kind, p, count)) return 0;
  job j = {kind, p, p->n - count, count};
  tutti_linalg_parallel_by(tutti_linalg_product_threads(p->m, count, p->k, n_threads), p->m, kind->width,
                           multiply, &j);
  return count;
}
