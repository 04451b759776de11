#pragma once
/** Groups of batch normalisation: `size` samples of the global batch each, the last one with fewer, in whichever
 * rank and micro-batch their rows are.  Sums over a group are made here.  Local; collective through pass->sum. */
#include "tutti/model.h"

/** The groups that a micro-batch works with: those that it has rows of, or, if ranks sum, all of the global batch. */
typedef struct {
  int64_t size, batch; // samples of a whole group, of the global batch
  int64_t begin, rows; // of the micro-batch, counted in the global batch
  int64_t first, n;    // groups
} tutti_group_span;

/** Work memory for `capacity` groups of a layer with n features.
 *
 * The sums of a group are made of those of its cells: the rows of the group that lie in one leaf of the batch.  If
 * leaves are not kept apart, a group is one cell. */
typedef struct {
  int64_t capacity, n_leaves, n;
  double *sums;  // [capacity, 2 n + 1] owned; two sums a feature, and the rows
  double *cells; // [capacity + n_leaves, 2 n + 2] owned; NULL if leaves are not kept apart
  float *stats;  // [capacity, 2, n] owned; mean and 1 / sqrt(variance + epsilon), from forward for backward
} tutti_groups;

/** Make room for `capacity` groups, if there is not enough.
 * @param[in] n         features
 * @param[in] n_leaves  1: they are not kept apart
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_model_groups_reserve(tutti_groups *groups, int64_t n, int64_t capacity, int n_leaves);
void tutti_model_groups_free(tutti_groups *groups);

tutti_group_span tutti_model_group_span_of(int64_t ghost, const tutti_model_pass *pass, int64_t rows);

/** Number of groups: in the global batch; among these, with more than one sample; at most in a micro-batch.
 * @param[in] ghost  samples of a group; 0: all of the batch */
int64_t tutti_model_groups_of_batch(int64_t ghost, int64_t batch_count);
int64_t tutti_model_groups_with_variance(int64_t ghost, int64_t batch_count);
int64_t tutti_model_groups_of_rows(int64_t ghost, int64_t max_rows);

/** Rows [from, to) of the micro-batch that lie in group i of the span; number of samples of the group in the global
 * batch. */
int64_t tutti_model_group_from(const tutti_group_span *span, int64_t i);
int64_t tutti_model_group_to(const tutti_group_span *span, int64_t i);
int64_t tutti_model_group_count(const tutti_group_span *span, int64_t i);

/** The rows of the micro-batch that lie in one leaf and in one group. */
typedef struct {
  int leaf;         // of the micro-batch's leaves
  int64_t group;    // of the span's
  int64_t from, to; // rows
} tutti_group_cell;

/** Go to the next cell, in the order of rows; the first one after {0}.  @return false: there is no further cell */
bool tutti_model_group_next(const tutti_group_span *span, const tutti_model_pass *pass,
                            tutti_group_cell *cell);

/** Set the sums of all cells to zero. */
void tutti_model_groups_clear(const tutti_groups *groups, const tutti_group_span *span,
                              const tutti_model_pass *pass);

/** [2 n + 1] the sums of a cell of this rank.  The call makes the cell count. */
double *tutti_model_group_cell_sums(const tutti_groups *groups, const tutti_model_pass *pass,
                                    const tutti_group_cell *cell);

double *tutti_model_group_sums(const tutti_groups *groups, int64_t i); // [2 n + 1]
float *tutti_model_group_stats(const tutti_groups *groups, int64_t i); // [2, n]

/** Sum the cells of each group, over all ranks if they share groups.
 * @return the failure of pass->sum; ERR_INTERNAL a micro-batch cut a group, so that not all of its samples came
 * together (on all ranks alike if they sum) */
TUTTI_NODISCARD
tutti_status tutti_model_groups_sum(const tutti_groups *groups, const tutti_group_span *span,
                                    const tutti_model_pass *pass);
