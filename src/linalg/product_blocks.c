/** Large matrix products, in blocks for the caches.
 *
 * A stage is a block of A and a block of B, 4 MiB each at most, for the third cache.  All threads pack both, and then
 * each computes parts of C: some rows of A with one group of panels of B after another.  These rows and the group stay in
 * its second cache, and the rows of a tile in the first one (after Goto and van de Geijn, Anatomy of high-performance
 * matrix multiplication, ACM TOMS 34, 2008).  product.c decides that a product goes this way. */
#include <limits.h>

#include "base/arithmetic.h"
#include "linalg/parallel.h"
#include "linalg/product_impl.h"
#include "linalg/workspace_impl.h"

enum {
  STAGE_FLOATS = 1 << 20, // of a packed factor: 4 MiB
  GROUP_FLOATS = 32768,   // panels of B that are used together: 128 KiB
};

typedef struct {
  const tutti_product_kind *kind;
  const tutti_product *p;
  int n_threads;
  bool packs_a;
  float *a, *b; // [STAGE_FLOATS] room for packed factors
  int block_rows;
  int n_row_blocks, n_column_parts; // of this stage
  tutti_product_block stage;
} job;

static void pack_panel_range(const tutti_product_kind *kind, const tutti_product *p,
                             const tutti_product_block *b, int begin, int end, float *packed) {
  for (int i = begin; i < end; i++) {
    const int j = i * b->width, count = b->count - j < b->width ? b->count - j : b->width;
    kind->pack_b(p, b->k0, b->k, b->n0 + j, count, b->width, packed + i * b->next);
  }
}

void tutti_linalg_product_pack_panels(const tutti_product_kind *kind, const tutti_product *p,
                                      const tutti_product_block *b, float *packed) {
  pack_panel_range(kind, p, b, 0, (int)tutti_ceil_div(b->count, b->width), packed);
}

// --- a stage -------------------------------------------------------------------------------------------------------

/** The rows of row block i of this stage. */
static void set_rows(const job *j, int i, tutti_product_block *b) {
  const int rows = j->stage.m1 - j->stage.m0;
  b->m0 = j->stage.m0 + tutti_product_cut(rows, j->n_row_blocks, i);
  b->m1 = j->stage.m0 + tutti_product_cut(rows, j->n_row_blocks, i + 1);
}

/** Where the packed rows from row m0 on are. */
static float *packed_rows(const job *j, int m0) {
  return j->a + (int64_t)(m0 - j->stage.m0) * j->stage.k;
}

/** Parts [begin, end) of n_threads of the packing: panels of B, and terms of the rows of A. */
static void pack(void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const int n_panels = (int)tutti_ceil_div(j->stage.count, j->stage.width), n = j->n_threads;
  pack_panel_range(j->kind, j->p, &j->stage, (int)(n_panels * begin / n), (int)(n_panels * end / n), j->b);
  for (int i = 0; j->packs_a && i < j->n_row_blocks; i++) {
    tutti_product_block block = j->stage;
    set_rows(j, i, &block);
    j->kind->pack_a(j->p, &block, (int)(j->stage.k * begin / n), (int)(j->stage.k * end / n),
                    packed_rows(j, block.m0));
  }
}

/** Rows that stay in the second cache, with the panels [begin, end), group by group. */
static void multiply_part(const job *j, int row_block, int begin, int end) {
  const int group = j->stage.next > GROUP_FLOATS ? 1 : (int)(GROUP_FLOATS / j->stage.next);
  tutti_product_block block = j->stage;
  set_rows(j, row_block, &block);
  if (j->packs_a) block.a = packed_rows(j, block.m0);
  for (int i = begin; i < end; i += group) {
    const int next = i + group < end ? i + group : end, columns = next * block.width;
    block.n0 = j->stage.n0 + i * block.width;
    block.count = (columns < j->stage.count ? columns : j->stage.count) - i * block.width;
    block.b = j->b + i * j->stage.next;
    j->kind->multiply(j->p, &block);
  }
}

