#pragma once
/** Groups of batch normalisation: pieces of `size` samples of the global batch, the last one short, whichever
 * rank and micro-batch their rows are in.  Sums over a group go through here.  Local, or collective through
 * pass->sum. */
#include "tutti/model.h"

/** The groups that a micro-batch works with: those it has rows of, or all of the global batch where ranks
 * sum. */
typedef struct {
  int64_t size, batch; // samples of a whole group, of the global batch
  int64_t begin, rows; // of the micro-batch, counted in the global batch
  int64_t first, n;    // groups
} tutti_group_span;

/** Work memory for `capacity` groups of a layer with n features.
 *
 * Sums of a group are made of those of its cells, the rows that one leaf of the batch has in it; where leaves are
 * not told apart, a group is one cell. */
typedef struct {
  int64_t capacity, n_leaves, n;
  double *sums;  // [capacity, 2 n + 1] owned; two sums a feature, and the rows
  double *cells; // [capacity + n_leaves, 2 n + 2] owned; NULL where leaves are not told apart
  float *stats;  // [capacity, 2, n] owned; mean and 1 / sqrt(variance + epsilon), from forward for backward
} tutti_groups;

/** @param[in] n_leaves  1: they are not told apart */
TUTTI_NODISCARD
tutti_status tutti_groups_reserve(tutti_groups *groups, int64_t n, int64_t capacity, int n_leaves);
void tutti_groups_free(tutti_groups *groups);

tutti_group_span tutti_group_span_of(int64_t ghost, const tutti_model_pass *pass, int64_t rows);

/** How many groups: of the global batch; of those, the ones with more than one sample; at most of a
 * micro-batch. */
int64_t tutti_groups_of_batch(int64_t ghost, int64_t batch_count);
int64_t tutti_groups_with_variance(int64_t ghost, int64_t batch_count);
int64_t tutti_groups_of_rows(int64_t ghost, int64_t max_rows);

/** Rows [from, to) of the micro-batch that lie in group i of the span; samples the group has in the global
 * batch. */
int64_t tutti_group_from(const tutti_group_span *span, int64_t i);
int64_t tutti_group_to(const tutti_group_span *span, int64_t i);
int64_t tutti_group_count(const tutti_group_span *span, int64_t i);

/** The rows of the micro-batch that are of one leaf and in one group. */
typedef struct {
  int leaf;         // of the micro-batch's leaves
  int64_t group;    // of the span's
  int64_t from, to; // rows
} tutti_group_cell;

/** To the next cell, in the order of rows; the first after {0}.  @return false where there is none */
bool tutti_group_next(const tutti_group_span *span, const tutti_model_pass *pass, tutti_group_cell *cell);

/** Before the cells' sums are taken: all are zero. */
void tutti_groups_clear(const tutti_groups *groups, const tutti_group_span *span,
                        const tutti_model_pass *pass);

/** [2 n + 1] of this rank's cell; once it was asked for, the cell counts. */
double *tutti_group_cell_sums(const tutti_groups *groups, const tutti_model_pass *pass,
                              const tutti_group_cell *cell);

double *tutti_group_sums(const tutti_groups *groups, int64_t i); // [2 n + 1]
float *tutti_group_stats(const tutti_groups *groups, int64_t i); // [2, n]

/** From the cells' sums to the groups', over all ranks where they share groups.
 * @return what pass->sum gives; ERR_INTERNAL where not all samples of a group came together (on all ranks
 * alike where they sum): a micro-batch cut through it */
TUTTI_NODISCARD
tutti_status tutti_groups_sum(const tutti_groups *groups, const tutti_group_span *span,
                              const tutti_model_pass *pass);
