/* The hint at the start of a training that one rank would be faster than all of them.
 *
 * The first steps tell what a step takes.  If that is short, so that the reduction may matter, rank 0 takes some of the
 * same steps alone, with weights of its own, while the others wait: some milliseconds, once.  train.c calls this after
 * each step. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "machine/fewer_ranks.h"
#include "train/probe.h"
#include "train/train_impl.h"

enum { WARM_UP = 20, STEPS = 20, WINDOWS = TUTTI_TRAIN_WINDOWS };

/** A rank that works or waits has its core for itself.  If other programs take it away, the other ranks wait longer than
 * this network makes them wait. */
static const double BUSY = 0.95;

/** A step that takes longer is not worth the question, and the answer would take too long. */
static const double LONGEST_STEP_S = 2e-3;

// --- a rank alone

/** Local.  The shortest step of some windows of one rank.  The first one warms up.  A rank that is slower than step_s
 * ends the question. */
static tutti_status time_alone(tutti_probe *alone, double step_s, double *alone_s) {
  enum { WINDOWS_ALONE = 4, COLD = 4 }; // times slower in caches that are cold
  static const double enough_s = 1e-3;
  double phases[1][TUTTI_N_PHASES];
  for (int i = 0; i < WINDOWS_ALONE; i++) {
    const double start = tutti_clock_s();
    int n = 0;
    while (n == 0 || (n < STEPS && tutti_clock_s() - start < enough_s)) {
      TUTTI_TRY(tutti_train_probe_steps(alone, 1, phases));
      n++;
    }
    *alone_s = fmin(*alone_s, (tutti_clock_s() - start) / n);
    if (*alone_s > step_s * (i == 0 ? COLD : 1)) break;
  }
  return TUTTI_OK;
}

/** Local.  Steps of the same batch size, data and choice of products.  They do not change the run.
 * @param[in] self  of this rank */
static tutti_status measure_alone(const tutti_run *run, const tutti_comm *self,
                                  const tutti_machine_step *step, double *alone_s) {
  tutti_probe *alone = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_train_probe_create_like(self, run, &alone));
  TUTTI_TRY_GOTO(done,
                 tutti_train_probe_prepare(alone, self, step->batch_size, run->config->parallel.reduce));
  TUTTI_TRY_GOTO(done, time_alone(alone, step->step_s, alone_s));
done:
  tutti_train_probe_destroy(&alone);
  return status;
}

// --- the first steps of all ranks

static void begin_window(tutti_train_start *start) {
  start->cpu_s = tutti_clock_cpu_s();
  start->clock_s = tutti_clock_s();
}

static void end_window(int window, tutti_train_start *start) {
  const double seconds = tutti_clock_s() - start->clock_s;
  start->busy[window] = (tutti_clock_cpu_s() - start->cpu_s) / seconds;
}

/** Count the step that has just been taken, unless it was the short last one of an epoch.  If the batch has grown, the
 * steps before tell nothing about those to come. */
static void add_step(const tutti_run *run, int window, tutti_train_start *start) {
  const tutti_position now = tutti_run_position(run);
  const int64_t whole = tutti_stages_batch(&run->plan.stages, now.at);
  if (whole != start->batch_size) {
    start->batch_size = whole;
    memset(start->n_counted, 0, sizeof start->n_counted);
    memset(start->step_s, 0, sizeof start->step_s);
  }
  if (!tutti_plan_is_whole(&run->plan, now)) return;
  start->n_counted[window]++;
  start->step_s[window] += run->state.step_s;
}

/** Collective.  The shortest step of the undisturbed windows that have enough of them.
 * @param[out] step_s  0: there is no such window */
static tutti_status choose_step(const tutti_run *run, tutti_train_start *start, double *step_s) {
  *step_s = 0;
  TUTTI_TRY(tutti_comm_max(run->comm, start->step_s, WINDOWS));
  TUTTI_TRY(tutti_comm_min(run->comm, start->busy, WINDOWS));
  for (int i = 0; i < WINDOWS; i++) {
    // At least half of the batches are whole, unless the batch has grown in between.
    if (start->n_counted[i] < STEPS / 2 || start->busy[i] < BUSY) continue;
    const double seconds = start->step_s[i] / start->n_counted[i];
    if (*step_s == 0 || seconds < *step_s) *step_s = seconds;
  }
  return TUTTI_OK;
}

/** Without an answer there is no hint: a failure here is none of the training, unless MPI is broken. */
static tutti_status forgive(tutti_status status) {
  return status == TUTTI_ERR_MPI ? status : TUTTI_OK;
}

/** Collective. */
static tutti_status give_hint(const tutti_run *run, tutti_train_start *start) {
  tutti_machine_step step = {.ranks = run->size, .batch_size = start->batch_size};
  tutti_comm *self = NULL;
  char text[400];
  double alone_s = INFINITY;
  TUTTI_TRY(choose_step(run, start, &step.step_s));
  if (step.step_s == 0 || step.step_s > LONGEST_STEP_S) return TUTTI_OK;
  tutti_status status = tutti_comm_split(run->comm, run->rank, &self);
  if (status != TUTTI_OK) return forgive(status);
  if (run->rank == 0) status = measure_alone(run, self, &step, &alone_s);
  if (status == TUTTI_OK && tutti_machine_is_slower(&step, alone_s))
    tutti_log(TUTTI_LOG_INFO, "%s", tutti_machine_fewer_ranks_text(&step, 1, alone_s, text, sizeof text));
  tutti_comm_destroy(&self);
  TUTTI_TRY(forgive(status));
  return tutti_comm_barrier(run->comm);
}

tutti_status tutti_train_note_start(tutti_run *run, tutti_train_start *start) {
  if (run->size == 1 || run->keeps_no_rows || start->n_steps >= WARM_UP + STEPS * WINDOWS) return TUTTI_OK;
  const int measured = ++start->n_steps - WARM_UP; // after the warm-up
  const bool is_end = measured % STEPS == 0;
  if (measured > 0) add_step(run, (measured - 1) / STEPS, start);
  if (measured > 0 && is_end) end_window(measured / STEPS - 1, start);
  if (measured == STEPS * WINDOWS) {
    run->state.looked_at = 0; // the pause does not count as a part of the step
    return give_hint(run, start);
  }
  if (measured >= 0 && is_end) begin_window(start);
  return TUTTI_OK;
}
