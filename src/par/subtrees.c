/** Sums in the order of one binary tree over leaves.  A range of leaves is kept as the counts of its subtrees, as a
 * binary counter keeps its digits: equal neighbours are summed.  reducer_tree.c and tree_exchange.c call it. */
#include "par/subtrees_impl.h"

#include <stdbool.h>

#include "par/sums_impl.h"

tutti_subtrees tutti_par_subtrees_make(int begin) {
  return (tutti_subtrees){.end = begin};
}

/** Whether the last two are the children of one node. */
static bool has_pair(const tutti_subtrees *subtrees) {
  if (subtrees->n < 2) return false;
  const int *last = &subtrees->counts[subtrees->n - 1];
  const int64_t both = 2 * (int64_t)last[0];
  return last[-1] == last[0] && (subtrees->end - both) % both == 0;
}

int tutti_par_subtrees_grow(tutti_subtrees *subtrees, int count) {
  TUTTI_ASSERT(subtrees->n < TUTTI_MAX_SUBTREES && subtrees->end % count == 0);
  int n_before = 0;
  subtrees->counts[subtrees->n++] = count;
  subtrees->end += count;
  // As in a binary counter: the new subtree may complete a larger one, which may complete the next.
  for (; has_pair(subtrees); n_before++) subtrees->counts[--subtrees->n - 1] *= 2;
  return n_before;
}

tutti_status tutti_par_fold_create(int begin, int capacity, tutti_fold *fold) {
  *fold = (tutti_fold){.subtrees = tutti_par_subtrees_make(begin), .capacity = capacity};
  return TUTTI_NEW(fold->n_before, capacity);
}

void tutti_par_fold_destroy(tutti_fold *fold) {
  tutti_free(fold->n_before);
  fold->n_before = NULL;
}

void tutti_par_fold_add(tutti_fold *fold, int count) {
  TUTTI_ASSERT(fold->n < fold->capacity);
  fold->n_before[fold->n++] = (uint8_t)tutti_par_subtrees_grow(&fold->subtrees, count);
}

/** Sums of the first n_folded sources as far as the tree allows, then the others as they are; how many. */
static int fold_first(const tutti_fold *fold, int n_folded, const float *const *sources, int64_t at,
                      int64_t count, float *work, const float **sums) {
  int n = 0;
  for (int k = 0; k < fold->n; k++) {
    sums[n++] = sources[k] + at;
    const int n_before = k < n_folded ? fold->n_before[k] : 0;
    if (n_before == 0) continue;
    n -= n_before;
    float *sum = work + (int64_t)(n - 1) * TUTTI_FOLD_BLOCK;
    tutti_par_sum_sources(sums + n - 1, n_before + 1, 0, count, sum);
    sums[n - 1] = sum;
  }
  return n;
}

void tutti_par_fold_subtrees(const tutti_fold *fold, const float *const *sources, int64_t at, int64_t count,
                             float *work, const float *sums[TUTTI_MAX_SUBTREES]) {
  TUTTI_ASSERT(count <= TUTTI_FOLD_BLOCK);
  fold_first(fold, fold->n, sources, at, count, work, sums);
}

/** In the tree, what is left at the end is summed from the right, with nothing where leaves are not there; so is the
 * last source with those before it. */
void tutti_par_fold_all(const tutti_fold *fold, const float *const *sources, int64_t at, int64_t count,
                        float *sum) {
  float work[TUTTI_FOLD_WORK];
  const float *sums[TUTTI_MAX_SUBTREES];
  for (int64_t done = 0; done < count; done += TUTTI_FOLD_BLOCK) {
    const int64_t left = count - done, n = left < TUTTI_FOLD_BLOCK ? left : TUTTI_FOLD_BLOCK;
    const int n_sums = fold_first(fold, fold->n - 1, sources, at + done, n, work, sums);
    tutti_par_sum_sources(sums, n_sums, 0, n, sum + done);
  }
}
