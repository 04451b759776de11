/** The public side of the reducers: it chooses the implementation and calls it through its table.  An implementation is
 * a way to sum gradients over ranks (flat, shared, pipelined, tree).  The room train calls it in each step. */
#include "base/fault.h"
#include "par/par_impl.h"
#include "par/reducer_impl.h"

/** On a single node nothing goes over nodes, so `pipelined` is `shared` there. */
static const tutti_reducer_ops *find(const tutti_comm *comm, tutti_reduce_kind kind) {
  switch (kind) {
  case TUTTI_REDUCE_FLAT:
    return &tutti_reducer_flat;
  case TUTTI_REDUCE_PIPELINED:
    return comm->n_nodes > 1 ? &tutti_reducer_pipelined : &tutti_reducer_shared;
  case TUTTI_REDUCE_AUTO:
  case TUTTI_REDUCE_SHARED:
    return &tutti_reducer_shared;
  case TUTTI_REDUCE_TREE:
    return &tutti_reducer_tree;
  }
  return NULL;
}

/** An int64_t holds the bytes of all buffers of a node up to this number. */
static const int64_t MAX_PARAMS = INT64_C(1) << 44;

static tutti_status create_local(const tutti_comm *comm, tutti_reduce_kind kind, int64_t n, int n_leaves,
                                 tutti_reducer **reducer) {
  const tutti_reducer_ops *ops = find(comm, kind);
  TUTTI_CHECK(ops, TUTTI_ERR_INTERNAL, "there is no reducer number %d", (int)kind);
  // Sizes are products below, and must not overflow into a small allocation that succeeds.
  TUTTI_CHECK(n <= MAX_PARAMS, TUTTI_ERR_MEMORY, "no memory for %lld parameters", (long long)n);
  TUTTI_TRY(tutti_fault("reducer"));
  TUTTI_TRY(TUTTI_NEW(*reducer, 1));
  (*reducer)->ops = ops;
  (*reducer)->comm = comm;
  (*reducer)->n = n;
  // A leaf per rank, unless the implementation divides the leaves itself.
  (*reducer)->n_leaves = kind == TUTTI_REDUCE_TREE ? n_leaves : tutti_comm_size(comm);
  (*reducer)->first_leaf = tutti_comm_rank(comm);
  (*reducer)->n_own_leaves = 1;
  (*reducer)->piece = TUTTI_PIECE;
  return TUTTI_OK;
}

tutti_status tutti_reducer_create(const tutti_comm *comm, tutti_reduce_kind kind, int64_t n, int n_leaves,
                                  tutti_reducer **reducer) {
  TUTTI_ASSERT(n >= 0 && (kind != TUTTI_REDUCE_TREE || n_leaves >= 1));
  tutti_reducer *made = NULL;
  *reducer = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_comm_same(comm, n, "the number of parameters"));
  TUTTI_TRY_GOTO(done, tutti_comm_same(comm, kind, "the kind of reducer"));
  if (kind == TUTTI_REDUCE_TREE)
    TUTTI_TRY_GOTO(done, tutti_comm_same(comm, n_leaves, "the number of leaves"));
  TUTTI_TRY_GOTO(done, tutti_comm_agree(comm, create_local(comm, kind, n, n_leaves, &made)));
  TUTTI_TRY_GOTO(done, made->ops->create(made));
  TUTTI_TRY_GOTO(done, tutti_par_whole_create(comm, n, &made->slice, made->node, &made->whole));
  *reducer = made;
  made = NULL;
done:
  // If the local part failed on another rank, the implementation has not begun, here or there.
  tutti_reducer_destroy(&made);
  return status;
}

void tutti_reducer_destroy(tutti_reducer **reducer) {
  if (!*reducer) return;
  tutti_par_whole_destroy(&(*reducer)->whole);
  (*reducer)->ops->destroy(*reducer);
  tutti_free(*reducer);
  *reducer = NULL;
}

const char *tutti_reducer_name(const tutti_reducer *reducer) {
  return reducer->ops->name;
}

float *tutti_reducer_params(const tutti_reducer *reducer) {
  return reducer->params;
}

const tutti_slice *tutti_reducer_slice(const tutti_reducer *reducer) {
  return &reducer->slice;
}

int tutti_reducer_n_leaves(const tutti_reducer *reducer) {
  return reducer->n_leaves;
}

tutti_par_leaves tutti_reducer_own_leaves(const tutti_reducer *reducer) {
  const int count = reducer->n_own_leaves;
  return (tutti_par_leaves){reducer->first_leaf, count, count > 1 ? count : 1};
}

float *tutti_reducer_leaf(tutti_reducer *reducer, int leaf) {
  TUTTI_ASSERT(leaf >= reducer->first_leaf && leaf < reducer->first_leaf + reducer->n_own_leaves);
  return reducer->ops->leaf(reducer, leaf);
}

int64_t tutti_reducer_part(const tutti_reducer *reducer) {
  return reducer->part;
}

void tutti_reducer_leaf_done(tutti_reducer *reducer, int leaf, int64_t begin, int64_t count) {
  TUTTI_ASSERT(leaf >= reducer->first_leaf && leaf < reducer->first_leaf + reducer->n_own_leaves);
  TUTTI_ASSERT(begin >= 0 && count >= 0 && begin + count <= reducer->n);
  if (reducer->ops->leaf_done) reducer->ops->leaf_done(reducer, leaf, begin, count);
}

tutti_status tutti_reducer_reduce(tutti_reducer *reducer, double (*tail)[TUTTI_N_TAIL]) {
  return reducer->ops->reduce(reducer, tail);
}

tutti_status tutti_reducer_wait(tutti_reducer *reducer, int i) {
  TUTTI_ASSERT(i >= 0 && i < reducer->slice.n_ranges);
  return reducer->ops->wait ? reducer->ops->wait(reducer, i) : TUTTI_OK;
}

float *tutti_reducer_gradient(tutti_reducer *reducer, int64_t at, int64_t count) {
  TUTTI_ASSERT(count >= 0 && count <= reducer->slice.n);
  TUTTI_ASSERT(at % TUTTI_BLOCK == 0 || at == reducer->n);
  return reducer->ops->gradient(reducer, at, count);
}

int tutti_reducer_n_sources(const tutti_reducer *reducer) {
  return reducer->ops->n_sources ? reducer->ops->n_sources(reducer) : 1;
}

tutti_status tutti_reducer_sum_slices(const tutti_reducer *reducer, double *values, int64_t n) {
  return reducer->ops->sum_slices ? reducer->ops->sum_slices(reducer, values, n) : TUTTI_OK;
}

tutti_status tutti_reducer_publish(tutti_reducer *reducer) {
  return reducer->ops->publish ? reducer->ops->publish(reducer) : TUTTI_OK;
}

tutti_status tutti_reducer_set_params(tutti_reducer *reducer, const float *whole) {
  // Other ranks of the node may still read them.
  TUTTI_TRY(tutti_reducer_publish(reducer));
  TUTTI_TRY(tutti_par_whole_spread(reducer->whole, whole, reducer->piece, reducer->params));
  return tutti_reducer_publish(reducer);
}

tutti_status tutti_reducer_gather(const tutti_reducer *reducer, const float *slice, float *whole) {
  return tutti_par_whole_gather(reducer->whole, slice, reducer->piece, whole);
}

tutti_status tutti_reducer_scatter(const tutti_reducer *reducer, const float *whole, float *slice) {
  return tutti_par_whole_scatter(reducer->whole, whole, reducer->piece, slice);
}
