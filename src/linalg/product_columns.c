/** Small matrix products, by columns: a thread packs some panels of B into a buffer on its stack, and uses them for all rows.
 * B is not packed if there are too few rows for that.  product.c decides that a product goes this way. */
#include "linalg/parallel.h"
#include "linalg/product_impl.h"

enum { PACK_FLOATS = 32768, FEW_PAGES = 64 };

typedef struct {
  const tutti_product_kind *kind;
  const tutti_product *p;
  int width; // floats of a panel
} job;

/** Columns [begin, end), with B read where it lies.  The last vector of a row may reach into the next row, whose numbers
 * go into lanes that nobody stores.  The last row has no next one, so it is packed. */
static void multiply_in_place(const job *j, int begin, int end) {
  _Alignas(64) float last[TUTTI_PRODUCT_PAGE_FLOATS]; // C has fewer columns than that
  const tutti_product *p = j->p;
  const bool reaches_over = (end - begin) % j->kind->width != 0;
  tutti_product_block block = {.m1 = p->m,
                               .n0 = begin,
                               .count = end - begin,
                               .k = reaches_over ? p->k - 1 : p->k,
                               .width = j->width,
                               .b = p->b + begin,
                               .ldb = p->ldb,
                               .next = j->width};
  if (block.k > 0) j->kind->multiply(p, &block);
  if (!reaches_over) return;
  block.k0 = block.k;
  block.k = 1;
  block.b = last;
  tutti_linalg_product_pack_panels(j->kind, p, &block, last);
  j->kind->multiply(p, &block);
}

/** The same if each row of B is on a page of its own: a few rows at a time, for all panels, so that their pages stay known.
 * The next panel is on its way while one is used. */
static void multiply_far_apart(const job *j, int begin, int end) {
  _Alignas(64) float rows[TUTTI_PRODUCT_MOST_FAR_ROWS * FEW_PAGES];
  const tutti_product *p = j->p;
  // They begin at the same places of the cache.
  const bool packs_rows = p->a_col == 1 && p->a_row % TUTTI_PRODUCT_PAGE_FLOATS == 0;
  tutti_product_block block = {
      .m1 = p->m, .width = j->width, .count = j->width, .ldb = p->ldb, .a = packs_rows ? rows : NULL};
  for (; block.k0 < p->k; block.k0 += block.k) {
    block.k = p->k - block.k0 < FEW_PAGES ? p->k - block.k0 : FEW_PAGES;
    if (packs_rows) j->kind->pack_a(p, &block, 0, block.k, rows);
    for (block.n0 = begin; block.n0 < end; block.n0 += j->width) {
      block.b = p->b + block.k0 * p->ldb + block.n0;
      block.ahead = block.n0 + j->width < end ? j->width : 0;
      j->kind->multiply(p, &block);
    }
  }
}

/** Columns [begin, end) by packed panels: as many at once as the buffer takes, so that rows of A and C are gone through
 * once. */
static void multiply_packed(const job *j, int begin, int end) {
  _Alignas(64) float packed[PACK_FLOATS];
  const tutti_product *p = j->p;
  const int most =
                PACK_FLOATS / j->width < TUTTI_PRODUCT_DEPTH ? PACK_FLOATS / j->width : TUTTI_PRODUCT_DEPTH,
            depth = p->k < most ? p->k : most,
            fit = depth > 0 ? PACK_FLOATS / (depth * j->width) * j->width : end - begin;
  tutti_product_block block = {
      .m1 = p->m, .width = j->width, .b = packed, .ldb = j->width, .next = (int64_t)depth * j->width};
  for (block.n0 = begin; block.n0 < end; block.n0 += fit) {
    block.count = end - block.n0 < fit ? end - block.n0 : fit;
    for (block.k0 = 0; block.k0 < p->k || block.k0 == 0; block.k0 += most) {
      block.k = p->k - block.k0 < depth ? p->k - block.k0 : depth;
      tutti_linalg_product_pack_panels(j->kind, p, &block, packed);
      j->kind->multiply(p, &block);
    }
  }
}

/** Whether the last vector of a row ends in the next row, and not behind it. */
static bool ends_in_next_row(const tutti_product_kind *kind, const tutti_product *p) {
  return (kind->width - p->n % kind->width) % kind->width <= p->ldb;
}

static bool is_far_apart(const tutti_product *p) {
  return p->ldb >= TUTTI_PRODUCT_PAGE_FLOATS;
}

/** Few rows are better multiplied by B as it lies: more of them if each row of B is on a page of its own, because that costs
 * more to pack, and fewer if B is narrow and its rows begin anywhere in a vector, because the vectors of a packed panel lie
 * in one cache line each.  With a last vector that is not full, C is gone through once more for the last row of B, which
 * does not pay if there are fewer terms than rows. */
static bool is_in_place(const tutti_product_kind *kind, const tutti_product *p) {
  enum { FEW_ROWS = 64, FEW_ROWS_OF_PAGES = 32 };
  if (p->b_transposed || p->k == 0) return false;
  if (is_far_apart(p))
    return p->m <= FEW_ROWS_OF_PAGES || (p->m <= kind->in_place && p->m <= TUTTI_PRODUCT_MOST_FAR_ROWS);
  if (p->m > kind->in_place) return false;
  if (p->n % kind->width == 0) return true;
  const bool pays = p->m <= p->k && (p->m <= FEW_ROWS || p->n > kind->panel * kind->width);
  return pays && ends_in_next_row(kind, p);
}

static void multiply_columns(void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const tutti_product *p = j->p;
  const int from = (int)begin, to = (int)end, whole = (to - from) / j->width * j->width;
  if (!is_in_place(j->kind, p)) {
    multiply_packed(j, from, to);
  } else if (is_far_apart(p)) {
    if (whole > 0) multiply_far_apart(j, from, from + whole);
    if (from + whole < to) multiply_packed(j, from + whole, to);
  } else {
    multiply_in_place(j, from, to);
  }
}

void tutti_linalg_product_by_columns(const tutti_product_kind *kind, const tutti_product *p, int n_threads) {
  job j = {kind, p, (p->panel < kind->panel ? p->panel : kind->panel) * kind->width};
  tutti_linalg_parallel_by(n_threads, p->n, kind->width, multiply_columns, &j);
}

bool tutti_linalg_product_wants_columns(const tutti_product_kind *kind, const tutti_product *p) {
  return is_in_place(kind, p) && is_far_apart(p);
}
