#pragma once
/** The gain of a step with schedule.scaling: adascale.  Source: Johnson et al., "AdaScale SGD" (arXiv 2007.05105),
 * algorithm 1.  The learning rate of a step is that of the schedule times its gain, and the schedule advances by the
 * gain.  The gradient is that of the loss, before penalties, clipping and decay.  Without adascale these functions do
 * nothing. */
#include "run/run.h"

/** Local, by several threads, in the first pass over the slice.  Add the squares of elements [begin, begin + n) of the
 * flat buffer.
 * @param[in] grads  [n] */
void tutti_measure_gain_add(tutti_run *run, int64_t begin, int64_t n, const float *grads);

/** Collective, between that pass and the update.  Compute run->step.gain, equal on all ranks, and the averages that it
 * is made of. */
TUTTI_NODISCARD
tutti_status tutti_measure_gain_compute(tutti_run *run);
