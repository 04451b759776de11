/** All that can fail before the first step, and its end. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "train/average.h"
#include "train/class_weights.h"
#include "train/evaluated.h"
#include "train/meter.h"
#include "train/start.h"
#include "train/update.h"

tutti_status tutti_run_divide_by(tutti_run *run, uint64_t seed) {
  run->samples = tutti_samples_divide(run->config, run->dataset, seed);
  const tutti_samples *train = &run->samples.train;
  return tutti_dataset_fit_scaling(run->comm, run->dataset, run->config->data.scale, tutti_samples_rows,
                                   train, train->n);
}

tutti_status tutti_run_divide(tutti_run *run) {
  const tutti_config *config = run->config;
  TUTTI_TRY(tutti_run_divide_by(run, config->train.seed));
  const tutti_samples *train = &run->samples.train;
  if (config->train.batch_size > train->n && config->train.last_batch == TUTTI_LAST_SHORT)
    tutti_log_root(
        TUTTI_LOG_WARNING,
        "train.batch_size %lld is more than the %lld training samples: each step takes them all once; "
        "train.last_batch=carry takes as many as that",
        (long long)config->train.batch_size, (long long)train->n);
  return TUTTI_OK;
}

/** Monitored values and goals name a metric: it has to be this network's. */
static tutti_status check_metric_name(const tutti_run *run, const char *key, const char *name) {
  const char *metric = tutti_model_metric_name(run->network.model);
  const char *of_weights = strncmp(name, "ema_", 4) == 0     ? name + 4
                           : strncmp(name, "train_", 6) == 0 ? name + 6
                                                             : name;
  double value = 0;
  const bool known = tutti_metrics_value(&(tutti_metrics_row){0}, metric, of_weights, &value);
  TUTTI_CHECK(
      known, TUTTI_ERR_CONFIG,
      "%s: '%s' is not measured with this loss and these labels; there are loss, val_loss, train_loss, %s, "
      "val_%s, train_%s",
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

/** What a study asks of the curves of its trials; a training by itself has no use for it. */
static tutti_status check_study_metric(const tutti_run *run) {
  const char *metric = run->config->study.at_budget;
  return metric ? check_metric_name(run, "study.at_budget", metric) : TUTTI_OK;
}

static tutti_status check_network(tutti_run *run, const tutti_dataset *dataset) {
  TUTTI_TRY(tutti_network_create_bare(run->config, dataset, &run->network));
  TUTTI_TRY(tutti_network_check_labels(&run->network));
  TUTTI_TRY(tutti_class_weights_make(run->config, &run->samples.train, &run->network));
  TUTTI_TRY(tutti_start_check(run->config, run->network.model));
  TUTTI_TRY(check_metric_names(run));
  return check_study_metric(run);
}

tutti_status tutti_run_check(const tutti_config *config, const tutti_dataset *dataset, int n_ranks,
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

static tutti_status create_optimizer(tutti_run *run) {
  const tutti_model *model = run->network.model;
  const tutti_config *config = run->config;
  int n_arrays = 0;
  while (n_arrays < tutti_model_n_arrays(model) && tutti_model_array_at(model, n_arrays)->trainable)
    n_arrays++;
  int64_t *offsets = NULL;
  bool *plain = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(offsets, n_arrays + 1));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(plain, n_arrays));
  for (int i = 0; i < n_arrays; i++) {
    const tutti_model_array *array = tutti_model_array_at(model, i);
    offsets[i] = array->offset;
    plain[i] = array->rows == 0;
  }
  offsets[n_arrays] = tutti_model_n_params(model);
  int64_t begin = 0, end = 0;
  tutti_reducer_slice(run->reducer, &begin, &end);
  TUTTI_TRY_GOTO(done,
                 tutti_optim_create(&config->optimizer, offsets, plain, n_arrays, begin, end, &run->optim));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(run->squares, tutti_optim_n_pieces(run->optim)));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(run->norms, tutti_optim_n_norms(run->optim)));
  if (run->plan.base > 0)
    TUTTI_TRY_GOTO(done, TUTTI_NEW(run->gain_squares, tutti_optim_all_pieces(run->optim)));
done:
  tutti_free(plain);
  tutti_free(offsets);
  return status;
}

