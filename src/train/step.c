/** One step, as data flows: ids -> samples -> forward, loss, backward -> reduce -> update -> publish. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/random.h"
#include "train/run.h"

tutti_position tutti_run_position(const tutti_run *run) {
  return tutti_plan_position(&run->plan, run->state.step, run->state.epoch, run->state.step_in_epoch);
}

/** The part of the global batch that this rank computes, and how its micro-batches are to be passed. */
typedef struct {
  tutti_permutation order; // position in the epoch -> training sample
  tutti_range shard;
  tutti_model_pass pass;
} step_work;

static step_work plan_step(const tutti_run *run) {
  const tutti_config *config = run->config;
  const uint32_t epoch = (uint32_t)run->state.epoch;
  const int64_t n = run->samples.train.n;
  const tutti_range batch = tutti_epoch_batch(&run->plan.epoch, run->state.step_in_epoch);
  const int64_t grain = tutti_plan_grain(config, batch.count);
  const bool groups_are_shared = (batch.count + grain - 1) / grain < run->size;
  return (step_work){.order = config->train.shuffle
                                  ? tutti_permutation_make(n, config->train.seed, TUTTI_STREAM_SHUFFLE, epoch)
                                  : tutti_permutation_identity(n),
                     .shard = tutti_shard(batch, grain, run->rank, run->size),
                     .pass = {.training = true,
                              .seed = config->train.seed,
                              .epoch = epoch,
                              .batch_begin = batch.begin,
                              .batch_count = batch.count,
                              .sum = groups_are_shared ? tutti_network_sum : NULL,
                              .context = (void *)run->comm}};
}

/** Gradient of one micro-batch into the flat buffer; loss and metric into the tail. */
static tutti_status micro_batch(tutti_run *run, const step_work *work, const tutti_model_pass *pass,
                                int64_t rows, float *grads, double *tail) {
  const tutti_network *network = &run->network;
  const float *params = tutti_reducer_params(run->reducer);
  tutti_phases_enter(&run->phases, TUTTI_PHASE_DATA);
  tutti_permutation_fill(&work->order, pass->position, rows, network->rows);
  tutti_samples_rows(&run->samples.train, rows, network->rows);
  const tutti_targets targets = tutti_network_gather(network, TUTTI_ROWS_TRAIN, rows, true);
  tutti_phases_enter(&run->phases, TUTTI_PHASE_COMPUTE);
  TUTTI_TRY(tutti_model_forward(network->model, params, pass, network->x, rows));
  double loss = 0;
  tutti_model_loss(network->model, pass, targets, rows, &loss, &tail[TUTTI_TAIL_METRIC]);
  tail[TUTTI_TAIL_LOSS] += loss;
  // The next micro-batch takes the place of these outputs.
  if (!isfinite(loss) && run->bad_layer < 0)
    run->bad_layer = tutti_model_first_nonfinite(network->model, params, rows);
  TUTTI_TRY(tutti_model_backward(network->model, params, pass, network->x, rows, grads));
  return TUTTI_OK;
}

/** All micro-batches of the shard.  A rank without samples still makes one empty pass: it writes a zero
 * gradient, and takes part in the sums that batch_norm may need. */
static tutti_status compute(tutti_run *run, const step_work *work, double *tail) {
  tutti_model_pass pass = work->pass;
  float *grads = tutti_reducer_leaf(run->reducer, run->rank);
  int64_t done = 0;
  do {
    const int64_t left = work->shard.count - done;
    const int64_t rows = left < run->plan.micro_rows ? left : run->plan.micro_rows;
    pass.position = work->shard.begin + done;
    pass.accumulate = done > 0;
    TUTTI_TRY(micro_batch(run, work, &pass, rows, grads, tail));
    done += rows;
  } while (done < work->shard.count);
  tutti_reducer_leaf_done(run->reducer, run->rank, 0, tutti_model_n_params(run->network.model));
  tail[TUTTI_TAIL_SAMPLES] = (double)work->shard.count;
  TUTTI_TRY(tutti_model_merge_state(run->network.model, pass.batch_count,
                                    run->size > 1 ? tutti_network_sum : NULL, pass.context));
  return TUTTI_OK;
}

/** Update this rank's slice with the reduced gradient. */
static tutti_status update(tutti_run *run) {
  int64_t begin = 0, end = 0;
  tutti_reducer_slice(run->reducer, &begin, &end);
  float *params = tutti_reducer_params(run->reducer) + begin,
        *grads = tutti_reducer_gradient(run->reducer, begin, end - begin);
  tutti_model_penalty_gradient(run->network.model, params, begin, end, grads);
  const int64_t n = end - begin, n_pieces = tutti_optim_n_pieces(run->optim);
  if (n_pieces > 0) {
    memset(run->squares, 0, (size_t)n_pieces * sizeof *run->squares);
    tutti_optim_squares(run->optim, 0, n, grads, run->squares);
    TUTTI_TRY(tutti_reducer_sum_slices(run->reducer, run->squares, n_pieces));
  }
  run->learning_rate = tutti_schedule_at(&run->schedule, tutti_run_position(run).at);
  tutti_optim_begin(run->optim, run->state.step + 1, run->learning_rate, run->squares);
  tutti_optim_step(run->optim, 0, n, params, grads);
  return TUTTI_OK;
}

