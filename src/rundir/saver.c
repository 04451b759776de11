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

void tutti_rundir_note_scaling(tutti_rundir_saver *saver) {
  const tutti_scaling_values scaling = tutti_dataset_scaling(saver->run->dataset);
  const int64_t n = tutti_dataset_n_features(saver->run->dataset);
  for (int64_t j = 0; saver->input && j < n; j++) {
    saver->input[j] = scaling.shift[scaling.n == 1 ? 0 : j];
    saver->input[n + j] = scaling.factor[scaling.n == 1 ? 0 : j];
  }
}

/** Each slot carries its unit, so that a run with other options can convert it (optim_slots.c). */
static void view_slot(tutti_rundir_saver *saver, int i) {
  const tutti_run *run = saver->run;
  const char *name = tutti_optim_slot_name(run->optim, i);
  const tutti_unit_of_state unit = tutti_optim_unit(&run->config->optimizer, name);
  const int64_t first = saver->n_views;
  char prefix[64];
  snprintf(prefix, sizeof prefix, "/optimizer/%s", name);
  tutti_rundir_add_views(run->network.model, prefix, false, saver->slots[i], saver->views, &saver->n_views);
  for (int64_t k = first; k < saver->n_views; k++)
    tutti_optim_unit_text(&unit, saver->views[k].unit, sizeof saver->views[k].unit);
}

void tutti_rundir_set_views(tutti_rundir_saver *saver, bool is_average) {
  const tutti_run *run = saver->run;
  tutti_model *model = run->network.model;
  const int n_slots = tutti_optim_n_slots(run->optim);
  const bool swapped = is_average && tutti_optim_average(run->optim);
  float *network = swapped ? saver->slots[n_slots - 1] : saver->weights;
  saver->n_views = 0;
  tutti_rundir_add_views(model, "/model/weights", true, network, saver->views, &saver->n_views);
  for (int i = 0; i < n_slots - swapped; i++) view_slot(saver, i);
  if (swapped)
    tutti_rundir_add_views(model, "/optimizer/weights", false, saver->weights, saver->views, &saver->n_views);
  // The scaling behind these is written, but a run reads it by itself: its data may be scaled otherwise.
  saver->n_loadable = saver->n_views;
  // There is one pair of numbers per feature, so that a checkpoint can be used without the data set, and shows how many
  // features a sample has.
  const int64_t n = tutti_dataset_n_features(run->dataset);
  saver->views[saver->n_views++] =
      (tutti_view){.name = "/input/shift", .n_dims = 1, .dims = {n}, .data = saver->input, .is_double = true};
  saver->views[saver->n_views++] = (tutti_view){
      .name = "/input/factor", .n_dims = 1, .dims = {n}, .data = saver->input + n, .is_double = true};
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
 * memory.  The lock keeps a second job out of the directory. */
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
  TUTTI_TRY(TUTTI_NEW(saver->copy.moving, tutti_model_n_state(model)));
  const tutti_checkpoint_table measured = tutti_meter_state(run);
  TUTTI_TRY(TUTTI_NEW(saver->copy.measured, measured.n * (int64_t)measured.layout.record_bytes));
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
      (void **)&saver->config,  (void **)&saver->weights,     (void **)&saver->slots,
      (void **)&saver->input,   (void **)&saver->views,       (void **)&saver->seconds,
      (void **)&saver->columns, (void **)&saver->copy.moving, (void **)&saver->copy.measured};
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
  free_buffers(saver);
  void *const owned[] = {saver->checkpoint_path, saver->best_path, saver->metrics_path, saver->config_path};
  for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) tutti_free(owned[i]);
  tutti_free(saver);
  *handle = NULL;
}

tutti_table_layout tutti_rundir_layout(const tutti_rundir_saver *saver) {
  const tutti_metrics_layout *layout = &saver->run->state.rows.layout;
  tutti_metrics_layout_columns(layout, saver->columns);
  return (tutti_table_layout){saver->columns, tutti_metrics_n_columns(layout),
                              tutti_metrics_record_bytes(layout)};
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
