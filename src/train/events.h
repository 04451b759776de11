#pragma once
/** What happens between two steps: rows, evaluations, checkpoints, and whether to go on.  Everything is
 * decided on reduced values and on counts, so that all ranks decide alike. */
#include "rundir/saver.h"
#include "train/step.h"
#include "tutti/train.h"

/** Local.  What a result tells before the end: the metric's name, and samples of an epoch. */
void tutti_train_result_init(const tutti_run *run, tutti_train_result *result);

/** Collective.  The loop of a training that has begun, and the evaluations at its end.
 * @param[in,out] result  as tutti_train_result_init has left it; the rest is set */
TUTTI_NODISCARD
tutti_status tutti_train_finish(tutti_run *run, tutti_saver *saver, tutti_train_result *result);

/** Collective.  After a step with a finite loss: count it, evaluate, log and save what is due.  Sets
 * result->stop and *stopping where the training is over. */
TUTTI_NODISCARD
tutti_status tutti_train_after_step(tutti_run *run, tutti_saver *saver, const tutti_step_result *step,
                                    double seconds, tutti_train_result *result, bool *stopping);

/** Collective.  The training has diverged: the reason, with step and layer, and the rows so far into
 * metrics.h5.
 * @param[in] what  "the loss is not finite at"
 * @param[in] at    number of that step, from 1 */
TUTTI_NODISCARD
tutti_status tutti_train_diverged(tutti_run *run, tutti_saver *saver, const char *what, int64_t at,
                                  tutti_train_result *result);
