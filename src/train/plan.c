#include "train/plan.h"

#include <math.h>

/** Enough rows for the products to run at full speed; more only costs memory. */
enum { AUTO_MICRO_ROWS = 1024 };

/** What a double counts exactly, and what keys the random numbers of an epoch. */
static const double MAX_STEPS = 0x1p53, MAX_EPOCHS = 0x1p32 - 1;

int64_t tutti_plan_grain(const tutti_config *config, int64_t batch_count) {
  return tutti_layers_group(config->model.layers, (int)config->model.n_layers, batch_count);
}

bool tutti_plan_shares_groups(const tutti_config *config, const tutti_plan *plan, int64_t batch_count) {
  const int64_t grain = tutti_plan_grain(config, batch_count);
  return (batch_count + grain - 1) / grain < plan->n_leaves;
}

static int64_t max64(int64_t a, int64_t b) {
  return a > b ? a : b;
}
static int64_t min64(int64_t a, int64_t b) {
  return a < b ? a : b;
}

/** Steps of the budget; a part of an epoch counts as the steps that it needs. */
static double budget_steps(tutti_count budget, const tutti_epoch *epoch) {
  if (budget.unit == TUTTI_UNIT_STEPS) return budget.value;
  const double samples = budget.unit == TUTTI_UNIT_EPOCHS ? budget.value * (double)epoch->n : budget.value;
  const double whole = floor(samples / (double)epoch->n);
  const double rest = ceil(samples - whole * (double)epoch->n);
  return whole * (double)epoch->n_steps + ceil(rest / (double)epoch->batch);
}

/** A group of one sample gives the same output for any: refused for the batches that all steps have but the last of an
 * epoch. */
static tutti_status check_groups(const tutti_config *config, int64_t batch) {
  const tutti_layer_spec *layers = config->model.layers;
  const int n_layers = (int)config->model.n_layers;
  if (!tutti_layers_single_group(layers, n_layers, batch)) return TUTTI_OK;
  int64_t better = batch;
  do better++;
  while (tutti_layers_single_group(layers, n_layers, better));
  TUTTI_FAIL(TUTTI_ERR_CONFIG,
             "train.batch_size: %lld leaves a group of one sample to batch_norm, and one sample has no "
             "variance; the next "
             "that does not is %lld, or change ghost",
             (long long)batch, (long long)better);
}

/** Samples of the rank that has most. */
static int64_t most_rows(const tutti_config *config, const tutti_plan *plan, int64_t batch, int size) {
  const int64_t leaf = tutti_shard_largest(batch, tutti_plan_grain(config, batch), plan->n_leaves);
  return min64(leaf * ((plan->n_leaves + size - 1) / size), batch);
}

/** Samples of it that have to be in one micro-batch, since their groups lie on other ranks too. */
static int64_t rows_together(const tutti_config *config, const tutti_plan *plan, int64_t batch, int size) {
  return tutti_plan_shares_groups(config, plan, batch) ? most_rows(config, plan, batch, size) : 1;
}

static tutti_status choose_micro_rows(const tutti_config *config, const tutti_plan *plan, int size,
                                      int64_t *rows) {
  const int64_t batch = plan->epoch.batch,
                last = tutti_epoch_batch(&plan->epoch, plan->epoch.n_steps - 1).count;
  const int64_t grain = tutti_plan_grain(config, batch);
  const int64_t largest = max64(most_rows(config, plan, batch, size), most_rows(config, plan, last, size));
  const int64_t least =
      max64(rows_together(config, plan, batch, size), rows_together(config, plan, last, size));
  const int64_t wanted = config->train.micro_batch_size;
  const bool splits = wanted % grain != 0 || (grain > 1 && wanted < least);
  TUTTI_CHECK(wanted == 0 || wanted >= largest || !splits, TUTTI_ERR_CONFIG,
              "train.micro_batch_size: %lld would split a group of %lld samples whose statistics batch_norm "
              "takes together; "
              "give a multiple of %lld, or at least %lld, the largest shard of %d ranks",
              (long long)wanted, (long long)grain, (long long)grain, (long long)largest, size);
  // What the last batch wants together may be no multiple of the grain of the others.
  const int64_t together = grain > 1 ? (least + grain - 1) / grain * grain : 1;
  const int64_t automatic = max64(max64(AUTO_MICRO_ROWS / grain * grain, grain), together);
  *rows = min64(wanted ? wanted : automatic, largest);
  return TUTTI_OK;
}

tutti_status tutti_plan_make(const tutti_config *config, int64_t n_train, int size, tutti_plan *plan) {
  plan->epoch = tutti_epoch_make(n_train, config->train.batch_size);
  TUTTI_TRY(check_groups(config, plan->epoch.batch));
  const double steps = budget_steps(config->train.budget, &plan->epoch);
  TUTTI_CHECK(steps <= MAX_STEPS && steps / (double)plan->epoch.n_steps <= MAX_EPOCHS, TUTTI_ERR_CONFIG,
              "train: the budget is %g steps, %g epochs; at most %g and %g can be counted", steps,
              steps / (double)plan->epoch.n_steps, MAX_STEPS, MAX_EPOCHS);
  plan->total_steps = (int64_t)steps;
  plan->total_epochs = (double)plan->total_steps / (double)plan->epoch.n_steps;
  plan->leaves_apart = config->parallel.reduce == TUTTI_REDUCE_TREE;
  // A leaf without samples would cost a pass over the parameters.
  plan->n_leaves = plan->leaves_apart ? (int)min64(config->parallel.leaves, plan->epoch.batch) : size;
  TUTTI_TRY(choose_micro_rows(config, plan, size, &plan->micro_rows));
  return TUTTI_OK;
}

tutti_position tutti_plan_position(const tutti_plan *plan, int64_t step, int64_t epoch,
                                   int64_t step_in_epoch) {
  return (tutti_position){.step = step, .at = epoch * plan->epoch.n_steps + step_in_epoch};
}

bool tutti_plan_done(const tutti_plan *plan, tutti_count budget, tutti_position now) {
  return (budget.unit == TUTTI_UNIT_STEPS ? now.step : now.at) >= plan->total_steps;
}

/** Samples of the first `at` steps. */
static int64_t samples_of(const tutti_plan *plan, int64_t at) {
  const tutti_epoch *epoch = &plan->epoch;
  return at / epoch->n_steps * epoch->n + min64(at % epoch->n_steps * epoch->batch, epoch->n);
}

static double progress(const tutti_plan *plan, tutti_unit unit, tutti_position now) {
  switch (unit) {
  case TUTTI_UNIT_EPOCHS:
    return (double)now.at / (double)plan->epoch.n_steps;
  case TUTTI_UNIT_SAMPLES:
    return (double)samples_of(plan, now.at);
  default:
    return (double)now.step;
  }
}

bool tutti_plan_due(const tutti_plan *plan, tutti_count every, tutti_position now) {
  if (every.value <= 0 || every.unit == TUTTI_UNIT_SECONDS) return false;
  const tutti_position before = {.step = now.step - 1, .at = now.at - 1};
  // A tenth of an epoch is no binary fraction: what is due at a whole step must not slip to the next by
  // rounding.
  const double slack = 1e-9;
  return floor(progress(plan, every.unit, now) / every.value + slack) >
         floor(progress(plan, every.unit, before) / every.value + slack);
}
