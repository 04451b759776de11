/* The update of this rank's slice of the parameters, after the reduction.  step.c calls it.
 *
 * A plain update is one pass over the slice.  Clipping needs the norm of the whole gradient first, and rules such as
 * LAMB need norms of their directions: each of these norms costs one more pass. */
#include "train/train_impl.h"

#include <string.h>

#include "linalg/parallel.h"
#include "measure/gain.h"
#include "measure/meter.h"
#include "tutti/linalg.h"

enum {
  BLOCK = 4 * TUTTI_BLOCK, // elements that a thread handles at once: their arrays fit in the nearest cache
  // Elements of a slice from which on threads pay: a smaller slice is done before other threads have even started.
  WORTH_THREADS = 1 << 17
};

static void begin_update(tutti_run *run) {
  tutti_checkpoint_state *state = &run->state.at;
  run->schedule.drops = state->plateau_drops;
  state->learning_rate = tutti_plan_learning_rate(&run->plan, &run->schedule, tutti_run_position(run));
  if (state->rate_factor > 0) state->learning_rate *= state->rate_factor;
  if (run->step.gain_squares) state->learning_rate *= run->step.gain;
  tutti_optim_begin(run->optim, state->step - state->rule_from + 1, state->learning_rate, run->step.squares);
}

/** Work on elements [first, first + n) of the slice, by one of several threads. */
typedef void slice_action(tutti_run *run, int64_t first, int64_t n, float *params, float *grads);

/** One pass over parameters from `first` on, shared by the threads of this rank. */
typedef struct {
  tutti_run *run;
  int64_t slice; // begin of the rank's slice
  int64_t first;
  float *grads;         // gradient of the parameters from `first` on
  bool is_new;          // this is the first pass: the gradient is not measured yet and lacks the penalty's
  slice_action *action; // NULL: the pass only measures
} slice_pass;

static void square(tutti_run *run, int64_t first, int64_t n, float *params, float *grads) {
  (void)params;
  tutti_optim_squares(run->optim, first, n, grads, run->step.squares);
}

static void prepare(tutti_run *run, int64_t first, int64_t n, float *params, float *grads) {
  tutti_optim_prepare(run->optim, first, n, params, grads, run->step.norms);
}

static void step(tutti_run *run, int64_t first, int64_t n, float *params, float *grads) {
  tutti_optim_step(run->optim, first, n, params, grads);
}

static void do_blocks(void *context, int64_t begin, int64_t end) {
  const slice_pass *p = context;
  tutti_run *run = p->run;
  for (int64_t at = begin; at < end; at += BLOCK) {
    const int64_t n = end - at < BLOCK ? end - at : BLOCK, k = p->first + at;
    float *params = tutti_reducer_params(run->reducer) + k, *grads = p->grads + at, scratch[BLOCK];
    if (p->is_new) {
      // Noise and gain are those of the loss alone, so they are measured before the penalty joins in.
      tutti_meter_before(run, p->first, k, n, params, grads, scratch);
      tutti_measure_gain_add(run, k - p->slice, n, grads);
      tutti_model_penalty_gradient(run->network.model, params, k, k + n, grads);
    }
    if (p->action) p->action(run, k - p->slice, n, params, grads);
    if (p->action == step) tutti_meter_after(run, p->first, k, n, params, scratch);
  }
}

static void for_each_block(slice_pass p, int64_t n) {
  const tutti_par_slice own = tutti_reducer_slice(p.run->reducer);
  // One part for all elements keeps a short pass on this thread.
  tutti_linalg_parallel(n, own.end - own.begin < WORTH_THREADS && n > BLOCK ? n : BLOCK, do_blocks, &p);
  tutti_meter_add_block_sums(p.run, p.first, n);
}

/** The first pass over the slice.  It takes one block per thread at a time, because tutti_reducer_gradient may add up
 * these blocks over the leaves at this moment, and their sums are then still in a near cache.  @return the gradient of
 * the slice */
static float *first_pass(tutti_run *run, tutti_par_slice own, slice_action *action) {
  const int64_t block = (int64_t)BLOCK * tutti_linalg_threads();
  float *first = NULL;
  for (int64_t at = own.begin; at < own.end; at += block) {
    const int64_t n = own.end - at < block ? own.end - at : block;
    float *grads = tutti_reducer_gradient(run->reducer, at, n);
    if (!first) first = grads;
    TUTTI_ASSERT(grads == first + (at - own.begin));
    for_each_block((slice_pass){run, own.begin, at, grads, true, action}, n);
  }
  return first;
}

/** A later pass over the same gradient. */
static void next_pass(tutti_run *run, tutti_par_slice own, float *grads, slice_action *action) {
  for_each_block((slice_pass){run, own.begin, own.begin, grads, false, action}, own.end - own.begin);
}

/** A norm needs the whole gradient, or all of the rule's directions, before the first element is updated. */
static tutti_status update_with_norms(tutti_run *run, tutti_par_slice own) {
  const int64_t n_pieces = tutti_optim_n_pieces(run->optim), n_norms = tutti_optim_n_norms(run->optim);
  float *grads = NULL;
  if (run->step.gain_squares)
    memset(run->step.gain_squares, 0,
           (size_t)tutti_optim_all_pieces(run->optim) * sizeof *run->step.gain_squares);
  if (n_pieces > 0) {
    memset(run->step.squares, 0, (size_t)n_pieces * sizeof *run->step.squares);
    grads = first_pass(run, own, square);
    TUTTI_TRY(tutti_reducer_sum_slices(run->reducer, run->step.squares, n_pieces));
  } else if (run->step.gain_squares) {
    grads = first_pass(run, own, NULL);
  }
  TUTTI_TRY(tutti_measure_gain_compute(run));
  begin_update(run);
  if (n_norms > 0) {
    memset(run->step.norms, 0, (size_t)n_norms * sizeof *run->step.norms);
    if (grads)
      next_pass(run, own, grads, prepare);
    else
      grads = first_pass(run, own, prepare);
    TUTTI_TRY(tutti_reducer_sum_slices(run->reducer, run->step.norms, n_norms));
    tutti_optim_set_ratios(run->optim, run->step.norms);
  }
  next_pass(run, own, grads, step);
  return TUTTI_OK;
}

static bool has_norms(const tutti_run *run) {
  return tutti_optim_n_pieces(run->optim) > 0 || tutti_optim_n_norms(run->optim) > 0 ||
         run->step.gain_squares;
}

tutti_status tutti_train_update(tutti_run *run) {
  if (has_norms(run)) return update_with_norms(run, tutti_reducer_slice(run->reducer));
  begin_update(run);
  first_pass(run, tutti_reducer_slice(run->reducer), step);
  return TUTTI_OK;
}
