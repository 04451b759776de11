/** As reducer_shared.c, for several nodes: but the gradient is cut into pieces, and a piece goes over the nodes while
 * backward still computes others.  Each rank of a node owns a range of each piece, so that all of them have work from the
 * first piece on.  The update of a range begins when its sum is there. */
#include "base/arithmetic.h"
#include "par/exact_sums_impl.h"
#include "par/piece_length_impl.h"
#include "par/pipeline_impl.h"
#include "par/slices_impl.h"

/** Least elements of a part of the gradient: a message that uses its link well. */
enum { PART = 1 << 15 };

typedef struct {
  tutti_window *gradients;    // [node_size, n] a part for each rank
  const float **sources;      // [node_size] the gradients of the ranks, in that window
  float *digits, *all_digits; // [n_digits] of the tail, over the node and over all
  float *sums;                // [elements of the slice]
  tutti_slice_range *ranges;  // [n_pieces] of the slice
  tutti_pipeline *pipeline;
} pipelined;

/** The slice: a range of each piece. */
static tutti_status cut(tutti_reducer *reducer, int64_t length, pipelined *self) {
  const tutti_node *node = reducer->node;
  const int n_pieces = (int)tutti_ceil_div(reducer->n, length), n_slices = node->n_slices;
  const int first = node->first_slice, end = first + node->n_own_slices;
  TUTTI_TRY(TUTTI_NEW(self->ranges, n_pieces));
  int64_t n_own = 0;
  for (int i = 0; i < n_pieces; i++) {
    tutti_slice_range *range = &self->ranges[i];
    *range = (tutti_slice_range){tutti_par_piece_slice_begin(reducer->n, length, i, first, n_slices),
                                 tutti_par_piece_slice_begin(reducer->n, length, i, end, n_slices), n_own};
    n_own += range->end - range->begin;
  }
  reducer->slice = (tutti_slice){self->ranges, n_pieces, n_own};
  return TUTTI_NEW(self->sums, n_own);
}

static tutti_status allocate(tutti_reducer *reducer, int64_t length, pipelined *self) {
  TUTTI_TRY(TUTTI_NEW(self->sources, reducer->comm->node_size));
  TUTTI_TRY(TUTTI_NEW(self->digits, reducer->node->n_digits));
  TUTTI_TRY(TUTTI_NEW(self->all_digits, reducer->node->n_digits));
  return cut(reducer, length, self);
}

static tutti_status create(tutti_reducer *reducer) {
  const tutti_comm *comm = reducer->comm;
  pipelined *self = NULL;
  int64_t length = 0;
  const tutti_status status = tutti_comm_agree(comm, TUTTI_NEW(self, 1));
  reducer->data = self;
  if (status != TUTTI_OK) return status;
  TUTTI_TRY(tutti_par_node_create(reducer, comm->size));
  TUTTI_TRY(tutti_par_piece_length(reducer, &length));
  reducer->part = PART; // not the length, which is measured: products of other parts may have other bits
  TUTTI_TRY(tutti_comm_agree(comm, allocate(reducer, length, self)));
  TUTTI_TRY(tutti_par_window_create_parts(comm, reducer->n * (int64_t)sizeof(float), &self->gradients));
  for (int rank = 0; rank < comm->node_size; rank++)
    self->sources[rank] = tutti_par_window_part(self->gradients, rank);
  return tutti_par_pipeline_create(reducer, length, self->sources, self->sums, &self->pipeline);
}

static void destroy(tutti_reducer *reducer) {
  pipelined *self = reducer->data;
  if (!self) return;
  tutti_par_pipeline_destroy(&self->pipeline);
  tutti_par_window_destroy(&self->gradients);
  tutti_par_node_destroy(reducer);
  void *const owned[] = {self->ranges, self->sums, self->digits, self->all_digits, self->sources, self};
  for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) tutti_free(owned[i]);
}

static float *leaf_buffer(tutti_reducer *reducer, int leaf) {
  (void)leaf; // a rank has one leaf
  const pipelined *self = reducer->data;
  return tutti_par_window_part(self->gradients, reducer->comm->node_rank);
}

static void leaf_done(tutti_reducer *reducer, int leaf, int64_t begin, int64_t count) {
  (void)leaf;
  const pipelined *self = reducer->data;
  tutti_par_pipeline_part_done(self->pipeline, begin, count);
}

/** The tail does not wait for the pieces: it tells whether there is an update. */
static tutti_status reduce(tutti_reducer *reducer, double (*tail)[TUTTI_N_TAIL]) {
  const pipelined *self = reducer->data;
  const tutti_node *node = reducer->node;
  tutti_par_pipeline_all_done(self->pipeline);
  TUTTI_TRY(tutti_par_node_barrier_sum_tails(reducer->node, tail, 1, self->digits));
  TUTTI_TRY(tutti_par_node_sum_digits(node, self->digits, self->all_digits));
  tutti_par_tail_decode(self->all_digits, TUTTI_N_TAIL, node->n_tails, tail[0]);
  return TUTTI_OK;
}

static tutti_status wait_for_range(tutti_reducer *reducer, int i) {
  const pipelined *self = reducer->data;
  return tutti_par_pipeline_wait(self->pipeline, i);
}

static float *gradient(tutti_reducer *reducer, int64_t at, int64_t count) {
  (void)count;
  const pipelined *self = reducer->data;
  return self->sums + tutti_slice_index(&reducer->slice, at);
}

/** Also if nothing was updated: the thread must not read the gradients of this step while the next one is written. */
static tutti_status publish(tutti_reducer *reducer) {
  const pipelined *self = reducer->data;
  TUTTI_TRY(tutti_par_pipeline_finish(self->pipeline));
  return tutti_par_node_publish(reducer);
}

const tutti_reducer_ops tutti_reducer_pipelined = {
    .name = "pipelined",
    .create = create,
    .destroy = destroy,
    .leaf = leaf_buffer,
    .leaf_done = leaf_done,
    .reduce = reduce,
    .wait = wait_for_range,
    .gradient = gradient,
    .sum_slices = tutti_par_node_sum_slices,
    .publish = publish,
};
