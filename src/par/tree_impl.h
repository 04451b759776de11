#pragma once
/** Inside of the tree reducer: the leaves that a rank owns, and where their sums lie. */
#include "par/node_impl.h"
#include "par/slices_impl.h"
#include "par/subtrees_impl.h"

typedef struct tutti_tree_exchange tutti_tree_exchange;

/** Least elements of a part of a leaf: it is added to another leaf while it is still in the second-level cache of a core.
 * A part has up to twice as many, and kernels of more than 128 columns have larger parts (see model/dense.c). */
enum { TUTTI_TREE_PART = 1 << 15 };

/** The leaves are divided among the ranks by their places, in the order of (node, rank on it).  A rank keeps the sums
 * over the subtrees of its own leaves in *slots*, [n_slots, stride] floats.  The slots that are left in the end are
 * shared with the node. */
typedef struct {
  int *places; // [n_nodes + 1] of the nodes' first ranks; how many ranks there are

  int64_t stride;        // of slots, whole cache lines
  int n_shared, n_slots; // slots in the window, and in all
  uint8_t *slots;        // [own leaves] where a leaf's gradient is written
  uint8_t *n_before;     // [own leaves] how many slots before it are then summed with it
  tutti_window *window;  // the ranks' first n_shared slots
  float *others;         // [n_slots - n_shared, stride], owned

  tutti_fold fold;               // over all shared slots of the node's ranks
  const float **sources;         // [fold.n] these slots
  float *only;                   // the only one of them; NULL: there are several
  float *digits, *all_digits;    // [n_digits] of the tail, over the node and over all
  float *result;                 // [elements of the slice]; NULL: the slice is summed in the first own slot
  tutti_tree_exchange *exchange; // NULL on a single node
} tutti_tree;

/** Local.  The first leaf of the rank at a place; its leaves end at those of the next place. */
static inline int tutti_tree_first_leaf(const tutti_reducer *reducer, int place) {
  return tutti_par_part_begin(reducer->n_leaves, place, reducer->comm->size);
}

/** Local.  The subtrees of the leaves of the ranks at places [place, end_place).  Each rank can compute those of all
 * ranks, without communication. */
static inline tutti_subtrees tutti_tree_subtrees(const tutti_reducer *reducer, int place, int end_place) {
  tutti_subtrees subtrees = tutti_par_subtrees_make(tutti_tree_first_leaf(reducer, place));
  while (subtrees.end < tutti_tree_first_leaf(reducer, end_place)) tutti_par_subtrees_grow(&subtrees, 1);
  return subtrees;
}

/** Local.  The messages between the owners of a slice, and memory for them.  The caller agrees on a failure. */
TUTTI_NODISCARD
tutti_status tutti_par_tree_exchange_create(const tutti_reducer *reducer, tutti_tree_exchange **exchange);
void tutti_par_tree_exchange_destroy(tutti_tree_exchange **exchange);

/** Collective over the owners of own slice k: its sums over all nodes into tree->result. */
TUTTI_NODISCARD
tutti_status tutti_par_tree_exchange_slice(const tutti_reducer *reducer, int k);
