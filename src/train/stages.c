#include "train/stages.h"

static int64_t ceil_div(int64_t a, int64_t b) {
  return a / b + (a % b > 0);
}

static int64_t min64(int64_t a, int64_t b) {
  return a < b ? a : b;
}

// --- within a stage, as if it had no end -------------------------------------------------------------------

/** What is left of the epoch in which it begins: samples, and steps. */
static int64_t samples_left(const tutti_stage *stage, int64_t n) {
  return n - stage->sample % n;
}

static int64_t steps_left(const tutti_stage *stage, int64_t n) {
  return ceil_div(samples_left(stage, n), stage->batch);
}

static int64_t samples_in(const tutti_stage *stage, int64_t n, int64_t at) {
  const int64_t steps = at - stage->at, left = steps_left(stage, n);
  if (steps < left) return stage->sample + steps * stage->batch;
  const int64_t each = ceil_div(n, stage->batch), more = steps - left;
  return stage->sample + samples_left(stage, n) + more / each * n + more % each * stage->batch;
}

/** Of samples > stage->sample. */
static int64_t steps_in(const tutti_stage *stage, int64_t n, int64_t samples) {
  const int64_t here = samples - stage->sample, left = samples_left(stage, n);
  if (here <= left) return stage->at + ceil_div(here, stage->batch);
  const int64_t more = here - left;
  return stage->at + steps_left(stage, n) + more / n * ceil_div(n, stage->batch) +
         ceil_div(more % n, stage->batch);
}

// --- all stages ----------------------------------------------------------------------------------------------

static const tutti_stage *last(const tutti_stages *stages) {
  return &stages->stages[stages->n_stages - 1];
}

/** From step `at` on, which is the last stage's first or one behind it. */
static tutti_status add_stage(tutti_stages *stages, int64_t at, int64_t batch) {
  const tutti_stage stage = {.at = at, .sample = tutti_stages_samples(stages, at), .batch = batch};
  if (at == last(stages)->at) stages->n_stages--; // it would have no step
  TUTTI_CHECK(
      stages->n_stages < TUTTI_MAX_STAGES, TUTTI_ERR_CONFIG,
      "schedule.batch_factor: the batch would have more than %d sizes until it is largest; give a larger "
      "factor, or a smaller schedule.batch_max",
      (int)TUTTI_MAX_STAGES);
  stages->stages[stages->n_stages++] = stage;
  return TUTTI_OK;
}

tutti_status tutti_stages_make(const tutti_growth *growth, int64_t n, tutti_stages *stages) {
  *stages = (tutti_stages){.n = n, .n_stages = 1, .stages = {{.batch = growth->first}}};
  for (int64_t k = 1; last(stages)->batch < growth->most; k++) {
    const int64_t place = tutti_growth_at(growth, k), batch = tutti_growth_batch(growth, k);
    if (place == INT64_MAX) break;
    if (batch == last(stages)->batch) continue;
    TUTTI_TRY(add_stage(stages, growth->in_steps ? place : tutti_stages_steps(stages, place), batch));
  }
  return TUTTI_OK;
}

int64_t tutti_stages_samples(const tutti_stages *stages, int64_t at) {
  const tutti_stage *stage = last(stages);
  while (stage->at > at) stage--;
  return samples_in(stage, stages->n, at);
}

int64_t tutti_stages_steps(const tutti_stages *stages, int64_t samples) {
  const tutti_stage *stage = last(stages);
  if (samples <= 0) return 0;
  while (stage->sample >= samples) stage--; // the first begins with sample 0
  return steps_in(stage, stages->n, samples);
}

int64_t tutti_stages_batch(const tutti_stages *stages, int64_t at) {
  const tutti_stage *stage = last(stages);
  while (stage->at > at) stage--;
  return stage->batch;
}

tutti_range tutti_stages_range(const tutti_stages *stages, int64_t at) {
  const int64_t begin = tutti_stages_samples(stages, at) % stages->n;
  return (tutti_range){.begin = begin, .count = min64(tutti_stages_batch(stages, at), stages->n - begin)};
}

tutti_status tutti_stages_visit(const tutti_stages *stages,
                                tutti_status (*visit)(void *context, int64_t batch), void *context) {
  for (int i = stages->n_stages - 1; i >= 0; i--) {
    const tutti_stage *stage = &stages->stages[i];
    const int64_t ends[] = {samples_left(stage, stages->n) % stage->batch, stages->n % stage->batch};
    TUTTI_TRY(visit(context, stage->batch));
    for (int k = 0; k < 2; k++)
      if (ends[k] > 0) TUTTI_TRY(visit(context, ends[k]));
  }
  return TUTTI_OK;
}
