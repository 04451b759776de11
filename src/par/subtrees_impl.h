#pragma once
/** One binary tree over leaves 0, 1, ..., and sums in its order.  Local.
 *
 * The tree is that of the next power of two, without the leaves that do not exist: a node is the sum of its two
 * children, left + right, or the left child alone if the right one has no leaf.  A *subtree* is 2^k leaves from a
 * multiple of 2^k on.  A range of leaves falls into subtrees, the largest possible ones, in one way; two neighbours
 * that are the children of one node are summed as soon as both are there. */
#include "tutti/base.h"

/** Subtrees of a range, at most: two of each size. */
enum { TUTTI_MAX_SUBTREES = 64 };

/** The subtrees that a growing range of leaves falls into. */
typedef struct {
  int end, n;
  int counts[TUTTI_MAX_SUBTREES]; // [n] leaves of each, from the first to the last
} tutti_subtrees;

/** The empty range that begins at leaf `begin`. */
tutti_subtrees tutti_par_subtrees_make(int begin);

/** The range grows by a subtree of `count` leaves, which becomes the last one.
 * @return how many of those before it are then summed with it, one after another from the right */
int tutti_par_subtrees_grow(tutti_subtrees *subtrees, int count);

/** A plan for summing sources, each the sum over a subtree, in the order of their leaves. */
typedef struct {
  tutti_subtrees subtrees; // of the sources so far
  int n, capacity;         // sources
  uint8_t *n_before;       // [capacity], owned: what is summed with a source, see tutti_par_subtrees_grow
} tutti_fold;

/** For up to `capacity` sources, from leaf `begin` on.  @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_par_fold_create(int begin, int capacity, tutti_fold *fold);
void tutti_par_fold_destroy(tutti_fold *fold);

/** The next source: the sum over a subtree of `count` leaves. */
void tutti_par_fold_add(tutti_fold *fold, int count);

/** Elements that are folded at once, at most, and floats of scratch memory for them: it fits on the stack of a thread,
 * and only as much is touched as the sources need. */
enum { TUTTI_FOLD_BLOCK = TUTTI_BLOCK / 4, TUTTI_FOLD_WORK = TUTTI_MAX_SUBTREES * TUTTI_FOLD_BLOCK };

/** The sums over the range's subtrees, the first fold->subtrees.n of sums, of elements [at, at + count) of sources[n]:
 * at most TUTTI_FOLD_BLOCK, in one of the sources or in `work`. */
void tutti_par_fold_subtrees(const tutti_fold *fold, const float *const *sources, int64_t at, int64_t count,
                             float *work, const float *sums[TUTTI_MAX_SUBTREES]);

/** sum[count] = the sum over all leaves, in the tree's order, of elements [at, at + count) of sources[n], n >= 1; `sum`
 * may be these elements of one source.  The range begins at leaf 0 and ends at the last one. */
void tutti_par_fold_all(const tutti_fold *fold, const float *const *sources, int64_t at, int64_t count,
                        float *sum);
