#pragma once
/** How the leaves that one rank has of a global batch go through the network.  Local, pure. */
#include "run/plan.h"

/** A micro-batch: several whole leaves, or a part of one leaf. */
typedef struct {
  int leaf, n_leaves; // leaves [leaf, leaf + n_leaves)
  tutti_range rows;   // positions in the epoch
  bool begins, ends;  // it has the first rows of its leaves, their last rows
} tutti_micro_batch;

/** Samples of a micro-batch at most, with which a step of this network is fastest; at most TUTTI_PLAN_FULL_ROWS.
 * @param[in] n_features  of a sample
 * @param[in] n_threads   of a rank */
int64_t tutti_run_full_rows(const tutti_config *config, int64_t n_features, int n_threads);

/** The state before the first micro-batch of the leaves from `first` on. */
tutti_micro_batch tutti_run_micro_batch_before(int first);

/** Step to the next micro-batch of the leaves before `end`.  It takes as many leaves as fit into plan->micro_rows, at
 * least one.  A leaf with more rows needs several micro-batches, of almost equal size; a leaf without rows has an empty one.
 * @param[in]     grain        samples that stay together, see tutti_plan_grain
 * @param[in,out] micro_batch  the one before, then the next one
 * @param[out]    leaf_ends    [micro_batch->n_leaves] the row of the micro-batch behind the last one of each leaf
 * @return false: there are no more leaves */
bool tutti_run_micro_batch_next(const tutti_plan *plan, tutti_range batch, int64_t grain, int end,
                                tutti_micro_batch *micro_batch, int64_t *leaf_ends);
