/* Makes the plan of a training: how many steps the budget is, and how a global batch is cut into leaves and
 * micro-batches.  Pure arithmetic on counts, so all ranks compute it by themselves and agree without communication.
 *
 * With AdaScale (a plan with a `base`) a step counts as `gain` steps of the base batch (Johnson et al., arXiv
 * 2007.05105), so the budget and the schedule are in steps of that batch and the number of real steps is known only at
 * the end. */
#include "run/plan.h"

#include <math.h>

#include "base/arithmetic.h"

/** The limits of a double that counts exactly, of the 32 bits of an epoch in the keys of random numbers, and of sums in
 * int64_t. */
static const double MAX_STEPS = 0x1p53, MAX_EPOCHS = 0x1p32 - 1, MAX_SAMPLES = 0x1p62;

int64_t tutti_plan_grain(const tutti_config *config, int64_t batch_count) {
  return tutti_model_layers_group(config->model.layers, (int)config->model.n_layers, batch_count);
}

bool tutti_plan_shares_groups(const tutti_config *config, const tutti_plan *plan, int64_t batch_count) {
  const int64_t grain = tutti_plan_grain(config, batch_count);
  return (batch_count + grain - 1) / grain < plan->n_leaves;
}

/** Steps of a budget in epochs or samples.
 * @param[in] samples  the budget in samples; with epochs, the place at which it ends */
static int64_t steps_of_budget(const tutti_plan *plan, tutti_count budget, double samples) {
  return budget.unit == TUTTI_UNIT_EPOCHS ? tutti_stages_reach(&plan->stages, (int64_t)samples)
                                          : tutti_stages_steps(&plan->stages, (int64_t)samples);
}

/** Count the steps of the budget.  A part of an epoch counts as the least number of steps that cover it. */
static tutti_status count_budget(tutti_count budget, tutti_plan *plan) {
  const bool by_steps = budget.unit == TUTTI_UNIT_STEPS;
  const double n = (double)plan->epoch.n;
  double samples = budget.value, steps = budget.value;
  if (budget.unit == TUTTI_UNIT_EPOCHS) samples *= n;
  if (by_steps) samples = steps * (double)plan->largest_batch; // at most
  if (!by_steps) steps = samples <= MAX_SAMPLES ? (double)steps_of_budget(plan, budget, samples) : samples;
  TUTTI_CHECK(steps <= MAX_STEPS && samples / n <= MAX_EPOCHS && samples <= MAX_SAMPLES, TUTTI_ERR_CONFIG,
              "train: the budget is %g steps, %g epochs; at most %g and %g can be counted", steps,
              samples / n, MAX_STEPS, MAX_EPOCHS);
  plan->total_steps = (int64_t)steps;
  if (plan->base > 0) {
    plan->base_steps = by_steps ? budget.value : samples / plan->base;
    TUTTI_CHECK(plan->base_steps <= MAX_STEPS, TUTTI_ERR_CONFIG,
                "train: the budget is %g steps of schedule.base_batch_size; at most %g can be counted",
                plan->base_steps, MAX_STEPS);
    plan->total_steps = (int64_t)ceil(plan->base_steps); // at most, because a gain is at least 1
  }
  plan->total_steps = tutti_max64(plan->total_steps, plan->from.at);
  return TUTTI_OK;
}

/** A group of one sample has no variance, so batch_norm would give the same output for every sample.  Such groups are
 * refused in whole batches; the short last batch of an epoch may have one. */
static tutti_status check_groups(const tutti_config *config, const tutti_stage *stage) {
  const tutti_layer_spec *layers = config->model.layers;
  const int n_layers = (int)config->model.n_layers;
  if (!tutti_model_layers_single_group(layers, n_layers, stage->batch)) return TUTTI_OK;
  int64_t better = stage->batch;
  do better++;
  while (tutti_model_layers_single_group(layers, n_layers, better));
  TUTTI_FAIL(TUTTI_ERR_CONFIG,
             "%s: %lld leaves a group of one sample to batch_norm, and one sample has no variance; the next "
             "size that does not is %lld, or change ghost",
             stage->at == 0 ? "train.batch_size" : "schedule.batch_growth, a batch that it makes",
             (long long)stage->batch, (long long)better);
}

/** Samples of the rank that has the most, in a batch of `batch` samples. */
static int64_t most_rows(const tutti_config *config, const tutti_plan *plan, int64_t batch, int size) {
  const int64_t leaf = tutti_shard_largest(batch, tutti_plan_grain(config, batch), plan->n_leaves);
  return tutti_min64(leaf * ((plan->n_leaves + size - 1) / size), batch);
}

/** Samples of that rank that have to be in one micro-batch, because their groups lie on other ranks, too. */
static int64_t rows_together(const tutti_config *config, const tutti_plan *plan, int64_t batch, int size) {
  return tutti_plan_shares_groups(config, plan, batch) ? most_rows(config, plan, batch, size) : 1;
}

/** Check that train.micro_batch_size keeps the groups of a batch together.
 * @param[in] largest  samples of the largest shard of any batch, for the message */
static tutti_status check_wanted(const tutti_config *config, const tutti_plan *plan, int64_t batch, int size,
                                 int64_t largest) {
  const int64_t wanted = config->train.micro_batch_size, grain = tutti_plan_grain(config, batch);
  const bool splits = wanted % grain != 0 || (grain > 1 && wanted < rows_together(config, plan, batch, size));
  TUTTI_CHECK(!splits || wanted >= most_rows(config, plan, batch, size), TUTTI_ERR_CONFIG,
              "train.micro_batch_size: %lld would split a group of %lld samples whose statistics batch_norm "
              "computes together; give a multiple of %lld, or at least %lld, the largest shard of %d ranks",
              (long long)wanted, (long long)grain, (long long)grain, (long long)largest, size);
  return TUTTI_OK;
}

