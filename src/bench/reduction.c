/** A reduction of gradients as a step does it, alone: made-up gradients, the reduction, the read slice, the published
 * parameters.  Called by network.c, and by bench_reducers, which verifies the sums before it times them. */
#include "bench/reduction_impl.h"

#include "base/clock.h"

enum { PERIOD = 17, UPDATE = 8 * TUTTI_BLOCK };

float tutti_bench_reduction_gradient(int leaf, int64_t i) {
  return (float)((leaf + 1) * (i % PERIOD - 8));
}

/** Fill a leaf.  This must be quick: on a core that ranks share, the first rank that leaves a barrier keeps the core,
 * and the others cannot see yet that the barrier is over. */
static void fill(float *gradient, int64_t n, int leaf) {
  float period[PERIOD];
  for (int k = 0; k < PERIOD; k++) period[k] = tutti_bench_reduction_gradient(leaf, k);
  for (int64_t i = 0; i + PERIOD <= n; i += PERIOD)
    for (int k = 0; k < PERIOD; k++) gradient[i + k] = period[k];
  for (int64_t i = n - n % PERIOD; i < n; i++) gradient[i] = tutti_bench_reduction_gradient(leaf, i);
}

/** Make up the gradient of a leaf.  Before the last leaf is reported, the ranks meet, so that the reduction does not
 * include the wait for another rank's numbers. */
static tutti_status make_up(tutti_bench_reduction *r, int leaf, bool is_last) {
  const double start = tutti_clock_s();
  fill(tutti_reducer_leaf(r->reducer, leaf), r->n, leaf);
  if (is_last) TUTTI_TRY(tutti_comm_barrier(r->comm));
  r->aside += tutti_clock_s() - start;
  return TUTTI_OK;
}

static void clear_tail(double *tail, double samples) {
  for (int slot = 0; slot < TUTTI_N_TAIL; slot++) tail[slot] = 0;
  tail[TUTTI_TAIL_SAMPLES] = samples;
}

/** Ask for the sums of the slice block by block, as an optimizer does. */
static void read_range(const tutti_bench_reduction *r, const tutti_slice_range *own) {
  float *params = tutti_reducer_params(r->reducer);
  for (int64_t at = own->begin; at < own->end; at += UPDATE) {
    const int64_t count = own->end - at < UPDATE ? own->end - at : UPDATE;
    const float *gradient = tutti_reducer_gradient(r->reducer, at, count);
    for (int64_t i = 0; r->updates && i < count; i++) params[at + i] = gradient[i];
  }
}

static tutti_status read_slice(const tutti_bench_reduction *r) {
  const tutti_slice *own = tutti_reducer_slice(r->reducer);
  for (int i = own->n_ranges - 1; i >= 0; i--) {
    TUTTI_TRY(tutti_reducer_wait(r->reducer, i));
    read_range(r, &own->ranges[i]);
  }
  return TUTTI_OK;
}

static tutti_status reduce(tutti_bench_reduction *r) {
  const tutti_par_leaves own = tutti_reducer_own_leaves(r->reducer);
  for (int i = 0; i < own.count; i++) {
    TUTTI_TRY(make_up(r, own.first + i, i + 1 == own.count));
    tutti_reducer_leaf_done(r->reducer, own.first + i, 0, r->n);
    clear_tail(r->tail[i], 1);
  }
  if (own.count == 0) {
    clear_tail(r->tail[0], 0);
    TUTTI_TRY(tutti_comm_barrier(r->comm)); // as the ranks with leaves do
  }
  TUTTI_TRY(tutti_reducer_reduce(r->reducer, r->tail));
  TUTTI_TRY(read_slice(r));
  return tutti_reducer_publish(r->reducer);
}

tutti_status tutti_bench_reduction_run(void *context, int64_t n) {
  for (int64_t i = 0; i < n; i++) TUTTI_TRY(reduce(context));
  return TUTTI_OK;
}

tutti_status tutti_bench_reduction_create(const tutti_comm *comm, tutti_reduce_kind kind, int64_t n,
                                          int n_leaves, tutti_bench_reduction *reduction) {
  *reduction = (tutti_bench_reduction){.comm = comm, .n = n};
  TUTTI_TRY(tutti_reducer_create(comm, kind, n, n_leaves, &reduction->reducer));
  const int rows = tutti_reducer_own_leaves(reduction->reducer).tail_rows;
  return tutti_comm_agree(comm, TUTTI_NEW(reduction->tail, rows));
}

void tutti_bench_reduction_destroy(tutti_bench_reduction *reduction) {
  tutti_reducer_destroy(&reduction->reducer);
  tutti_free(reduction->tail);
  *reduction = (tutti_bench_reduction){0};
}
