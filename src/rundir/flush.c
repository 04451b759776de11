/** Rows and timers into metrics.h5. */
#include "machine/cpu.h"
#include "rundir/saver_impl.h"
#include "tutti/linalg.h"

tutti_status tutti_saver_survey(tutti_saver *saver) {
  const tutti_comm *comm = saver->run->comm;
  tutti_cpu cpu;
  tutti_cpu_get(&cpu);
  TUTTI_TRY(tutti_gather_texts(comm, 0, tutti_comm_host(comm), &saver->hosts));
  TUTTI_TRY(tutti_gather_texts(comm, 0, cpu.allowed, &saver->bindings));
  return TUTTI_OK;
}

static tutti_status write_rows(const tutti_saver *saver, const double *seconds) {
  const tutti_run *run = saver->run;
  if (run->deferred != TUTTI_OK) return run->deferred;
  tutti_cpu cpu;
  tutti_cpu_get(&cpu);
  const tutti_metrics_origin origin = {.config = saver->config,
                                       .version = TUTTI_VERSION,
                                       .mpi = tutti_mpi_version(),
                                       .hdf5 = tutti_hdf5_version(),
                                       .blas = tutti_blas_description(),
                                       .cpu = cpu.model,
                                       .reducer = tutti_reducer_name(run->reducer),
                                       .ranks = run->size,
                                       .threads = tutti_linalg_threads(),
                                       .hosts = (const char *const *)saver->hosts,
                                       .bindings = (const char *const *)saver->bindings};
  tutti_timing_row timing[TUTTI_N_TIMINGS];
  tutti_timing_make(seconds, run->size, timing);
  return tutti_metrics_flush(saver->metrics_path, saver->metrics_anew, &run->layout, &origin,
                             tutti_rows_get(run, &run->history, run->n_flushed),
                             run->history.n - run->n_flushed, run->steps.records, run->steps.n, timing);
}

tutti_status tutti_saver_flush(tutti_saver *saver) {
  if (!saver || saver->waits) return TUTTI_OK;
  tutti_run *run = saver->run;
  tutti_phases_enter(&run->phases, TUTTI_PHASE_SAVE);
  TUTTI_TRY(tutti_gather(run->comm, 0, run->phases.seconds, TUTTI_N_PHASES, saver->seconds));
  const tutti_status local = run->rank == 0 ? write_rows(saver, saver->seconds) : TUTTI_OK;
  TUTTI_TRY(tutti_agree_from(run->comm, 0, local));
  saver->metrics_anew = false;
  run->n_flushed = run->history.n;
  run->steps.n = 0;
  tutti_phases_leave(&run->phases);
  return TUTTI_OK;
}
