#include "curvature/curvature_impl.h"

#include <math.h>
#include <string.h>

#include "base/clones.h"
#include "base/random.h"
#include "linalg/vector_math.h"
#include "tutti/sampler.h"

enum { ROWS = 16, WORDS = 1024 }; // of a block; on the stack

static int stride_of(const tutti_curvature_subspace *subspace) {
  return subspace->p + subspace->p % 2; // normal numbers come in pairs
}

TUTTI_CLONES static void make_normal(const uint32_t *restrict words, int64_t n_pairs,
                                     float *restrict values) {
  for (int64_t i = 0; i < n_pairs; i++)
    tutti_normal_pair(words[2 * i], words[2 * i + 1], &values[2 * i], &values[2 * i + 1]);
}

/** subspace->rows = rows [first, first + n) of A. */
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

/** A block of this rank's rows: i = its first, 0 to begin with; @return how many, 0 behind the last. */
static int64_t next_block(const tutti_curvature_subspace *subspace, int64_t *first, int64_t before) {
  *first = before == 0 ? subspace->begin : *first + before;
  const int64_t left = subspace->end - *first, n = left < ROWS ? left : ROWS;
  draw(subspace, *first, n);
  return n;
}

// --- A'A = L L' ----------------------------------------------------------------------------------------------

TUTTI_CLONES static void add_products(const float *restrict row, int p, double *restrict gram) {
  for (int i = 0; i < p; i++)
    for (int j = 0; j <= i; j++) gram[i * p + j] += (double)row[i] * row[j];
}

static tutti_status factorise(int p, double *a) {
  for (int j = 0; j < p; j++) {
    double pivot = a[j * p + j];
    for (int k = 0; k < j; k++) pivot -= a[j * p + k] * a[j * p + k];
    TUTTI_CHECK(pivot > 1e-12 * a[j * p + j], TUTTI_ERR_INTERNAL,
                "column %d of a random subspace depends on those before", j);
    a[j * p + j] = sqrt(pivot);
    for (int i = j + 1; i < p; i++) {
      for (int k = 0; k < j; k++) a[i * p + j] -= a[i * p + k] * a[j * p + k];
      a[i * p + j] /= a[j * p + j];
    }
  }
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
  TUTTI_TRY(tutti_agree(comm, allocate(subspace)));
  int64_t first = 0;
  for (int64_t block = 0; (block = next_block(subspace, &first, block)) > 0;)
    for (int64_t i = 0; i < block; i++)
      add_products(subspace->rows + i * stride_of(subspace), p, subspace->factor);
  TUTTI_TRY(tutti_sum(comm, subspace->factor, (int64_t)p * p));
  return tutti_agree(comm, factorise(p, subspace->factor));
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
  int64_t first = 0;
  for (int64_t block = 0; (block = next_block(subspace, &first, block)) > 0;)
    for (int64_t i = 0; i < block; i++) {
      const float *row = subspace->rows + i * stride_of(subspace);
      for (int k = 0; k < subspace->p; k++) x[first + i] += row[k] * y[k];
    }
  return tutti_sum(subspace->comm, x, subspace->n);
}

tutti_status tutti_curvature_subspace_apply_transposed(const tutti_curvature_subspace *subspace,
                                                       const double *x, double *y) {
  memset(y, 0, (size_t)subspace->p * sizeof *y);
  int64_t first = 0;
  for (int64_t block = 0; (block = next_block(subspace, &first, block)) > 0;)
    for (int64_t i = 0; i < block; i++) {
      const float *row = subspace->rows + i * stride_of(subspace);
      for (int k = 0; k < subspace->p; k++) y[k] += row[k] * x[first + i];
    }
  return tutti_sum(subspace->comm, y, subspace->p);
}

tutti_status tutti_curvature_subspace_solve(const tutti_curvature_subspace *subspace, const double *x,
                                            double *y) {
  const int p = subspace->p;
  const double *l = subspace->factor;
  TUTTI_TRY(tutti_curvature_subspace_apply_transposed(subspace, x, y));
  for (int i = 0; i < p; i++) {
    for (int k = 0; k < i; k++) y[i] -= l[i * p + k] * y[k];
    y[i] /= l[i * p + i];
  }
  for (int i = p - 1; i >= 0; i--) {
    for (int k = i + 1; k < p; k++) y[i] -= l[k * p + i] * y[k];
    y[i] /= l[i * p + i];
  }
  return TUTTI_OK;
}