/** Whether rank 0's clock asks for a checkpoint. */
static bool clock_asks(const tutti_run *run) {
  const tutti_count every = run->config->run.checkpoint_every;
  return run->rank == 0 && every.unit == TUTTI_UNIT_SECONDS && every.value > 0 &&
         tutti_clock_s() - run->saved_at >= every.value;
}

/** What of the tail does not come from the samples.  All ranks know the penalty, so the first alone gives it. */
static void complete_tail(const tutti_run *run, tutti_status local, double *tail) {
  tail[TUTTI_TAIL_FAILED] = local != TUTTI_OK;
  tail[TUTTI_TAIL_SAVE] = clock_asks(run);
  if (run->rank == 0)
    tail[TUTTI_TAIL_PENALTY] = tutti_model_penalty(run->network.model, tutti_reducer_params(run->reducer));
}

tutti_status tutti_run_step(tutti_run *run, tutti_step_result *result) {
  const step_work work = plan_step(run);
  run->bad_layer = -1;
  double tail[1][TUTTI_N_TAIL] = {{0}};
  TUTTI_TRY(compute(run, &work, tail[0]));
  const tutti_status local = run->deferred != TUTTI_OK ? run->deferred : tutti_fault("step");
  complete_tail(run, local, tail[0]);

  tutti_phases_enter(&run->phases, TUTTI_PHASE_REDUCE);
  TUTTI_TRY(tutti_reducer_reduce(run->reducer, tail));
  if (tail[0][TUTTI_TAIL_FAILED] > 0) TUTTI_TRY(tutti_agree(run->comm, local));

  tutti_phases_enter(&run->phases, TUTTI_PHASE_UPDATE);
  *result = (tutti_step_result){.samples = tail[0][TUTTI_TAIL_SAMPLES],
                                .loss = tail[0][TUTTI_TAIL_LOSS],
                                .metric = tail[0][TUTTI_TAIL_METRIC],
                                .penalty = tail[0][TUTTI_TAIL_PENALTY],
                                .save = tail[0][TUTTI_TAIL_SAVE] > 0};
  result->finite = isfinite(result->loss) && isfinite(result->penalty);
  if (result->finite) TUTTI_TRY(update(run));

  tutti_phases_enter(&run->phases, TUTTI_PHASE_REDUCE);
  TUTTI_TRY(tutti_reducer_publish(run->reducer));
  tutti_phases_leave(&run->phases);
  return TUTTI_OK;
}

/** The lowest of the ranks' layers (-1: none) by name, after `words`. */
static tutti_status name_layer(const tutti_run *run, int local, const char *words, char *text, size_t bytes) {
  const int n_layers = tutti_model_n_layers(run->network.model);
  double first = local < 0 ? n_layers : local;
  TUTTI_TRY(tutti_min(run->comm, &first, 1));
  text[0] = '\0';
  if ((int)first >= n_layers) return TUTTI_OK;
  tutti_layer_info info;
  tutti_model_layer(run->network.model, (int)first, &info);
  snprintf(text, bytes, "%s%s", words, info.name);
  return TUTTI_OK;
}

tutti_status tutti_run_blame(const tutti_run *run, char *text, size_t bytes) {
  const tutti_model *model = run->network.model;
  const int64_t rows = run->plan.micro_rows;
  int layer = run->bad_layer;
  if (layer < 0) layer = tutti_model_first_nonfinite(model, tutti_reducer_params(run->reducer), rows);
  TUTTI_TRY(name_layer(run, layer, ", first in layer ", text, bytes));
  if (text[0]) return TUTTI_OK;
  // Sums of squares can leave the range of numbers before any output does.
  double own = 0;
  layer = tutti_model_largest_layer(model, rows, &own);
  double largest = own;
  TUTTI_TRY(tutti_max(run->comm, &largest, 1));
  return name_layer(run, own == largest ? layer : -1, ", the largest numbers are in layer ", text, bytes);
}

tutti_status tutti_run_is_finite(const tutti_run *run, bool *finite) {
  int64_t begin = 0, end = 0;
  tutti_reducer_slice(run->reducer, &begin, &end);
  const float *params = tutti_reducer_params(run->reducer);
  double astray = 0;
  for (int64_t i = begin; i < end; i++) astray += !isfinite(params[i]);
  TUTTI_TRY(tutti_sum(run->comm, &astray, 1));
  *finite = astray == 0;
  return TUTTI_OK;
}