static tutti_status create_leaves(tutti_run *run) {
  int first = 0, count = 0;
  tutti_reducer_own_leaves(run->reducer, &first, &count);
  TUTTI_TRY(TUTTI_NEW(run->tail, count > 1 ? count : 1));
  const int64_t n = tutti_model_n_params(run->network.model);
  if (run->size == 1) TUTTI_TRY(TUTTI_NEW(run->part, n < TUTTI_UPDATE_BUFFER ? n : TUTTI_UPDATE_BUFFER));
  TUTTI_TRY(TUTTI_NEW(run->late, tutti_model_n_arrays(run->network.model)));
  return TUTTI_NEW(run->leaf_ends, count > 1 ? count : 1);
}

static tutti_status reserve(const tutti_run *run) {
  const int64_t batch = run->plan.largest_batch;
  const int64_t leaf_rows =
      tutti_shard_largest(batch, tutti_plan_grain(run->config, batch), run->plan.n_leaves);
  return tutti_model_reserve(run->network.model, batch, run->plan.leaves_apart ? run->plan.n_leaves : 1,
                             leaf_rows);
}

tutti_status tutti_run_build(const tutti_comm *comm, const tutti_config *config, tutti_run *run) {
  run->comm = comm;
  run->config = config;
  run->rank = tutti_comm_rank(comm);
  run->size = tutti_comm_size(comm);
  tutti_phases_start(&run->phases);
  TUTTI_TRY(tutti_plan_make(config, run->samples.train.n, run->size, &run->plan));
  TUTTI_TRY(tutti_network_create(comm, config, run->dataset, run->plan.micro_rows, &run->network));
  run->layout.metric = tutti_model_metric_name(run->network.model);
  TUTTI_TRY(tutti_network_check_labels(&run->network));
  TUTTI_TRY(tutti_agree(comm, tutti_class_weights_make(config, &run->samples.train, &run->network)));
  TUTTI_TRY(tutti_agree(comm, reserve(run)));
  TUTTI_TRY(check_metric_names(run));
  TUTTI_TRY(tutti_reducer_create(comm, config->parallel.reduce, tutti_model_n_params(run->network.model),
                                 run->plan.n_leaves, &run->reducer));
  TUTTI_TRY(tutti_agree(comm, create_leaves(run)));
  TUTTI_TRY(tutti_agree(comm, create_optimizer(run)));
  TUTTI_TRY(tutti_agree(comm, tutti_average_create(run)));
  const int64_t n_looked_at = run->samples.looked_at.n;
  if (n_looked_at > 0)
    TUTTI_TRY(
        tutti_agree(comm, tutti_evaluated_create(run, TUTTI_TRAIN_PREFIX, n_looked_at, &run->training)));
  TUTTI_TRY(tutti_agree(comm, tutti_meter_create(run)));
  return TUTTI_OK;
}

tutti_status tutti_run_open(const tutti_comm *comm, const tutti_config *config, tutti_run *run) {
  *run = (tutti_run){.comm = comm, .config = config};
  tutti_status status = tutti_samples_open(comm, config, &run->dataset);
  if (status == TUTTI_OK) status = tutti_samples_advise(comm, config, run->dataset);
  if (status == TUTTI_OK) status = tutti_run_divide(run);
  if (status != TUTTI_OK) tutti_run_destroy(run);
  return status;
}

tutti_status tutti_run_create(const tutti_comm *comm, const tutti_config *config, tutti_run *run) {
  TUTTI_TRY(tutti_run_open(comm, config, run));
  const tutti_status status = tutti_run_build(comm, config, run);
  if (status != TUTTI_OK) tutti_run_destroy(run);
  return status;
}

tutti_status tutti_run_keep_rows(tutti_run *run) {
  const uint64_t seed = run->state.split_seed;
  if (seed == run->config->train.seed || run->config->data.validation_split == 0) return TUTTI_OK;
  if (run->config->data.validation_take != TUTTI_TAKE_SHUFFLED) return TUTTI_OK;
  tutti_log_once(TUTTI_LOG_INFO,
                 "the validation rows stay those that train.seed %llu has drawn: others were trained on",
                 (unsigned long long)seed);
  TUTTI_TRY(tutti_run_divide_by(run, seed));
  return tutti_agree(run->comm, tutti_class_weights_make(run->config, &run->samples.train, &run->network));
}

