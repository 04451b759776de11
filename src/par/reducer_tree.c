/** Leaves are summed in one binary tree, so that the bits do not depend on the rank that computed a leaf.  A rank sums
 * its own leaves while they come, as a binary counter counts: it sums a subtree when the last leaf of the subtree is
 * there.  At most two subtrees of each size are left.  Then each rank sums its slice over the subtrees of all ranks of
 * its node, and on several nodes the owners of the slice exchange the sums of their nodes. */
#include "par/tree_impl.h"

#include <string.h>

#include "par/exact_sums_impl.h"
#include "par/slices_impl.h"
#include "par/sums_impl.h"

// --- create

/** Collective. */
static tutti_status find_places(const tutti_comm *comm, tutti_tree *self) {
  int *places = self->places;
  if (comm->node_rank == 0) places[comm->node_index + 1] = comm->node_size;
  TUTTI_MPI(MPI_Allreduce(MPI_IN_PLACE, places, comm->n_nodes + 1, MPI_INT, MPI_SUM, comm->all));
  for (int node = 0; node < comm->n_nodes; node++) places[node + 1] += places[node];
  return TUTTI_OK;
}

/** Local.  Choose the slot of each own leaf. */
static tutti_status plan_slots(tutti_reducer *reducer, tutti_tree *self) {
  const int place = self->places[reducer->comm->node_index] + reducer->comm->node_rank;
  reducer->first_leaf = tutti_tree_first_leaf(reducer, place);
  reducer->n_own_leaves = tutti_tree_first_leaf(reducer, place + 1) - reducer->first_leaf;
  TUTTI_TRY(TUTTI_NEW(self->slots, reducer->n_own_leaves));
  TUTTI_TRY(TUTTI_NEW(self->n_before, reducer->n_own_leaves));
  tutti_subtrees own = tutti_par_subtrees_make(reducer->first_leaf);
  for (int k = 0; k < reducer->n_own_leaves; k++) {
    self->slots[k] = (uint8_t)own.n;
    if (own.n >= self->n_slots) self->n_slots = own.n + 1;
    self->n_before[k] = (uint8_t)tutti_par_subtrees_grow(&own, 1);
  }
  self->n_shared = own.n;
  const int64_t line = 64 / sizeof(float);
  self->stride = (reducer->n + line - 1) / line * line;
  return TUTTI_NEW(self->others, (self->n_slots - self->n_shared) * self->stride);
}

/** Local, after the window is there.  Plan the sums over the slots of the node. */
static tutti_status plan_fold(const tutti_reducer *reducer, tutti_tree *self) {
  const tutti_comm *comm = reducer->comm;
  const int place = self->places[comm->node_index], most = comm->node_size * TUTTI_MAX_SUBTREES;
  TUTTI_TRY(tutti_par_fold_create(tutti_tree_first_leaf(reducer, place), most, &self->fold));
  TUTTI_TRY(TUTTI_NEW(self->sources, most));
  for (int rank = 0; rank < comm->node_size; rank++) {
    const tutti_subtrees subtrees = tutti_tree_subtrees(reducer, place + rank, place + rank + 1);
    float *slots = tutti_par_window_part(self->window, rank);
    for (int slot = 0; slot < subtrees.n; slot++) {
      self->only = slots + slot * self->stride;
      self->sources[self->fold.n] = self->only;
      tutti_par_fold_add(&self->fold, subtrees.counts[slot]);
    }
  }
  if (self->fold.n > 1) self->only = NULL;
  return TUTTI_OK;
}

/** Local. */
static tutti_status allocate(const tutti_reducer *reducer, tutti_tree *self) {
  const bool alone = reducer->comm->n_nodes == 1;
  TUTTI_TRY(plan_fold(reducer, self));
  TUTTI_TRY(TUTTI_NEW(self->digits, reducer->node->n_digits));
  TUTTI_TRY(TUTTI_NEW(self->all_digits, reducer->node->n_digits));
  if (!alone || self->n_shared == 0) TUTTI_TRY(TUTTI_NEW(self->result, reducer->slice.n));
  return alone ? TUTTI_OK : tutti_par_tree_exchange_create(reducer, &self->exchange);
}

static tutti_status create_local(const tutti_reducer *reducer, tutti_tree **self) {
  TUTTI_TRY(TUTTI_NEW(*self, 1));
  return TUTTI_NEW((*self)->places, reducer->comm->n_nodes + 1);
}

