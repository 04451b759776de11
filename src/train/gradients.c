/* The first half of a step, ids -> samples -> forward, loss, backward: the gradients of this rank's leaves.
 *
 * The global batch is cut into leaves, by default one per rank; with reduce=tree their number is fixed, so that no sum
 * depends on the number of ranks.  A rank sends its leaves through the network in micro-batches: a micro-batch is as
 * many leaves as fit into it, or a part of one large leaf, whose gradients then add up.  step.c calls this. */
#include "train/train_impl.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "measure/meter.h"
#include "run/micro_batches.h"

/** The global batch of this step, and what all of its micro-batches have in common. */
typedef struct {
  tutti_range batch;     // positions in the epoch in which it begins
  int64_t grain;         // samples that stay together, see tutti_plan_grain
  tutti_model_pass pass; // the same for each micro-batch; the rest is set there
} step_work;

static step_work plan_step(const tutti_run *run, tutti_position now) {
  const tutti_config *config = run->config;
  const tutti_range batch = tutti_plan_batch(&run->plan, now);
  const bool shares_groups = tutti_plan_shares_groups(config, &run->plan, batch.count);
  return (step_work){.batch = batch,
                     .grain = tutti_plan_grain(config, batch.count),
                     .pass = {.training = true,
                              .seed = config->train.seed,
                              .epoch = (uint32_t)(now.place / run->plan.epoch.n),
                              .batch_begin = batch.begin,
                              .batch_count = batch.count,
                              .sum = shares_groups ? tutti_network_sum : NULL,
                              .context = (void *)run->comm}};
}

/** List the training samples at positions of an epoch.  Positions behind its end belong to the epochs after it, each of
 * them in an order of its own.
 * @param[out] ids  [rows.count] */
static void list_samples(const tutti_run *run, uint32_t epoch, tutti_range rows, int64_t *ids) {
  const tutti_train_options *train = &run->config->train;
  const int64_t n = run->samples.train.n;
  for (int64_t at = rows.begin; at < rows.begin + rows.count;) {
    const int64_t first = at % n, left = rows.begin + rows.count - at,
                  count = left < n - first ? left : n - first;
    const tutti_permutation order =
        train->shuffle
            ? tutti_permutation_make(n, train->seed, TUTTI_STREAM_SHUFFLE, epoch + (uint32_t)(at / n))
            : tutti_permutation_identity(n);
    tutti_permutation_fill(&order, first, count, ids + (at - rows.begin));
    at += count;
  }
}

// --- the gradients of leaves, as backward delivers them --------------------------------------------------------

/** A micro-batch, and where the gradients of its leaves go. */
typedef struct {
  tutti_micro_batch micro_batch;
  tutti_run *run;
  tutti_model_leaves leaves;
} micro_batch_sink;

static float *gradient_of_leaf(void *context, int leaf, int64_t begin, int64_t n) {
  micro_batch_sink *sink = context;
  (void)n;
  return tutti_reducer_leaf(sink->run->reducer, leaf) + begin;
}

static void part_is_done(void *context, int leaf, int64_t begin, int64_t n) {
  micro_batch_sink *sink = context;
  const float *gradient = tutti_reducer_leaf(sink->run->reducer, leaf) + begin;
  tutti_meter_leaf(sink->run, &sink->micro_batch, leaf, begin, n, gradient);
  if (sink->micro_batch.ends) tutti_reducer_leaf_done(sink->run->reducer, leaf, begin, n);
}

// --- gradients -------------------------------------------------------------------------------------------

/** The targets from row `from` of the micro-batch on. */
static tutti_targets targets_from(const tutti_run *run, tutti_targets targets, int64_t from) {
  const int64_t n_out = tutti_model_n_out(run->network.model);
  return (tutti_targets){.classes = targets.classes ? targets.classes + from : NULL,
                         .values = targets.values ? targets.values + from * n_out : NULL,
                         .weights = targets.weights ? targets.weights + from : NULL};
}

/** A loss beyond the range of a float counts, too, because the reduction of some losses would lose it. */
static bool is_bad(double loss) {
  return !(fabs(loss) <= FLT_MAX);
}

/** Note the layer that spoiled the outputs, and the samples: the next micro-batch overwrites both. */
static void note_bad(tutti_run *run, const tutti_model_pass *pass, int64_t rows, tutti_targets targets) {
  tutti_model *model = run->network.model;
  tutti_run_step *step = &run->step;
  step->bad_layer = tutti_model_first_nonfinite(model, tutti_reducer_params(run->reducer), rows);
  for (int64_t i = 0; i < rows; i++) {
    double loss = 0, unused = 0;
    tutti_model_loss_part(model, pass, targets_from(run, targets, i), i, i + 1, &loss, &unused);
    if (!is_bad(loss)) continue;
    if (step->n_bad_rows < TUTTI_RUN_BAD_ROWS) step->bad_rows[step->n_bad_rows] = run->network.rows[i];
    step->n_bad_rows++;
  }
}

/** Add losses, metrics and counts of a micro-batch.
 * @param[in,out] tail  rows of its leaves */
static void add_losses(tutti_run *run, const tutti_model_pass *pass, int64_t rows, tutti_targets targets,
                       double (*tail)[TUTTI_N_TAIL]) {
  const tutti_model_leaves *leaves = pass->leaves;
  double all = 0;
  for (int i = 0; i < leaves->count; i++) {
    const int64_t from = i ? leaves->ends[i - 1] : 0, to = leaves->ends[i];
    const tutti_targets part = targets_from(run, targets, from);
    double loss = 0;
    tutti_model_loss_part(run->network.model, pass, part, from, to, &loss, &tail[i][TUTTI_TAIL_METRIC]);
    tail[i][TUTTI_TAIL_LOSS] += loss;
    tail[i][TUTTI_TAIL_SAMPLES] += (double)(to - from);
    all += loss;
  }
  if (is_bad(all) && run->step.n_bad_rows == 0 && run->step.bad_layer < 0) note_bad(run, pass, rows, targets);
}

