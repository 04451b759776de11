#pragma once
/** Inside of the reducers: an implementation is a table of operations.  Each operation keeps the promise of the
 * function of the same name in tutti/par.h.  leaf_done, wait, sum_slices and publish may be NULL, if there is nothing
 * to do; n_sources, if it is 1. */
#include "par/whole_impl.h"

typedef struct {
  const char *name;
  /** Collective.  Sets params, slice and data.  A failure is agreed on.  The caller destroys, also after a
   * failure. */
  tutti_status (*create)(tutti_reducer *reducer);
  /** Collective. */
  void (*destroy)(tutti_reducer *reducer);
  float *(*leaf)(tutti_reducer *reducer, int leaf);
  void (*leaf_done)(tutti_reducer *reducer, int leaf, int64_t begin, int64_t count);
  tutti_status (*reduce)(tutti_reducer *reducer, double (*tail)[TUTTI_N_TAIL]);
  tutti_status (*wait)(tutti_reducer *reducer, int i);
  float *(*gradient)(tutti_reducer *reducer, int64_t at, int64_t count);
  int (*n_sources)(const tutti_reducer *reducer);
  tutti_status (*sum_slices)(const tutti_reducer *reducer, double *values, int64_t n);
  tutti_status (*publish)(tutti_reducer *reducer);
} tutti_reducer_ops;

struct tutti_reducer {
  const tutti_reducer_ops *ops;
  const tutti_comm *comm; // borrowed
  int64_t n;
  int n_leaves, first_leaf, n_own_leaves;
  float *params;     // [n], owned by the implementation
  tutti_slice slice; // its ranges are owned by the implementation
  tutti_slice_range
      range;    // the only one, of an implementation whose slices have one, see tutti_par_reducer_set_range
  int piece;    // elements of one message at most
  int64_t part; // see tutti_reducer_part; 0 at first
  struct tutti_node *node; // NULL for flat; see node_impl.h
  tutti_whole *whole;      // the way of slices to the first rank and back
  void *data;              // the implementation's own
};

extern const tutti_reducer_ops tutti_reducer_flat, tutti_reducer_shared, tutti_reducer_pipelined,
    tutti_reducer_tree;

/** Local.  The slice is elements [begin, end). */
static inline void tutti_par_reducer_set_range(tutti_reducer *reducer, int64_t begin, int64_t end) {
  reducer->range = (tutti_slice_range){begin, end, 0};
  reducer->slice = (tutti_slice){&reducer->range, 1, end - begin};
}
