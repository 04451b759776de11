/** The content of a checkpoint, gathered on rank 0 and written as a file.  Everything that changes while a training goes
 * on is copied, so that a write which failed can be repeated later with the same content.  save.c calls it; resume.c and
 * rollback.c take the way back. */
#include <string.h>

#include "measure/meter.h"
#include "run/evaluated.h"
#include "rundir/rundir_impl.h"

/** On rank 0: copy what is not in the buffers of the gather. */
static void copy_state(tutti_rundir_saver *saver) {
  const tutti_run *run = saver->run;
  tutti_rundir_copy *copy = &saver->copy;
  const char *monitor = run->config->train.monitor;
  const tutti_checkpoint_table measured = tutti_meter_state(run);
  double unused = 0;
  copy->at = run->state.at;
  copy->n_history = run->state.rows.history.n;
  copy->is_averaged = monitor && tutti_run_evaluated_value(run, &run->state.rows.average, monitor, &unused);
  const tutti_model *model = run->network.model;
  const size_t n_state = (size_t)tutti_model_n_state(model);
  if (n_state > 0) memcpy(copy->moving, tutti_model_state(run->network.model), n_state * sizeof(float));
  if (measured.n > 0)
    memcpy(copy->measured, measured.records, (size_t)measured.n * measured.layout.record_bytes);
}

tutti_status tutti_rundir_gather(tutti_rundir_saver *saver) {
  const tutti_run *run = saver->run;
  const float *own = tutti_reducer_params(run->reducer) + tutti_reducer_slice(run->reducer).begin;
  TUTTI_TRY(tutti_reducer_gather(run->reducer, own, saver->weights));
  for (int i = 0; i < tutti_optim_n_slots(run->optim); i++)
    TUTTI_TRY(tutti_reducer_gather(run->reducer, tutti_optim_slot(run->optim, i),
                                   saver->slots ? saver->slots[i] : NULL));
  if (run->rank == 0) copy_state(saver);
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
    if (at >= begin && at < end) saver->views[i].data = saver->copy.moving + (at - begin);
  }
}

tutti_status tutti_rundir_write(tutti_rundir_saver *saver, const char *path, int64_t keep, bool is_average) {
  const tutti_run *run = saver->run;
  tutti_rundir_set_views(saver, is_average);
  view_copy(saver);
  TUTTI_TRY(tutti_rundir_check_room(saver, path));
  tutti_checkpoint checkpoint = {.path = path,
                                 .config = saver->config,
                                 .state = saver->copy.at,
                                 .views = saver->views,
                                 .n_views = saver->n_views,
                                 .layout = tutti_rundir_layout(saver),
                                 .history = run->state.rows.history.records,
                                 .n_history = saver->copy.n_history,
                                 .table = tutti_meter_state(run),
                                 .features =
                                     tutti_data_features_names[tutti_dataset_scaling(run->dataset).features],
                                 .is_average = is_average};
  if (checkpoint.table.n > 0) checkpoint.table.records = saver->copy.measured;
  checkpoint.classes = tutti_dataset_classes(run->dataset, &checkpoint.n_classes);
  return tutti_checkpoint_save(&checkpoint, keep);
}
