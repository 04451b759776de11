#pragma once
/** One step of a training. */
#include "run/run.h"

/** What one step was, reduced: equal on all ranks. */
typedef struct {
  double samples, loss, metric; // sums over the samples (the loss without the penalty)
  double penalty;
  bool finite; // false: the weights are as they were before the step
  bool save;   // a rank's clock asks for a checkpoint
} tutti_step_result;

/** Collective.  One update: update number state.step + 1, of batch state.step_in_epoch of epoch
 * state.epoch. */
TUTTI_NODISCARD
tutti_status tutti_train_step(tutti_run *run, tutti_step_result *result);

/** Collective.  Which layer's numbers went astray in the last step, as the end of a sentence: ", first in
 * layer dense"; "" where none is to blame. */
TUTTI_NODISCARD
tutti_status tutti_train_find_bad_layer(const tutti_run *run, char *text, size_t bytes);

/** Collective.  Whether all parameters are finite. */
TUTTI_NODISCARD
tutti_status tutti_train_is_finite(const tutti_run *run, bool *finite);
