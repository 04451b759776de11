/** How a run is saved, and what happens if that fails.
 *
 * A crash between any two writes must leave a directory that a run can continue from, so the order is: rows into
 * metrics.h5, then best.h5, then checkpoint.h5.  Rows behind the last checkpoint are removed when a run resumes, while
 * missing rows could not be restored; and a checkpoint that knows a best value never stands beside an older best.h5.
 * Each file is replaced as a whole (io, checkpoint/rotate.c).
 *
 * The ranks go on when the content of a checkpoint is gathered; a thread of rank 0 writes it beside the training (writer.c).
 * Before the next save they learn how that went.
 *
 * A failure ends a run only if it has not saved before.  Otherwise the training goes on: the weights are in memory, and
 * a full disk may have room again later.  The loop in train calls it. */
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "rundir/rundir_impl.h"

// --- failures ----------------------------------------------------------------------------------------------------

/** Note how an attempt went.
 * @return the status if it ends the training: after an error of MPI, or if nothing has been saved before */
static tutti_status note(tutti_rundir_saver *saver, tutti_rundir_part part, tutti_status status) {
  tutti_rundir_failure *failure = &saver->failures[part];
  if (status == TUTTI_ERR_MPI || (status != TUTTI_OK && !saver->has_saved)) return status;
  failure->status = status;
  snprintf(failure->text, sizeof failure->text, "%s", status == TUTTI_OK ? "" : tutti_fail_text());
  return TUTTI_OK;
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
  saver->retry_at = failure ? tutti_clock_s() + saver->pause : 0;
}

// --- one attempt -------------------------------------------------------------------------------------------------

/** Whether a checkpoint may be written beside the training: not the first one, whose failure ends the run, and not after
 * a failure, which is then told at once.  A trial writes before it goes on, because its study writes files as well.
 * Equal on all ranks. */
static bool may_write_beside(const tutti_rundir_saver *saver) {
  return saver->has_saved && !failure_of(saver) && !saver->run->keeps_no_rows;
}

static void note_saved(tutti_rundir_saver *saver) {
  saver->best_waits = false;
  saver->saved_step = saver->gathered_step;
}

/** On rank 0: write what was gathered, or let the writer begin with it. */
static tutti_status write_root(tutti_rundir_saver *saver, bool best) {
  TUTTI_TRY(tutti_rundir_keep_folder(saver));
  saver->writer.seconds = 0;
  const bool beside = saver->is_writing && saver->rest.history && tutti_rundir_writer_start(saver, best);
  return beside ? TUTTI_OK : tutti_rundir_write_files(saver, best);
}

static tutti_status write_rows(tutti_rundir_saver *saver) {
  saver->rows_wait = false;
  return note(saver, TUTTI_RUNDIR_ROWS, tutti_rundir_write_rows(saver));
}

static tutti_status write_waiting_best(tutti_rundir_saver *saver) {
  TUTTI_TRY(tutti_rundir_keep_folder(saver));
  return tutti_rundir_write_best(saver);
}

/** Collective.  A best network that could not be written is written first, because gathering replaces it. */
static tutti_status write_checkpoint(tutti_rundir_saver *saver, bool best) {
  tutti_run *run = saver->run;
  const bool root = run->rank == 0;
  if (saver->best_waits && !best)
    TUTTI_TRY(tutti_comm_agree_from(run->comm, 0, root ? write_waiting_best(saver) : TUTTI_OK));
  saver->best_waits = best;
  TUTTI_TRY(tutti_rundir_gather(saver));
  saver->is_writing = may_write_beside(saver);
  const tutti_status status = tutti_comm_agree_from(run->comm, 0, root ? write_root(saver, best) : TUTTI_OK);
  if (status != TUTTI_OK)
    saver->is_writing = false;
  else if (!saver->is_writing)
    note_saved(saver);
  return status;
}

// --- public ------------------------------------------------------------------------------------------------------

tutti_status tutti_rundir_write_gathered(tutti_rundir_saver *saver) {
  tutti_run *run = saver->run;
  if (saver->failures[TUTTI_RUNDIR_CHECKPOINT].status == TUTTI_OK ||
      saver->gathered_step <= saver->saved_step)
    return TUTTI_OK;
  const tutti_status local = run->rank == 0 ? write_root(saver, saver->best_waits) : TUTTI_OK;
  const tutti_status status = tutti_comm_agree_from(run->comm, 0, local);
  TUTTI_TRY(note(saver, TUTTI_RUNDIR_CHECKPOINT, status));
  if (status == TUTTI_OK) note_saved(saver);
  return TUTTI_OK;
}

