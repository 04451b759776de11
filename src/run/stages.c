/* Steps, places and samples of a training whose batch grows, in closed form: any question about step 10^9 costs a loop
 * over the stages, not over the steps.  plan.c answers everything about progress with this.
 *
 * Within a stage there is a first, possibly partial epoch (from the stage's place to the epoch's end) with `first`
 * steps, and then whole epochs with `each` steps.  What follows computes with these two. */
#include "run/stages.h"

#include "base/arithmetic.h"

// --- within a stage, as if it did not end -------------------------------------------------------------------

/** Steps that use up `samples` samples of an epoch. */
static int64_t steps_of(const tutti_epoch *epoch, int64_t batch, int64_t samples) {
  return epoch->last == TUTTI_LAST_DROP ? samples / batch : tutti_ceil_div(samples, batch);
}

/** Samples that are left of the epoch in which the stage begins. */
static int64_t samples_left(const tutti_epoch *epoch, const tutti_stage *stage) {
  return epoch->n - stage->place % epoch->n;
}

/** The place after `at` steps. */
static int64_t place_in(const tutti_epoch *epoch, const tutti_stage *stage, int64_t at) {
  const int64_t batch = stage->batch, steps = at - stage->at, rest = samples_left(epoch, stage);
  const int64_t first = steps_of(epoch, batch, rest);
  if (epoch->last == TUTTI_LAST_CARRY || steps < first) return stage->place + steps * batch;
  const int64_t each = steps_of(epoch, batch, epoch->n), more = steps - first;
  return stage->place + rest + more / each * epoch->n + more % each * batch;
}

/** The least number of steps that lead to a place behind that of the stage. */
static int64_t reach_in(const tutti_epoch *epoch, const tutti_stage *stage, int64_t place) {
  const int64_t batch = stage->batch, here = place - stage->place, rest = samples_left(epoch, stage);
  if (epoch->last == TUTTI_LAST_CARRY) return stage->at + tutti_ceil_div(here, batch);
  const int64_t first = steps_of(epoch, batch, rest);
  if (here <= rest) return stage->at + tutti_min64(tutti_ceil_div(here, batch), first);
  const int64_t each = steps_of(epoch, batch, epoch->n), more = here - rest;
  return stage->at + first + more / epoch->n * each +
         tutti_min64(tutti_ceil_div(more % epoch->n, batch), each);
}

/** Samples of `at` steps.  With short batches nothing is dropped, so places count samples; else all steps have the same
 * number. */
static int64_t samples_in(const tutti_epoch *epoch, const tutti_stage *stage, int64_t at) {
  if (epoch->last == TUTTI_LAST_SHORT) return stage->samples + place_in(epoch, stage, at) - stage->place;
  return stage->samples + (at - stage->at) * stage->batch;
}

/** The least number of steps that have `samples` > stage->samples samples. */
static int64_t steps_in(const tutti_epoch *epoch, const tutti_stage *stage, int64_t samples) {
  if (epoch->last == TUTTI_LAST_SHORT) return reach_in(epoch, stage, stage->place + samples - stage->samples);
  return stage->at + tutti_ceil_div(samples - stage->samples, stage->batch);
}

// --- all stages ----------------------------------------------------------------------------------------------

static const tutti_stage *last(const tutti_stages *stages) {
  return &stages->stages[stages->n_stages - 1];
}

/** The place at which a stage begins.  If the epoch has too few samples left for a whole batch, these are dropped. */
static int64_t first_place(const tutti_epoch *epoch, int64_t place, int64_t batch) {
  const int64_t left = epoch->n - place % epoch->n;
  return epoch->last == TUTTI_LAST_DROP && left < batch ? place + left : place;
}

/** Add a stage that begins after `at` steps, not before the last stage.  A stage that would have no step is
 * replaced. */
