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

/** The global batch of this step, and how its micro-batches are to be passed. */
typedef struct {
  tutti_permutation order; // position in the epoch -> training sample
  tutti_range batch;
  int64_t grain;
  tutti_model_pass pass;
} step_work;

static step_work plan_step(const tutti_run *run) {
  const tutti_config *config = run->config;
  const uint32_t epoch = (uint32_t)run->state.epoch;
  const int64_t n = run->samples.train.n;
  const tutti_range batch = tutti_epoch_batch(&run->plan.epoch, run->state.step_in_epoch);
  const bool shares_groups = tutti_plan_shares_groups(config, &run->plan, batch.count);
  return (step_work){.order = config->train.shuffle
                                  ? tutti_permutation_make(n, config->train.seed, TUTTI_STREAM_SHUFFLE, epoch)
                                  : tutti_permutation_identity(n),
                     .batch = batch,
                     .grain = tutti_plan_grain(config, batch.count),
                     .pass = {.training = true,
                              .seed = config->train.seed,
                              .epoch = epoch,
                              .batch_begin = batch.begin,
                              .batch_count = batch.count,
                              .sum = shares_groups ? tutti_network_sum : NULL,
                              .context = (void *)run->comm}};
}

// --- leaves ----------------------------------------------------------------------------------------------

/** Leaves that go through the network together, or a part of one. */
typedef struct {
  tutti_model_leaves leaves;
  tutti_reducer *reducer;
  tutti_range rows; // positions in the epoch
  bool complete;    // with these rows the leaves are
} bundle;

static float *gradient_of_leaf(void *context, int leaf) {
  return tutti_reducer_leaf(((const bundle *)context)->reducer, leaf);
}

static void part_is_done(void *context, int leaf, int64_t begin, int64_t n) {
  const bundle *b = context;
  if (b->complete) tutti_reducer_leaf_done(b->reducer, leaf, begin, n);
}

/** As many own leaves from `first` on, before `end`, as a micro-batch holds; at least one. */
static void collect_leaves(const tutti_run *run, const step_work *work, int first, int end, bundle *b) {
  const int n_leaves = run->plan.n_leaves;
  tutti_range rows = tutti_shard(work->batch, work->grain, first, n_leaves);
  run->leaf_ends[0] = rows.count;
  int count = 1;
  while (first + count < end) {
    const tutti_range next = tutti_shard(work->batch, work->grain, first + count, n_leaves);
    if (rows.count + next.count > run->plan.micro_rows) break;
    rows.count += next.count;
    run->leaf_ends[count++] = rows.count;
  }
  b->rows = rows;
  b->leaves.first = first;
  b->leaves.count = count;
}

// --- gradients -------------------------------------------------------------------------------------------

/** Losses and metrics of a micro-batch into the tail's rows of its leaves. */
static void add_losses(tutti_run *run, const tutti_model_pass *pass, const bundle *b, tutti_targets targets,
                       double (*tail)[TUTTI_N_TAIL]) {
  const int64_t n_out = tutti_model_n_out(run->network.model);
  double all = 0;
  for (int i = 0; i < b->leaves.count; i++) {
    const int64_t from = i ? b->leaves.ends[i - 1] : 0, to = b->leaves.ends[i];
    const tutti_targets part = {.classes = targets.classes ? targets.classes + from : NULL,
                                .values = targets.values ? targets.values + from * n_out : NULL};
    double loss = 0;
    tutti_model_loss_part(run->network.model, pass, part, from, to, &loss, &tail[i][TUTTI_TAIL_METRIC]);
    tail[i][TUTTI_TAIL_LOSS] += loss;
    tail[i][TUTTI_TAIL_SAMPLES] += (double)(to - from);
    all += loss;
  }
  // The next micro-batch takes the place of these outputs.
  if (!isfinite(all) && run->bad_layer < 0)
    run->bad_layer =
        tutti_model_first_nonfinite(run->network.model, tutti_reducer_params(run->reducer), b->rows.count);
}

/** Gradients of one micro-batch into the reducer's leaves; loss and metric into the tail. */
static tutti_status micro_batch(tutti_run *run, const step_work *work, const tutti_model_pass *pass,
                                const bundle *b, double (*tail)[TUTTI_N_TAIL]) {
  const tutti_network *network = &run->network;
  const float *params = tutti_reducer_params(run->reducer);
  const int64_t rows = b->rows.count;
  tutti_phases_enter(&run->phases, TUTTI_PHASE_DATA);
  tutti_permutation_fill(&work->order, pass->position, rows, network->rows);
  tutti_samples_rows(&run->samples.train, rows, network->rows);
  const tutti_targets targets = tutti_network_gather(network, TUTTI_ROWS_TRAIN, rows, true);
  tutti_phases_enter(&run->phases, TUTTI_PHASE_COMPUTE);
  TUTTI_TRY(tutti_model_forward(network->model, params, pass, network->x, rows));
  add_losses(run, pass, b, targets, tail);
  TUTTI_TRY(tutti_model_backward(network->model, params, pass, network->x, rows, NULL));
  return TUTTI_OK;
}

