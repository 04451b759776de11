#pragma once
/** What the reducers that work in a node's shared memory have in common: one copy of the parameters a node, a
 * barrier, the tail, the slices and who owns them on the other nodes.
 *
 * The parameters are cut into as many slices as the largest node has ranks.  On a smaller node a rank owns
 * several, one after another.  The owners of a slice, one a node, have a communicator of their own; a rank with
 * several uses them in the order of the slices, as all do, so that nobody waits in a circle. */
#include "par/barrier.h"
#include "par/reducer_impl.h"

typedef struct tutti_node {
  tutti_window *window; // all that follows up to the parameters
  tutti_node_barrier barrier;
  float *digits; // [node_size, n_digits, to whole cache lines] the ranks' tails
  double *small; // [2, node_size, TUTTI_SMALL] what tutti_node_sum_slices adds up, in two places by turns
  int n_tails;   // how many tails are summed at most: of the leaves, and of ranks without one
  int n_digits;  // of a tail
  int turn;      // 0 or 1: which of the two places in `small` comes next

  bool equal_nodes;
  int n_slices, first_slice, n_own_slices;
  MPI_Comm *owners; // [n_own_slices] the owners of a slice, in the order of nodes; NULL on a single node
  int64_t *slices;  // [size, 2] begin and end of each rank's slice, on rank 0; else NULL
} tutti_node;

enum { TUTTI_SMALL = 512 };

/** Collective.  Sets the reducer's node, params, begin and end; what fails is agreed on.  The caller destroys, also
 * after a failure. */
TUTTI_NODISCARD
tutti_status tutti_node_create(tutti_reducer *reducer, int n_tails);
void tutti_node_destroy(tutti_reducer *reducer);

/** Local.  Where own slice k begins, k in [0, n_own_slices]. */
int64_t tutti_node_slice_begin(const tutti_reducer *reducer, int k);

/** Collective over the node.  The digits of all tails of the node's ranks, tail[n_rows], are summed into
 * sums[n_digits].  It is the barrier between the ranks' leaves and the sums over them. */
TUTTI_NODISCARD
tutti_status tutti_node_meet(tutti_node *node, double (*tail)[TUTTI_N_TAIL], int n_rows, float *sums);

/** Operations of the reducers' tables. */
TUTTI_NODISCARD
tutti_status tutti_node_sum_slices(const tutti_reducer *reducer, double *values, int64_t n);
TUTTI_NODISCARD
tutti_status tutti_node_publish(tutti_reducer *reducer);
TUTTI_NODISCARD
tutti_status tutti_node_gather(const tutti_reducer *reducer, const float *slice, float *whole);
TUTTI_NODISCARD
tutti_status tutti_node_scatter(const tutti_reducer *reducer, const float *whole, float *slice);
