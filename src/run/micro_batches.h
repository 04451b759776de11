#pragma once
/** How one rank's leaves of a global batch go through the network.  Local, pure. */
#include "run/plan.h"

/** A micro-batch: several leaves, or a part of one. */
typedef struct {
  int leaf, n_leaves; // [leaf, leaf + n_leaves)
  tutti_range rows;   // positions in the epoch
  bool begins, ends;  // with the leaves' first rows, with their last
} tutti_pass;

/** In front of the first micro-batch of leaves from `first` on. */
tutti_pass tutti_pass_before(int first);

/** On to the next micro-batch of the leaves before `end`: as many of them as it holds, at least one.  A leaf
 * of more rows takes several, one without any an empty one.
 * @param[out] leaf_ends  [n_leaves] the row behind each leaf's last one here
 * @return false: there is none */
bool tutti_pass_next(const tutti_plan *plan, tutti_range batch, int64_t grain, int end, tutti_pass *pass,
                     int64_t *leaf_ends);