/** Parts [begin, end) of C in this stage: row blocks, and column parts of each. */
static void multiply(void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const int n_panels = (int)tutti_ceil_div(j->stage.count, j->stage.width);
  for (int64_t i = begin; i < end; i++) {
    const int row_block = (int)(i / j->n_column_parts), column = (int)(i % j->n_column_parts);
    multiply_part(j, row_block, tutti_product_cut(n_panels, j->n_column_parts, column),
                  tutti_product_cut(n_panels, j->n_column_parts, column + 1));
  }
}

/** The grid of parts for the threads: the smallest largest part; of equal ones that with the fewest column parts, because
 * each reads all of A. */
static void choose_grid(job *j) {
  const int rows = j->stage.m1 - j->stage.m0, n_panels = (int)tutti_ceil_div(j->stage.count, j->stage.width);
  int64_t least = INT64_MAX;
  for (int columns = 1; columns <= j->n_threads; columns++) {
    const int row_parts = j->n_threads / columns;
    const int64_t part = tutti_ceil_div(n_panels, columns) * tutti_ceil_div(rows, row_parts);
    if (part >= least) continue;
    least = part;
    j->n_column_parts = columns;
    j->n_row_blocks = row_parts * (int)tutti_ceil_div(rows, (int64_t)row_parts * j->block_rows);
  }
}

static void run_stage(job *j) {
  j->stage.b = j->b;
  j->stage.ldb = j->stage.width;
  j->stage.next = (int64_t)j->stage.k * j->stage.width;
  choose_grid(j);
  tutti_linalg_parallel_by(j->n_threads, j->n_threads, 1, pack, j);
  tutti_linalg_parallel_by(j->n_threads, (int64_t)j->n_row_blocks * j->n_column_parts, 1, multiply, j);
}

// --- all stages ----------------------------------------------------------------------------------------------------

/** Rows of A that fill half of the second cache. */
static int rows_of_block(int depth) {
  const int64_t rows = tutti_linalg_second_cache() / 2 / (depth * (int64_t)sizeof(float));
  return rows > 24 ? (int)rows : 24;
}

/** Stages of almost equal depth; their number. */
static int n_depths(const tutti_product *p) {
  return (int)tutti_ceil_div(p->k, TUTTI_PRODUCT_DEPTH);
}

static void run_stages(job *j) {
  const tutti_product *p = j->p;
  const int n = n_depths(p), depth = (int)tutti_ceil_div(p->k, n), width = j->stage.width,
            most_rows = j->packs_a ? STAGE_FLOATS / depth : INT_MAX,
            most_columns = STAGE_FLOATS / depth / width * width;
  tutti_product_block *s = &j->stage;
  for (int i = 0; i < n; i++) {
    s->k0 = tutti_product_cut(p->k, n, i);
    s->k = tutti_product_cut(p->k, n, i + 1) - s->k0;
    for (s->m0 = 0; s->m0 < p->m; s->m0 = s->m1) {
      s->m1 = p->m - s->m0 < most_rows ? p->m : s->m0 + most_rows;
      for (s->n0 = 0; s->n0 < p->n; s->n0 += s->count) {
        s->count = p->n - s->n0 < most_columns ? p->n - s->n0 : most_columns;
        run_stage(j);
      }
    }
  }
}

/** A is packed if its columns are far apart, so that each would lie on a page of its own, or if its rows begin at the
 * same places of the cache. */
static bool wants_packed_rows(const tutti_product *p, int width) {
  enum { FEW_TERMS = 128 };
  if (p->n <= width) return false;
  if (p->a_col == 1) return p->a_row % TUTTI_PRODUCT_PAGE_FLOATS == 0 && p->m >= 32;
  return p->k > FEW_TERMS;
}

bool tutti_linalg_product_by_blocks(const tutti_product_kind *kind, const tutti_product *p, int n_threads) {
  job j = {.kind = kind, .p = p, .n_threads = n_threads, .stage.width = kind->panel * kind->width};
  if (p->k == 0 || p->n < kind->width) return false;
  j.packs_a = wants_packed_rows(p, j.stage.width);
  j.block_rows = rows_of_block((int)tutti_ceil_div(p->k, n_depths(p)));
  if (!j.packs_a && p->m <= j.block_rows * n_threads) return false;
  j.a = tutti_linalg_workspace(2 * (int64_t)STAGE_FLOATS);
  if (!j.a) return false;
  j.b = j.a + STAGE_FLOATS;
  run_stages(&j);
  return true;
}
