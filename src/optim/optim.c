/** The optimizer of one slice: its state arrays, and one update in the order clip, decay, rule.  Blocks of
 * TUTTI_BLOCK elements go through all three while they are in the nearest cache.  The training calls it. */
#include "tutti/optim.h"

#include <string.h>

#include "optim/optim_impl.h"

// --- create and destroy

/** Allocate the slots that the options need, with their initial value. */
static tutti_status make_slots(tutti_optim *optim) {
  const int64_t n = optim->slice.n;
  for (int i = 0; i < TUTTI_MAX_SLOTS; i++) {
    const tutti_slot_spec *spec = &optim->rule->slots[i];
    if (!tutti_optim_needs(&optim->options, spec)) continue;
    TUTTI_TRY(TUTTI_NEW(optim->slots[i], n));
    const float initial = spec->initial[optim->options.dialect];
    if (initial != 0)
      for (int64_t k = 0; k < n; k++) optim->slots[i][k] = initial;
  }
  if (optim->options.ema_momentum > 0) TUTTI_TRY(TUTTI_NEW(optim->average, n));
  return TUTTI_OK;
}

/** The caller may free its lists after create. */
static tutti_status copy_slice(const tutti_slice *slice, tutti_optim *optim) {
  tutti_slice_range *ranges = NULL;
  TUTTI_TRY(TUTTI_NEW(ranges, slice->n_ranges));
  if (slice->n_ranges > 0) memcpy(ranges, slice->ranges, (size_t)slice->n_ranges * sizeof *ranges);
  optim->slice = (tutti_slice){ranges, slice->n_ranges, slice->n};
  return TUTTI_OK;
}

static tutti_status copy_arrays(const int64_t *offsets, const bool *plain, tutti_optim *optim) {
  const size_t n = (size_t)optim->n_arrays;
  TUTTI_TRY(TUTTI_NEW(optim->offsets, optim->n_arrays + 1));
  TUTTI_TRY(TUTTI_NEW(optim->plain, optim->n_arrays));
  memcpy(optim->offsets, offsets, (n + 1) * sizeof *offsets);
  if (plain) memcpy(optim->plain, plain, n * sizeof *plain);
  return TUTTI_OK;
}

tutti_status tutti_optim_create(const tutti_optim_options *options, const int64_t *offsets, const bool *plain,
                                int n_arrays, const tutti_slice *slice, tutti_optim **optim) {
  TUTTI_ASSERT(n_arrays >= 0 && slice->n <= offsets[n_arrays] - offsets[0]);
  tutti_status status = TUTTI_OK;
  tutti_optim *o = NULL;
  *optim = NULL;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(o, 1));
  o->options = *options;
  o->rule = tutti_optim_table_of(options->rule);
  o->n_arrays = n_arrays;
  TUTTI_TRY_GOTO(done, copy_slice(slice, o));
  TUTTI_TRY_GOTO(done, copy_arrays(offsets, plain, o));
  TUTTI_TRY_GOTO(done, make_slots(o));
  if (o->rule->ratio) TUTTI_TRY_GOTO(done, TUTTI_NEW(o->ratios, n_arrays));
  if (tutti_optim_has_norms(options)) TUTTI_TRY_GOTO(done, TUTTI_NEW(o->factors, n_arrays));
  *optim = o;
  o = NULL;
done:
  tutti_optim_destroy(&o);
  return status;
}

void tutti_optim_destroy(tutti_optim **optim) {
  if (!*optim) return;
  for (int i = 0; i < TUTTI_MAX_SLOTS; i++) tutti_free((*optim)->slots[i]);
  tutti_free((*optim)->average);
  tutti_free((void *)(*optim)->slice.ranges);
  tutti_free((*optim)->offsets);
  tutti_free((*optim)->plain);
  tutti_free((*optim)->factors);
  tutti_free((*optim)->ratios);
  tutti_free(*optim);
  *optim = NULL;
}

// --- one update

