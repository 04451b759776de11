/* When a trial of a study saves its checkpoint: now and then by the clock, and when the job ends.  Most trials are so
 * short that they never do.  Whether a trial saves must not change its result.  after_step.c calls this. */
#include "base/clock.h"
#include "base/log.h"
#include "train/train_impl.h"

/** A trial goes on if its checkpoint cannot be written, because it may be done before it needs one. */
static tutti_status forgive(tutti_run *run, tutti_status status) {
  if (status == TUTTI_OK || status == TUTTI_ERR_MPI) return status;
  run->state.saved_at = tutti_clock_s();
  if (run->rank == 0)
    tutti_log(
        TUTTI_LOG_WARNING,
        "%s; the trial continues without a new checkpoint, and tries it again later: make sure that there is "
        "space",
        tutti_fail_text());
  return TUTTI_OK;
}

/** Save, unless the weights are not finite: the loss of the next step says so, as without a checkpoint. */
static tutti_status save(tutti_run *run, tutti_rundir_saver *saver) {
  bool finite = false;
  TUTTI_TRY(tutti_train_is_finite(run, &finite));
  return finite ? forgive(run, tutti_rundir_save(saver, false)) : TUTTI_OK;
}

/** Whether so much would be lost at the end of the job that a checkpoint is worth its time, by the clock of rank 0. */
static tutti_status is_worth_saving(const tutti_run *run, bool *worth) {
  static const double least_s = 1;
  *worth = tutti_clock_s() - run->state.saved_at >= least_s;
  return tutti_comm_bcast(run->comm, 0, worth, sizeof *worth);
}

tutti_status tutti_train_keep_trial(tutti_run *run, tutti_rundir_saver *saver,
                                    const tutti_train_step_result *step, tutti_train_result *result,
                                    bool *stopping) {
  bool saves = step->save;
  if (step->end && !saves) TUTTI_TRY(is_worth_saving(run, &saves));
  if (saves && saver) TUTTI_TRY(save(run, saver));
  *stopping = step->end;
  return step->end ? tutti_train_end_early(run, false, result) : TUTTI_OK;
}
