/* The update of this rank's slice of the parameters, after the reduction.  step.c calls it.
 *
 * A plain update is one pass over the slice.  Clipping needs the norm of the whole gradient first, and rules such as
 * LAMB need norms of their directions: each of these norms costs one more pass. */
#include "train/train_impl.h"

#include <string.h>

#include "linalg/parallel.h"
#include "measure/gain.h"
#include "measure/meter.h"
#include "run/sharing.h"
#include "tutti/linalg.h"

enum {
  BLOCK = 4 * TUTTI_BLOCK
}; // elements that a thread handles at once: their arrays fit in the nearest cache

static void begin_update(tutti_run *run) {
  tutti_checkpoint_state *state = &run->state.at;
  run->schedule.drops = state->plateau_drops;
  state->learning_rate = tutti_plan_learning_rate(&run->plan, &run->schedule, tutti_run_position(run));
  if (state->rate_factor > 0) state->learning_rate *= state->rate_factor;
  if (run->step.gain_squares) state->learning_rate *= run->step.gain;
  tutti_optim_begin(run->optim, state->step - state->rule_from + 1, state->learning_rate, run->step.squares);
}

/** Work on elements [k, k + n) of the flat buffer, by one of several threads. */
typedef void slice_action(tutti_run *run, int64_t k, int64_t n, float *params, float *grads);

/** One pass over a range of the slice, shared by the threads of this rank. */
typedef struct {
  tutti_run *run;
  tutti_slice_range range;
  float *grads;         // [end - begin of the range]
  bool is_first;        // the gradient is not summed and not measured yet, and lacks the penalty's
  slice_action *action; // NULL: the pass only measures
} range_pass;

static void square(tutti_run *run, int64_t k, int64_t n, float *params, float *grads) {
  (void)params;
  tutti_optim_squares(run->optim, k, n, grads, run->step.squares);
}

static void prepare(tutti_run *run, int64_t k, int64_t n, float *params, float *grads) {
  tutti_optim_prepare(run->optim, k, n, params, grads, run->step.norms);
}

static void step(tutti_run *run, int64_t k, int64_t n, float *params, float *grads) {
  tutti_optim_step(run->optim, k, n, params, grads);
}

/** Elements [k, k + n) of the flat buffer.  tutti_reducer_gradient may add up these elements over the leaves at this
 * moment, and their sums are then still in the nearest cache. */
static void do_block(const range_pass *p, int64_t k, int64_t n) {
  tutti_run *run = p->run;
  float *params = tutti_reducer_params(run->reducer) + k, *grads = p->grads + (k - p->range.begin);
  float scratch[BLOCK];
  if (p->is_first) {
    const float *summed = tutti_reducer_gradient(run->reducer, k, n);
    TUTTI_ASSERT(summed == grads);
    (void)summed;
    // Noise and gain are those of the loss alone, so they are measured before the penalty joins in.
    tutti_meter_before(run, k, n, params, grads, scratch);
    tutti_measure_gain_add(run, k, n, grads);
    tutti_model_penalty_gradient(run->network.model, params, k, k + n, grads);
  }
  if (p->action) p->action(run, k, n, params, grads);
  if (p->action == step) tutti_meter_after(run, k, n, params, scratch);
}

static void do_blocks(void *context, int64_t begin, int64_t end) {
  const range_pass *p = context;
  for (int64_t at = begin; at < end; at += BLOCK)
    do_block(p, p->range.begin + at, end - at < BLOCK ? end - at : BLOCK);
}

static void pass_over_range(tutti_run *run, const tutti_slice_range *range, bool is_first,
                            slice_action *action) {
  static const double ns = 0.3; // of an element, with a rule of two slots
  range_pass p = {run, *range, tutti_reducer_gradient(run->reducer, range->begin, 0), is_first, action};
  const int64_t n = range->end - range->begin;
  if (tutti_run_shares(&run->sharing) == TUTTI_SHARE_ALL)
    tutti_linalg_parallel(n, BLOCK, ns, do_blocks, &p);
  else
    do_blocks(&p, 0, n);
}

/** One pass over the slice, in the order in which sums arrive.  @param[in] is_first  of this step */
static tutti_status pass_over_slice(tutti_run *run, bool is_first, slice_action *action) {
  const tutti_slice *own = tutti_reducer_slice(run->reducer);
  for (int i = own->n_ranges - 1; i >= 0; i--) {
    TUTTI_TRY(tutti_reducer_wait(run->reducer, i));
    pass_over_range(run, &own->ranges[i], is_first, action);
  }
  tutti_meter_add_block_sums(run);
  return TUTTI_OK;
}

/** A norm needs the whole gradient, or all of the rule's directions, before the first element is updated. */
static tutti_status update_with_norms(tutti_run *run) {
  const int64_t n_pieces = tutti_optim_n_pieces(run->optim), n_norms = tutti_optim_n_norms(run->optim);
  const bool measures = n_pieces > 0 || run->step.gain_squares;
  if (run->step.gain_squares)
    memset(run->step.gain_squares, 0,
           (size_t)tutti_optim_all_pieces(run->optim) * sizeof *run->step.gain_squares);
  if (n_pieces > 0) memset(run->step.squares, 0, (size_t)n_pieces * sizeof *run->step.squares);
  if (measures) TUTTI_TRY(pass_over_slice(run, true, n_pieces > 0 ? square : NULL));
  if (n_pieces > 0) TUTTI_TRY(tutti_reducer_sum_slices(run->reducer, run->step.squares, n_pieces));
  TUTTI_TRY(tutti_measure_gain_compute(run));
  begin_update(run);
  if (n_norms > 0) {
    memset(run->step.norms, 0, (size_t)n_norms * sizeof *run->step.norms);
    TUTTI_TRY(pass_over_slice(run, !measures, prepare));
    TUTTI_TRY(tutti_reducer_sum_slices(run->reducer, run->step.norms, n_norms));
    tutti_optim_set_ratios(run->optim, run->step.norms);
  }
  return pass_over_slice(run, false, step);
}

static bool has_norms(const tutti_run *run) {
  return tutti_optim_n_pieces(run->optim) > 0 || tutti_optim_n_norms(run->optim) > 0 ||
         run->step.gain_squares;
}

tutti_status tutti_train_update(tutti_run *run) {
  if (has_norms(run)) return update_with_norms(run);
  begin_update(run);
  return pass_over_slice(run, true, step);
}
