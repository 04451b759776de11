/** How a run is saved, and what happens if that fails.
 *
 * A crash between any two writes must leave a directory that a run can continue from, so the order is: rows into
 * metrics.h5, then best.h5, then checkpoint.h5.  Rows behind the last checkpoint are removed when a run resumes, while
 * missing rows could not be restored; and a checkpoint that knows a best value never stands beside an older best.h5.
 * Each file is replaced as a whole (io, checkpoint/rotate.c).
 *
 * A failure ends a run only if it has not saved before.  Otherwise the training goes on: the weights are in memory, and
 * a full disk may have room again later.  The loop in train calls it. */
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "rundir/rundir_impl.h"

// --- one attempt -------------------------------------------------------------------------------------------------

/** On rank 0: the network of best.h5 is the one with the best value: the average of the weights, if that is
 * monitored. */
static tutti_status write_best(tutti_rundir_saver *saver) {
  TUTTI_TRY(tutti_rundir_keep_folder(saver));
  return tutti_rundir_write(saver, saver->best_path, 1, saver->copy.is_averaged);
}

/** On rank 0: write the files.  The first checkpoint of a run that starts from scratch replaces all that an earlier run
 * has left (keep = 1), and only then its best.h5 goes. */
static tutti_status write_files(tutti_rundir_saver *saver, bool best) {
  const int64_t keep = saver->run->config->run.keep;
  TUTTI_TRY(tutti_rundir_keep_folder(saver));
  if (best) TUTTI_TRY(write_best(saver));
  TUTTI_TRY(tutti_rundir_write(saver, saver->checkpoint_path, saver->replaces ? 1 : keep, false));
  if (saver->drops_best && !best) remove(saver->best_path);
  saver->replaces = saver->drops_best = false;
  if (!saver->has_config) TUTTI_TRY(tutti_io_write_text(saver->config_path, saver->config));
  saver->has_config = true;
  return TUTTI_OK;
}

/** Collective.  A best network that could not be written is written first, because gathering replaces it. */
static tutti_status write_checkpoint(tutti_rundir_saver *saver, bool best) {
  tutti_run *run = saver->run;
  const bool root = run->rank == 0;
  if (saver->best_waits && !best)
    TUTTI_TRY(tutti_comm_agree_from(run->comm, 0, root ? write_best(saver) : TUTTI_OK));
  saver->best_waits = best;
  TUTTI_TRY(tutti_rundir_gather(saver));
  TUTTI_TRY(tutti_comm_agree_from(run->comm, 0, root ? write_files(saver, best) : TUTTI_OK));
  saver->best_waits = false;
  saver->saved_step = run->state.at.step;
  return TUTTI_OK;
}

// --- failures ----------------------------------------------------------------------------------------------------

static void note(tutti_rundir_saver *saver, tutti_rundir_part part, tutti_status status) {
  tutti_rundir_failure *failure = &saver->failures[part];
  failure->status = status;
  snprintf(failure->text, sizeof failure->text, "%s", status == TUTTI_OK ? "" : tutti_fail_text());
}

/** The failure that matters most; NULL: none. */
static const tutti_rundir_failure *failure_of(const tutti_rundir_saver *saver) {
  const tutti_rundir_failure *rows = &saver->failures[TUTTI_RUNDIR_ROWS],
                             *checkpoint = &saver->failures[TUTTI_RUNDIR_CHECKPOINT];
  if (checkpoint->status != TUTTI_OK) return checkpoint;
  return rows->status != TUTTI_OK ? rows : NULL;
}

/** Report the first failure, and the end of failures.  The pause before the next attempt doubles each time, because a
 * disk that is full for hours should not cost much. */
static void look_at_failures(tutti_rundir_saver *saver) {
  static const double first_pause_s = 10, longest_pause_s = 600;
  tutti_run *run = saver->run;
  const char *directory = run->config->run.directory;
  const tutti_rundir_failure *failure = failure_of(saver);
  if (failure && saver->pause == 0)
    tutti_log_root(
        TUTTI_LOG_WARNING,
        "not saved after step %lld: %s; the training goes on, and tries again at the next checkpoint "
        "and after %g, %g, ... seconds",
        (long long)run->state.at.step, failure->text, first_pause_s, 2 * first_pause_s);
  if (!failure && saver->pause > 0)
    tutti_log_root(TUTTI_LOG_INFO, "%s: saved again, after step %lld", directory,
                   (long long)run->state.at.step);
  saver->pause = failure ? fmin(fmax(2 * saver->pause, first_pause_s), longest_pause_s) : 0;
  run->state.retry_at = failure ? tutti_clock_s() + saver->pause : 0;
}

// --- public ------------------------------------------------------------------------------------------------------

tutti_status tutti_rundir_save(tutti_rundir_saver *saver, bool best) {
  if (!saver) return TUTTI_OK;
  tutti_run *run = saver->run;
  const double start = tutti_clock_s();
  TUTTI_TRY(tutti_rundir_saver_complete(saver));
  saver->waits = false;
  // Even without its rows a checkpoint is worth more than none.
  tutti_status status = tutti_rundir_write_rows(saver);
  if (status == TUTTI_ERR_MPI || (status != TUTTI_OK && !saver->has_saved)) return status;
  note(saver, TUTTI_RUNDIR_ROWS, status);
  tutti_metrics_phases_enter(&run->state.phases, TUTTI_PHASE_SAVE);
  status = write_checkpoint(saver, best);
  tutti_metrics_phases_leave(&run->state.phases);
  if (status == TUTTI_ERR_MPI || (status != TUTTI_OK && !saver->has_saved)) return status;
  note(saver, TUTTI_RUNDIR_CHECKPOINT, status);
  run->state.saved_at = tutti_clock_s(); // also after a failure: retry_at tells when to try again
  if (status == TUTTI_OK)
    run->state.longest_save = fmax(run->state.longest_save, run->state.saved_at - start);
  saver->has_saved = true;
  look_at_failures(saver);
  return TUTTI_OK;
}

tutti_status tutti_rundir_flush(tutti_rundir_saver *saver) {
  if (!saver || saver->late) return TUTTI_OK;
  const bool failed = failure_of(saver) != NULL;
  const tutti_status status = tutti_rundir_write_rows(saver);
  if (status == TUTTI_ERR_MPI || (status != TUTTI_OK && !saver->has_saved)) return status;
  note(saver, TUTTI_RUNDIR_ROWS, status);
  if (!failed && status != TUTTI_OK) look_at_failures(saver);
  return TUTTI_OK;
}

tutti_status tutti_rundir_finish(tutti_rundir_saver *saver, bool saves) {
  if (!saver || !failure_of(saver)) return TUTTI_OK;
  TUTTI_TRY(saves ? tutti_rundir_save(saver, false) : tutti_rundir_flush(saver));
  const tutti_rundir_failure *failure = failure_of(saver);
  if (!failure) return TUTTI_OK;
  TUTTI_CHECK(failure == &saver->failures[TUTTI_RUNDIR_ROWS], failure->status,
              "%s; the training has reached step %lld, and what is saved is of step %lld: the same command "
              "continues from there",
              failure->text, (long long)saver->run->state.at.step, (long long)saver->saved_step);
  TUTTI_FAIL(failure->status, "%s; the last rows are missing there, the checkpoint is complete",
             failure->text);
}
