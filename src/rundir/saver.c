/** The writer of a run directory: its paths, its lock and the buffers that a checkpoint is gathered in.  save.c writes
 * with them, resume.c and load.c read into them.  The loop in train creates it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "machine/cpu.h"
#include "measure/meter.h"
#include "rundir/rundir_impl.h"

static tutti_status join(const char *directory, const char *name, char **path) {
  const size_t bytes = strlen(directory) + strlen(name) + 2;
  TUTTI_TRY(TUTTI_NEW(*path, (int64_t)bytes));
  snprintf(*path, bytes, "%s/%s", directory, name);
  return TUTTI_OK;
}

/** A run that starts from scratch with a schedule that is not valid is refused before the folder is made or weights are
 * read.  If a run continues, the check needs its position and comes later. */
static tutti_status check_schedule(const tutti_run *run) {
  const tutti_run_options *options = &run->config->run;
  const bool automatic = strcmp(options->resume, "auto") == 0;
  const bool starts =
      strcmp(options->resume, "no") == 0 || (automatic && access(options->directory, F_OK) != 0);
  tutti_schedule unused;
  return starts ? tutti_plan_schedule(&run->plan, run->config, 0, &unused) : TUTTI_OK;
}

/** Everything that can fail is done here, before the first step, so that a save in the middle of a long run needs no
 * memory but for more rows; without that, it takes longer.  The lock keeps a second job out of the directory. */
static tutti_status create_root(tutti_rundir_saver *saver) {
  tutti_run *run = saver->run;
  tutti_model *model = run->network.model;
  const int64_t n = tutti_model_n_params(model);
  const int n_slots = tutti_optim_n_slots(run->optim);
  TUTTI_TRY(check_schedule(run));
  TUTTI_TRY(tutti_io_lock_take(run->config->run.directory, &saver->lock));
  TUTTI_TRY(tutti_config_dump(run->config, &saver->config));
  TUTTI_TRY(TUTTI_NEW(saver->views, (n_slots + 1) * (int64_t)tutti_model_n_arrays(model) + 2));
  TUTTI_TRY(TUTTI_NEW(saver->seconds, (int64_t)run->size * TUTTI_N_PHASES));
  TUTTI_TRY(TUTTI_NEW(saver->columns, tutti_metrics_n_columns(&run->state.rows.layout)));
  TUTTI_TRY(TUTTI_NEW(saver->weights, n));
  TUTTI_TRY(TUTTI_NEW(saver->slots, n_slots));
  for (int i = 0; i < n_slots; i++) TUTTI_TRY(TUTTI_NEW(saver->slots[i], n));
  TUTTI_TRY(TUTTI_NEW(saver->rest.moving, tutti_model_n_state(model)));
  const tutti_checkpoint_table measured = tutti_meter_state(run);
  TUTTI_TRY(TUTTI_NEW(saver->rest.measured, measured.n * (int64_t)measured.layout.record_bytes));
  TUTTI_TRY(TUTTI_NEW(saver->input, 2 * tutti_dataset_n_features(run->dataset)));
  tutti_rundir_note_scaling(saver);
  return TUTTI_OK;
}

static tutti_status create_paths(tutti_run *run, tutti_rundir_saver **saver) {
  const char *directory = run->config->run.directory;
  TUTTI_TRY(TUTTI_NEW(*saver, 1));
  (*saver)->run = run;
  TUTTI_TRY(join(directory, "checkpoint.h5", &(*saver)->checkpoint_path));
  TUTTI_TRY(join(directory, "best.h5", &(*saver)->best_path));
  TUTTI_TRY(join(directory, "metrics.h5", &(*saver)->metrics_path));
  return join(directory, "config.yaml", &(*saver)->config_path);
}

static tutti_status create_local(tutti_run *run, tutti_rundir_saver **saver) {
  TUTTI_TRY(create_paths(run, saver));
  return run->rank == 0 ? create_root(*saver) : TUTTI_OK;
}

