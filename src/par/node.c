/** What the reducers shared and tree have in common: the parameters of a node in its shared memory, the slices and
 * their owners, the sum of the tails, and the way of slices to the first rank and back. */
#include "par/node_impl.h"

#include <string.h>

#include "par/exact_sums_impl.h"
#include "par/slices_impl.h"

enum { LINE = 64 };

static int64_t whole_lines(int64_t bytes) {
  return (bytes + LINE - 1) / LINE * LINE;
}

// --- create

/** Collective.  Find how many ranks the nodes have, and which slices this rank owns. */
static tutti_status survey(const tutti_comm *comm, tutti_node *node) {
  int most[2] = {comm->node_size, -comm->node_size};
  TUTTI_MPI(MPI_Allreduce(MPI_IN_PLACE, most, 2, MPI_INT, MPI_MAX, comm->all));
  node->equal_nodes = most[0] == -most[1];
  node->n_slices = most[0];
  node->first_slice = tutti_par_part_begin(node->n_slices, comm->node_rank, comm->node_size);
  node->n_own_slices =
      tutti_par_part_begin(node->n_slices, comm->node_rank + 1, comm->node_size) - node->first_slice;
  return TUTTI_OK;
}

static tutti_status allocate(const tutti_comm *comm, tutti_node *node) {
  if (comm->n_nodes == 1) return TUTTI_OK;
  TUTTI_TRY(TUTTI_NEW(node->owners, node->n_own_slices));
  for (int k = 0; k < node->n_own_slices; k++) node->owners[k] = MPI_COMM_NULL;
  return TUTTI_OK;
}

/** Collective. */
static tutti_status connect_owners(const tutti_comm *comm, tutti_node *node) {
  if (node->equal_nodes && comm->n_nodes > 1)
    TUTTI_MPI(MPI_Comm_split(comm->all, comm->node_rank, comm->node_index, &node->owners[0]));
  for (int slice = 0; !node->equal_nodes && slice < node->n_slices; slice++) {
    const int k = slice - node->first_slice;
    const bool own = k >= 0 && k < node->n_own_slices;
    // A split is collective over all ranks, also over those that own another slice.
    MPI_Comm none = MPI_COMM_NULL;
    TUTTI_MPI(
        MPI_Comm_split(comm->all, own ? 0 : MPI_UNDEFINED, comm->node_index, own ? &node->owners[k] : &none));
  }
  return TUTTI_OK;
}

/** Collective.  Lay out one window for the barrier, the digits, the small sums and the parameters. */
static tutti_status share_memory(tutti_reducer *reducer, tutti_node *node) {
  const tutti_comm *comm = reducer->comm;
  const int64_t at_digits = TUTTI_BARRIER_BYTES;
  const int64_t at_small = at_digits + comm->node_size * whole_lines(node->n_digits * (int64_t)sizeof(float));
  const int64_t at_params = at_small + 2 * comm->node_size * TUTTI_SMALL * (int64_t)sizeof(double);
  TUTTI_TRY(tutti_par_window_create(comm, at_params + reducer->n * (int64_t)sizeof(float), &node->window));
  // One window, because each costs a name in the system and agreements of all ranks.
  char *shared = tutti_par_window_data(node->window);
  node->barrier = tutti_par_node_barrier_make(comm, shared);
  node->digits = (float *)(shared + at_digits);
  node->small = (double *)(shared + at_small);
  reducer->params = (float *)(shared + at_params);
  return TUTTI_OK;
}

tutti_status tutti_par_node_create(tutti_reducer *reducer, int n_tails) {
  const tutti_comm *comm = reducer->comm;
  TUTTI_TRY(tutti_comm_agree(comm, TUTTI_NEW(reducer->node, 1)));
  tutti_node *node = reducer->node;
  node->n_tails = n_tails;
  node->n_digits = TUTTI_N_TAIL * tutti_par_tail_digits(n_tails);
  TUTTI_TRY(survey(comm, node));
  TUTTI_TRY(tutti_comm_agree(comm, allocate(comm, node)));
  TUTTI_TRY(connect_owners(comm, node));
  TUTTI_TRY(share_memory(reducer, node));
  tutti_par_reducer_set_range(reducer, tutti_par_node_slice_begin(reducer, 0),
                              tutti_par_node_slice_begin(reducer, node->n_own_slices));
  return TUTTI_OK;
}

