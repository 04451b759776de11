/* Everything of a training that can fail before its first step: check what the config asks of network and metrics,
 * create what is measured and the buffers of a step, and draw the initial weights.  Trainings, trials, the probe and
 * the check of a study's trials call this. */
#include "train/train_impl.h"

#include <string.h>

#include "measure/average.h"
#include "measure/meter.h"
#include "run/evaluated.h"
#include "rundir/weights.h"

// --- checks --------------------------------------------------------------------------------------------------

/** Check that `name`, the value of a key, is a column that this network and this data have.  "ema_" stands for the
 * averaged weights, "train_" for train.train_rows; the rest of the name is the same with and without them. */
static tutti_status check_metric_name(const tutti_run *run, const char *key, const char *name) {
  const char *metric = tutti_model_metric_name(run->network.model);
  const char *of_weights = strncmp(name, "ema_", 4) == 0     ? name + 4
                           : strncmp(name, "train_", 6) == 0 ? name + 6
                                                             : name;
  double value = 0;
  const bool known = tutti_metrics_value(&(tutti_metrics_row){0}, metric, of_weights, &value);
  TUTTI_CHECK(known, TUTTI_ERR_CONFIG,
              "%s: '%s' is not measured with this loss and these labels; there are loss, val_loss, "
              "train_loss, %s, val_%s, train_%s",
              key, name, metric, metric, metric);
  TUTTI_CHECK(run->samples.validation.n > 0 || strncmp(of_weights, "val_", 4) != 0, TUTTI_ERR_DATA,
              "%s: '%s' needs validation rows, and %s has no array '%s'; hold some out with "
              "data.validation_split, or name the array of the file with data.x_val",
              key, name, run->config->data.file, run->config->data.x_val);
  return TUTTI_OK;
}

static tutti_status check_metric_names(const tutti_run *run) {
  const tutti_train_options *train = &run->config->train;
  if (train->monitor) TUTTI_TRY(check_metric_name(run, "train.monitor", train->monitor));
  if (run->config->schedule.decay == TUTTI_DECAY_PLATEAU && !train->monitor)
    TUTTI_TRY(check_metric_name(run, "schedule.decay: plateau", "val_loss"));
  if (train->stop_at.metric[0])
    TUTTI_TRY(check_metric_name(run, "train.stop_at (of a study: study.goal)", train->stop_at.metric));
  return TUTTI_OK;
}

/** The checks of tutti_train_build that need a network. */
static tutti_status check_network(tutti_run *run, const tutti_dataset *dataset) {
  TUTTI_TRY(tutti_network_create_bare(run->config, dataset, &run->network));
  TUTTI_TRY(tutti_network_check_labels(&run->network));
  if (tutti_dataset_has_labels(dataset))
    TUTTI_TRY(tutti_network_set_class_weights(run->config, &run->samples.train, &run->network));
  TUTTI_TRY(tutti_rundir_check_weights(run->config, run->network.model));
  TUTTI_TRY(check_metric_names(run));
  // study.at_budget matters to the trials of a study only, so a training by itself does not check it.
  const char *metric = run->config->study.at_budget;
  return metric ? check_metric_name(run, "study.at_budget", metric) : TUTTI_OK;
}

tutti_status tutti_train_check(const tutti_config *config, const tutti_dataset *dataset, int n_ranks,
                               bool with_network) {
  tutti_run run = {.config = config, .samples = tutti_samples_divide(config, dataset, config->train.seed)};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_plan_make(config, run.samples.train.n, n_ranks, &run.plan));
  tutti_schedule unused;
  TUTTI_TRY_GOTO(done, tutti_plan_schedule(&run.plan, config, 0, &unused));
  if (with_network) TUTTI_TRY_GOTO(done, check_network(&run, dataset));
done:
  tutti_network_destroy(&run.network);
  return status;
}

// --- create and destroy --------------------------------------------------------------------------------------

tutti_status tutti_train_build(const tutti_comm *comm, const tutti_config *config, tutti_run *run) {
  TUTTI_TRY(tutti_run_build(comm, config, run));
  TUTTI_TRY(tutti_comm_agree(comm, check_metric_names(run)));
  TUTTI_TRY(tutti_comm_agree(comm, tutti_measure_average_create(run)));
  const int64_t n_looked_at = run->samples.looked_at.n;
  if (n_looked_at > 0)
    TUTTI_TRY(tutti_comm_agree(
        comm, tutti_run_evaluated_create(run, TUTTI_TRAIN_PREFIX, n_looked_at, &run->state.rows.training)));
  return tutti_comm_agree(comm, tutti_meter_create(run));
}

tutti_status tutti_train_create(const tutti_comm *comm, const tutti_config *config, tutti_run *run) {
  TUTTI_TRY(tutti_run_open(comm, config, run));
  const tutti_status status = tutti_train_build(comm, config, run);
  if (status != TUTTI_OK) tutti_train_destroy(run);
  return status;
}

/** Set the state to that of no step. */
static tutti_status set_state(tutti_run *run) {
  run->state.at = tutti_run_first_state(run);
  return tutti_run_schedule(run);
}

static tutti_status set_weights(tutti_run *run, const float *weights) {
  TUTTI_TRY(tutti_run_set_weights(run, weights));
  return tutti_meter_start(run, weights);
}

tutti_status tutti_train_begin(tutti_run *run) {
  tutti_model *model = run->network.model;
  float *weights = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY(set_state(run));
  if (run->rank == 0) status = TUTTI_NEW(weights, tutti_model_n_params(model));
  TUTTI_TRY_GOTO(done, tutti_comm_agree(run->comm, status));
  // Rank 0 draws the weights and distributes them, so the result does not depend on the number of ranks.
  if (run->rank == 0) tutti_model_init(model, run->config->train.seed, weights);
  TUTTI_TRY_GOTO(done, tutti_rundir_load_weights(run, weights, true));
  TUTTI_TRY_GOTO(done, set_weights(run, weights));
done:
  tutti_free(weights);
  return status;
}

tutti_status tutti_train_begin_with(tutti_run *run, const float *weights) {
  TUTTI_TRY(set_state(run));
  return set_weights(run, weights);
}

void tutti_train_release(tutti_run *run) {
  tutti_meter_destroy(&run->meter);
  tutti_run_release(run);
}

void tutti_train_destroy(tutti_run *run) {
  tutti_train_release(run);
  tutti_metrics_progress_destroy(&run->progress);
  tutti_run_destroy(run);
}
