/** One MPI_Allreduce of the whole gradient; each rank updates all parameters.  It is the baseline of the benchmarks,
 * and the reference for the tests of the other reducers.  The tail lies after the gradient in the same buffer. */
#include "par/exact_sums_impl.h"
#include "par/par_impl.h"
#include "par/reducer_impl.h"

static int64_t message_length(const tutti_reducer *reducer) {
  return reducer->n + TUTTI_N_TAIL * (int64_t)tutti_par_tail_digits(tutti_comm_size(reducer->comm));
}

static tutti_status allocate(tutti_reducer *reducer) {
  TUTTI_TRY(TUTTI_NEW(reducer->params, reducer->n));
  float *grads = NULL;
  TUTTI_TRY(TUTTI_NEW(grads, message_length(reducer)));
  reducer->data = grads;
  return TUTTI_OK;
}

static tutti_status create(tutti_reducer *reducer) {
  TUTTI_TRY(tutti_comm_agree(reducer->comm, allocate(reducer)));
  tutti_par_reducer_set_range(reducer, 0, reducer->n);
  return TUTTI_OK;
}

static void destroy(tutti_reducer *reducer) {
  tutti_free(reducer->params);
  tutti_free(reducer->data);
}

static float *leaf_buffer(tutti_reducer *reducer, int leaf) {
  (void)leaf;
  return reducer->data;
}

static float *gradient(tutti_reducer *reducer, int64_t at, int64_t count) {
  (void)count;
  return (float *)reducer->data + at;
}

/** The tail costs no message of its own: its digits are floats that MPI adds exactly. */
static tutti_status reduce(tutti_reducer *reducer, double (*tail)[TUTTI_N_TAIL]) {
  const int size = tutti_comm_size(reducer->comm);
  float *grads = reducer->data, *digits = grads + reducer->n;
  tutti_par_tail_encode(tail[0], TUTTI_N_TAIL, size, digits);
  TUTTI_TRY(tutti_comm_sum_floats(reducer->comm->all, grads, message_length(reducer), reducer->piece));
  tutti_par_tail_decode(digits, TUTTI_N_TAIL, size, tail[0]);
  return TUTTI_OK;
}

// Values of the only slice are sums already.  There is nothing to publish either: each rank has updated all parameters
// from the gradient, which MPI promises to be equal on all ranks.
const tutti_reducer_ops tutti_reducer_flat = {
    .name = "flat",
    .create = create,
    .destroy = destroy,
    .leaf = leaf_buffer,
    .reduce = reduce,
    .gradient = gradient,
};
