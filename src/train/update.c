#include "train/update.h"

#include <string.h>

#include "linalg/parallel.h"
#include "tutti/linalg.h"

/** Of some arrays, in the nearest cache. */
enum { BLOCK = 4 * TUTTI_BLOCK };

void tutti_run_update_begin(tutti_run *run) {
  run->learning_rate = tutti_schedule_at(&run->schedule, tutti_run_position(run).at);
  tutti_optim_begin(run->optim, run->state.step + 1, run->learning_rate, run->squares);
}

/** The norms that clipping wants need all of the gradient before any of it is used. */
static tutti_status sum_squares(tutti_run *run, int64_t begin, int64_t n, float *grads) {
  const int64_t n_pieces = tutti_optim_n_pieces(run->optim);
  memset(run->squares, 0, (size_t)n_pieces * sizeof *run->squares);
  tutti_model_penalty_gradient(run->network.model, tutti_reducer_params(run->reducer) + begin, begin,
                               begin + n, grads);
  tutti_optim_squares(run->optim, 0, n, grads, run->squares);
  return tutti_reducer_sum_slices(run->reducer, run->squares, n_pieces);
}

static tutti_status update_with_norms(tutti_run *run, int64_t begin, int64_t end) {
  float *grads = tutti_reducer_gradient(run->reducer, begin, end - begin);
  TUTTI_TRY(sum_squares(run, begin, end - begin, grads));
  tutti_run_update_begin(run);
  tutti_optim_step(run->optim, 0, end - begin, tutti_reducer_params(run->reducer) + begin, grads);
  return TUTTI_OK;
}

/** What the threads of this rank share: parameters from `first` on, and their gradient. */
typedef struct {
  tutti_run *run;
  int64_t slice, first;
  float *grads;
} work;

static void update_part(void *context, int64_t begin, int64_t end) {
  const work *w = context;
  tutti_run *run = w->run;
  for (int64_t at = begin; at < end; at += BLOCK) {
    const int64_t n = end - at < BLOCK ? end - at : BLOCK, k = w->first + at;
    float *params = tutti_reducer_params(run->reducer) + k;
    tutti_model_penalty_gradient(run->network.model, params, k, k + n, w->grads + at);
    tutti_optim_step(run->optim, k - w->slice, n, params, w->grads + at);
  }
}

/** Some blocks at once, one a thread: their sums over the leaves are still in a near cache when the rule needs them. */
static void update_blocks(tutti_run *run, int64_t begin, int64_t end) {
  const int64_t block = (int64_t)BLOCK * tutti_linalg_threads();
  tutti_run_update_begin(run);
  for (int64_t at = begin; at < end; at += block) {
    const int64_t n = end - at < block ? end - at : block;
    tutti_parallel(n, BLOCK, update_part,
                   &(work){run, begin, at, tutti_reducer_gradient(run->reducer, at, n)});
  }
}

tutti_status tutti_run_update(tutti_run *run) {
  int64_t begin = 0, end = 0;
  tutti_reducer_slice(run->reducer, &begin, &end);
  if (tutti_optim_n_pieces(run->optim) > 0) return update_with_norms(run, begin, end);
  update_blocks(run, begin, end);
  return TUTTI_OK;
}

bool tutti_run_may_update_early(const tutti_run *run, double loss) {
  return run->size == 1 && !run->plan.leaves_apart && tutti_optim_n_pieces(run->optim) == 0 &&
         run->local == TUTTI_OK && tutti_tail_holds(loss) && tutti_tail_holds(run->penalty);
}

void tutti_run_update_part(tutti_run *run, int64_t begin, int64_t n, float *grads) {
  tutti_phases_enter(&run->phases, TUTTI_PHASE_UPDATE);
  tutti_parallel(n, BLOCK, update_part, &(work){run, 0, begin, grads});
  tutti_phases_enter(&run->phases, TUTTI_PHASE_COMPUTE);
}

void tutti_run_update_late(tutti_run *run) {
  int first = 0, count = 0;
  tutti_reducer_own_leaves(run->reducer, &first, &count);
  for (int i = 0; i < run->n_late; i++)
    tutti_run_update_part(run, run->late[i].begin, run->late[i].count,
                          tutti_reducer_leaf(run->reducer, first) + run->late[i].begin);
  run->n_late = 0;
  run->updated = true;
}
