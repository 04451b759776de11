/** A copy of the training in memory that is current, for runs whose steps are long.
 *
 * After SIGTERM a launcher leaves about a second.  A run whose steps are shorter ends its step and saves (save.c).
 * If they are longer, the ranks gather the content of a checkpoint after a step, so seldom that it costs little.  A
 * thread of rank 0 looks for a signal, and writes this copy while the step goes on.
 *
 * Rows, buffers and files belong to the main thread, except while it computes a step.  The loop in train calls this. */
#define _POSIX_C_SOURCE 200809L // nanosleep, pthread_sigmask
#include <signal.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"
#include "rundir/rundir_impl.h"

/** A step that is longer than this may not end before the launcher kills the ranks. */
static const double LONG_STEP_S = 0.4;

/** The part of the time that the copies may cost. */
static const double COST_PART = 0.01;

/** A guess for the first copy. */
static const double BYTES_PER_S = 4e9;

// --- the thread of rank 0 ----------------------------------------------------------------------------------------

static void pause_s(double seconds) {
  const struct timespec pause = {0, (long)(1e9 * seconds)};
  nanosleep(&pause, NULL);
}

/** Write the copy, unless its step is saved or just being written. */
static void write_copy(tutti_rundir_saver *saver, int signal) {
  const char *directory = saver->run->config->run.directory;
  if (saver->gathered_step <= saver->saved_step || saver->writer.runs) return;
  if (saver->waits) return; // the files are those of an earlier run, until the first checkpoint replaces them
  tutti_status status = tutti_rundir_write_rows_root(saver);
  if (status == TUTTI_OK) status = tutti_rundir_write_files(saver, false);
  if (status == TUTTI_OK)
    tutti_log(TUTTI_LOG_INFO,
              "%s was received, and this step takes long: the state after step %lld is saved in %s; the same "
              "command continues from there",
              tutti_signals_names[signal], (long long)saver->gathered_step, directory);
  else
    tutti_log(TUTTI_LOG_WARNING, "%s was received: not saved: %s", tutti_signals_names[signal],
              tutti_fail_text());
}

static void *look(void *context) {
  static const double look_s = 0.05, grace_s = 0.2; // a step that ends within grace_s saves by itself
  tutti_rundir_saver *saver = context;
  tutti_rundir_rescue *rescue = &saver->rescue;
  while (!atomic_load(&rescue->ends) && tutti_signals_caught() < 0) pause_s(look_s);
  if (atomic_load(&rescue->ends)) return NULL;
  pause_s(grace_s);
  pthread_mutex_lock(&rescue->files);
  if (!atomic_load(&rescue->ends)) write_copy(saver, tutti_signals_caught());
  pthread_mutex_unlock(&rescue->files);
  return NULL;
}

static bool start(tutti_rundir_saver *saver) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const bool started = pthread_create(&saver->rescue.thread, NULL, look, saver) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return started;
}

void tutti_rundir_rescue_end(tutti_rundir_saver *saver) {
  tutti_rundir_rescue *rescue = &saver->rescue;
  if (!rescue->runs) return;
  atomic_store(&rescue->ends, true);
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
  saver->rescue.lent_at = tutti_clock_s();
  if (saver->rescue.copied_at == 0) saver->rescue.copied_at = saver->rescue.lent_at; // the training begins
  if (saver->rescue.runs) pthread_mutex_unlock(&saver->rescue.files);
}

void tutti_rundir_take_back(tutti_rundir_saver *saver) {
  if (!saver) return;
  tutti_rundir_rescue *rescue = &saver->rescue;
  rescue->step_s = tutti_clock_s() - rescue->lent_at;
  if (rescue->runs) pthread_mutex_lock(&rescue->files);
  rescue->lent = false;
}

bool tutti_rundir_wants_copy(const tutti_rundir_saver *saver) {
  if (!saver || saver->run->rank != 0 || saver->run->keeps_no_rows) return false;
  if (saver->writer.runs && !atomic_load(&saver->writer.ended)) return false;
  const tutti_rundir_rescue *rescue = &saver->rescue;
  const double arrays = 1 + tutti_optim_n_slots(saver->run->optim);
  const double guess =
      arrays * (double)tutti_model_n_params(saver->run->network.model) * sizeof(float) / BYTES_PER_S;
  const double cost = rescue->copy_s > 0 ? rescue->copy_s : guess;
  return rescue->step_s > LONG_STEP_S && tutti_clock_s() - rescue->copied_at > cost / COST_PART;
}

tutti_status tutti_rundir_rescue_copy(tutti_rundir_saver *saver) {
  tutti_run *run = saver->run;
  tutti_rundir_rescue *rescue = &saver->rescue;
  const double begin = tutti_clock_s();
  tutti_metrics_phases_enter(&run->state.phases, TUTTI_PHASE_SAVE);
  const tutti_status status = tutti_rundir_gather(saver);
  tutti_metrics_phases_leave(&run->state.phases);
  TUTTI_TRY(status);
  saver->gathered_step = run->state.at.step;
  rescue->copied_at = tutti_clock_s();
  rescue->copy_s = rescue->copied_at - begin;
  if (run->rank != 0 || rescue->runs || pthread_mutex_init(&rescue->files, NULL) != 0) return TUTTI_OK;
  pthread_mutex_lock(&rescue->files);
  rescue->runs = start(saver);
  if (rescue->runs) return TUTTI_OK;
  pthread_mutex_unlock(&rescue->files);
  pthread_mutex_destroy(&rescue->files);
  return TUTTI_OK;
}
