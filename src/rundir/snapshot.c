/** The content of a checkpoint, gathered on rank 0 and written as a file.  Everything that changes while a training goes
 * on is copied, so that a write which failed can be repeated later with the same content.  save.c calls it; resume.c and
 * rollback.c take the way back. */
#define _POSIX_C_SOURCE 200809L // nanosleep
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "measure/meter.h"
#include "run/evaluated.h"
#include "rundir/rundir_impl.h"

/** The rows of the history move when there are more of them, so they are copied too.  Without memory for that, the
 * checkpoint is written before the training goes on. */
static void copy_history(tutti_rundir_saver *saver) {
  const tutti_metrics_records *history = &saver->run->state.rows.history;
  tutti_rundir_rest *rest = &saver->rest;
  const int64_t record_bytes = (int64_t)tutti_metrics_record_bytes(&saver->run->state.rows.layout);
  rest->n_history = history->n;
  if (!rest->history || rest->room_for_history < history->n) {
    tutti_free(rest->history);
    rest->history = NULL;
    rest->room_for_history = 0;
    if (TUTTI_NEW(rest->history, 2 * history->n * record_bytes) != TUTTI_OK) return;
    rest->room_for_history = 2 * history->n;
  }
  if (history->n > 0) memcpy(rest->history, history->records, (size_t)(history->n * record_bytes));
}

/** On rank 0: copy what is not in the buffers of the gather. */
static void copy_state(tutti_rundir_saver *saver) {
  const tutti_run *run = saver->run;
  tutti_rundir_rest *rest = &saver->rest;
  const char *monitor = run->config->train.monitor;
  const tutti_checkpoint_table measured = tutti_meter_state(run);
  double unused = 0;
  rest->at = run->state.at;
  copy_history(saver);
  rest->is_averaged = monitor && tutti_run_evaluated_value(run, &run->state.rows.average, monitor, &unused);
  const tutti_model *model = run->network.model;
  const size_t n_state = (size_t)tutti_model_n_state(model);
  if (n_state > 0) memcpy(rest->moving, tutti_model_state(run->network.model), n_state * sizeof(float));
  if (measured.n > 0)
    memcpy(rest->measured, measured.records, (size_t)measured.n * measured.layout.record_bytes);
}

tutti_status tutti_rundir_gather(tutti_rundir_saver *saver) {
  const tutti_run *run = saver->run;
  if (run->rank == 0)
    memcpy(saver->weights, tutti_reducer_params(run->reducer),
           (size_t)tutti_model_n_params(run->network.model) * sizeof(float));
  for (int i = 0; i < tutti_optim_n_slots(run->optim); i++)
    TUTTI_TRY(tutti_reducer_gather(run->reducer, tutti_optim_slot(run->optim, i),
                                   saver->slots ? saver->slots[i] : NULL));
  if (run->rank == 0) copy_state(saver);
  saver->gathered_step = run->state.at.step;
  return TUTTI_OK;
}

tutti_status tutti_rundir_distribute(tutti_rundir_saver *saver, bool slots) {
  tutti_run *run = saver->run;
  TUTTI_TRY(tutti_run_set_weights(run, saver->weights));
  for (int i = 0; slots && i < tutti_optim_n_slots(run->optim); i++)
    TUTTI_TRY(tutti_reducer_scatter(run->reducer, saver->slots ? saver->slots[i] : NULL,
                                    tutti_optim_slot(run->optim, i)));
  return TUTTI_OK;
}

/** The views of the moving statistics lead to the copy. */
static void view_copy(tutti_rundir_saver *saver) {
  tutti_model *model = saver->run->network.model;
  const float *begin = tutti_model_state(model), *end = begin + tutti_model_n_state(model);
  for (int64_t i = 0; begin && i < saver->n_views; i++) {
    const float *at = saver->views[i].data;
    if (at >= begin && at < end) saver->views[i].data = saver->rest.moving + (at - begin);
  }
}

tutti_status tutti_rundir_write(tutti_rundir_saver *saver, const char *path, int64_t keep, bool is_average) {
  const tutti_run *run = saver->run;
  tutti_rundir_set_views(saver, is_average);
  view_copy(saver);
  TUTTI_TRY(tutti_rundir_check_room(saver, path));
  tutti_checkpoint checkpoint = {
      .path = path,
      .config = saver->config,
      .products = saver->products,
      .state = saver->rest.at,
      .views = saver->views,
      .n_views = saver->n_views,
      .layout = tutti_rundir_layout(saver),
      .history = saver->rest.history ? (const void *)saver->rest.history : run->state.rows.history.records,
      .n_history = saver->rest.n_history,
      .table = tutti_meter_state(run),
      .features = tutti_data_features_names[tutti_dataset_scaling(run->dataset).features],
      .is_average = is_average};
  if (checkpoint.table.n > 0) checkpoint.table.records = saver->rest.measured;
  checkpoint.classes = tutti_dataset_classes(run->dataset, &checkpoint.n_classes);
  return tutti_checkpoint_save(&checkpoint, keep);
}

tutti_status tutti_rundir_write_best(tutti_rundir_saver *saver) {
  return tutti_rundir_write(saver, saver->best_path, 1, saver->rest.is_averaged);
}

/** The fault "save.slow": a disk that takes its time. */
static void be_slow(void) {
  const struct timespec pause = {0, 500000000};
  nanosleep(&pause, NULL);
}

// The first checkpoint of a run that starts from scratch replaces all that an earlier run has left (keep = 1), and only
// then its best.h5 goes.
tutti_status tutti_rundir_write_files(tutti_rundir_saver *saver, bool best) {
  const int64_t keep = saver->run->config->run.keep;
  if (tutti_fault("save.slow") != TUTTI_OK) be_slow();
  if (best) TUTTI_TRY(tutti_rundir_write_best(saver));
  TUTTI_TRY(tutti_rundir_write(saver, saver->checkpoint_path, saver->replaces ? 1 : keep, false));
  if (saver->drops_best && !best) remove(saver->best_path);
  saver->replaces = saver->drops_best = false;
  if (!saver->has_config) TUTTI_TRY(tutti_io_write_text(saver->config_path, saver->config));
  saver->has_config = true;
  return TUTTI_OK;
}
