/** Matrix products of bfloat16: factors are rounded to it, products of two are exact, and sums are float.
 *
 * The instructions take two terms at once, so that two bfloat16 numbers of neighbouring terms, a pair, have the place of
 * a float: the loops are those of float products with half as many terms.  Before a product both factors are rounded into
 * pairs.  As for floats, the chain of an element is fixed: pair after pair, whatever tiles, blocks or threads. */
#include "base/vector_unit.h"
#include "linalg/matmul.h"
#include "linalg/parallel.h"
#include "linalg/product_impl.h"

int64_t tutti_linalg_pairs_scratch(int m, int n, int k) {
  return ((int64_t)m + n) * ((k + 1) / 2);
}

#ifdef TUTTI_BF16_LOOPS

bool tutti_matmul_has_bfloat16(void) {
  return tutti_cpu_has_avx512() && __builtin_cpu_supports("avx512bf16");
}

typedef struct {
  const float *from;
  int64_t ld;    // floats from one row of the source to the next
  int rows, n;   // of the source
  int64_t pairs; // of a row of the result
  float *to;
} conversion;

/** Rows [begin, end): neighbours of a row become pairs. */
static void round_rows(void *context, int64_t begin, int64_t end) {
  const conversion *c = context;
  for (int64_t i = begin; i < end; i++)
    tutti_linalg_pairs_of_row(c->from + i * c->ld, c->n, c->to + i * c->pairs);
}

/** Rows [begin, end) of the result: neighbours of a column become pairs. */
static void join_rows(void *context, int64_t begin, int64_t end) {
  const conversion *c = context;
  for (int64_t i = begin; i < end; i++) {
    const float *first = c->from + 2 * i * c->ld;
    tutti_linalg_pairs_of_rows(first, 2 * i + 1 < c->rows ? first + c->ld : NULL, c->n, c->to + i * c->pairs);
  }
}

/** A unit of rows that is worth a thread. */
static int64_t unit_of(int n) {
  enum { FLOATS = 1 << 15 };
  return 1 + FLOATS / n;
}

/** to[rows, (n + 1) / 2] */
static void convert_along(const float *from, int64_t ld, int rows, int n, int n_threads, float *to) {
  conversion c = {from, ld, rows, n, (n + 1) / 2, to};
  tutti_linalg_parallel_by(n_threads, rows, unit_of(n), round_rows, &c);
}

/** to[(rows + 1) / 2, n] */
static void convert_across(const float *from, int64_t ld, int rows, int n, int n_threads, float *to) {
  conversion c = {from, ld, rows, n, n, to};
  tutti_linalg_parallel_by(n_threads, (rows + 1) / 2, unit_of(2 * n), join_rows, &c);
}

void tutti_linalg_product_of_pairs(const tutti_product *p, float *scratch, int n_threads) {
  const int pairs = (p->k + 1) / 2;
  tutti_product q = *p;
  float *a = scratch, *b = scratch + (int64_t)p->m * pairs;
  TUTTI_ASSERT(p->a_row == 1 || p->a_col == 1);
  q.k = pairs;
  q.a = a;
  q.b = b;
  if (p->a_col == 1) {
    convert_along(p->a, p->a_row, p->m, p->k, n_threads, a);
    q.a_row = pairs;
  } else {
    convert_across(p->a, p->a_col, p->k, p->m, n_threads, a);
    q.a_col = p->m;
  }
  if (p->b_transposed)
    convert_along(p->b, p->ldb, p->n, p->k, n_threads, b);
  else
    convert_across(p->b, p->ldb, p->k, p->n, n_threads, b);
  q.ldb = p->b_transposed ? pairs : p->n;
  tutti_linalg_product_run(&tutti_linalg_product_bf16, &q, n_threads);
}

#else

bool tutti_matmul_has_bfloat16(void) {
  return false;
}

void tutti_linalg_product_of_pairs(const tutti_product *p, float *scratch, int n_threads) {
  (void)p, (void)scratch, (void)n_threads;
  TUTTI_ASSERT(false); // nobody asks for it
}

#endif
