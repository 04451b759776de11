/** A copy of the training in memory that is current, for runs whose steps are long.
 *
 * After SIGTERM a launcher leaves about a second (Open MPI 4) or a quarter of one (Open MPI 5).  A run whose steps are
 * shorter ends its step and saves (save.c).  If they are longer, the ranks gather the content of a checkpoint after a
 * step, so seldom that it costs little.  A thread of rank 0 looks for a signal, and writes this copy while the step
 * goes on.
 *
 * Rows, buffers and files belong to the main thread, except while it computes a step or an evaluation.  The loop in
 * train calls this. */
#define _POSIX_C_SOURCE 200809L // nanosleep
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/thread.h"
#include "rundir/rundir_impl.h"

/** A step that is longer than this may not end before the launcher kills the ranks.  A step that ends within this time
 * saves by itself. */
static const double LONG_STEP_S = 0.1;

/** The part of the time that the copies may cost. */
static const double COST_PART = 0.01;

/** A guess for the first copy. */
static const double BYTES_PER_S = 4e9;

// --- the thread of rank 0 ----------------------------------------------------------------------------------------

/** Whether the copy is not saved, and the writer does not work on it. */
static bool is_unsaved(const tutti_rundir_saver *saver) {
  const tutti_rundir_writer *writer = &saver->writer;
  return saver->gathered_step > saver->saved_step &&
         (!writer->runs || tutti_rundir_writer_has_failed(writer));
}

/** Even without its rows a checkpoint is worth more than none. */
static tutti_status write_copy(tutti_rundir_saver *saver) {
  if (tutti_rundir_write_rows_root(saver) != TUTTI_OK) tutti_log(TUTTI_LOG_WARNING, "%s", tutti_fail_text());
  TUTTI_TRY(tutti_rundir_write_files(saver, saver->best_waits));
  saver->rescue.wrote = saver->gathered_step;
  return TUTTI_OK;
}

static void tell(const tutti_rundir_saver *saver, const char *signal, tutti_status status) {
  const long long step = saver->gathered_step;
  if (status != TUTTI_OK)
    tutti_log(TUTTI_LOG_WARNING,
              "%s was received during a long step: the state after step %lld is not saved: %s", signal, step,
              tutti_fail_text());
  else if (saver->rescue.wrote == step)
    tutti_log(
        TUTTI_LOG_INFO,
        "%s was received during a long step: the state after step %lld is saved in %s; the same command "
        "continues from there",
        signal, step, saver->run->config->run.directory);
}

/** After SIGCONT the copy is saved without a word: the launcher of Open MPI 5 sends it before it ends the ranks. */
static void *look(void *context) {
  const struct timespec grace = {0, (long)(1e9 * LONG_STEP_S)};
  tutti_rundir_saver *saver = context;
  tutti_rundir_rescue *rescue = &saver->rescue;
  int signal = -1;
  while (signal < 0 && !atomic_load(&rescue->ends)) {
    if (tutti_signals_caught() < 0) tutti_signals_wait();
    signal = tutti_signals_caught();
    if (signal < 0 && !tutti_signals_continued()) continue;
    if (signal >= 0) nanosleep(&grace, NULL);
    pthread_mutex_lock(&rescue->files);
    if (!atomic_load(&rescue->ends)) {
      const tutti_status status = is_unsaved(saver) ? write_copy(saver) : TUTTI_OK;
      if (signal >= 0) tell(saver, tutti_signals_names[signal], status);
    }
    pthread_mutex_unlock(&rescue->files);
  }
  return NULL;
}

void tutti_rundir_rescue_end(tutti_rundir_saver *saver) {
  tutti_rundir_rescue *rescue = &saver->rescue;
  if (!rescue->runs) return;
  atomic_store(&rescue->ends, true);
  tutti_signals_wake();
  if (rescue->lent) tutti_rundir_take_back(saver); // after an error within a step
  pthread_mutex_unlock(&rescue->files);
  pthread_join(rescue->thread, NULL);
  pthread_mutex_destroy(&rescue->files);
  rescue->runs = false;
}

// --- the main thread ---------------------------------------------------------------------------------------------

void tutti_rundir_lend(tutti_rundir_saver *saver) {
  if (!saver) return;
  saver->rescue.lent = true;
  if (saver->rescue.copied_at == 0) saver->rescue.copied_at = tutti_clock_s(); // the training begins
  if (saver->rescue.runs) pthread_mutex_unlock(&saver->rescue.files);
}

void tutti_rundir_take_back(tutti_rundir_saver *saver) {
  if (!saver) return;
  tutti_rundir_rescue *rescue = &saver->rescue;
  if (rescue->runs) pthread_mutex_lock(&rescue->files);
  rescue->lent = false;
}

bool tutti_rundir_wants_copy(const tutti_rundir_saver *saver, double step_s) {
  if (!saver || saver->run->rank != 0 || saver->run->keeps_no_rows) return false;
  if (tutti_rundir_writer_is_busy(&saver->writer)) return false;
  const tutti_rundir_rescue *rescue = &saver->rescue;
  const double arrays = 1 + tutti_optim_n_slots(saver->run->optim);
  const double guess =
      arrays * (double)tutti_model_n_params(saver->run->network.model) * sizeof(float) / BYTES_PER_S;
  const double cost = rescue->copy_s > 0 ? rescue->copy_s : guess;
  return step_s > LONG_STEP_S && tutti_clock_s() - rescue->copied_at > cost / COST_PART;
}

tutti_status tutti_rundir_rescue_copy(tutti_rundir_saver *saver) {
  tutti_run *run = saver->run;
  tutti_rundir_rescue *rescue = &saver->rescue;
  const double begin = tutti_clock_s();
  tutti_metrics_phases_enter(&run->state.phases, TUTTI_PHASE_SAVE);
  const tutti_status status = tutti_rundir_gather(saver);
  tutti_metrics_phases_leave(&run->state.phases);
  TUTTI_TRY(status);
  rescue->copied_at = tutti_clock_s();
  rescue->copy_s = rescue->copied_at - begin;
  if (run->rank != 0 || rescue->runs || pthread_mutex_init(&rescue->files, NULL) != 0) return TUTTI_OK;
  pthread_mutex_lock(&rescue->files);
  rescue->runs = tutti_thread_start(&rescue->thread, look, saver);
  if (rescue->runs) return TUTTI_OK;
  pthread_mutex_unlock(&rescue->files);
  pthread_mutex_destroy(&rescue->files);
  return TUTTI_OK;
}
