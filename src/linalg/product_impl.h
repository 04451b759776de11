#pragma once
/** Our own matrix products: register-blocked loops, compiled once for each kind of vector unit.  Private to this
 * room.
 *
 * Each element of C is one chain, c = init; c = c + a[i, k] b[k, j] for k = 0, 1, ...: with one rounding a term
 * where the processor has fused multiply-add, whatever the compiler makes of it.  So an element's bits depend neither
 * on the other rows and columns of the product, nor on tiles, blocks or threads, nor on the width of the vectors; and
 * a product that begins with the result of another goes on as if the two were one. */
#include <stdbool.h>

#include "linalg/parallel.h"

/** C[m, n] = init + A[m, k] B[k, n], C and B with rows of `ldc` and `ldb` elements. */
typedef struct {
  int m, n, k;
  const float *a;
  int64_t a_row, a_col; // element (i, k) of A lies at a[i * a_row + k * a_col]
  const float *b;
  int64_t ldb;
  bool b_transposed; // b holds B^T[n, k]
  bool accumulate;   // init is C, else the bias, else 0
  const float *bias; // [n], or NULL
  float *c;
  int64_t ldc;
  int panel; // vectors of a panel of B at most: few where C is much larger than B
} tutti_product;

/** A part of C that is computed at once: rows [m0, m1), `count` columns from n0 on, terms [k0, k0 + k). */
typedef struct {
  int m0, m1, n0, count, k0, k;
  int width;         // columns of a panel of B
  const float *a;    // these rows and terms as pack_a leaves them; NULL: A is read where it lies
  const float *b;    // panels of B; they may be B itself
  int64_t ldb, next; // floats from one row of a panel, and from one panel, to the next
  int ahead;         // floats from an element of a wide panel to one that is wanted soon; 0: none
} tutti_product_block;

/** The innermost loops for one kind of vector unit. */
typedef struct {
  const char *name;
  int width;    // floats of a vector
  int panel;    // vectors of a panel of B at most
  int in_place; // rows of A up to which B is better read where it lies, unless its rows are far apart

  /** Pack terms [begin, end) of the rows of a block, tile by tile; counted from the first term of the block.
   * @param[out] packed  [m1 - m0, k] room for the whole block */
  void (*pack_a)(const tutti_product *p, const tutti_product_block *block, int begin, int end, float *packed);

  /** packed[k, width] = a panel: `count` columns from j on, rows [k0, k0 + k), and zeros up to a whole vector. */
  void (*pack_b)(const tutti_product *p, int k0, int k, int j, int count, int width, float *packed);

  /** Start the chains of a block, or go on with them. */
  void (*multiply)(const tutti_product *p, const tutti_product_block *block);
} tutti_product_kind;

/** Rows of a matrix that begin so many floats apart are on pages of their own, and at the same places of the cache if the
 * distance is a multiple of it. */
enum { TUTTI_PRODUCT_PAGE_FLOATS = 1024 };

/** Rows of A up to which a B whose rows are on pages of their own is read where it lies: a buffer on the stack has room for
 * so many rows. */
enum { TUTTI_PRODUCT_MOST_FAR_ROWS = 128 };

extern const tutti_product_kind tutti_linalg_product_avx512, tutti_linalg_product_avx2,
    tutti_linalg_product_generic;

/** How many of n_threads pay for an m x n product of k terms: a thread is started only for as many terms as are worth it. */
static inline int tutti_linalg_product_threads(int m, int n, int k, int n_threads) {
  const double n_worth = (double)m * n * k / TUTTI_TERMS_WORTH_A_THREAD;
  if (n_worth >= n_threads) return n_threads;
  return n_worth > 1 ? (int)n_worth : 1;
}

/** The kinds that this processor runs, the fastest last. */
int tutti_linalg_product_n_kinds(void);
const tutti_product_kind *tutti_linalg_product_kind_at(int i);

/** Where part i of n begins, if `size` is cut into parts that are almost equal. */
static inline int tutti_product_cut(int size, int n, int i) {
  return (int)((int64_t)size * i / n);
}

/** All of C, by as many of n_threads threads as are worth it. */
void tutti_linalg_product_run(const tutti_product_kind *kind, const tutti_product *p, int n_threads);

// --- product_columns.c ---------------------------------------------------------------------------------------------

/** All of C by columns, for products that are too small for blocks, by n_threads threads. */
void tutti_linalg_product_by_columns(const tutti_product_kind *kind, const tutti_product *p, int n_threads);

/** Whether few rows are multiplied by a B whose rows are on pages of their own, which is better not packed. */
bool tutti_linalg_product_wants_columns(const tutti_product_kind *kind, const tutti_product *p);

// --- product_blocks.c ----------------------------------------------------------------------------------------------

/** Terms of a block at most: a panel of B with so many rows stays in the second cache. */
enum { TUTTI_PRODUCT_DEPTH = 512 };

/** Pack the panels of a block, `next` floats from one to the next. */
void tutti_linalg_product_pack_panels(const tutti_product_kind *kind, const tutti_product *p,
                                      const tutti_product_block *block, float *packed);

/** All of C in blocks, if it is large enough.
 * @return false: it is not, or there is no memory, and nothing is done */
bool tutti_linalg_product_by_blocks(const tutti_product_kind *kind, const tutti_product *p, int n_threads);

// --- product_turned.c ------------------------------------------------------------------------------------------------

/** All of C, if B is transposed and that pays.
 * @return false: it is not so, or there is no memory, and nothing is done */
bool tutti_linalg_product_turned(const tutti_product_kind *kind, const tutti_product *p, int n_threads);

// --- product_tail.c --------------------------------------------------------------------------------------------------

/** The last columns of C, if they fill a small part of a vector and that pays.
 * @return their number; 0: nothing is done */
int tutti_linalg_product_tail(const tutti_product_kind *kind, const tutti_product *p, int n_threads);

// --- products of bfloat16 (product_pairs.c, product_bf16.c) ---------------------------------------------------------

extern const tutti_product_kind tutti_linalg_product_bf16;

/** Floats of scratch memory that the product of such sizes needs. */
int64_t tutti_linalg_pairs_scratch(int m, int n, int k);

/** All of C, with A and B rounded to bfloat16; a_row or a_col is 1.  Each element is one chain of pairs of terms in their
 * order, with the rounding of the processor's instruction. */
void tutti_linalg_product_of_pairs(const tutti_product *p, float *scratch, int n_threads);

/** pairs[(n + 1) / 2] = from[n], rounded. */
void tutti_linalg_pairs_of_row(const float *from, int n, float *pairs);

/** pairs[n] = a number of each row, rounded; second NULL: a row of 0. */
void tutti_linalg_pairs_of_rows(const float *first, const float *second, int n, float *pairs);

// --- product_blas.c ------------------------------------------------------------------------------------------------

/** All of C by the BLAS (product_blas.c), by as many of n_threads threads as are worth it; m, n and k are at least 1, and
 * a_row or a_col is 1. */
void tutti_linalg_product_by_blas(const tutti_product *p, int n_threads);