/** Forward, loss and backward of the samples network->rows. */
static tutti_status forward_backward(tutti_run *run, const tutti_model_pass *pass, micro_batch_sink *sink,
                                     double (*tail)[TUTTI_N_TAIL]) {
  const tutti_network *network = &run->network;
  const float *params = tutti_reducer_params(run->reducer);
  const int64_t rows = sink->micro_batch.rows.count;
  const tutti_targets targets = tutti_network_gather(network, TUTTI_ROWS_TRAIN, rows, TUTTI_TO_TRAIN);
  tutti_metrics_phases_enter(&run->state.phases, TUTTI_PHASE_COMPUTE);
  TUTTI_TRY(tutti_model_forward(network->model, params, pass, network->x, rows));
  add_losses(run, pass, rows, targets, tail);
  return tutti_model_backward(network->model, params, pass, network->x, rows, NULL);
}

/** Send one micro-batch through the network: its gradients go into the reducer's leaves, loss and metric into the tail.
 * @param[in,out] tail  rows of its leaves */
static tutti_status do_micro_batch(tutti_run *run, const step_work *work, tutti_micro_batch micro_batch,
                                   double (*tail)[TUTTI_N_TAIL]) {
  const tutti_network *network = &run->network;
  micro_batch_sink sink = {.micro_batch = micro_batch, .run = run};
  sink.leaves = (tutti_model_leaves){.first = micro_batch.leaf,
                                     .count = micro_batch.n_leaves,
                                     .apart = run->plan.leaves_apart,
                                     .part = tutti_reducer_part(run->reducer),
                                     .ends = run->step.leaf_ends,
                                     .gradient = gradient_of_leaf,
                                     .done = part_is_done,
                                     .context = &sink};
  tutti_model_pass pass = work->pass;
  pass.leaves = &sink.leaves;
  pass.position = micro_batch.rows.begin;
  pass.accumulate = !micro_batch.begins;
  pass.goes_on = !micro_batch.ends && !tutti_meter_sees_leaves(run);
  pass.squares = tutti_meter_examples(run, micro_batch.n_leaves);
  tutti_metrics_phases_enter(&run->state.phases, TUTTI_PHASE_DATA);
  list_samples(run, pass.epoch, micro_batch.rows, network->rows);
  tutti_samples_rows(&run->samples.train, micro_batch.rows.count, network->rows);
  TUTTI_TRY(forward_backward(run, &pass, &sink, tail));
  tutti_meter_micro_batch(run, &micro_batch, work->batch.count, tail);
  return TUTTI_OK;
}

/** Compute all leaves of this rank.  A leaf without samples still has one empty micro-batch: it writes a zero gradient
 * and takes part in the sums over ranks that batch_norm may need.  For the sake of these sums a rank without leaves has
 * one, too. */
static tutti_status compute(tutti_run *run, const step_work *work) {
  const tutti_par_leaves own = tutti_reducer_own_leaves(run->reducer);
  memset(run->step.tail, 0, (size_t)own.tail_rows * sizeof *run->step.tail);
  tutti_micro_batch micro_batch = tutti_run_micro_batch_before(own.first);
  while (tutti_run_micro_batch_next(&run->plan, work->batch, work->grain, own.first + own.count, &micro_batch,
                                    run->step.leaf_ends))
    TUTTI_TRY(do_micro_batch(run, work, micro_batch, run->step.tail + (micro_batch.leaf - own.first)));
  if (own.count == 0 && work->pass.sum)
    TUTTI_TRY(do_micro_batch(run, work, (tutti_micro_batch){.begins = true, .ends = true}, run->step.tail));
  // Now that all micro-batches are through, batch_norm's moving statistics take over those of the global batch.
  return tutti_model_merge_state(run->network.model, work->pass.batch_count,
                                 run->size > 1 && !work->pass.sum ? tutti_network_sum : NULL,
                                 work->pass.context);
}

/** The first samples of the next step come from memory while this step is reduced and updated. */
static void ask_for_next(tutti_run *run, tutti_position next) {
  enum { MOST = 512 };
  int64_t rows[MOST];
  const int64_t taken = tutti_dataset_n_prefetched(run->network.dataset, run->samples.train.which),
                most = taken < MOST ? taken : MOST;
  if (most == 0) return;
  tutti_metrics_phases_enter(&run->state.phases, TUTTI_PHASE_DATA);
  const step_work work = plan_step(run, next);
  const tutti_par_leaves own = tutti_reducer_own_leaves(run->reducer);
  tutti_micro_batch first = tutti_run_micro_batch_before(own.first);
  if (!tutti_run_micro_batch_next(&run->plan, work.batch, work.grain, own.first + own.count, &first,
                                  run->step.leaf_ends))
    return;
  if (first.rows.count > most) first.rows.count = most;
  list_samples(run, work.pass.epoch, first.rows, rows);
  tutti_samples_rows(&run->samples.train, first.rows.count, rows);
  tutti_dataset_prefetch(run->network.dataset, run->samples.train.which, rows, first.rows.count);
}

tutti_status tutti_train_gradients(tutti_run *run) {
  const tutti_position now = tutti_run_position(run);
  const step_work work = plan_step(run, now);
  run->step.bad_layer = -1;
  run->step.n_bad_rows = 0;
  tutti_meter_begin_step(run);
  TUTTI_TRY(compute(run, &work));
  ask_for_next(run, tutti_plan_move(&run->plan, now, 1));
  return TUTTI_OK;
}