static tutti_status create(tutti_reducer *reducer) {
  const tutti_comm *comm = reducer->comm;
  tutti_tree *self = NULL;
  const tutti_status status = tutti_comm_agree(comm, create_local(reducer, &self));
  reducer->data = self;
  if (status != TUTTI_OK) return status;
  TUTTI_TRY(find_places(comm, self));
  TUTTI_TRY(tutti_comm_agree(comm, plan_slots(reducer, self)));
  reducer->part = TUTTI_TREE_PART;
  // Each leaf has a tail, and each rank without one.
  TUTTI_TRY(tutti_par_node_create(reducer, reducer->n_leaves + comm->size));
  TUTTI_TRY(tutti_par_window_create_parts(comm, self->n_shared * self->stride * (int64_t)sizeof(float),
                                          &self->window));
  return tutti_comm_agree(comm, allocate(reducer, self));
}

static void destroy(tutti_reducer *reducer) {
  tutti_tree *self = reducer->data;
  if (!self) return;
  tutti_par_tree_exchange_destroy(&self->exchange);
  tutti_par_window_destroy(&self->window);
  tutti_par_node_destroy(reducer);
  tutti_par_fold_destroy(&self->fold);
  void *const owned[] = {self->places, self->slots,      self->n_before, self->others, self->sources,
                         self->digits, self->all_digits, self->result,   self};
  for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) tutti_free(owned[i]);
}

// --- a step

static float *slot_at(const tutti_reducer *reducer, int slot) {
  const tutti_tree *self = reducer->data;
  if (slot >= self->n_shared) return self->others + (slot - self->n_shared) * self->stride;
  return (float *)tutti_par_window_part(self->window, reducer->comm->node_rank) + slot * self->stride;
}

static float *leaf_buffer(tutti_reducer *reducer, int leaf) {
  const tutti_tree *self = reducer->data;
  return slot_at(reducer, self->slots[leaf - reducer->first_leaf]);
}

static void leaf_done(tutti_reducer *reducer, int leaf, int64_t begin, int64_t count) {
  const tutti_tree *self = reducer->data;
  const int k = leaf - reducer->first_leaf, n_before = self->n_before[k];
  const float *sources[TUTTI_MAX_SUBTREES];
  if (n_before == 0) return;
  for (int i = 0; i <= n_before; i++) sources[i] = slot_at(reducer, self->slots[k] - n_before + i) + begin;
  tutti_par_sum_sources(sources, n_before + 1, 0, count, slot_at(reducer, self->slots[k] - n_before) + begin);
}

static tutti_status reduce(tutti_reducer *reducer, double (*tail)[TUTTI_N_TAIL]) {
  tutti_tree *self = reducer->data;
  const int n_rows = reducer->n_own_leaves > 0 ? reducer->n_own_leaves : 1;
  TUTTI_TRY(tutti_par_node_barrier_sum_tails(reducer->node, tail, n_rows, self->digits));
  for (int k = 0; self->exchange && k < reducer->node->n_own_slices; k++)
    TUTTI_TRY(tutti_par_tree_exchange_slice(reducer, k));
  if (self->exchange) TUTTI_TRY(tutti_par_node_sum_digits(reducer->node, self->digits, self->all_digits));
  tutti_par_tail_decode(self->exchange ? self->all_digits : self->digits, TUTTI_N_TAIL,
                        reducer->node->n_tails, tail[0]);
  return TUTTI_OK;
}

static float *gradient(tutti_reducer *reducer, int64_t at, int64_t count) {
  const tutti_tree *self = reducer->data;
  float *sum = self->result ? self->result + (at - reducer->range.begin) : slot_at(reducer, 0) + at;
  if (self->exchange) return sum;
  // A single subtree is the sum already, and copying it would cost a pass over memory.
  if (self->only) return self->only + at;
  tutti_par_fold_all(&self->fold, self->sources, at, count, sum);
  return sum;
}

static int n_sources(const tutti_reducer *reducer) {
  const tutti_tree *self = reducer->data;
  return self->exchange ? 1 : self->fold.n;
}

const tutti_reducer_ops tutti_reducer_tree = {
    .name = "tree",
    .create = create,
    .destroy = destroy,
    .leaf = leaf_buffer,
    .leaf_done = leaf_done,
    .reduce = reduce,
    .gradient = gradient,
    .n_sources = n_sources,
    .sum_slices = tutti_par_node_sum_slices,
    .publish = tutti_par_node_publish,
};