tutti_status tutti_run_schedule(tutti_run *run) {
  const tutti_checkpoint_state *state = &run->state;
  TUTTI_TRY(tutti_plan_go_on(&run->plan, run->config, state, run->size));
  TUTTI_TRY(tutti_plan_schedule(&run->plan, run->config, state->warmup_from, &run->schedule));
  run->schedule.drops = state->plateau_drops;
  return TUTTI_OK;
}

tutti_checkpoint_state tutti_run_first_state(const tutti_run *run) {
  return (tutti_checkpoint_state){.seed = run->config->train.seed,
                                  .split_seed = run->config->train.seed,
                                  .best = NAN,
                                  .plateau_best = NAN,
                                  .data = tutti_dataset_fingerprint(run->dataset, TUTTI_HASH_XXH64),
                                  .data_hash = TUTTI_HASH_XXH64};
}

tutti_status tutti_run_begin(tutti_run *run) {
  tutti_model *model = run->network.model;
  float *weights = NULL;
  tutti_status status = TUTTI_OK;
  run->state = tutti_run_first_state(run);
  TUTTI_TRY(tutti_run_schedule(run));
  if (run->rank == 0) status = TUTTI_NEW(weights, tutti_model_n_params(model));
  TUTTI_TRY_GOTO(done, tutti_agree(run->comm, status));
  if (run->rank == 0) tutti_model_init(model, run->config->train.seed, weights);
  TUTTI_TRY_GOTO(done, tutti_start_from_weights(run, weights, true));
  int64_t begin = 0, end = 0;
  tutti_reducer_slice(run->reducer, &begin, &end);
  TUTTI_TRY_GOTO(done,
                 tutti_reducer_scatter(run->reducer, weights, tutti_reducer_params(run->reducer) + begin));
  TUTTI_TRY_GOTO(done, tutti_reducer_publish(run->reducer));
  TUTTI_TRY_GOTO(done, tutti_bcast(run->comm, 0, tutti_model_state(model),
                                   tutti_model_n_state(model) * (int64_t)sizeof(float)));
  TUTTI_TRY_GOTO(done, tutti_meter_start(run, weights));
done:
  tutti_free(weights);
  return status;
}

void tutti_run_strip(tutti_run *run) {
  tutti_meter_destroy(&run->meter);
  tutti_optim_destroy(&run->optim);
  tutti_reducer_destroy(&run->reducer);
  tutti_network_destroy(&run->network);
  tutti_rows_clear_columns(run);
  tutti_free(run->averaged);
  tutti_free(run->squares);
  tutti_free(run->norms);
  tutti_free(run->gain_squares);
  tutti_free(run->tail);
  tutti_free(run->leaf_ends);
  tutti_free(run->part);
  tutti_free(run->late);
  run->part = NULL;
  run->late = NULL;
  run->averaged = NULL;
  run->average = run->training = (tutti_evaluated){0};
  run->squares = NULL;
  run->norms = NULL;
  run->gain_squares = NULL;
  run->gain = 0;
  run->tail = NULL;
  run->leaf_ends = NULL;
}

void tutti_run_destroy(tutti_run *run) {
  tutti_run_strip(run);
  tutti_dataset_close(&run->dataset);
  tutti_progress_destroy(&run->progress);
  tutti_free(run->history.records);
  tutti_free(run->steps.records);
  *run = (tutti_run){0};
}

tutti_status tutti_run_check_same(const tutti_run *run) {
  tutti_model *model = run->network.model;
  const long long step = (long long)run->state.step;
  char what[64];
  if (run->size == 1) return TUTTI_OK;
  snprintf(what, sizeof what, "the parameters after step %lld", step);
  TUTTI_TRY(
      tutti_same_floats(run->comm, tutti_reducer_params(run->reducer), tutti_model_n_params(model), what));
  if (tutti_model_n_state(model) == 0) return TUTTI_OK;
  snprintf(what, sizeof what, "the moving statistics after step %lld", step);
  return tutti_same_floats(run->comm, tutti_model_state(model), tutti_model_n_state(model), what);
}
