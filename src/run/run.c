/* The parts of a training, from the data set up to the optimizer, and its position.  The rooms measure, rundir and
 * train work on them.  What can fail on one rank alone is agreed on before the next collective. */
#include "run/run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "run/micro_batches.h"
#include "tutti/linalg.h"

/** @param[in] seed  draws the validation rows, in place of train.seed */
static tutti_status split_samples(tutti_run *run, uint64_t seed) {
  run->samples = tutti_samples_divide(run->config, run->dataset, seed);
  const tutti_samples *train = &run->samples.train;
  return tutti_dataset_fit_scaling(run->comm, run->dataset, run->config->data.scale, tutti_samples_rows,
                                   train, train->n);
}

tutti_status tutti_run_split_samples(tutti_run *run) {
  TUTTI_TRY(split_samples(run, run->config->train.seed));
  tutti_samples_warn_batch(run->config, &run->samples.train);
  return TUTTI_OK;
}

/** Create the optimizer and the buffers of a step. */
static tutti_status create_optimizer(tutti_run *run) {
  const tutti_model *model = run->network.model;
  const tutti_config *config = run->config;
  int n_arrays = 0; // moving statistics come after all trainable arrays
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
    plain[i] = array->rows == 0; // a vector such as a bias, which lars neither scales nor decays
  }
  offsets[n_arrays] = tutti_model_n_params(model);
  const int rows = tutti_reducer_own_leaves(run->reducer).tail_rows;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(run->step.tail, rows));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(run->step.leaf_ends, rows));
  TUTTI_TRY_GOTO(done, tutti_optim_create(&config->optimizer, offsets, plain, n_arrays,
                                          tutti_reducer_slice(run->reducer), &run->optim));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(run->step.squares, tutti_optim_n_pieces(run->optim)));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(run->step.norms, tutti_optim_n_norms(run->optim)));
  if (run->plan.base > 0)
    TUTTI_TRY_GOTO(done, TUTTI_NEW(run->step.gain_squares, tutti_optim_all_pieces(run->optim)));
done:
  tutti_free(plain);
  tutti_free(offsets);
  return status;
}

/** Allocate what the layers need for the largest batch now: during a step there is nothing left that can fail. */
static tutti_status reserve(const tutti_run *run) {
  const int64_t batch = run->plan.largest_batch;
  const int64_t leaf_rows =
      tutti_shard_largest(batch, tutti_plan_grain(run->config, batch), run->plan.n_leaves);
  return tutti_model_reserve(run->network.model, batch, run->plan.leaves_apart ? run->plan.n_leaves : 1,
                             leaf_rows);
}

/** Create the network, check the labels and weigh the classes, or do none of that again. */
static tutti_status create_network(const tutti_comm *comm, const tutti_config *config, tutti_run *run) {
  tutti_network *network = &run->network;
  const int64_t rows = run->plan.micro_rows;
  if (run->like) return tutti_network_create_like(comm, config, rows, run->like, network);
  TUTTI_TRY(tutti_network_create(comm, config, run->dataset, rows, network));
  TUTTI_TRY(tutti_network_choose_products(comm, true, NULL, network));
  TUTTI_TRY(tutti_comm_agree(comm, tutti_network_check_labels(network)));
  return tutti_comm_agree(comm, tutti_network_set_class_weights(config, &run->samples.train, network));
}

/** Whether no bit may depend on the number of threads.  Bits depend on the cut of a leaf: the losses of its parts are added
 * up, and bfloat16 adds the samples of a part in pairs. */
static bool has_fixed_bits(const tutti_run *run) {
  const tutti_config *config = run->config;
  return run->plan.leaves_apart || config->parallel.kernels == TUTTI_KERNELS_OWN ||
         config->model.compute == TUTTI_COMPUTE_BFLOAT16;
}

/** Ranks may have other numbers of threads, but their micro-batches are equal. */
static tutti_status cut_batches(tutti_run *run) {
  int n_threads = has_fixed_bits(run) ? 1 : tutti_linalg_threads();
  TUTTI_TRY(tutti_comm_bcast(run->comm, 0, &n_threads, sizeof n_threads));
  const int64_t rows = tutti_run_full_rows(run->config, tutti_dataset_n_features(run->dataset), n_threads);
  return tutti_plan_cut(&run->plan, run->config, rows, run->size);
}

