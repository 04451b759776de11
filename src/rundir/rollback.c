/** A run that has diverged goes back to its last checkpoint, with a smaller learning rate (run.on_divergence).  It is a
 * resume within the process: state, rows and arrays come from the file, so the bits do not depend on how often the run
 * was interrupted.  The loop in train calls it. */
#include "base/log.h"
#include "measure/average.h"
#include "rundir/resume_impl.h"
#include "rundir/rundir_impl.h"

tutti_status tutti_rundir_save_first(tutti_rundir_saver *saver) {
  if (saver->has_saved) return TUTTI_OK;
  // The average of the weights is a part of a checkpoint, and before the first step it is not set yet.
  if (saver->run->state.at.step == 0) tutti_measure_average_begin(saver->run);
  return tutti_rundir_save(saver, false);
}

/** On rank 0: read the last checkpoint into the buffers and the run.
 * @param[out] start  for all ranks; chosen->path belongs to the caller */
static tutti_status load(tutti_rundir_saver *saver, tutti_rundir_choice *chosen, tutti_rundir_found *start) {
  TUTTI_TRY(tutti_checkpoint_find(saver->run->config->run.directory, &chosen->path));
  TUTTI_CHECK(chosen->path, TUTTI_ERR_MISSING, "%s: there is no checkpoint to go back to",
              saver->run->config->run.directory);
  return tutti_rundir_load(saver, chosen, start);
}

/** On rank 0: drop the rows behind the checkpoint.  Those in metrics.h5 go with the next flush, so that a full disk does
 * not end the training. */
static void rewind_rows(tutti_rundir_saver *saver, int64_t from, double factor) {
  tutti_run *run = saver->run;
  tutti_run_rows *rows = &run->state.rows;
  while (rows->steps.n > 0 &&
         tutti_metrics_record(&rows->steps, rows->steps.n - 1)->step > run->state.at.step)
    rows->steps.n--;
  // An earlier rollback whose rows could not be removed yet may have gone back further.
  const int64_t step = run->state.at.step, earlier = saver->rewinds ? saver->rollback.to_step : step;
  saver->rewinds = true;
  saver->rollback = (tutti_rollback_row){from, earlier < step ? earlier : step, factor};
}

/** All ranks take over what rank 0 has found. */
static tutti_status take(tutti_rundir_saver *saver, const tutti_rundir_found *start) {
  tutti_run *run = saver->run;
  run->state.at = start->state;
  TUTTI_TRY(tutti_run_schedule(run));
  run->state.rows.last = start->last;
  run->state.rows.average.now = start->average;
  run->state.rows.training.now = start->training;
  run->state.rows.n_flushed = 0;
  saver->best_waits = false;
  TUTTI_TRY(tutti_rundir_distribute(saver, true));
  return tutti_run_check_same(run);
}

tutti_status tutti_rundir_go_back(tutti_rundir_saver *saver) {
  tutti_run *run = saver->run;
  const bool root = run->rank == 0;
  const int64_t from = run->state.at.step, done = run->state.at.rollbacks;
  const double factor = run->state.at.rate_factor > 0 ? run->state.at.rate_factor : 1;
  tutti_rundir_choice chosen = {0};
  tutti_rundir_found start = {0};
  TUTTI_TRY(tutti_rundir_wait(saver));
  TUTTI_TRY(tutti_rundir_write_gathered(saver));
  tutti_status status = tutti_comm_agree_from(run->comm, 0, root ? load(saver, &chosen, &start) : TUTTI_OK);
  tutti_free(chosen.path);
  TUTTI_TRY(status);
  TUTTI_TRY(tutti_comm_bcast(run->comm, 0, &start, sizeof start));
  // Counted from what has happened, because the file may be from before an earlier rollback.
  start.state.rollbacks = done + 1;
  start.state.rate_factor = factor * run->config->run.rollback_factor;
  TUTTI_TRY(take(saver, &start));
  if (root) rewind_rows(saver, from, start.state.rate_factor);
  return tutti_rundir_save(saver, false);
}
