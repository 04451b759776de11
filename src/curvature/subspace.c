/** A random subspace of the weights, as Keskar et al. (arXiv 1609.04836) use it for sharpness: the columns of A[n,
 * p].  For a network of 10^8 weights and 100 columns A would fill 40 GB, so each rank draws its rows again, block by
 * block, for each product: an element is a function of seed and position.  The least-squares solution A+ x =
 * (A'A)^-1 A'x needs only the small matrix A'A, which is summed over ranks once.  Called by sharpness.c and
 * sharpness_max.c. */
#include "curvature/curvature_impl.h"

#include <string.h>

#include "base/clones.h"
#include "base/random.h"
#include "linalg/cholesky.h"
#include "linalg/vector_math.h"
#include "tutti/sampler.h"

enum { ROWS = 16, WORDS = 1024 }; // rows of a block, and random words on the stack

static int stride_of(const tutti_curvature_subspace *subspace) {
  return subspace->p + subspace->p % 2; // normal numbers come in pairs
}

TUTTI_CLONES static void make_normal(const uint32_t *restrict words, int64_t n_pairs,
                                     float *restrict values) {
  for (int64_t i = 0; i < n_pairs; i++)
    tutti_normal_pair(words[2 * i], words[2 * i + 1], &values[2 * i], &values[2 * i + 1]);
}

/** Set subspace->rows to rows [first, first + n) of A. */
static void draw(const tutti_curvature_subspace *subspace, int64_t first, int64_t n) {
  const tutti_stream stream = {.seed = subspace->seed, .kind = TUTTI_STREAM_SHARPNESS, .part = 1};
  const int64_t stride = stride_of(subspace), size = n * stride;
  uint32_t words[WORDS];
  for (int64_t done = 0; done < size; done += WORDS) {
    const int64_t part = size - done < WORDS ? size - done : WORDS;
    tutti_random_fill(stream, (uint64_t)(first * stride + done), part, words);
    make_normal(words, part / 2, subspace->rows + done);
  }
}

/** Row i of A, for the rows of this rank in their order: the first row of a block draws the whole block. */
static const float *row_at(const tutti_curvature_subspace *subspace, int64_t i) {
  const int64_t place = (i - subspace->begin) % ROWS, left = subspace->end - i;
  if (place == 0) draw(subspace, i, left < ROWS ? left : ROWS);
  return subspace->rows + place * stride_of(subspace);
}

// --- A'A = L L' ----------------------------------------------------------------------------------------------

TUTTI_CLONES static void add_products(const float *restrict row, int p, double *restrict gram) {
  for (int i = 0; i < p; i++)
    for (int j = 0; j <= i; j++) gram[i * p + j] += (double)row[i] * row[j];
}

static tutti_status factorise(int p, double *a) {
  // A'A is exact to rounding, so less may be left than of the normal equations of measured values.
  const double least_part = 1e-12;
  TUTTI_CHECK(tutti_linalg_cholesky_factor(p, least_part, a), TUTTI_ERR_INTERNAL,
              "--subspace=%d: the random columns are too nearly dependent; give another --seed, or fewer "
              "dimensions",
              p);
  return TUTTI_OK;
}

static tutti_status allocate(tutti_curvature_subspace *subspace) {
  const int p = subspace->p;
  TUTTI_TRY(TUTTI_NEW(subspace->rows, (int64_t)ROWS * stride_of(subspace)));
  return TUTTI_NEW(subspace->factor, (int64_t)p * p);
}

tutti_status tutti_curvature_subspace_create(const tutti_comm *comm, int64_t n, int p, uint64_t seed,
                                             tutti_curvature_subspace *subspace) {
  const tutti_range own =
      tutti_shard((tutti_range){.count = n}, 1, tutti_comm_rank(comm), tutti_comm_size(comm));
  *subspace = (tutti_curvature_subspace){
      .comm = comm, .seed = seed, .n = n, .begin = own.begin, .end = own.begin + own.count, .p = p};
  TUTTI_TRY(tutti_comm_agree(comm, allocate(subspace)));
  for (int64_t i = subspace->begin; i < subspace->end; i++)
    add_products(row_at(subspace, i), p, subspace->factor);
  TUTTI_TRY(tutti_comm_sum(comm, subspace->factor, (int64_t)p * p));
  return tutti_comm_agree(comm, factorise(p, subspace->factor));
}

void tutti_curvature_subspace_destroy(tutti_curvature_subspace *subspace) {
  tutti_free(subspace->rows);
  tutti_free(subspace->factor);
  *subspace = (tutti_curvature_subspace){0};
}

// --- products ------------------------------------------------------------------------------------------------

tutti_status tutti_curvature_subspace_apply(const tutti_curvature_subspace *subspace, const double *y,
                                            double *x) {
  memset(x, 0, (size_t)subspace->n * sizeof *x);
  for (int64_t i = subspace->begin; i < subspace->end; i++) {
    const float *row = row_at(subspace, i);
    for (int k = 0; k < subspace->p; k++) x[i] += row[k] * y[k];
  }
  return tutti_comm_sum(subspace->comm, x, subspace->n);
}

tutti_status tutti_curvature_subspace_apply_transposed(const tutti_curvature_subspace *subspace,
                                                       const double *x, double *y) {
  memset(y, 0, (size_t)subspace->p * sizeof *y);
  for (int64_t i = subspace->begin; i < subspace->end; i++) {
    const float *row = row_at(subspace, i);
    for (int k = 0; k < subspace->p; k++) y[k] += row[k] * x[i];
  }
  return tutti_comm_sum(subspace->comm, y, subspace->p);
}

tutti_status tutti_curvature_subspace_solve(const tutti_curvature_subspace *subspace, const double *x,
                                            double *y) {
  TUTTI_TRY(tutti_curvature_subspace_apply_transposed(subspace, x, y));
  tutti_linalg_cholesky_solve(subspace->p, subspace->factor, y);
  return TUTTI_OK;
}