/** Where each rank runs, for metrics.h5. */
static tutti_status survey(tutti_rundir_saver *saver) {
  const tutti_comm *comm = saver->run->comm;
  tutti_machine_cpu cpu;
  tutti_machine_cpu_get(&cpu);
  TUTTI_TRY(tutti_comm_gather_texts(comm, 0, tutti_comm_host(comm), &saver->hosts));
  return tutti_comm_gather_texts(comm, 0, cpu.allowed, &saver->bindings);
}

tutti_status tutti_rundir_saver_create(tutti_run *run, tutti_rundir_saver **saver) {
  *saver = NULL;
  tutti_status status = tutti_comm_agree(run->comm, create_local(run, saver));
  if (status == TUTTI_OK) status = survey(*saver);
  if (status != TUTTI_OK) tutti_rundir_saver_destroy(saver);
  return status;
}

tutti_status tutti_rundir_saver_create_late(tutti_run *run, tutti_rundir_saver **saver) {
  *saver = NULL;
  const tutti_status status = tutti_comm_agree(run->comm, create_paths(run, saver));
  if (status != TUTTI_OK)
    tutti_rundir_saver_destroy(saver);
  else
    (*saver)->late = true;
  return status;
}

static void free_buffers(tutti_rundir_saver *saver) {
  if (saver->slots)
    for (int i = 0; i < tutti_optim_n_slots(saver->run->optim); i++) tutti_free(saver->slots[i]);
  tutti_io_lock_release(&saver->lock);
  tutti_texts_clear(&saver->hosts);
  tutti_texts_clear(&saver->bindings);
  void **const owned[] = {
      (void **)&saver->config,        (void **)&saver->products,    (void **)&saver->weights,
      (void **)&saver->slots,         (void **)&saver->input,       (void **)&saver->views,
      (void **)&saver->seconds,       (void **)&saver->columns,     (void **)&saver->rest.moving,
      (void **)&saver->rest.measured, (void **)&saver->rest.history};
  for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) {
    tutti_free(*owned[i]);
    *owned[i] = NULL;
  }
}

tutti_status tutti_rundir_saver_complete(tutti_rundir_saver *saver) {
  if (!saver->late) return TUTTI_OK;
  const tutti_run *run = saver->run;
  tutti_status status = run->rank == 0 ? create_root(saver) : TUTTI_OK;
  if (status == TUTTI_OK && run->rank == 0) status = tutti_rundir_check_config(saver);
  status = tutti_comm_agree_from(run->comm, 0, status);
  if (status == TUTTI_OK) status = survey(saver);
  if (status != TUTTI_OK) {
    free_buffers(saver);
    return status;
  }
  saver->late = false;
  saver->waits = saver->replaces = saver->drops_best = saver->creates_metrics = true;
  return TUTTI_OK;
}

void tutti_rundir_saver_destroy(tutti_rundir_saver **handle) {
  tutti_rundir_saver *saver = *handle;
  if (!saver) return;
  tutti_rundir_rescue_end(saver);
  tutti_rundir_writer_end(saver);
  free_buffers(saver);
  void *const owned[] = {saver->checkpoint_path, saver->best_path, saver->metrics_path, saver->config_path};
  for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) tutti_free(owned[i]);
  tutti_free(saver);
  *handle = NULL;
}

tutti_status tutti_rundir_check_config(const tutti_rundir_saver *saver) {
  char *old = NULL;
  const tutti_status status = tutti_io_read_text(saver->config_path, &old);
  // A config that a run has written begins with a mark; a user's own file must not be overwritten.
  const bool foreign = status == TUTTI_OK && strncmp(old, TUTTI_CONFIG_MARK, strlen(TUTTI_CONFIG_MARK)) != 0;
  tutti_free(old);
  TUTTI_CHECK(!foreign, TUTTI_ERR_CREATE,
              "%s was not written by a run, and this run would replace it: choose another run.directory",
              saver->config_path);
  return TUTTI_OK;
}