void tutti_par_node_destroy(tutti_reducer *reducer) {
  tutti_node *node = reducer->node;
  if (!node) return;
  for (int k = 0; node->owners && k < node->n_own_slices; k++)
    if (node->owners[k] != MPI_COMM_NULL) MPI_Comm_free(&node->owners[k]);
  tutti_free(node->owners);
  tutti_par_window_destroy(&node->window);
  tutti_free(node);
  reducer->node = NULL;
}

int64_t tutti_par_node_slice_begin(const tutti_reducer *reducer, int k) {
  const tutti_node *node = reducer->node;
  return tutti_par_slice_begin(reducer->n, node->first_slice + k, node->n_slices);
}

// --- a step

static float *digits_of(const tutti_node *node, int node_rank) {
  return node->digits +
         node_rank * whole_lines(node->n_digits * (int64_t)sizeof(float)) / (int64_t)sizeof(float);
}

static void add_digits(const float *digits, int n, float *sums) {
  for (int i = 0; i < n; i++) sums[i] += digits[i];
}

tutti_status tutti_par_node_barrier_sum_tails(tutti_node *node, double (*tail)[TUTTI_N_TAIL], int n_rows,
                                              float *sums) {
  const tutti_comm *comm = node->barrier.comm;
  float *own = digits_of(node, comm->node_rank);
  tutti_par_tail_encode(tail[0], TUTTI_N_TAIL, node->n_tails, own);
  for (int row = 1; row < n_rows; row++) {
    tutti_par_tail_encode(tail[row], TUTTI_N_TAIL, node->n_tails, sums);
    add_digits(sums, node->n_digits, own);
  }
  // Digits are integers, so every rank gets the same sums, whatever the order of these additions.
  TUTTI_TRY(tutti_par_node_barrier_wait(&node->barrier));
  memset(sums, 0, (size_t)node->n_digits * sizeof *sums);
  for (int rank = 0; rank < comm->node_size; rank++) add_digits(digits_of(node, rank), node->n_digits, sums);
  return TUTTI_OK;
}

/** By each own slice: on a node with fewer ranks than slices, the owners of the others would wait for it. */
tutti_status tutti_par_node_sum_digits(const tutti_node *node, const float *digits, float *sums) {
  for (int k = 0; k < node->n_own_slices; k++)
    TUTTI_MPI(MPI_Allreduce(digits, sums, node->n_digits, MPI_FLOAT, MPI_SUM, node->owners[k]));
  return TUTTI_OK;
}

/** Sum a few values over the node.  The calls use two places by turns, so that one barrier per call is enough: when a
 * rank writes to a place again, all ranks have passed the barrier of the other place, and so have read this one. */
static tutti_status sum_small(tutti_node *node, double *values, int n) {
  const tutti_comm *comm = node->barrier.comm;
  double *place = node->small + (int64_t)node->turn * comm->node_size * TUTTI_SMALL;
  node->turn = 1 - node->turn;
  memcpy(place + comm->node_rank * TUTTI_SMALL, values, (size_t)n * sizeof *values);
  TUTTI_TRY(tutti_par_node_barrier_wait(&node->barrier));
  memset(values, 0, (size_t)n * sizeof *values);
  for (int rank = 0; rank < comm->node_size; rank++)
    for (int i = 0; i < n; i++) values[i] += place[rank * TUTTI_SMALL + i];
  return TUTTI_OK;
}

tutti_status tutti_par_node_sum_slices(const tutti_reducer *reducer, double *values, int64_t n) {
  const tutti_comm *comm = reducer->comm;
  tutti_node *node = reducer->node;
  for (int64_t done = 0; done < n && comm->node_size > 1; done += TUTTI_SMALL)
    TUTTI_TRY(sum_small(node, values + done, n - done < TUTTI_SMALL ? (int)(n - done) : TUTTI_SMALL));
  // Each node has all slices.  If the nodes cut them alike, they find the same bits; else those of the first node
  // count.
  if (!node->equal_nodes) TUTTI_TRY(tutti_comm_bcast(comm, 0, values, n * (int64_t)sizeof *values));
  return TUTTI_OK;
}

tutti_status tutti_par_node_publish(tutti_reducer *reducer) {
  return tutti_par_node_barrier_wait(&reducer->node->barrier);
}