// A failure may be over, and the buffers still have the state, so it is written once more before anything is told.
tutti_status tutti_rundir_wait(tutti_rundir_saver *saver) {
  if (!saver || !saver->is_writing) return TUTTI_OK;
  tutti_run *run = saver->run;
  tutti_metrics_phases_enter(&run->state.phases, TUTTI_PHASE_SAVE);
  const tutti_status local = run->rank == 0 ? tutti_rundir_writer_wait(saver) : TUTTI_OK;
  const tutti_status status = tutti_comm_agree_from(run->comm, 0, local);
  tutti_metrics_phases_leave(&run->state.phases);
  TUTTI_TRY(note(saver, TUTTI_RUNDIR_CHECKPOINT, status));
  saver->is_writing = false;
  if (status == TUTTI_OK) {
    run->state.longest_save = fmax(run->state.longest_save, saver->kept_s + saver->writer.seconds);
    note_saved(saver);
  } else {
    TUTTI_TRY(tutti_rundir_write_gathered(saver));
  }
  if (saver->failures[TUTTI_RUNDIR_CHECKPOINT].status != TUTTI_OK) look_at_failures(saver);
  return TUTTI_OK;
}

bool tutti_rundir_has_failed(const tutti_rundir_saver *saver) {
  return saver && tutti_rundir_writer_has_failed(&saver->writer);
}

tutti_status tutti_rundir_keep_copy(tutti_rundir_saver *saver) {
  TUTTI_TRY(tutti_rundir_wait(saver));
  // The buffers may still have the best network, which could not be written yet.
  return saver->best_waits ? TUTTI_OK : tutti_rundir_rescue_copy(saver);
}

bool tutti_rundir_asks(const tutti_rundir_saver *saver) {
  if (!saver || saver->run->rank != 0) return false;
  return saver->retry_at > 0 && tutti_clock_s() >= saver->retry_at;
}

tutti_status tutti_rundir_save(tutti_rundir_saver *saver, bool best) {
  if (!saver) return TUTTI_OK;
  tutti_run *run = saver->run;
  TUTTI_TRY(tutti_rundir_wait(saver));
  const double start = tutti_clock_s();
  TUTTI_TRY(tutti_rundir_saver_complete(saver));
  saver->waits = false;
  // Even without its rows a checkpoint is worth more than none.
  TUTTI_TRY(write_rows(saver));
  tutti_metrics_phases_enter(&run->state.phases, TUTTI_PHASE_SAVE);
  const tutti_status status = write_checkpoint(saver, best);
  tutti_metrics_phases_leave(&run->state.phases);
  TUTTI_TRY(note(saver, TUTTI_RUNDIR_CHECKPOINT, status));
  run->state.saved_at = tutti_clock_s(); // also after a failure: retry_at tells when to try again
  saver->kept_s = run->state.saved_at - start;
  if (status == TUTTI_OK && !saver->is_writing)
    run->state.longest_save = fmax(run->state.longest_save, saver->kept_s);
  saver->has_saved = true;
  look_at_failures(saver);
  return TUTTI_OK;
}

/** Rows in metrics.h5 can wait, but the ranks should not: whether a checkpoint is still being written, as rank 0 sees
 * it. */
static tutti_status is_busy(const tutti_rundir_saver *saver, bool *busy) {
  *busy = tutti_rundir_writer_is_busy(&saver->writer);
  return saver->is_writing ? tutti_comm_bcast(saver->run->comm, 0, busy, sizeof *busy) : TUTTI_OK;
}

/** Collective.  Write the rows now. */
static tutti_status flush(tutti_rundir_saver *saver) {
  TUTTI_TRY(tutti_rundir_wait(saver));
  const bool failed = failure_of(saver) != NULL;
  TUTTI_TRY(write_rows(saver));
  if (!failed && failure_of(saver)) look_at_failures(saver);
  return TUTTI_OK;
}

tutti_status tutti_rundir_flush(tutti_rundir_saver *saver) {
  if (!saver || saver->late) return TUTTI_OK;
  TUTTI_TRY(is_busy(saver, &saver->rows_wait));
  return saver->rows_wait ? TUTTI_OK : flush(saver);
}

tutti_status tutti_rundir_finish(tutti_rundir_saver *saver, bool saves) {
  if (!saver) return TUTTI_OK;
  TUTTI_TRY(tutti_rundir_wait(saver));
  if (saver->rows_wait) TUTTI_TRY(flush(saver));
  if (!failure_of(saver)) return TUTTI_OK;
  if (!saves) TUTTI_TRY(tutti_rundir_write_gathered(saver));
  TUTTI_TRY(saves ? tutti_rundir_save(saver, false) : flush(saver));
  const tutti_rundir_failure *failure = failure_of(saver);
  if (!failure) return TUTTI_OK;
  TUTTI_CHECK(failure == &saver->failures[TUTTI_RUNDIR_ROWS], failure->status,
              "%s; the training has reached step %lld, and what is saved is of step %lld: the same command "
              "continues from there",
              failure->text, (long long)saver->run->state.at.step, (long long)saver->saved_step);
  TUTTI_FAIL(failure->status, "%s; the last rows are missing there, the checkpoint is complete",
             failure->text);
}
