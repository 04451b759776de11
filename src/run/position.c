/* Questions to a plan: where a training is, which batch and learning rate its next step has, and whether something is
 * due.  The loop asks them after each step, and a run that resumes asks them about the state of its checkpoint.
 *
 * A position counts in steps, samples and places; tutti_stages converts between them, also if the batch grows. */
#include <math.h>

#include "run/plan.h"

// --- positions -----------------------------------------------------------------------------------------------

tutti_position tutti_plan_position(const tutti_plan *plan, const tutti_checkpoint_state *state) {
  const int64_t epoch_begin = tutti_stages_reach(&plan->stages, state->epoch * plan->epoch.n);
  return (tutti_position){.step = state->step,
                          .samples = state->samples,
                          .place = state->place,
                          .at = epoch_begin + state->step_in_epoch,
                          .gained = state->gained};
}

int64_t tutti_plan_place(const tutti_plan *plan, const tutti_checkpoint_state *state) {
  return tutti_stages_place(&plan->stages, tutti_plan_position(plan, state).at);
}

double tutti_plan_epochs(const tutti_plan *plan, const tutti_checkpoint_state *state) {
  const tutti_stages *stages = &plan->stages;
  const int64_t n = plan->epoch.n;
  if (plan->epoch.last != TUTTI_LAST_DROP) return (double)state->place / (double)n;
  // With last_batch: drop an epoch has fewer samples than places: compare with the samples that its steps use.
  const int64_t begin = tutti_stages_reach(stages, state->epoch * n),
                end = tutti_stages_reach(stages, (state->epoch + 1) * n);
  const int64_t all = tutti_stages_samples(stages, end) - tutti_stages_samples(stages, begin);
  return (double)state->epoch + state->in_epoch.samples / (double)all;
}

tutti_range tutti_plan_batch(const tutti_plan *plan, tutti_position now) {
  return tutti_epoch_batch(&plan->epoch, now.place, tutti_stages_batch(&plan->stages, now.at));
}

bool tutti_plan_is_whole(const tutti_plan *plan, tutti_position now) {
  return tutti_plan_batch(plan, now).count == tutti_stages_batch(&plan->stages, now.at);
}

tutti_position tutti_plan_move(const tutti_plan *plan, tutti_position now, int by) {
  const tutti_stages *stages = &plan->stages;
  const int64_t at = now.at + by;
  return (tutti_position){
      .step = now.step + by,
      .samples = now.samples + tutti_stages_samples(stages, at) - tutti_stages_samples(stages, now.at),
      .place = now.place + tutti_stages_place(stages, at) - tutti_stages_place(stages, now.at),
      .at = at,
      .gained = now.gained};
}

static tutti_extent extent_of(const tutti_plan *plan, int64_t steps, int64_t places, int64_t samples) {
  return (tutti_extent){(double)steps, (double)places / (double)plan->epoch.n, (double)samples};
}

/** How much is done, in all units.  Everything that is due every so often depends on it. */
static tutti_extent extent_at(const tutti_plan *plan, tutti_position now) {
  return extent_of(plan, now.step, now.place, now.samples);
}

/** A number of steps of the base batch, in all units. */
static tutti_extent of_base(const tutti_plan *plan, double steps) {
  return (tutti_extent){steps, steps * plan->base / (double)plan->epoch.n, steps * plan->base};
}

tutti_extent tutti_plan_progress(const tutti_plan *plan, tutti_position now) {
  return plan->base > 0 ? of_base(plan, now.gained) : extent_at(plan, now);
}

// By places, not by counts of steps: with carry a step may end one epoch and begin the next.
bool tutti_plan_ends_epoch(const tutti_plan *plan, tutti_position now) {
  return now.place / plan->epoch.n > tutti_plan_move(plan, now, -1).place / plan->epoch.n;
}

// --- the schedule of the learning rate -----------------------------------------------------------------------

/** The extent of the steps [begin, end) of this plan. */
static tutti_extent extent_between(const tutti_plan *plan, int64_t begin, int64_t end) {
  const tutti_stages *stages = &plan->stages;
  return extent_of(plan, end - begin, tutti_stages_place(stages, end) - tutti_stages_place(stages, begin),
                   tutti_stages_samples(stages, end) - tutti_stages_samples(stages, begin));
}

/** If the batch grows, the only schedule of the learning rate is a warmup.  Check that it ends before the next growth.
 * @param[in] done  the part of the warmup that is done at step `at` of this plan, in its unit */
static tutti_status check_growth_after(const tutti_plan *plan, tutti_count warmup, double done, int64_t at) {
  const tutti_stages *stages = &plan->stages;
  int next = 1;
  while (next < stages->n_stages && stages->stages[next].at <= at) next++;
  if (next == stages->n_stages || warmup.value == 0) return TUTTI_OK;
  const int64_t steps = stages->stages[next].at - at;
  const tutti_extent grown = extent_between(plan, at, at + steps);
  if (warmup.value - done <= tutti_optim_extent_in(&grown, warmup.unit) * (1 + 1e-12)) return TUTTI_OK;
  char wanted[64];
  tutti_count_print(warmup, wanted, sizeof wanted);
  TUTTI_FAIL(
      TUTTI_ERR_CONFIG,
      "schedule.warmup: %s, but the batch grows after %lld steps; shorten it, or let the batch grow later",
      wanted, (long long)steps);
}

tutti_extent tutti_plan_total(const tutti_plan *plan) {
  if (plan->base > 0) return of_base(plan, plan->base_steps);
  return extent_of(plan, plan->total_steps, tutti_stages_place(&plan->stages, plan->total_steps),
                   tutti_stages_samples(&plan->stages, plan->total_steps));
}

