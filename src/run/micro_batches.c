/* Micro-batches: the pieces in which the leaves of a rank go through the network, because its buffers are limited.
 * Small leaves go together, large ones one piece at a time.  train/gradients.c and the probe loop over them. */
#include "run/micro_batches.h"

tutti_micro_batch tutti_run_micro_batch_before(int first) {
  return (tutti_micro_batch){.leaf = first, .ends = true};
}

/** Take as many leaves from micro_batch->leaf on as fit into a micro-batch. */
static void collect_leaves(const tutti_plan *plan, tutti_range batch, int64_t grain, int end,
                           tutti_micro_batch *micro_batch, int64_t *leaf_ends) {
  micro_batch->rows = tutti_shard(batch, grain, micro_batch->leaf, plan->n_leaves);
  micro_batch->n_leaves = 1;
  leaf_ends[0] = micro_batch->rows.count;
  while (micro_batch->leaf + micro_batch->n_leaves < end) {
    const tutti_range next =
        tutti_shard(batch, grain, micro_batch->leaf + micro_batch->n_leaves, plan->n_leaves);
    if (micro_batch->rows.count + next.count > plan->micro_rows) break;
    micro_batch->rows.count += next.count;
    leaf_ends[micro_batch->n_leaves++] = micro_batch->rows.count;
  }
}

bool tutti_run_micro_batch_next(const tutti_plan *plan, tutti_range batch, int64_t grain, int end,
                                tutti_micro_batch *micro_batch, int64_t *leaf_ends) {
  micro_batch->begins = micro_batch->ends;
  if (micro_batch->begins) {
    micro_batch->leaf += micro_batch->n_leaves;
    if (micro_batch->leaf >= end) return false;
    collect_leaves(plan, batch, grain, end, micro_batch, leaf_ends);
  } else { // the next part of the same leaf
    const tutti_range leaf = tutti_shard(batch, grain, micro_batch->leaf, plan->n_leaves);
    micro_batch->rows.begin += micro_batch->rows.count;
    micro_batch->rows.count = leaf.begin + leaf.count - micro_batch->rows.begin;
  }
  // Whatever does not fit is left for the next one.
  micro_batch->ends = micro_batch->rows.count <= plan->micro_rows;
  if (!micro_batch->ends) micro_batch->rows.count = plan->micro_rows;
  if (micro_batch->n_leaves == 1) leaf_ends[0] = micro_batch->rows.count;
  return true;
}
