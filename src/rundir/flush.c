/** The rows since the last flush and the timers of all ranks go into metrics.h5, with a description of the machine.  A
 * flush comes before each checkpoint, and metrics.h5 can be read while a run writes it.  save.c and resume.c call
 * it. */
#include "machine/cpu.h"
#include "rundir/rundir_impl.h"
#include "tutti/linalg.h"

/** After a rollback: the rows behind that step would be computed again. */
static tutti_status rewind_rows(tutti_rundir_saver *saver) {
  if (!saver->rewinds) return TUTTI_OK;
  TUTTI_TRY(
      tutti_metrics_rewind(saver->metrics_path, &saver->run->state.rows.layout, 0, saver->rollback.to_step));
  TUTTI_TRY(tutti_metrics_add_rollback(saver->metrics_path, &saver->rollback));
  saver->rewinds = false;
  return TUTTI_OK;
}

static tutti_status append_rows(tutti_rundir_saver *saver) {
  const tutti_run *run = saver->run;
  const tutti_run_rows *rows = &run->state.rows;
  // Rows are missing if memory for them was missing: then the file must not be replaced.
  if (run->state.deferred != TUTTI_OK) return run->state.deferred;
  TUTTI_TRY(tutti_rundir_keep_folder(saver));
  TUTTI_TRY(rewind_rows(saver));
  // If the folder or the file was removed, the new file gets all rows.
  const int64_t from = tutti_rundir_is_gone(saver->metrics_path) ? 0 : rows->n_flushed;
  tutti_machine_cpu cpu;
  tutti_machine_cpu_get(&cpu);
  const tutti_metrics_text texts[] = {{"config", saver->config},
                                      {"version", TUTTI_VERSION},
                                      {"mpi", tutti_par_mpi_version()},
                                      {"hdf5", tutti_io_hdf5_version()},
                                      {"blas", tutti_blas_description()},
                                      {"cpu", cpu.model},
                                      {"reducer", tutti_reducer_name(run->reducer)}};
  const tutti_metrics_origin origin = {texts,
                                       sizeof texts / sizeof texts[0],
                                       run->size,
                                       tutti_linalg_threads(),
                                       (const char *const *)saver->hosts.list,
                                       (const char *const *)saver->bindings.list};
  tutti_timing_row timing[TUTTI_N_TIMINGS];
  tutti_metrics_timing_make(saver->seconds, run->size, timing);
  return tutti_metrics_flush(saver->metrics_path, saver->creates_metrics, &rows->layout, &origin,
                             tutti_metrics_record(&rows->history, from), rows->history.n - from,
                             rows->steps.records, rows->steps.n, timing);
}

// The rows of /steps are dropped afterwards; those of /epochs stay, because each checkpoint contains all of them.
tutti_status tutti_rundir_write_rows_root(tutti_rundir_saver *saver) {
  tutti_run_rows *rows = &saver->run->state.rows;
  if (saver->run->keeps_no_rows) return TUTTI_OK;
  TUTTI_TRY(append_rows(saver));
  saver->creates_metrics = false;
  rows->n_flushed = rows->history.n;
  rows->steps.n = 0;
  return TUTTI_OK;
}

// The phase is entered before the gather, so that waiting for other ranks counts as saving.
tutti_status tutti_rundir_write_rows(tutti_rundir_saver *saver) {
  if (saver->waits || saver->run->keeps_no_rows) return TUTTI_OK;
  tutti_run *run = saver->run;
  tutti_metrics_phases_enter(&run->state.phases, TUTTI_PHASE_SAVE);
  tutti_status status =
      tutti_comm_gather(run->comm, 0, run->state.phases.seconds, TUTTI_N_PHASES, saver->seconds);
  if (status == TUTTI_OK)
    status =
        tutti_comm_agree_from(run->comm, 0, run->rank == 0 ? tutti_rundir_write_rows_root(saver) : TUTTI_OK);
  tutti_metrics_phases_leave(&run->state.phases);
  return status;
}
