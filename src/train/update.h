#pragma once
/** The update of this rank's slice of the parameters: after the reduction; or, where a rank is alone and so has all
 * there is to reduce, part by part during backward, when a part's gradient has just been written to the cache. */
#include "run/run.h"

enum {
  /** Elements of a part that is used as soon as it is complete: its gradient, its parameters and two or three slots of the
   * optimizer lie in the second cache of a core together (0.6 MB).  Kernels of more than 128 columns have larger parts
   * (see dense.c), of which the cache still holds the gradient alone; the parameters and the slots come from
   * further away in any case, because a step reads each of them once. */
  TUTTI_UPDATE_PART = 1 << 15,
  /** Elements of the largest part that has a buffer of its own, 4 MB: the next part overwrites it before it is written
   * back to memory.  A larger gradient fits no cache of one core. */
  TUTTI_UPDATE_BUFFER = 1 << 20,
};

/** Collective where clipping or the rule wants norms.  After tutti_reducer_reduce. */
TUTTI_NODISCARD
tutti_status tutti_train_update(tutti_run *run);

/** Local.  Whether this step can be updated during backward: no other rank has a part in it, no norm is
 * wanted, nothing has failed and the loss is finite.
 * @param[in] loss  sum over all samples */
bool tutti_train_may_update_early(const tutti_run *run, double loss);

/** Local.  Begin; parts, which together are all parameters, in any order; then those of run->step.late, after which
 * run->step.updated is true. */
void tutti_train_update_begin(tutti_run *run);
void tutti_train_update_part(tutti_run *run, int64_t begin, int64_t n, float *grads);
void tutti_train_update_late(tutti_run *run);
