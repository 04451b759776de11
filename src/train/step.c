/* One step, as data flows: ids -> samples -> forward, loss, backward -> reduce -> update -> publish.  The loop of
 * train.c and the probe call it.  A rank that fails still takes part in the reduction: it counts itself in the tail, so
 * that all ranks learn of the failure in the communication that they do anyway. */
#include "train/train_impl.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "linalg/parallel.h"
#include "measure/meter.h"
#include "run/sharing.h"
#include "tutti/linalg.h"

/** Seconds between two checkpoints; 0: the clock does not matter.  Those of a trial take a small part of its time,
 * because nobody has asked for them. */
static double seconds_between_saves(const tutti_run *run) {
  static const double save_part = 0.02;
  const tutti_count every = run->config->run.checkpoint_every;
  if (run->keeps_no_rows)
    return run->save_every > 0 ? fmax(run->save_every, run->state.longest_save / save_part) : 0;
  return every.unit == TUTTI_UNIT_SECONDS ? every.value : 0;
}

/** What rank 0 asks for after this step.  Its clock and its disk decide, and the others do not know them. */
typedef enum { NOTHING, SAVE, WAIT, COPY } request;

static request ask(const tutti_run *run, const tutti_rundir_saver *saver) {
  const double every = seconds_between_saves(run);
  if (run->rank != 0) return NOTHING;
  if (every > 0 && tutti_clock_s() - run->state.saved_at >= every) return SAVE;
  if (tutti_rundir_asks(saver)) return SAVE;
  if (tutti_rundir_has_failed(saver)) return WAIT;
  return tutti_rundir_wants_copy(saver, run->state.step_s) ? COPY : NOTHING;
}

/** Whether a save is worth trying only to learn how long it takes: it is all that the end of the training depends on. */
static bool measures_save(const tutti_run *run, const tutti_rundir_saver *saver, tutti_train_time time) {
  enum { REQUESTS = 2 }; // to save, and to wait for it if it is written beside the training
  return time == TUTTI_TRAIN_UNSURE && saver && run->state.measuring_save < REQUESTS;
}

/** Ask for what is due after this step, and whether it is the last one. */
static void fill_requests(tutti_run *run, const tutti_rundir_saver *saver, double *tail) {
  const tutti_train_time time = tutti_train_look_at_time(run);
  const bool measures = measures_save(run, saver, time);
  if (measures) {
    tail[TUTTI_TAIL_SAVE] = run->state.measuring_save++ == 0 ? SAVE : WAIT;
    run->state.looked_at = 0; // the save does not count as a part of the step
  } else {
    tail[TUTTI_TAIL_SAVE] = ask(run, saver);
  }
  tail[TUTTI_TAIL_END] = tutti_train_asks_to_end(run) || (time != TUTTI_TRAIN_IN_TIME && !measures);
}

/** The fault "weight": flip the sign of one parameter, as a memory error might. */
static void flip_one(const tutti_run *run) {
  float *one = tutti_reducer_params(run->reducer) + tutti_model_n_params(run->network.model) / 2;
  *one = -*one;
}

/** The fault "hang": this rank computes no more, as if it waited for a file that never comes. */
static void hang(void) {
  for (;;) pause();
}

static tutti_status take_step(tutti_run *run, const tutti_rundir_saver *saver,
                              tutti_train_step_result *result) {
  double *tail = run->step.tail[0];
  tutti_metrics_phases_enter(&run->state.phases, TUTTI_PHASE_COMPUTE);
  run->step.local = run->state.deferred != TUTTI_OK ? run->state.deferred : tutti_fault("step");
  if (run->rank == 0)
    run->step.penalty = tutti_model_penalty(run->network.model, tutti_reducer_params(run->reducer));
  if (tutti_fault("hang") != TUTTI_OK) hang();
  // A failure of this rank alone waits for the reduction.  After an error of MPI there is no way to inform the others.
  const tutti_status computed = tutti_train_gradients(run);
  if (computed == TUTTI_ERR_MPI) return computed;
  if (run->step.local == TUTTI_OK) run->step.local = computed;
  // The entries of the tail that are not sums over samples.
  tail[TUTTI_TAIL_FAILED] = run->step.local != TUTTI_OK;
  fill_requests(run, saver, tail);
  tail[TUTTI_TAIL_PENALTY] = run->step.penalty;

  tutti_metrics_phases_enter(&run->state.phases, TUTTI_PHASE_REDUCE);
  TUTTI_TRY(tutti_reducer_reduce(run->reducer, run->step.tail));
  if (tail[TUTTI_TAIL_FAILED] > 0) TUTTI_TRY(tutti_comm_agree(run->comm, run->step.local));

  tutti_metrics_phases_enter(&run->state.phases, TUTTI_PHASE_UPDATE);
  *result = (tutti_train_step_result){.samples = tail[TUTTI_TAIL_SAMPLES],
                                      .loss = tail[TUTTI_TAIL_LOSS],
                                      .metric = tail[TUTTI_TAIL_METRIC],
                                      .penalty = tail[TUTTI_TAIL_PENALTY],
                                      .save = tail[TUTTI_TAIL_SAVE] == SAVE,
                                      .copy = tail[TUTTI_TAIL_SAVE] == COPY,
                                      .wait = tail[TUTTI_TAIL_SAVE] == WAIT,
                                      .end = tail[TUTTI_TAIL_END] > 0};
  result->finite = isfinite(result->loss) && isfinite(result->penalty);
  if (result->finite) TUTTI_TRY(tutti_train_update(run));
  if (result->finite) TUTTI_TRY(tutti_meter_end_step(run, tail));

  tutti_metrics_phases_enter(&run->state.phases, TUTTI_PHASE_REDUCE);
  TUTTI_TRY(tutti_reducer_publish(run->reducer));
  // Tests make one copy of the weights wrong here, where nothing else would notice it before the next comparison.
  if (tutti_fault("weight") != TUTTI_OK) flip_one(run);
  tutti_metrics_phases_leave(&run->state.phases);
  return TUTTI_OK;
}

/** A step whose time tells whether its loops are better left to one thread.  Evaluations, which have more rows, always
 * share theirs. */
tutti_status tutti_train_step(tutti_run *run, const tutti_rundir_saver *saver,
                              tutti_train_step_result *result) {
  if (tutti_linalg_threads() == 1) return take_step(run, saver, result);
  const tutti_position now = tutti_run_position(run);
  const double start = tutti_clock_s();
  tutti_linalg_parallel_share(tutti_run_shares(&run->sharing) != TUTTI_SHARE_NOTHING);
  const tutti_status status = take_step(run, saver, result);
  tutti_linalg_parallel_share(true);
  // The short last batch of an epoch takes less time.
  if (tutti_plan_is_whole(&run->plan, now))
    tutti_run_note_sharing(&run->sharing, tutti_stages_batch(&run->plan.stages, now.at),
                           tutti_clock_s() - start);
  return status;
}

tutti_status tutti_train_is_finite(const tutti_run *run, bool *finite) {
  const tutti_slice *own = tutti_reducer_slice(run->reducer);
  const float *params = tutti_reducer_params(run->reducer);
  double bad = 0;
  for (int r = 0; r < own->n_ranges; r++)
    for (int64_t i = own->ranges[r].begin; i < own->ranges[r].end; i++) bad += !isfinite(params[i]);
  TUTTI_TRY(tutti_comm_sum(run->comm, &bad, 1)); // the slices of all ranks are all parameters
  *finite = bad == 0;
  return TUTTI_OK;
}
