#pragma once
/** schedule.scaling adascale: Johnson et al., "AdaScale SGD" (arXiv 2007.05105), algorithm 1.  A step's rate is that of
 * the schedule times its gain, and the schedule goes on by the gain.  The gradient is that of the loss, before
 * penalties, clipping and decay.  Where another scaling is in use, or none, each of these functions returns at once. */
#include "run/run.h"

/** Local, by several threads, in the first pass.  The gradient of elements [first, first + n) of the slice. */
void tutti_gain_see(tutti_run *run, int64_t first, int64_t n, const float *grads);

/** Collective, between that pass and the update.  run->step.gain, equal on all ranks, and the averages that it is made of. */
TUTTI_NODISCARD
tutti_status tutti_gain_find(tutti_run *run);