/** Whether each ghost group of batch_norm is a micro-batch, so that the noise of the gradient can be measured over
 * groups.  Without batch_norm it is measured over samples. */
static bool measures_parts(const tutti_config *config) {
  const bool mixes =
      tutti_model_layers_group(config->model.layers, (int)config->model.n_layers, INT64_MAX) > 1;
  const bool gains = config->schedule.scaling == TUTTI_SCALING_ADASCALE;
  return mixes && (gains || (config->run.measure & TUTTI_MEASURE_NOISE));
}

static tutti_status choose_micro_rows(const tutti_config *config, const tutti_plan *plan, int size,
                                      int64_t *rows) {
  const int64_t wanted = config->train.micro_batch_size;
  int64_t batches[TUTTI_STAGES_MAX_BATCHES], largest = 0, most_together = 0; // samples of a rank
  const int n = tutti_stages_batches(&plan->stages, batches);
  for (int i = 0; i < n; i++) {
    largest = tutti_max64(largest, most_rows(config, plan, batches[i], size));
    most_together = tutti_max64(most_together, rows_together(config, plan, batches[i], size));
  }
  for (int i = 0; i < n && wanted > 0; i++) TUTTI_TRY(check_wanted(config, plan, batches[i], size, largest));
  // Smaller batches have no larger groups, but most_together may be that of a batch with another grain: round it up.
  const int64_t grain = tutti_plan_grain(config, plan->largest_batch);
  const int64_t together = grain > 1 ? tutti_ceil_div(most_together, grain) * grain : 1;
  const int64_t full =
      grain < plan->largest_batch && measures_parts(config) ? grain : plan->full_rows / grain * grain;
  const int64_t automatic = tutti_max64(tutti_max64(full, grain), together);
  *rows = tutti_min64(wanted ? wanted : automatic, largest);
  return TUTTI_OK;
}

static tutti_status make_stages(const tutti_config *config, tutti_plan *plan) {
  const tutti_epoch *epoch = &plan->epoch;
  const int64_t most = epoch->last == TUTTI_LAST_CARRY ? INT64_MAX : epoch->n;
  TUTTI_CHECK(epoch->batch <= most, TUTTI_ERR_CONFIG,
              "train.batch_size: %lld is more than the %lld training samples, and train.last_batch: drop "
              "would drop all of them; take a smaller batch, or carry, which uses samples several times",
              (long long)epoch->batch, (long long)epoch->n);
  TUTTI_TRY(
      tutti_optim_growth_make(&config->schedule, config->train.batch_size, epoch->n, most, &plan->growth));
  TUTTI_TRY(tutti_stages_make(&plan->growth, epoch, &plan->from, &plan->stages));
  const tutti_stages *stages = &plan->stages;
  for (int i = 0; i < stages->n_stages; i++) TUTTI_TRY(check_groups(config, &stages->stages[i]));
  plan->largest_batch = stages->stages[stages->n_stages - 1].batch;
  return TUTTI_OK;
}

tutti_status tutti_plan_make(const tutti_config *config, int64_t n_train, int size, tutti_plan *plan) {
  plan->from = (tutti_stage){0};
  plan->full_rows = TUTTI_PLAN_FULL_ROWS;
  plan->epoch = tutti_epoch_make(n_train, config->train.batch_size, config->train.last_batch);
  TUTTI_TRY(make_stages(config, plan));
  const bool gains = config->schedule.scaling == TUTTI_SCALING_ADASCALE;
  plan->base = gains ? (double)config->schedule.base_batch_size : 0;
  plan->base_steps = 0;
  TUTTI_TRY(count_budget(config->train.budget, plan));
  plan->leaves_apart = config->parallel.reduce == TUTTI_REDUCE_TREE;
  // A leaf that never has samples would only cost time: its gradient is all zeros, and is added up all the same.
  plan->n_leaves = plan->leaves_apart ? (int)tutti_min64(config->parallel.leaves, plan->largest_batch) : size;
  return choose_micro_rows(config, plan, size, &plan->micro_rows);
}

tutti_status tutti_plan_cut(tutti_plan *plan, const tutti_config *config, int64_t full_rows, int size) {
  plan->full_rows = full_rows;
  return choose_micro_rows(config, plan, size, &plan->micro_rows);
}

tutti_status tutti_plan_go_on(tutti_plan *plan, const tutti_config *config,
                              const tutti_checkpoint_state *state, int size) {
  int64_t rows = 0;
  plan->from =
      (tutti_stage){.at = state->from_step, .place = state->from_place, .samples = state->from_samples};
  TUTTI_TRY(make_stages(config, plan));
  TUTTI_TRY(count_budget(config->train.budget, plan));
  TUTTI_TRY(choose_micro_rows(config, plan, size, &rows));
  // The buffers of the network are those of a plan from the beginning, and this plan may reach other batch sizes.
  TUTTI_CHECK(rows <= plan->micro_rows, TUTTI_ERR_CONFIG,
              "train.micro_batch_size: from step %lld, where run.resume continues, a batch that grows "
              "requires %lld samples together, for its groups of batch_norm; set it to %lld",
              (long long)plan->from.at, (long long)rows, (long long)rows);
  return TUTTI_OK;
}
