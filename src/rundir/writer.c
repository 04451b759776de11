/** Writes a checkpoint beside the training, in a thread of rank 0.  It writes the copy that was gathered (snapshot.c), so
 * nothing that the training does meanwhile changes the file.
 *
 * HDF5, the run directory and the buffers of the saver belong to one thread at a time: whoever needs them waits for the
 * writer first.  save.c starts it and waits for it. */
#define _POSIX_C_SOURCE 200809L // pthread_sigmask
#include <signal.h>
#include <stdio.h>

#include "base/clock.h"
#include "rundir/rundir_impl.h"

static void *write_files(void *context) {
  tutti_rundir_saver *saver = context;
  tutti_rundir_writer *writer = &saver->writer;
  const double start = tutti_clock_s();
  writer->status = tutti_rundir_write_files(saver, writer->best);
  if (writer->status != TUTTI_OK) snprintf(writer->text, sizeof writer->text, "%s", tutti_fail_text());
  writer->seconds = tutti_clock_s() - start;
  atomic_store(&writer->failed, writer->status != TUTTI_OK);
  atomic_store(&writer->ended, true);
  return NULL;
}

bool tutti_rundir_writer_start(tutti_rundir_saver *saver, bool best) {
  tutti_rundir_writer *writer = &saver->writer;
  sigset_t all, before;
  writer->best = best;
  atomic_store(&writer->ended, false);
  // Signals are for the main thread, which ends the training in order.
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  writer->runs = pthread_create(&writer->thread, NULL, write_files, saver) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return writer->runs;
}

tutti_status tutti_rundir_writer_wait(tutti_rundir_saver *saver) {
  tutti_rundir_writer *writer = &saver->writer;
  if (!writer->runs) return TUTTI_OK;
  pthread_join(writer->thread, NULL);
  writer->runs = false;
  atomic_store(&writer->failed, false);
  if (writer->status != TUTTI_OK) tutti_fail_set_text(writer->text);
  return writer->status;
}
