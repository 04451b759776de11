/** Products with a transposed B, as the gradient of a layer's input has them.
 *
 * To pack B, its rows have to be turned into columns, which costs as much as to use it for some rows of A.  So the factors
 * change their places, C^T = B A^T: A is packed, rows of B are read where they lie, and C is turned instead, some columns
 * at a time.  The chains of the elements stay the same. */
#include <string.h>

#include "base/arithmetic.h"
#include "linalg/parallel.h"
#include "linalg/product_impl.h"
#include "linalg/workspace_impl.h"

enum {
  COLUMNS = 48, // of C at a time: whole tiles and whole vectors of each kind
  ROWS = 128,   // of A that are packed at a time
  DEPTH = TUTTI_PRODUCT_DEPTH
};

typedef struct {
  const tutti_product_kind *kind;
  const tutti_product *p;
  int m0, rows;  // of A and C
  int width;     // rows of a panel of the packed A
  float *packed; // panels of the first DEPTH terms, of the next ones, ...
} job;

static int count_blocks(const job *j) {
  return (int)tutti_ceil_div(j->p->k, DEPTH);
}

/** Where block i of the terms is packed. */
static float *packed_block(const job *j, int64_t i) {
  return j->packed + i * DEPTH * tutti_ceil_div(j->rows, j->width) * j->width;
}

/** All columns of the turned C in block i of the terms. */
static tutti_product_block block_of(const job *j, int64_t i) {
  const int k0 = (int)i * DEPTH, k = j->p->k - k0 < DEPTH ? j->p->k - k0 : DEPTH;
  return (tutti_product_block){.count = j->rows,
                               .k0 = k0,
                               .k = k,
                               .width = j->width,
                               .b = packed_block(j, i),
                               .ldb = j->width,
                               .next = (int64_t)k * j->width};
}

static void pack(void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const tutti_product turned = {.b = j->p->a + j->m0 * j->p->a_row, .ldb = j->p->a_row, .b_transposed = true};
  for (int64_t i = begin; i < end; i++) {
    const tutti_product_block block = block_of(j, i);
    tutti_linalg_product_pack_panels(j->kind, &turned, &block, packed_block(j, i));
  }
}

/** Columns [begin, end) of C, at most COLUMNS. */
static void multiply_some(const job *j, int begin, int end) {
  _Alignas(64) float across[COLUMNS * ROWS], along[ROWS * COLUMNS];
  const tutti_product *p = j->p;
  const tutti_product product = {.m = end - begin,
                                 .n = j->rows,
                                 .k = p->k,
                                 .a = p->b + begin * p->ldb,
                                 .a_row = p->ldb,
                                 .a_col = 1,
                                 .c = across,
                                 .ldc = ROWS},
                      turned = {.b = across, .ldb = ROWS, .b_transposed = true};
  for (int i = 0; i < count_blocks(j); i++) {
    tutti_product_block block = block_of(j, i);
    block.m1 = end - begin;
    j->kind->multiply(&product, &block);
  }
  j->kind->pack_b(&turned, 0, j->rows, 0, end - begin, COLUMNS, along);
  for (int i = 0; i < j->rows; i++)
    memcpy(p->c + (j->m0 + i) * p->ldc + begin, along + i * COLUMNS, (size_t)(end - begin) * sizeof *p->c);
}

static void multiply(void *context, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; i += COLUMNS)
    multiply_some(context, (int)i, (int)(i + COLUMNS < end ? i + COLUMNS : end));
}

/** To turn C costs as much per row of A as to pack B does per term, and both cost little if there are many terms.  Few rows
 * of A would leave half of the lanes of a vector idle. */
static bool pays(const tutti_product_kind *kind, const tutti_product *p) {
  enum { MANY_TERMS = 1024 };
  return p->k > 0 && p->m > kind->width / 2 && (p->m <= p->k || p->k >= MANY_TERMS);
}

bool tutti_linalg_product_turned(const tutti_product_kind *kind, const tutti_product *p, int n_threads) {
  if (!p->b_transposed || p->a_col != 1 || p->bias || p->accumulate || !pays(kind, p)) return false;
  float *packed = tutti_linalg_workspace((int64_t)ROWS * p->k);
  if (!packed) return false;
  const int widest = kind->panel * kind->width;
  for (int m0 = 0; m0 < p->m; m0 += ROWS) {
    const int rows = p->m - m0 < ROWS ? p->m - m0 : ROWS,
              vectors = (int)tutti_ceil_div(rows, kind->width) * kind->width;
    job j = {kind, p, m0, rows, vectors < widest ? vectors : widest, packed};
    tutti_linalg_parallel_by(n_threads, count_blocks(&j), 1, pack, &j);
    tutti_linalg_parallel_by(n_threads, p->n, COLUMNS, multiply, &j);
  }
  return true;
}
