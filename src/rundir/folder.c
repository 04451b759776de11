/** The folder of a run while the run writes to it: whether it is still there, and whether a checkpoint fits.  Somebody
 * may remove it or fill the disk during a training of many hours.  flush.c, save.c and resume.c call it on rank 0. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "rundir/rundir_impl.h"

bool tutti_rundir_is_gone(const char *path) {
  return access(path, F_OK) != 0 && errno == ENOENT;
}

/** A new lock: another job may have begun in the folder, and is then told by tutti_io_lock_take. */
static tutti_status lock_again(tutti_rundir_saver *saver) {
  tutti_lock *lock = NULL;
  TUTTI_TRY(tutti_io_lock_take(saver->run->config->run.directory, &lock));
  tutti_io_lock_release(&saver->lock);
  saver->lock = lock;
  return TUTTI_OK;
}

tutti_status tutti_rundir_keep_folder(tutti_rundir_saver *saver) {
  const char *directory = saver->run->config->run.directory;
  const bool folder = tutti_rundir_is_gone(directory);
  const bool lock = saver->lock && !tutti_io_lock_is_current(saver->lock);
  const bool config = saver->has_config && tutti_rundir_is_gone(saver->config_path);
  if (!folder && !lock && !config) return TUTTI_OK;
  if (folder) TUTTI_TRY(tutti_io_make_folder(directory));
  if (lock) TUTTI_TRY(lock_again(saver));
  if (config) TUTTI_TRY(tutti_io_write_text(saver->config_path, saver->config));
  if (tutti_rundir_is_gone(saver->checkpoint_path) && saver->has_saved) {
    saver->retry_at = saver->run->state.saved_at; // in the past: the next step saves
    tutti_log(
        TUTTI_LOG_WARNING,
        "%s: its files were removed during the run: it is made again, with all epochs in metrics.h5 and "
        "a new checkpoint; earlier checkpoints and the rows of /steps so far are gone",
        directory);
  } else {
    tutti_log(TUTTI_LOG_WARNING, "%s: %s was removed during the run, and is made again", directory,
              folder ? "the folder"
              : lock ? ".lock"
                     : "config.yaml");
  }
  return TUTTI_OK;
}

/** The size of a checkpoint of this run with this number of rows, a little too large. */
static double checkpoint_bytes(const tutti_rundir_saver *saver, int64_t n_history) {
  enum { TEXTS = 16 << 10, PER_ARRAY = 1 << 10 };
  const tutti_run *run = saver->run;
  double bytes = TEXTS;
  for (int64_t i = 0; i < saver->n_views; i++) {
    const tutti_view *view = &saver->views[i];
    const double rows = (double)view->dims[0], columns = view->n_dims > 1 ? (double)view->dims[1] : 1;
    bytes += rows * columns * (view->is_double ? sizeof(double) : sizeof(float)) + PER_ARRAY;
  }
  return bytes + (double)n_history * (double)tutti_metrics_record_bytes(&run->state.rows.layout);
}

tutti_status tutti_rundir_check_room(const tutti_rundir_saver *saver, const char *path) {
  const double needed = checkpoint_bytes(saver, saver->rest.n_history);
  double left = 0;
  if (!tutti_io_free_bytes(saver->run->config->run.directory, &left) || left >= needed) return TUTTI_OK;
  TUTTI_FAIL(TUTTI_ERR_IO,
             "%s: cannot write: %s: it takes %.3g MB, and %.3g MB are free; a file that had this name before "
             "is unchanged; free some space or write elsewhere",
             path, strerror(ENOSPC), needed / 1e6, left / 1e6);
}

void tutti_rundir_warn_room(tutti_rundir_saver *saver) {
  const tutti_run_options *options = &saver->run->config->run;
  tutti_rundir_set_views(saver, false);
  // While a new file is written, all that it will replace are still there.
  const double n =
      saver->has_saved ? 1 : (double)options->keep + 1 + (saver->run->config->train.monitor != NULL);
  const double bytes = checkpoint_bytes(saver, saver->run->state.rows.history.n);
  double left = 0;
  if (!tutti_io_free_bytes(options->directory, &left) || left >= n * bytes) return;
  tutti_log(TUTTI_LOG_WARNING,
            "%s: %.3g MB are free, and this run needs up to %.3g MB more, for %.0f file%s of %.3g MB: free "
            "some space, give a smaller run.keep, or choose another run.directory",
            options->directory, left / 1e6, n * bytes / 1e6, n, n > 1 ? "s" : "", bytes / 1e6);
}
