#pragma once
/** What the reducers that work in the shared memory of a node have in common: one copy of the parameters per node, a
 * barrier, the tail, and the slices with their owners on the other nodes.
 *
 * The parameters are cut into as many slices as the largest node has ranks.  On a smaller node a rank owns
 * several, one after another.  The owners of a slice, one per node, have a communicator of their own.  All ranks use
 * these communicators in the order of the slices, so that no ranks wait for each other in a circle. */
#include "par/barrier_impl.h"
#include "par/reducer_impl.h"

typedef struct tutti_node {
  tutti_window *window; // all that follows up to the parameters
  tutti_node_barrier barrier;
  float *digits; // [node_size, n_digits, to whole cache lines] the ranks' tails
  double *small; // [2, node_size, TUTTI_SMALL] what tutti_par_node_sum_slices adds up, in two places by turns
  int n_tails;   // how many tails are summed at most: of the leaves, and of ranks without one
  int n_digits;  // of a tail
  int turn;      // 0 or 1: which of the two places in `small` comes next

  bool equal_nodes;
  int n_slices, first_slice, n_own_slices;
  MPI_Comm *owners; // [n_own_slices] the owners of a slice, in the order of nodes; NULL on a single node
} tutti_node;

enum { TUTTI_SMALL = 512 };

/** Collective.  Set the reducer's node, params and slice.  A failure is agreed on.  The caller destroys, also
 * after a failure.
 * @param[in] n_tails  the largest number of tails that one step sums */
TUTTI_NODISCARD
tutti_status tutti_par_node_create(tutti_reducer *reducer, int n_tails);
void tutti_par_node_destroy(tutti_reducer *reducer);

/** Local.  Where own slice k begins, k in [0, n_own_slices]. */
int64_t tutti_par_node_slice_begin(const tutti_reducer *reducer, int k);

/** Collective over the node.  Wait until all ranks have written their leaves, and sum the tails of the node.
 * @param[in]  tail  [n_rows] tails of this rank
 * @param[out] sums  [n_digits] digits of the sums, see exact_sums_impl.h */
TUTTI_NODISCARD
tutti_status tutti_par_node_barrier_sum_tails(tutti_node *node, double (*tail)[TUTTI_N_TAIL], int n_rows,
                                              float *sums);

/** Collective, several nodes.  Sum the digits of the nodes.
 * @param[in]  digits  [n_digits] of the node
 * @param[out] sums    [n_digits] over all nodes; another array */
TUTTI_NODISCARD
tutti_status tutti_par_node_sum_digits(const tutti_node *node, const float *digits, float *sums);

/** Operations for the tables of the reducers. */
TUTTI_NODISCARD
tutti_status tutti_par_node_sum_slices(const tutti_reducer *reducer, double *values, int64_t n);
TUTTI_NODISCARD
tutti_status tutti_par_node_publish(tutti_reducer *reducer);
