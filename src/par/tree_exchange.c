/** The sum of a slice over several nodes.  The owners of the slice, one per node, cut it into one part per owner.  Each
 * sends the sums of its node to the owner of the part, who sums them in the order of the tree and sends the result to
 * all.  Only reducer_tree.c calls it. */
#include "par/tree_impl.h"

#include <string.h>

/** Elements of a slice that are exchanged at once: messages are long then, and buffers still small. */
enum { CHUNK = 1 << 18 };

struct tutti_tree_exchange {
  tutti_fold fold; // over the subtrees of all nodes
  int n_nodes;
  int *n_subtrees;            // [n_nodes] that a node's leaves fall into
  int *out_counts, *out_at;   // [n_nodes] floats to each, and where they begin
  int *in_counts, *in_at;     // [n_nodes] the same from each
  int *part_counts, *part_at; // [n_nodes] of the chunk
  float *out, *in;
  const float **sources; // [fold.n]
};

// --- create

static int least(int64_t a, int64_t b) {
  return (int)(a < b ? a : b);
}

static tutti_status plan(const tutti_reducer *reducer, tutti_tree_exchange *self) {
  const int *places = ((const tutti_tree *)reducer->data)->places;
  TUTTI_TRY(tutti_par_fold_create(0, self->n_nodes * TUTTI_MAX_SUBTREES, &self->fold));
  for (int node = 0; node < self->n_nodes; node++) {
    const tutti_subtrees subtrees = tutti_tree_subtrees(reducer, places[node], places[node + 1]);
    self->n_subtrees[node] = subtrees.n;
    for (int k = 0; k < subtrees.n; k++) tutti_par_fold_add(&self->fold, subtrees.counts[k]);
  }
  return TUTTI_NEW(self->sources, self->fold.n);
}

static tutti_status allocate(const tutti_reducer *reducer, tutti_tree_exchange *self) {
  const tutti_comm *comm = reducer->comm;
  int **const arrays[] = {&self->n_subtrees, &self->out_counts,  &self->out_at, &self->in_counts,
                          &self->in_at,      &self->part_counts, &self->part_at};
  self->n_nodes = comm->n_nodes;
  for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
    TUTTI_TRY(TUTTI_NEW(*arrays[i], comm->n_nodes));
  TUTTI_TRY(plan(reducer, self));
  const int64_t most = least(CHUNK, reducer->slice.n);
  TUTTI_TRY(TUTTI_NEW(self->out, self->n_subtrees[comm->node_index] * most));
  return TUTTI_NEW(self->in, self->fold.n * (most / self->n_nodes + 1));
}

tutti_status tutti_par_tree_exchange_create(const tutti_reducer *reducer, tutti_tree_exchange **exchange) {
  TUTTI_TRY(TUTTI_NEW(*exchange, 1));
  return allocate(reducer, *exchange);
}

void tutti_par_tree_exchange_destroy(tutti_tree_exchange **exchange) {
  tutti_tree_exchange *self = *exchange;
  if (!self) return;
  tutti_par_fold_destroy(&self->fold);
  void *const owned[] = {self->n_subtrees, self->out_counts,  self->out_at,  self->in_counts,
                         self->in_at,      self->part_counts, self->part_at, self->out,
                         self->in,         self->sources,     self};
  for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) tutti_free(owned[i]);
  *exchange = NULL;
}

// --- a chunk of a slice

/** Cut `count` elements into a part for each node, and plan the messages. */
static void cut(tutti_tree_exchange *self, int node, int count) {
  // A node sends a row per subtree of its own, and receives a row per subtree of each other node.
  int out = 0, in = 0;
  for (int other = 0; other < self->n_nodes; other++)
    self->part_at[other] = (int)((int64_t)count * other / self->n_nodes);
  for (int other = 0; other < self->n_nodes; other++)
    self->part_counts[other] =
        (other + 1 < self->n_nodes ? self->part_at[other + 1] : count) - self->part_at[other];
  for (int other = 0; other < self->n_nodes; other++) {
    self->out_at[other] = out;
    out += self->out_counts[other] = self->n_subtrees[node] * self->part_counts[other];
    self->in_at[other] = in;
    in += self->in_counts[other] = self->n_subtrees[other] * self->part_counts[node];
  }
}

/** Write the sums of this node for one part, elements [at, at + count), as a row per subtree. */
static void fill(const tutti_tree *tree, int64_t at, int count, float *rows) {
  float work[TUTTI_FOLD_WORK];
  const float *sums[TUTTI_MAX_SUBTREES];
  for (int done = 0; done < count; done += TUTTI_FOLD_BLOCK) {
    const int n = least(TUTTI_FOLD_BLOCK, count - done);
    tutti_par_fold_subtrees(&tree->fold, tree->sources, at + done, n, work, sums);
    for (int k = 0; k < tree->fold.subtrees.n; k++)
      memcpy(rows + (int64_t)k * count + done, sums[k], (size_t)n * sizeof *rows);
  }
}

/** Sum the part of this node over all nodes. */
static void sum_part(const tutti_tree *tree, int count, float *sum) {
  const tutti_tree_exchange *self = tree->exchange;
  int n = 0;
  for (int node = 0; node < self->n_nodes; node++)
    for (int k = 0; k < self->n_subtrees[node]; k++)
      self->sources[n++] = self->in + self->in_at[node] + (int64_t)k * count;
  tutti_par_fold_all(&self->fold, self->sources, 0, count, sum);
}

static tutti_status exchange_chunk(const tutti_tree *tree, int node, MPI_Comm owners, int64_t at, int count,
                                   float *result) {
  tutti_tree_exchange *self = tree->exchange;
  cut(self, node, count);
  for (int other = 0; other < self->n_nodes; other++)
    fill(tree, at + self->part_at[other], self->part_counts[other], self->out + self->out_at[other]);
  // Floats are sent as they are and added here in the order of the tree: a reduction of MPI may choose another order.
  TUTTI_MPI(MPI_Alltoallv(self->out, self->out_counts, self->out_at, MPI_FLOAT, self->in, self->in_counts,
                          self->in_at, MPI_FLOAT, owners));
  sum_part(tree, self->part_counts[node], result + self->part_at[node]);
  TUTTI_MPI(MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, result, self->part_counts, self->part_at,
                           MPI_FLOAT, owners));
  return TUTTI_OK;
}

tutti_status tutti_par_tree_exchange_slice(const tutti_reducer *reducer, int k) {
  const tutti_tree *tree = reducer->data;
  const tutti_tree_exchange *self = tree->exchange;
  const MPI_Comm owners = reducer->node->owners[k];
  const int64_t begin = tutti_par_node_slice_begin(reducer, k),
                end = tutti_par_node_slice_begin(reducer, k + 1);
  // The counts of all messages together have to fit an int of MPI.
  int most = least(CHUNK, reducer->piece / self->fold.n);
  if (most < 1) most = 1;
  for (int64_t at = begin; at < end; at += most)
    TUTTI_TRY(exchange_chunk(tree, reducer->comm->node_index, owners, at, least(most, end - at),
                             tree->result + (at - reducer->range.begin)));
  return TUTTI_OK;
}