/** The extent of the steps before this plan.  With a base all steps are of one size, and none of them lies before
 * it. */
static tutti_extent before_plan(const tutti_plan *plan) {
  if (plan->base > 0) return (tutti_extent){0};
  return extent_of(plan, plan->from.at, plan->from.place, plan->from.samples);
}

tutti_status tutti_plan_schedule(const tutti_plan *plan, const tutti_config *config, double warmup_from,
                                 tutti_schedule *schedule) {
  const tutti_course course = {
      .total = tutti_plan_total(plan), .earlier = before_plan(plan), .warmup_from = warmup_from};
  // A training without steps has no learning rate, and its warmup must not be refused for being too long.
  const tutti_schedule_options *options =
      plan->total_steps > 0 ? &config->schedule : &(tutti_schedule_options){0};
  TUTTI_TRY(tutti_schedule_make(options, config->optimizer.learning_rate, plan->epoch.batch, &course,
                                config->train.budget.unit, schedule));
  schedule->dialect = config->optimizer.dialect;
  const tutti_count warmup = schedule->options.warmup;
  const double done = tutti_optim_extent_in(&course.earlier, warmup.unit) - warmup_from;
  return check_growth_after(plan, warmup, fmax(done, 0), plan->from.at);
}

/** The step of this plan at which the budget of a training at `now` ends. */
static int64_t end_of_budget(const tutti_plan *plan, tutti_count budget, tutti_position now) {
  const int64_t samples_left = (int64_t)budget.value - now.samples;
  int64_t end = plan->total_steps;
  if (budget.unit == TUTTI_UNIT_STEPS) end += now.at - now.step;
  if (budget.unit == TUTTI_UNIT_SAMPLES)
    end = tutti_stages_steps(&plan->stages, tutti_stages_samples(&plan->stages, now.at) + samples_left);
  return end > now.at ? end : now.at;
}

tutti_status tutti_plan_check_warmup(const tutti_plan *plan, tutti_count warmup, tutti_count budget,
                                     tutti_position now) {
  const tutti_extent left = plan->base > 0 ? of_base(plan, fmax(plan->base_steps - now.gained, 0))
                                           : extent_between(plan, now.at, end_of_budget(plan, budget, now));
  const double most = tutti_optim_extent_in(&left, warmup.unit);
  char wanted[64], rest[64];
  tutti_count_print(warmup, wanted, sizeof wanted);
  tutti_count_print((tutti_count){most, warmup.unit}, rest, sizeof rest);
  TUTTI_CHECK(warmup.value <= most * (1 + 1e-12), TUTTI_ERR_CONFIG,
              "schedule.warmup is %s, longer than the %s that are left from step %lld, where run.resume "
              "continues and the warmup begins; shorten it or train longer",
              wanted, rest, (long long)now.step);
  return check_growth_after(plan, warmup, 0, now.at);
}

/** The factor of schedule.batch_growth on the learning rate of the step after `at` steps. */
static double growth_rate(const tutti_plan *plan, int64_t at) {
  const tutti_growth *growth = &plan->growth;
  int64_t done = at;
  if (growth->unit == TUTTI_UNIT_EPOCHS) done = tutti_stages_place(&plan->stages, at);
  if (growth->unit == TUTTI_UNIT_SAMPLES) done = tutti_stages_samples(&plan->stages, at);
  return tutti_optim_growth_rate(growth, tutti_optim_growth_count(growth, done));
}

double tutti_plan_learning_rate(const tutti_plan *plan, const tutti_schedule *schedule, tutti_position now) {
  tutti_position next = tutti_plan_move(plan, now, 1);
  next.gained += 1; // a schedule with a base is one of steps of the base batch
  const tutti_extent before = tutti_plan_progress(plan, now), after = tutti_plan_progress(plan, next);
  return tutti_schedule_at(schedule, &before, &after) * growth_rate(plan, now.at);
}

// --- what is due ---------------------------------------------------------------------------------------------

bool tutti_plan_done(const tutti_plan *plan, tutti_count budget, tutti_position now) {
  // Gains are sums of fractions: a rounding error must not cost one more step.
  if (plan->base > 0) return now.gained >= plan->base_steps * (1 - 1e-12);
  if (budget.unit == TUTTI_UNIT_SAMPLES) return (double)now.samples >= budget.value;
  if (budget.unit == TUTTI_UNIT_STEPS) return now.step >= plan->total_steps;
  return now.place >= (int64_t)(budget.value * (double)plan->epoch.n);
}

double tutti_plan_last_epoch(const tutti_plan *plan, tutti_count budget, tutti_position now) {
  const tutti_stages *stages = &plan->stages;
  if (plan->base > 0) return NAN;
  const int64_t end = end_of_budget(plan, budget, now);
  const int64_t shift = now.place - tutti_stages_place(stages, now.at), n = plan->epoch.n;
  const int64_t place = shift + tutti_stages_place(stages, end);
  const int64_t before = end > plan->from.at ? shift + tutti_stages_place(stages, end - 1) : place;
  // If the last step crosses the end of an epoch, its samples belong to that epoch's row.
  return before / n < place / n ? (double)(place / n) : (double)place / (double)n;
}

bool tutti_plan_due(const tutti_plan *plan, tutti_count every, tutti_position now) {
  if (every.value <= 0 || every.unit == TUTTI_UNIT_SECONDS) return false;
  const tutti_extent done = extent_at(plan, now), before = extent_at(plan, tutti_plan_move(plan, now, -1));
  // A tenth of an epoch is not a binary fraction: rounding must not move what is due after this step to the next one.
  const double slack = 1e-9;
  return floor(tutti_optim_extent_in(&done, every.unit) / every.value + slack) >
         floor(tutti_optim_extent_in(&before, every.unit) / every.value + slack);
}
