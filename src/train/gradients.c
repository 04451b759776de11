/** ids -> samples -> forward, loss, backward: the gradients of this rank's leaves. */
#include "train/gradients.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "measure/meter.h"
#include "run/micro_batches.h"
#include "train/update.h"

/** The global batch of this step, and how its micro-batches are to be passed. */
typedef struct {
  tutti_range batch; // positions in the epoch where it begins
  int64_t grain;
  tutti_model_pass pass;
} step_work;

static step_work plan_step(const tutti_run *run) {
  const tutti_config *config = run->fixed.config;
  const tutti_position now = tutti_run_position(run);
  const tutti_range batch = tutti_plan_batch(&run->fixed.plan, now);
  const bool shares_groups = tutti_plan_shares_groups(config, &run->fixed.plan, batch.count);
  return (step_work){.batch = batch,
                     .grain = tutti_plan_grain(config, batch.count),
                     .pass = {.training = true,
                              .seed = config->train.seed,
                              .epoch = (uint32_t)(now.place / run->fixed.plan.epoch.n),
                              .batch_begin = batch.begin,
                              .batch_count = batch.count,
                              .sum = shares_groups ? tutti_network_sum : NULL,
                              .context = (void *)run->fixed.comm}};
}

/** Training samples ids[rows.count] of positions of an epoch; those from its end on are of the epochs behind it, each in
 * an order of its own. */
