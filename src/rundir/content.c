/** The content of a checkpoint of this run, in the buffers of its saver: the arrays of network and optimizer, the scaling
 * of the features, and the columns of the rows.  saver.c, snapshot.c, folder.c and load.c use it. */
#include <stdio.h>

#include "rundir/rundir_impl.h"

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

tutti_table_layout tutti_rundir_layout(const tutti_rundir_saver *saver) {
  const tutti_metrics_layout *layout = &saver->run->state.rows.layout;
  tutti_metrics_layout_columns(layout, saver->columns);
  return (tutti_table_layout){saver->columns, tutti_metrics_n_columns(layout),
                              tutti_metrics_record_bytes(layout)};
}
