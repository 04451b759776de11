#include "train/update.h"

#include <string.h>

#include "linalg/parallel.h"
#include "measure/gain.h"
#include "measure/meter.h"
#include "tutti/linalg.h"

enum {
  BLOCK = 4 * TUTTI_BLOCK, // elements of some arrays in the nearest cache
  WORTH_THREADS =
      1 << 17 // of a slice: fewer are updated before other threads have begun, or given their core back
};

void tutti_train_update_begin(tutti_run *run) {
  tutti_checkpoint_state *state = &run->state.at;
  run->fixed.schedule.drops = state->plateau_drops;
  state->learning_rate =
      tutti_plan_learning_rate(&run->fixed.plan, &run->fixed.schedule, tutti_run_position(run));
  if (run->step.gain_squares) state->learning_rate *= run->step.gain;
  tutti_optim_begin(run->fixed.optim, state->step - state->rule_from + 1, state->learning_rate,
                    run->step.squares);
}

/** What the threads of this rank share in one pass: parameters from `first` on, and their gradient. */
typedef struct {
  tutti_run *run;
  int64_t slice; // where the rank's begins
  int64_t first;
  float *grads;
  bool is_new; // the gradient lacks that of the penalty
  /** Of elements [first, first + n) of the slice; NULL: what is seen of a new gradient is all. */
  void (*action)(tutti_run *run, int64_t first, int64_t n, float *params, float *grads);
} pass;

static void square(tutti_run *run, int64_t first, int64_t n, float *params, float *grads) {
  (void)params;
  tutti_optim_squares(run->fixed.optim, first, n, grads, run->step.squares);
}

static void prepare(tutti_run *run, int64_t first, int64_t n, float *params, float *grads) {
  tutti_optim_prepare(run->fixed.optim, first, n, params, grads, run->step.norms);
}

static void step(tutti_run *run, int64_t first, int64_t n, float *params, float *grads) {
  tutti_optim_step(run->fixed.optim, first, n, params, grads);
}

static void pass_part(void *context, int64_t begin, int64_t end) {
  const pass *p = context;
  tutti_run *run = p->run;
  for (int64_t at = begin; at < end; at += BLOCK) {
    const int64_t n = end - at < BLOCK ? end - at : BLOCK, k = p->first + at;
    float *params = tutti_reducer_params(run->fixed.reducer) + k, *grads = p->grads + at, room[BLOCK];
    if (p->is_new) {
      tutti_meter_before(run, p->first, k, n, params, grads, room);
      tutti_gain_see(run, k - p->slice, n, grads);
      tutti_model_penalty_gradient(run->fixed.network.model, params, k, k + n, grads);
    }
    if (p->action) p->action(run, k - p->slice, n, params, grads);
    if (p->action == step) tutti_meter_after(run, p->first, k, n, params, room);
  }
}

static void go_over(pass p, int64_t n) {
  int64_t begin = 0, end = 0;
  tutti_reducer_slice(p.run->fixed.reducer, &begin, &end);
  tutti_parallel(n, end - begin < WORTH_THREADS && n > BLOCK ? n : BLOCK, pass_part, &p);
  tutti_meter_fold(p.run, p.first, n);
}

/** The first pass over the slice: some blocks at once, one a thread, whose sums over the leaves are then still in a near
 * cache.  @return the gradient of the slice */
static float *pass_new(tutti_run *run, int64_t begin, int64_t end,
                       void (*action)(tutti_run *, int64_t, int64_t, float *, float *)) {
  const int64_t block = (int64_t)BLOCK * tutti_linalg_threads();
  float *first = NULL;
  for (int64_t at = begin; at < end; at += block) {
    const int64_t n = end - at < block ? end - at : block;
    float *grads = tutti_reducer_gradient(run->fixed.reducer, at, n);
    if (!first) first = grads;
    TUTTI_ASSERT(grads == first + (at - begin));
    go_over((pass){run, begin, at, grads, true, action}, n);
  }
  return first;
}

/** A later one. */
static void pass_again(tutti_run *run, int64_t begin, int64_t end, float *grads,
                       void (*action)(tutti_run *, int64_t, int64_t, float *, float *)) {
  go_over((pass){run, begin, begin, grads, false, action}, end - begin);
}

/** Norms need all of the gradient, or of the rule's directions, before any of it is used. */
static tutti_status update_with_norms(tutti_run *run, int64_t begin, int64_t end) {
  const int64_t n_pieces = tutti_optim_n_pieces(run->fixed.optim),
                n_norms = tutti_optim_n_norms(run->fixed.optim);
  float *grads = NULL;
  if (run->step.gain_squares)
    memset(run->step.gain_squares, 0,
           (size_t)tutti_optim_all_pieces(run->fixed.optim) * sizeof *run->step.gain_squares);
  if (n_pieces > 0) {
    memset(run->step.squares, 0, (size_t)n_pieces * sizeof *run->step.squares);
    grads = pass_new(run, begin, end, square);
    TUTTI_TRY(tutti_reducer_sum_slices(run->fixed.reducer, run->step.squares, n_pieces));
  } else if (run->step.gain_squares) {
    grads = pass_new(run, begin, end, NULL);
  }
  TUTTI_TRY(tutti_gain_find(run));
  tutti_train_update_begin(run);
  if (n_norms > 0) {
    memset(run->step.norms, 0, (size_t)n_norms * sizeof *run->step.norms);
    if (grads)
      pass_again(run, begin, end, grads, prepare);
    else
      grads = pass_new(run, begin, end, prepare);
    TUTTI_TRY(tutti_reducer_sum_slices(run->fixed.reducer, run->step.norms, n_norms));
    tutti_optim_set_ratios(run->fixed.optim, run->step.norms);
  }
  pass_again(run, begin, end, grads, step);
  return TUTTI_OK;
}

static bool has_norms(const tutti_run *run) {
  return tutti_optim_n_pieces(run->fixed.optim) > 0 || tutti_optim_n_norms(run->fixed.optim) > 0 ||
         run->step.gain_squares;
}

tutti_status tutti_train_update(tutti_run *run) {
  int64_t begin = 0, end = 0;
  tutti_reducer_slice(run->fixed.reducer, &begin, &end);
  if (has_norms(run)) return update_with_norms(run, begin, end);
  tutti_train_update_begin(run);
  pass_new(run, begin, end, step);
  return TUTTI_OK;
}

bool tutti_train_may_update_early(const tutti_run *run, double loss) {
  return run->fixed.size == 1 && !run->fixed.plan.leaves_apart && !has_norms(run) &&
         run->step.local == TUTTI_OK && tutti_tail_holds(loss) && tutti_tail_holds(run->step.penalty);
}

void tutti_train_update_part(tutti_run *run, int64_t begin, int64_t n, float *grads) {
  tutti_phases_enter(&run->state.phases, TUTTI_PHASE_UPDATE);
  go_over((pass){run, 0, begin, grads, true, step}, n);
  tutti_phases_enter(&run->state.phases, TUTTI_PHASE_COMPUTE);
}

void tutti_train_update_late(tutti_run *run) {
  int first = 0, count = 0;
  tutti_reducer_own_leaves(run->fixed.reducer, &first, &count);
  for (int i = 0; i < run->step.n_late; i++)
    tutti_train_update_part(run, run->step.late[i].begin, run->step.late[i].count,
                            tutti_reducer_leaf(run->fixed.reducer, first) + run->step.late[i].begin);
  run->step.n_late = 0;
  run->step.updated = true;
}
