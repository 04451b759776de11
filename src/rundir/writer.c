/** Writes a checkpoint beside the training, in a thread of rank 0.  It writes the copy that was gathered (snapshot.c), so
 * nothing that the training does meanwhile changes the file.
 *
 * HDF5, the run directory and the buffers of the saver belong to one thread at a time: whoever needs them waits for the
 * writer first.  save.c starts it and waits for it. */
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "rundir/rundir_impl.h"

static void *write_files(void *context) {
  tutti_rundir_saver *saver = context;
  tutti_rundir_writer *writer = &saver->writer;
  const double start = tutti_clock_s();
  writer->status = tutti_rundir_write_files(saver, writer->best);
  if (writer->status != TUTTI_OK) snprintf(writer->text, sizeof writer->text, "%s", tutti_fail_text());
  writer->seconds = tutti_clock_s() - start;
  atomic_store(&writer->ended, true);
  return NULL;
}

bool tutti_rundir_writer_is_busy(const tutti_rundir_writer *writer) {
  return writer->runs && !atomic_load(&writer->ended);
}

bool tutti_rundir_writer_has_failed(const tutti_rundir_writer *writer) {
  return writer->runs && atomic_load(&writer->ended) && writer->status != TUTTI_OK;
}

bool tutti_rundir_writer_start(tutti_rundir_saver *saver, bool best) {
  tutti_rundir_writer *writer = &saver->writer;
  writer->best = best;
  atomic_store(&writer->ended, false);
  writer->runs = tutti_thread_start(&writer->thread, write_files, saver);
  return writer->runs;
}

/** @return its status; OK if there is no thread */
static tutti_status join(tutti_rundir_writer *writer) {
  if (!writer->runs) return TUTTI_OK;
  pthread_join(writer->thread, NULL);
  writer->runs = false;
  return writer->status;
}

tutti_status tutti_rundir_writer_wait(tutti_rundir_saver *saver) {
  const tutti_status status = join(&saver->writer);
  if (status != TUTTI_OK) tutti_fail_set_text(saver->writer.text);
  return status;
}

// The text of the failure that has ended the training stays.
void tutti_rundir_writer_end(tutti_rundir_saver *saver) {
  if (join(&saver->writer) != TUTTI_OK)
    tutti_log(TUTTI_LOG_WARNING, "the state after step %lld is not saved: %s",
              (long long)saver->gathered_step, saver->writer.text);
}
