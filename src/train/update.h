#pragma once
/** The update of this rank's slice of the parameters: after the reduction; or, where a rank is alone and so has all
 * there is to reduce, part by part during backward, when a part's gradient has just been written to the cache. */
#include "train/run.h"

enum {
  TUTTI_UPDATE_PART = 1 << 15
}; // elements: with two or three slots of the optimizer in the cache of a core

/** Collective where clipping or the rule wants norms.  After tutti_reducer_reduce. */
TUTTI_NODISCARD
tutti_status tutti_run_update(tutti_run *run);

/** Local.  Whether this step can be updated during backward: no other rank has a part in it, no norm is
 * wanted, nothing has failed and the loss is finite.
 * @param[in] loss  sum over all samples */
bool tutti_run_may_update_early(const tutti_run *run, double loss);

/** Local.  Begin; parts, which together are all parameters, in any order; then those of run->late, after which
 * run->updated is true. */
void tutti_run_update_begin(tutti_run *run);
void tutti_run_update_part(tutti_run *run, int64_t begin, int64_t n, float *grads);
void tutti_run_update_late(tutti_run *run);