tutti_status tutti_run_build(const tutti_comm *comm, const tutti_config *config, tutti_run *run) {
  run->comm = comm;
  run->config = config;
  run->rank = tutti_comm_rank(comm);
  run->size = tutti_comm_size(comm);
  tutti_metrics_phases_start(&run->state.phases);
  // The plan decides how large the micro-batches are, the network how many parameters the reducer holds, and the
  // reducer which slice of them the optimizer has: hence this order.
  TUTTI_TRY(tutti_plan_make(config, run->samples.train.n, run->size, &run->plan));
  TUTTI_TRY(cut_batches(run));
  TUTTI_TRY(create_network(comm, config, run));
  run->state.rows.layout.metric = tutti_model_metric_name(run->network.model);
  TUTTI_TRY(tutti_comm_agree(comm, reserve(run)));
  TUTTI_TRY(tutti_reducer_create(comm, config->parallel.reduce, tutti_model_n_params(run->network.model),
                                 run->plan.n_leaves, &run->reducer));
  return tutti_comm_agree(comm, create_optimizer(run));
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
  const uint64_t seed = run->state.at.split_seed;
  // Rows that are in the order of the file are the same for every seed.
  if (seed == run->config->train.seed || run->config->data.validation_split == 0) return TUTTI_OK;
  if (run->config->data.validation_take != TUTTI_TAKE_SHUFFLED) return TUTTI_OK;
  tutti_log_once(
      TUTTI_LOG_INFO,
      "the validation rows stay those that train.seed %llu has drawn, because the others were trained on",
      (unsigned long long)seed);
  TUTTI_TRY(split_samples(run, seed));
  return tutti_comm_agree(run->comm,
                          tutti_network_set_class_weights(run->config, &run->samples.train, &run->network));
}

tutti_status tutti_run_schedule(tutti_run *run) {
  const tutti_checkpoint_state *state = &run->state.at;
  TUTTI_TRY(tutti_plan_go_on(&run->plan, run->config, state, run->size));
  TUTTI_TRY(tutti_plan_schedule(&run->plan, run->config, state->warmup_from, &run->schedule));
  run->schedule.drops = state->plateau_drops;
  return TUTTI_OK;
}

tutti_checkpoint_state tutti_run_first_state(const tutti_run *run) {
  // The fingerprint tells a run that resumes whether its data have changed.
  return (tutti_checkpoint_state){.seed = run->config->train.seed,
                                  .split_seed = run->config->train.seed,
                                  .best = NAN,
                                  .plateau_best = NAN,
                                  .data = tutti_dataset_fingerprint(run->dataset, TUTTI_HASH_XXH64),
                                  .data_hash = TUTTI_HASH_XXH64};
}

tutti_position tutti_run_position(const tutti_run *run) {
  return tutti_plan_position(&run->plan, &run->state.at);
}

tutti_status tutti_run_set_weights(tutti_run *run, const float *weights) {
  tutti_model *model = run->network.model;
  TUTTI_TRY(tutti_reducer_set_params(run->reducer, weights));
  // A checkpoint may bring moving statistics, which only rank 0 has read.
  return tutti_comm_bcast(run->comm, 0, tutti_model_state(model),
                          tutti_model_n_state(model) * (int64_t)sizeof(float));
}

void tutti_run_release(tutti_run *run) {
  tutti_optim_destroy(&run->optim);
  tutti_reducer_destroy(&run->reducer);
  tutti_network_destroy(&run->network);
  tutti_run_clear_rows(run);
  tutti_run_step *step = &run->step;
  void *const owned[] = {step->squares, step->norms,     step->gain_squares,
                         step->tail,    step->leaf_ends, run->averaged};
  for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) tutti_free(owned[i]);
  // Pointers become NULL, because a run can be built again on the same data.
  *step = (tutti_run_step){0};
  run->averaged = NULL;
}

void tutti_run_destroy(tutti_run *run) {
  tutti_run_release(run);
  tutti_dataset_close(&run->dataset);
  *run = (tutti_run){0};
}

static tutti_status check_same(const tutti_run *run) {
  tutti_model *model = run->network.model;
  const long long step = (long long)run->state.at.step;
  char what[64];
  snprintf(what, sizeof what, "the parameters after step %lld", step);
  TUTTI_TRY(tutti_comm_same_floats(run->comm, tutti_reducer_params(run->reducer), tutti_model_n_params(model),
                                   what));
  if (tutti_model_n_state(model) == 0) return TUTTI_OK;
  snprintf(what, sizeof what, "the moving statistics after step %lld", step);
  return tutti_comm_same_floats(run->comm, tutti_model_state(model), tutti_model_n_state(model), what);
}

tutti_status tutti_run_check_same(tutti_run *run) {
  char text[1024];
  if (run->size == 1) return TUTTI_OK; // there is no other copy
  const tutti_status status = check_same(run);
  if (status == TUTTI_OK) run->state.same_at = run->state.at.step;
  if (status != TUTTI_ERR_SYSTEM) return status;
  snprintf(text, sizeof text, "%s; all ranks had the same after step %lld", tutti_fail_text(),
           (long long)run->state.same_at);
  tutti_fail_set_text(text);
  return status;
}