static tutti_status add_stage(tutti_stages *stages, int64_t at, int64_t batch) {
  const tutti_stage stage = {.at = at,
                             .place = first_place(&stages->epoch, tutti_stages_place(stages, at), batch),
                             .samples = tutti_stages_samples(stages, at),
                             .batch = batch};
  if (at == last(stages)->at) stages->n_stages--;
  TUTTI_CHECK(stages->n_stages < TUTTI_MAX_STAGES, TUTTI_ERR_CONFIG,
              "schedule.batch_factor: the batch would have more than %d sizes until it is largest; give a "
              "larger factor, or a smaller schedule.batch_max",
              (int)TUTTI_MAX_STAGES);
  stages->stages[stages->n_stages++] = stage;
  return TUTTI_OK;
}

/** Steps before a growth whose place is given in the unit of the schedule. */
static int64_t steps_before(const tutti_stages *stages, tutti_unit unit, int64_t place) {
  if (unit == TUTTI_UNIT_STEPS) return place;
  return unit == TUTTI_UNIT_EPOCHS ? tutti_stages_reach(stages, place) : tutti_stages_steps(stages, place);
}

/** The number of growths before the first step. */
static int64_t growths_before(const tutti_growth *growth, const tutti_stage *from) {
  if (growth->unit == TUTTI_UNIT_STEPS) return tutti_optim_growth_count(growth, from->at);
  return tutti_optim_growth_count(growth, growth->unit == TUTTI_UNIT_EPOCHS ? from->place : from->samples);
}

tutti_status tutti_stages_make(const tutti_growth *growth, const tutti_epoch *epoch, const tutti_stage *from,
                               tutti_stages *stages) {
  const int64_t before = growths_before(growth, from);
  *stages = (tutti_stages){.epoch = *epoch, .n_stages = 1, .stages = {*from}};
  stages->stages[0].batch = tutti_optim_growth_batch(growth, before);
  for (int64_t k = before + 1; last(stages)->batch < growth->most; k++) {
    const int64_t place = tutti_optim_growth_at(growth, k), batch = tutti_optim_growth_batch(growth, k);
    if (place == INT64_MAX) break;
    if (batch == last(stages)->batch) continue; // growth by less than one sample
    TUTTI_TRY(add_stage(stages, steps_before(stages, growth->unit, place), batch));
  }
  return TUTTI_OK;
}

/** The stage of the step after the first `at` steps. */
static const tutti_stage *stage_at(const tutti_stages *stages, int64_t at) {
  const tutti_stage *stage = last(stages);
  while (stage->at > at) stage--;
  return stage;
}

int64_t tutti_stages_place(const tutti_stages *stages, int64_t at) {
  return place_in(&stages->epoch, stage_at(stages, at), at);
}

int64_t tutti_stages_reach(const tutti_stages *stages, int64_t place) {
  const tutti_stage *stage = last(stages);
  if (place <= stages->stages[0].place) return stages->stages[0].at;
  while (stage->place >= place) stage--;
  const int64_t steps = reach_in(&stages->epoch, stage, place);
  // Samples that the next stage drops lie between its first step and the last step of this one: no step leads to them.
  return stage < last(stages) && steps > stage[1].at ? stage[1].at : steps;
}

int64_t tutti_stages_samples(const tutti_stages *stages, int64_t at) {
  return samples_in(&stages->epoch, stage_at(stages, at), at);
}

int64_t tutti_stages_steps(const tutti_stages *stages, int64_t samples) {
  const tutti_stage *stage = last(stages);
  if (samples <= stages->stages[0].samples) return stages->stages[0].at;
  while (stage->samples >= samples) stage--;
  return steps_in(&stages->epoch, stage, samples);
}

int64_t tutti_stages_batch(const tutti_stages *stages, int64_t at) {
  return stage_at(stages, at)->batch;
}

int tutti_stages_batches(const tutti_stages *stages, int64_t batches[TUTTI_STAGES_MAX_BATCHES]) {
  const tutti_epoch *epoch = &stages->epoch;
  int n = 0;
  for (const tutti_stage *stage = last(stages); stage >= stages->stages; stage--) {
    const int64_t ends[] = {samples_left(epoch, stage) % stage->batch, epoch->n % stage->batch};
    batches[n++] = stage->batch;
    for (int k = 0; k < 2 && epoch->last == TUTTI_LAST_SHORT; k++)
      if (ends[k] > 0) batches[n++] = ends[k];
  }
  return n;
}