static void list_samples(const tutti_run *run, uint32_t epoch, tutti_range rows, int64_t *ids) {
  const tutti_train_options *train = &run->fixed.config->train;
  const int64_t n = run->fixed.samples.train.n;
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

// --- leaves ----------------------------------------------------------------------------------------------

/** A micro-batch, and what becomes of its leaves' gradients. */
typedef struct {
  tutti_pass pass;
  tutti_run *run;
  tutti_model_leaves leaves;
  bool early;   // a complete part is used for the update at once
  float *given; // where the part that is under way goes
} bundle;

static float *gradient_of_leaf(void *context, int leaf, int64_t begin, int64_t n) {
  bundle *b = context;
  const bool in_cache = b->early && n <= TUTTI_UPDATE_BUFFER;
  b->given = in_cache ? b->run->step.part : tutti_reducer_leaf(b->run->fixed.reducer, leaf) + begin;
  return b->given;
}

/** Kept in its place in the leaf until backward is over. */
static void keep_part(bundle *b, int leaf, int64_t begin, int64_t n) {
  tutti_run *run = b->run;
  float *kept = tutti_reducer_leaf(run->fixed.reducer, leaf) + begin;
  if (kept != b->given) memcpy(kept, b->given, (size_t)n * sizeof *kept);
  TUTTI_ASSERT(run->step.n_late < tutti_model_n_arrays(run->fixed.network.model));
  run->step.late[run->step.n_late++] = (tutti_range){.begin = begin, .count = n};
}

static void part_is_done(void *context, int leaf, int64_t begin, int64_t n, bool settled) {
  bundle *b = context;
  if (!b->early) tutti_meter_leaf(b->run, &b->pass, leaf, begin, n, b->given);
  if (b->early && settled)
    tutti_train_update_part(b->run, begin, n, b->given);
  else if (b->early)
    keep_part(b, leaf, begin, n);
  else if (b->pass.ends)
    tutti_reducer_leaf_done(b->run->fixed.reducer, leaf, begin, n);
}

// --- gradients -------------------------------------------------------------------------------------------

/** Losses and metrics of a micro-batch into the tail's rows of its leaves. */
static void add_losses(tutti_run *run, const tutti_model_pass *pass, int64_t rows, tutti_targets targets,
                       double (*tail)[TUTTI_N_TAIL]) {
  const int64_t n_out = tutti_model_n_out(run->fixed.network.model);
  const tutti_model_leaves *leaves = pass->leaves;
  double all = 0;
  for (int i = 0; i < leaves->count; i++) {
    const int64_t from = i ? leaves->ends[i - 1] : 0, to = leaves->ends[i];
    const tutti_targets part = {.classes = targets.classes ? targets.classes + from : NULL,
                                .values = targets.values ? targets.values + from * n_out : NULL,
                                .weights = targets.weights ? targets.weights + from : NULL};
    double loss = 0;
    tutti_model_loss_part(run->fixed.network.model, pass, part, from, to, &loss, &tail[i][TUTTI_TAIL_METRIC]);
    tail[i][TUTTI_TAIL_LOSS] += loss;
    tail[i][TUTTI_TAIL_SAMPLES] += (double)(to - from);
    all += loss;
  }
  // The next micro-batch takes the place of these outputs.
  if (!isfinite(all) && run->step.bad_layer < 0)
    run->step.bad_layer =
        tutti_model_first_nonfinite(run->fixed.network.model, tutti_reducer_params(run->fixed.reducer), rows);
}

/** Forward, loss and backward of samples that network->rows names. */
static tutti_status pass_through(tutti_run *run, const tutti_model_pass *pass, bundle *b,
                                 double (*tail)[TUTTI_N_TAIL]) {
  const tutti_network *network = &run->fixed.network;
  const float *params = tutti_reducer_params(run->fixed.reducer);
  const int64_t rows = b->pass.rows.count;
  const tutti_targets targets = tutti_network_gather(network, TUTTI_ROWS_TRAIN, rows, TUTTI_TO_TRAIN);
  tutti_phases_enter(&run->state.phases, TUTTI_PHASE_COMPUTE);
  TUTTI_TRY(tutti_model_forward(network->model, params, pass, network->x, rows));
  add_losses(run, pass, rows, targets, tail);
  // With the gradients of all samples, which are known to be used.
  b->early = b->pass.begins && b->pass.ends && tutti_train_may_update_early(run, tail[0][TUTTI_TAIL_LOSS]);
  // Leaves that are kept apart are added up as soon as a part of them is complete.
  b->leaves.part = b->early || run->fixed.plan.leaves_apart ? TUTTI_UPDATE_PART : 0;
  if (b->early) tutti_train_update_begin(run);
  TUTTI_TRY(tutti_model_backward(network->model, params, pass, network->x, rows, NULL));
  if (b->early) tutti_train_update_late(run);
  return TUTTI_OK;
}

/** Gradients of one micro-batch into the reducer's leaves; loss and metric into their rows of the tail. */
static tutti_status micro_batch(tutti_run *run, const step_work *work, tutti_pass part,
                                double (*tail)[TUTTI_N_TAIL]) {
  const tutti_network *network = &run->fixed.network;
  bundle b = {.pass = part, .run = run};
  b.leaves = (tutti_model_leaves){.first = part.leaf,
                                  .count = part.n_leaves,
                                  .apart = run->fixed.plan.leaves_apart,
                                  .ends = run->step.leaf_ends,
                                  .gradient = gradient_of_leaf,
                                  .done = part_is_done,
                                  .context = &b};
  tutti_model_pass pass = work->pass;
  pass.leaves = &b.leaves;
  pass.position = part.rows.begin;
  pass.accumulate = !part.begins;
  pass.goes_on = !part.ends && !tutti_meter_sees_leaves(run);
  pass.squares = tutti_meter_examples(run, part.n_leaves);
  tutti_phases_enter(&run->state.phases, TUTTI_PHASE_DATA);
  list_samples(run, pass.epoch, part.rows, network->rows);
  tutti_samples_rows(&run->fixed.samples.train, part.rows.count, network->rows);
  TUTTI_TRY(pass_through(run, &pass, &b, tail));
  tutti_meter_micro_batch(run, &part, work->batch.count, tail);
  return TUTTI_OK;
}

/** All leaves of this rank.  One without samples still makes one empty pass: it writes a zero gradient, and takes part
 * in the sums that batch_norm may need; so does a rank without leaves. */
static tutti_status compute(tutti_run *run, const step_work *work) {
  int first = 0, count = 0;
  tutti_reducer_own_leaves(run->fixed.reducer, &first, &count);
  memset(run->step.tail, 0, (size_t)(count > 1 ? count : 1) * sizeof *run->step.tail);
  tutti_pass part = tutti_pass_before(first);
  while (
      tutti_pass_next(&run->fixed.plan, work->batch, work->grain, first + count, &part, run->step.leaf_ends))
    TUTTI_TRY(micro_batch(run, work, part, run->step.tail + (part.leaf - first)));
  if (count == 0 && work->pass.sum)
    TUTTI_TRY(micro_batch(run, work, (tutti_pass){.begins = true, .ends = true}, run->step.tail));
  TUTTI_TRY(tutti_model_merge_state(run->fixed.network.model, work->pass.batch_count,
                                    run->fixed.size > 1 && !work->pass.sum ? tutti_network_sum : NULL,
                                    work->pass.context));
  return TUTTI_OK;
}

tutti_status tutti_train_gradients(tutti_run *run) {
  const step_work work = plan_step(run);
  run->step.bad_layer = -1;
  run->step.updated = false;
  tutti_meter_begin_step(run);
  return compute(run, &work);
}
