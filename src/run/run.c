/** What a training is made of, from the data set up to the optimizer; and where it stands.  Training, its measurements and its
 * files are built on this. */
#include "run/run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "run/class_weights.h"

tutti_status tutti_run_split_samples_by(tutti_run *run, uint64_t seed) {
  run->samples = tutti_samples_divide(run->config, run->dataset, seed);
  const tutti_samples *train = &run->samples.train;
  return tutti_dataset_fit_scaling(run->comm, run->dataset, run->config->data.scale, tutti_samples_rows,
                                   train, train->n);
}

tutti_status tutti_run_split_samples(tutti_run *run) {
  const tutti_config *config = run->config;
  TUTTI_TRY(tutti_run_split_samples_by(run, config->train.seed));
  const tutti_samples *train = &run->samples.train;
  if (config->train.batch_size > train->n && config->train.last_batch == TUTTI_LAST_SHORT)
    tutti_log_root(
        TUTTI_LOG_WARNING,
        "train.batch_size %lld is more than the %lld training samples: each step takes them all once; "
        "train.last_batch=carry takes as many as that",
        (long long)config->train.batch_size, (long long)train->n);
  return TUTTI_OK;
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
  TUTTI_TRY(tutti_reducer_create(comm, config->parallel.reduce, tutti_model_n_params(run->network.model),
                                 run->plan.n_leaves, &run->reducer));
  TUTTI_TRY(tutti_agree(comm, create_leaves(run)));
  return tutti_agree(comm, create_optimizer(run));
}

tutti_status tutti_run_open(const tutti_comm *comm, const tutti_config *config, tutti_run *run) {
  *run = (tutti_run){.comm = comm, .config = config};
  tutti_status status = tutti_samples_open(comm, config, &run->dataset);
  if (status == TUTTI_OK) status = tutti_samples_advise(comm, config, run->dataset);
  if (status == TUTTI_OK) status = tutti_run_split_samples(run);
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
  TUTTI_TRY(tutti_run_split_samples_by(run, seed));
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

tutti_position tutti_run_position(const tutti_run *run) {
  return tutti_plan_position(&run->plan, &run->state);
}

void tutti_run_release(tutti_run *run) {
  tutti_optim_destroy(&run->optim);
  tutti_reducer_destroy(&run->reducer);
  tutti_network_destroy(&run->network);
  tutti_rows_clear_columns(run);
  tutti_free(run->squares);
  tutti_free(run->norms);
  tutti_free(run->gain_squares);
  tutti_free(run->tail);
  tutti_free(run->leaf_ends);
  run->squares = NULL;
  run->norms = NULL;
  run->gain_squares = NULL;
  run->tail = NULL;
  run->leaf_ends = NULL;
}

void tutti_run_destroy(tutti_run *run) {
  tutti_run_release(run);
  tutti_dataset_close(&run->dataset);
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
