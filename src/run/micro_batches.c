/* Micro-batches: the parts in which the leaves of a rank go through the network, because its buffers are limited, and a
 * part stays in the caches.  Small leaves go together, large ones one part at a time.  train/gradients.c and the
 * probe loop over them. */
#include "run/micro_batches.h"

#include "base/arithmetic.h"

/** Of the dense layers, without the biases. */
static double count_weights(const tutti_config *config, int64_t n_features) {
  double n = 0, n_in = (double)n_features;
  for (int64_t i = 0; i < config->model.n_layers; i++) {
    const tutti_layer_spec *layer = &config->model.layers[i];
    if (layer->kind != TUTTI_LAYER_DENSE) continue;
    n += n_in * (double)layer->units;
    n_in = (double)layer->units;
  }
  return n;
}

/* What a layer leaves for the next one, and for the way back, should stay in the caches of a core: few rows.  But the
 * weight gradients are added up once for each micro-batch, which costs more if they do not stay there, and threads wait
 * for each other at each layer: many rows if there are many weights, or many threads and little to do.  The limits are
 * drawn from nets of 42,000 to 5.8 million weights, on one and on two cores. */
int64_t tutti_run_full_rows(const tutti_config *config, int64_t n_features, int n_threads) {
  enum { UNIT = 256 };
  const double weights_of_a_row = 2048, terms_of_a_thread = 16e6;
  const double weights = count_weights(config, n_features);
  double rows = n_threads * (weights / weights_of_a_row > UNIT ? weights / weights_of_a_row : UNIT);
  if (n_threads > 1 && rows * weights < n_threads * terms_of_a_thread)
    rows = n_threads * terms_of_a_thread / weights;
  return rows < TUTTI_PLAN_FULL_ROWS ? tutti_ceil_div((int64_t)rows, UNIT) * UNIT : TUTTI_PLAN_FULL_ROWS;
}

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
  // Whatever does not fit is left for the next ones, in parts that are almost equal.
  const int64_t n_parts = tutti_ceil_div(micro_batch->rows.count, plan->micro_rows);
  micro_batch->ends = n_parts <= 1;
  if (!micro_batch->ends)
    micro_batch->rows.count = tutti_ceil_div(tutti_ceil_div(micro_batch->rows.count, n_parts), grain) * grain;
  if (micro_batch->n_leaves == 1) leaf_ends[0] = micro_batch->rows.count;
  return true;
}