/** The average of the weights, if one is kept. */
TUTTI_CLONES static void blend(float part, int64_t n, const float *restrict w, float *restrict average) {
  for (int64_t i = 0; i < n; i++) average[i] = tutti_optim_blend(part, average[i], w[i]);
}

void tutti_optim_begin(tutti_optim *optim, int64_t t, double lr, const double *pieces) {
  const tutti_optim_options *options = &optim->options;
  const bool inside = tutti_optim_decays_inside(optim->rule, options);
  const bool decoupled = options->dialect == TUTTI_DIALECT_KERAS || optim->rule->decoupled_decay;
  optim->shrink = decoupled && !inside ? (float)(lr * options->weight_decay) : 0;
  optim->decay = decoupled || inside ? 0 : (float)options->weight_decay;
  optim->newest = (float)(t > 1 ? 1 - options->ema_momentum : 1);
  optim->scalars = (tutti_scalars){0};
  optim->rule->scalars(optim, t, lr, &optim->scalars);
  tutti_optim_set_factors(optim, pieces);
}

/** Update a block that stays in the first-level cache from clipping to the rule. */
static void step_block(tutti_optim *optim, int64_t begin, int64_t count, float *w, const float *grads) {
  float room[TUTTI_BLOCK], *slots[TUTTI_MAX_SLOTS];
  const float *g = tutti_optim_clip(optim, begin, count, grads, room);
  tutti_optim_shrink(optim, begin, count, w);
  if (optim->decay > 0) {
    if (g != room) memcpy(room, g, (size_t)count * sizeof *g);
    tutti_optim_decay(optim, begin, count, w, room);
    g = room;
  }
  tutti_optim_slots_at(optim, begin, slots);
  optim->rule->update(&optim->options, &optim->scalars, count, w, g, slots[0], slots[1], slots[2]);
}

void tutti_optim_step(tutti_optim *optim, int64_t begin, int64_t count, float *params, const float *grads) {
  TUTTI_ASSERT(count >= 0 && count <= optim->slice.n);
  for (int64_t done = 0; done < count; done += TUTTI_BLOCK) {
    const int64_t left = count - done, n = left < TUTTI_BLOCK ? left : TUTTI_BLOCK;
    if (optim->ratios)
      tutti_optim_step_scaled(optim, begin + done, n, params + done, grads + done);
    else
      step_block(optim, begin + done, n, params + done, grads + done);
    if (optim->average)
      blend(optim->newest, n, params + done, optim->average + tutti_slice_index(&optim->slice, begin + done));
  }
}

// --- state

int tutti_optim_n_slots(const tutti_optim *optim) {
  int n = optim->average != NULL;
  for (int i = 0; i < TUTTI_MAX_SLOTS; i++) n += optim->slots[i] != NULL;
  return n;
}

/** The average comes after the slots of the rule. */
static bool is_average(const tutti_optim *optim, int i) {
  return optim->average && i == tutti_optim_n_slots(optim) - 1;
}

/** The place in the table of the rule of the i-th slot that the options need. */
static int slot_index(const tutti_optim *optim, int i) {
  int index = 0;
  while (!optim->slots[index] || i-- > 0) index++;
  return index;
}

const char *tutti_optim_slot_name(const tutti_optim *optim, int i) {
  TUTTI_ASSERT(i >= 0 && i < tutti_optim_n_slots(optim));
  return is_average(optim, i) ? "average" : optim->rule->slots[slot_index(optim, i)].name;
}

float *tutti_optim_slot(const tutti_optim *optim, int i) {
  TUTTI_ASSERT(i >= 0 && i < tutti_optim_n_slots(optim));
  return is_average(optim, i) ? optim->average : optim->slots[slot_index(optim, i)];
}

float tutti_optim_slot_initial(const tutti_optim *optim, int i) {
  return is_average(optim, i) ? 0 : optim->rule->slots[slot_index(optim, i)].initial[optim->options.dialect];
}

const float *tutti_optim_average(const tutti_optim *optim) {
  return optim->average;
}
