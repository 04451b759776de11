#include "run/micro_batches.h"

tutti_micro_batch tutti_micro_batch_before(int first) {
  return (tutti_micro_batch){.leaf = first, .ends = true};
}

/** As many leaves from pass->leaf on as a micro-batch holds. */
static void collect_leaves(const tutti_plan *plan, tutti_range batch, int64_t grain, int end,
                           tutti_micro_batch *pass, int64_t *leaf_ends) {
  pass->rows = tutti_shard(batch, grain, pass->leaf, plan->n_leaves);
  pass->n_leaves = 1;
  leaf_ends[0] = pass->rows.count;
  while (pass->leaf + pass->n_leaves < end) {
    const tutti_range next = tutti_shard(batch, grain, pass->leaf + pass->n_leaves, plan->n_leaves);
    if (pass->rows.count + next.count > plan->micro_rows) break;
    pass->rows.count += next.count;
    leaf_ends[pass->n_leaves++] = pass->rows.count;
  }
}

bool tutti_micro_batch_next(const tutti_plan *plan, tutti_range batch, int64_t grain, int end,
                            tutti_micro_batch *pass, int64_t *leaf_ends) {
  pass->begins = pass->ends;
  if (pass->begins) {
    pass->leaf += pass->n_leaves;
    if (pass->leaf >= end) return false;
    collect_leaves(plan, batch, grain, end, pass, leaf_ends);
  } else { // more of the one leaf
    const tutti_range leaf = tutti_shard(batch, grain, pass->leaf, plan->n_leaves);
    pass->rows.begin += pass->rows.count;
    pass->rows.count = leaf.begin + leaf.count - pass->rows.begin;
  }
  pass->ends = pass->rows.count <= plan->micro_rows;
  if (pass->ends) {
    if (pass->n_leaves == 1) leaf_ends[0] = pass->rows.count;
    return true;
  }
  pass->rows.count = leaf_ends[0] = plan->micro_rows;
  return true;
}
