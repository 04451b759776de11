/** The gradients of the ranks of a node lie in its shared memory.  Each rank sums one slice of them.  On several nodes
 * the owners of the slice, one per node, then sum it over the nodes.  The rank updates this slice of the parameters, of
 * which the node has one copy.
 *
 * On a single node a block is summed only when the update asks for it.  A step has two barriers: no gradient is read
 * before all are written, and no parameter before all are updated. */
#include <string.h>

#include "par/exact_sums_impl.h"
#include "par/node_impl.h"
#include "par/sums_impl.h"

typedef struct {
  tutti_window *gradients; // [node_size, n] a part for each rank
  const float **sources;   // [node_size] the gradients of the ranks, in that window
  float *digits;           // [n_digits] of the tail
  float *message;          // [end - begin + n_digits] sums over all nodes; NULL on a single one
} shared;

static tutti_status allocate(const tutti_reducer *reducer, shared *self) {
  const tutti_comm *comm = reducer->comm;
  TUTTI_TRY(TUTTI_NEW(self->sources, comm->node_size));
  TUTTI_TRY(TUTTI_NEW(self->digits, reducer->node->n_digits));
  if (comm->n_nodes > 1) TUTTI_TRY(TUTTI_NEW(self->message, reducer->slice.n + reducer->node->n_digits));
  return TUTTI_OK;
}

static tutti_status create(tutti_reducer *reducer) {
  const tutti_comm *comm = reducer->comm;
  shared *self = NULL;
  const tutti_status status = tutti_comm_agree(comm, TUTTI_NEW(self, 1));
  reducer->data = self;
  if (status != TUTTI_OK) return status;
  // The node comes first, because it decides about the slice, and the slice about the size of the message.
  TUTTI_TRY(tutti_par_node_create(reducer, comm->size));
  TUTTI_TRY(tutti_comm_agree(comm, allocate(reducer, self)));
  TUTTI_TRY(tutti_par_window_create_parts(comm, reducer->n * (int64_t)sizeof(float), &self->gradients));
  for (int rank = 0; rank < comm->node_size; rank++)
    self->sources[rank] = tutti_par_window_part(self->gradients, rank);
  return TUTTI_OK;
}

static void destroy(tutti_reducer *reducer) {
  shared *self = reducer->data;
  if (!self) return;
  tutti_par_window_destroy(&self->gradients);
  tutti_par_node_destroy(reducer);
  tutti_free(self->message);
  tutti_free(self->digits);
  tutti_free(self->sources);
  tutti_free(self);
}

static float *leaf_buffer(tutti_reducer *reducer, int leaf) {
  (void)leaf; // a rank has one leaf
  const shared *self = reducer->data;
  return tutti_par_window_part(self->gradients, reducer->comm->node_rank);
}

/** sum[count] = the sum over the node's ranks of the elements from `at` on; it may be the own gradient there. */
static void sum_node(const tutti_reducer *reducer, int64_t at, int64_t count, float *sum) {
  const shared *self = reducer->data;
  tutti_par_sum_sources(self->sources, reducer->comm->node_size, at, count, sum);
}

/** Sum own slice k with the tail in one message.  The tail takes the place of the next slice, which is summed later. */
static tutti_status sum_nodes(const tutti_reducer *reducer, int k) {
  const shared *self = reducer->data;
  const tutti_node *node = reducer->node;
  const int64_t begin = tutti_par_node_slice_begin(reducer, k),
                end = tutti_par_node_slice_begin(reducer, k + 1);
  float *message = self->message + (begin - reducer->range.begin), *tail = message + (end - begin);
  sum_node(reducer, begin, end - begin, message);
  memcpy(tail, self->digits, (size_t)node->n_digits * sizeof *tail);
  return tutti_comm_sum_floats(node->owners[k], message, end - begin + node->n_digits, reducer->piece);
}

static tutti_status reduce(tutti_reducer *reducer, double (*tail)[TUTTI_N_TAIL]) {
  shared *self = reducer->data;
  const float *sums = self->digits;
  TUTTI_TRY(tutti_par_node_barrier_sum_tails(reducer->node, tail, 1, self->digits));
  if (self->message) { // several nodes: all that the update needs is summed here
    for (int k = 0; k < reducer->node->n_own_slices; k++) TUTTI_TRY(sum_nodes(reducer, k));
    sums = self->message + reducer->slice.n;
  }
  tutti_par_tail_decode(sums, TUTTI_N_TAIL, reducer->node->n_tails, tail[0]);
  return TUTTI_OK;
}

static float *gradient(tutti_reducer *reducer, int64_t at, int64_t count) {
  const shared *self = reducer->data;
  if (self->message) return self->message + (at - reducer->range.begin);
  float *sum = leaf_buffer(reducer, reducer->first_leaf) + at;
  // A single rank has its sum already.  Else the sum replaces the own gradient there, which no other rank reads: each
  // sums only its own slice.
  if (reducer->comm->node_size > 1) sum_node(reducer, at, count, sum);
  return sum;
}

static int n_sources(const tutti_reducer *reducer) {
  const shared *self = reducer->data;
  return self->message ? 1 : reducer->comm->node_size;
}

const tutti_reducer_ops tutti_reducer_shared = {
    .name = "shared",
    .create = create,
    .destroy = destroy,
    .leaf = leaf_buffer,
    .reduce = reduce,
    .gradient = gradient,
    .n_sources = n_sources,
    .sum_slices = tutti_par_node_sum_slices,
    .publish = tutti_par_node_publish,
};
