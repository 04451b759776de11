#pragma once
#include "run/run.h"

/** Collective where batch_norm sums over ranks.  The gradients of this rank's leaves into the reducer, and
 * run->step.tail but for what does not come from the samples.  Where run->step.updated is true afterwards, the parameters are
 * updated already. */
TUTTI_NODISCARD
tutti_status tutti_train_gradients(tutti_run *run);