/** The leaves of a bundle, in one micro-batch; or one leaf, in as many as it needs. */
static tutti_status compute_bundle(tutti_run *run, const step_work *work, bundle *b,
                                   double (*tail)[TUTTI_N_TAIL]) {
  const tutti_range all = b->rows;
  tutti_model_pass pass = work->pass;
  pass.leaves = &b->leaves;
  int64_t done = 0;
  do {
    const int64_t left = all.count - done;
    const int64_t rows = left < run->plan.micro_rows ? left : run->plan.micro_rows;
    b->rows = (tutti_range){.begin = all.begin + done, .count = rows};
    if (b->leaves.count == 1) run->leaf_ends[0] = rows;
    pass.position = b->rows.begin;
    pass.accumulate = done > 0;
    done += rows;
    b->complete = done == all.count;
    TUTTI_TRY(micro_batch(run, work, &pass, b, tail));
  } while (done < all.count);
  return TUTTI_OK;
}

/** All leaves of this rank.  One without samples still makes one empty pass: it writes a zero gradient, and takes part
 * in the sums that batch_norm may need; so does a rank without leaves. */
static tutti_status compute(tutti_run *run, const step_work *work) {
  int first = 0, count = 0;
  tutti_reducer_own_leaves(run->reducer, &first, &count);
  bundle b = {.leaves = {.apart = run->plan.leaves_apart,
                         .ends = run->leaf_ends,
                         .gradient = gradient_of_leaf,
                         .done = part_is_done},
              .reducer = run->reducer};
  b.leaves.context = &b;
  memset(run->tail, 0, (size_t)(count > 1 ? count : 1) * sizeof *run->tail);
  for (int leaf = first; leaf < first + count; leaf += b.leaves.count) {
    collect_leaves(run, work, leaf, first + count, &b);
    TUTTI_TRY(compute_bundle(run, work, &b, run->tail + (leaf - first)));
  }
  if (count == 0 && work->pass.sum) TUTTI_TRY(compute_bundle(run, work, &b, run->tail));
  TUTTI_TRY(tutti_model_merge_state(run->network.model, work->pass.batch_count,
                                    run->size > 1 && !work->pass.sum ? tutti_network_sum : NULL,
                                    work->pass.context));
  return TUTTI_OK;
}

// --- update ----------------------------------------------------------------------------------------------

/** The norms that clipping wants need all of the gradient before any of it is used. */
static tutti_status sum_squares(tutti_run *run, int64_t begin, int64_t n, float *grads) {
  const int64_t n_pieces = tutti_optim_n_pieces(run->optim);
  memset(run->squares, 0, (size_t)n_pieces * sizeof *run->squares);
  tutti_model_penalty_gradient(run->network.model, tutti_reducer_params(run->reducer) + begin, begin,
                               begin + n, grads);
  tutti_optim_squares(run->optim, 0, n, grads, run->squares);
  return tutti_reducer_sum_slices(run->reducer, run->squares, n_pieces);
}

/** Update this rank's slice, block by block: a block's sum over the leaves is still in the cache then. */
static tutti_status update(tutti_run *run) {
  enum { MANY = 4 * TUTTI_BLOCK }; // of some arrays, in the nearest cache
  int64_t begin = 0, end = 0;
  tutti_reducer_slice(run->reducer, &begin, &end);
  float *whole = NULL;
  if (tutti_optim_n_pieces(run->optim) > 0) {
    whole = tutti_reducer_gradient(run->reducer, begin, end - begin);
    TUTTI_TRY(sum_squares(run, begin, end - begin, whole));
  }
  run->learning_rate = tutti_schedule_at(&run->schedule, tutti_run_position(run).at);
  tutti_optim_begin(run->optim, run->state.step + 1, run->learning_rate, run->squares);
  for (int64_t at = begin; at < end; at += MANY) {
    const int64_t n = end - at < MANY ? end - at : MANY;
    float *params = tutti_reducer_params(run->reducer) + at;
    float *grads = whole ? whole + (at - begin) : tutti_reducer_gradient(run->reducer, at, n);
    if (!whole) tutti_model_penalty_gradient(run->network.model, params, at, at + n, grads);
    tutti_optim_step(run->optim, at - begin, n, params, grads);
  }
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
  double *tail = run->tail[0];
  TUTTI_TRY(compute(run, &work));
  const tutti_status local = run->deferred != TUTTI_OK ? run->deferred : tutti_fault("step");
  complete_tail(run, local, tail);

  tutti_phases_enter(&run->phases, TUTTI_PHASE_REDUCE);
  TUTTI_TRY(tutti_reducer_reduce(run->reducer, run->tail));
  if (tail[TUTTI_TAIL_FAILED] > 0) TUTTI_TRY(tutti_agree(run->comm, local));

  tutti_phases_enter(&run->phases, TUTTI_PHASE_UPDATE);
  *result = (tutti_step_result){.samples = tail[TUTTI_TAIL_SAMPLES],
                                .loss = tail[TUTTI_TAIL_LOSS],
                                .metric = tail[TUTTI_TAIL_METRIC],
                                .penalty = tail[TUTTI_TAIL_PENALTY],
                                .save = tail[TUTTI_TAIL_SAVE] > 0};
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
