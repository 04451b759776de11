#pragma once
/** Inside of the reducers: an implementation is a table of operations.  Each operation keeps the promise of the
 * function of the same name in tutti/par.h.  leaf_done, sum_slices and publish may be NULL, if there is nothing to
 * do; n_sources, if it is 1. */
#include "tutti/par.h"

typedef struct {
  const char *name;
  /** Collective.  Sets params, begin, end and data.  A failure is agreed on.  The caller destroys, also after a
   * failure. */
  tutti_status (*create)(tutti_reducer *reducer);
  /** Collective. */
  void (*destroy)(tutti_reducer *reducer);
  float *(*leaf)(tutti_reducer *reducer, int leaf);
  void (*leaf_done)(tutti_reducer *reducer, int leaf, int64_t begin, int64_t count);
  tutti_status (*reduce)(tutti_reducer *reducer, double (*tail)[TUTTI_N_TAIL]);
  float *(*gradient)(tutti_reducer *reducer, int64_t at, int64_t count);
  int (*n_sources)(const tutti_reducer *reducer);
  tutti_status (*sum_slices)(const tutti_reducer *reducer, double *values, int64_t n);
  tutti_status (*publish)(tutti_reducer *reducer);
  tutti_status (*gather)(const tutti_reducer *reducer, const float *slice, float *whole);
  tutti_status (*scatter)(const tutti_reducer *reducer, const float *whole, float *slice);
} tutti_reducer_ops;

struct tutti_reducer {
  const tutti_reducer_ops *ops;
  const tutti_comm *comm; // borrowed
  int64_t n;
  int n_leaves, first_leaf, n_own_leaves;
  float *params;           // [n], owned by the implementation
  int64_t begin, end;      // the slice
  int piece;               // elements of one message at most
  struct tutti_node *node; // NULL for flat; see node_impl.h
  void *data;              // the implementation's own
};

extern const tutti_reducer_ops tutti_reducer_flat, tutti_reducer_shared, tutti_reducer_tree;
