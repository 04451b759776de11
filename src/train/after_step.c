/* After a step with a finite loss: count it, evaluate, record rows, save, and stop if the training is over or has
 * diverged.  The loop of train.c calls this.  Everything is decided on reduced values and on counts, so that all ranks
 * take the same branch and none of them leaves a collective alone. */
#include "train/train_impl.h"

#include <math.h>
#include <stdio.h>

#include "measure/average.h"

tutti_status tutti_train_evaluate(tutti_run *run, tutti_evaluation *validation, tutti_evaluation *average,
                                  tutti_evaluation *training) {
  const tutti_network *network = &run->network;
  const tutti_samples_all *sets = &run->samples;
  const float *params = tutti_reducer_params(run->reducer);
  tutti_metrics_phases_enter(&run->state.phases, TUTTI_PHASE_EVALUATE);
  if (sets->validation.n > 0 && validation->samples == 0) {
    TUTTI_TRY(tutti_network_evaluate(network, params, &sets->validation, validation));
    TUTTI_TRY(tutti_measure_average_evaluate(run, &sets->validation, average));
  }
  if (sets->looked_at.n > 0 && training->samples == 0)
    TUTTI_TRY(tutti_network_evaluate(network, params, &sets->looked_at, training));
  tutti_metrics_phases_leave(&run->state.phases);
  return TUTTI_OK;
}

static void show_progress(const tutti_run *run) {
  const tutti_checkpoint_sums *sums = &run->state.at.in_epoch;
  if (run->progress)
    tutti_metrics_progress_step(run->progress, run->state.at.epoch + 1, (int64_t)sums->samples,
                                sums->loss / sums->samples, sums->metric / sums->samples);
}

tutti_status tutti_train_diverged(tutti_run *run, tutti_rundir_saver *saver, const char *what, int64_t at,
                                  tutti_train_result *result) {
  char layer[320];
  TUTTI_TRY(tutti_run_check_same(run)); // if one rank's copy was damaged, that is an error, not a divergence
  TUTTI_TRY(tutti_train_find_bad_layer(run, layer, sizeof layer));
  const tutti_plan *plan = &run->plan;
  const tutti_position now = tutti_run_position(run);
  const tutti_position before = at > run->state.at.step ? now : tutti_plan_move(plan, now, -1);
  const double factor = run->state.at.rate_factor > 0 ? run->state.at.rate_factor : 1;
  result->stop = TUTTI_STOP_DIVERGED;
  snprintf(result->reason, sizeof result->reason,
           "%s step %lld (epoch %lld)%s, learning rate %g; try a smaller optimizer.learning_rate, "
           "schedule.warmup, or optimizer.global_clipnorm",
           what, (long long)at, (long long)(before.place / plan->epoch.n + 1), layer,
           factor * tutti_plan_learning_rate(plan, &run->schedule, before));
  return tutti_rundir_flush(saver);
}

/** Save a checkpoint, but never overwrite good weights with weights that are not finite. */
static tutti_status save(tutti_run *run, tutti_rundir_saver *saver, bool best, tutti_train_result *result,
                         bool *stopping) {
  bool finite = false;
  TUTTI_TRY(tutti_train_is_finite(run, &finite));
  if (finite) return tutti_rundir_save(saver, best);
  *stopping = true;
  return tutti_train_diverged(run, saver, "the weights are not finite after", run->state.at.step, result);
}

/** Weights that are not finite are not worth a copy: the loss of the next step says so. */
static tutti_status keep_copy(tutti_run *run, tutti_rundir_saver *saver) {
  bool finite = false;
  TUTTI_TRY(tutti_train_is_finite(run, &finite));
  return finite ? tutti_rundir_keep_copy(saver) : TUTTI_OK;
}

/** Whether the ranks compare their weights after a step that evaluates and saves nothing: after the last step, and by
 * default so rarely in between that it costs a fraction of a percent.  A comparison is one pass over the weights, and a
 * step has several. */
static bool is_time_to_check(const tutti_run *run) {
  const int64_t every = (int64_t)run->config->parallel.check_every.value;
  return (every > 0 && run->state.at.step % every == 0) ||
         tutti_plan_done(&run->plan, run->config->train.budget, tutti_run_position(run));
}

tutti_status tutti_train_after_step(tutti_run *run, tutti_rundir_saver *saver,
                                    const tutti_train_step_result *step, double seconds,
                                    tutti_train_result *result, bool *stopping) {
  const tutti_config *config = run->config;
  tutti_run_rows *rows = &run->state.rows;
  tutti_train_count_step(run, step, seconds);
  show_progress(run);
  if (step->wait) TUTTI_TRY(tutti_rundir_wait(saver));
  const tutti_position now = tutti_run_position(run);
  const bool whole = tutti_plan_ends_epoch(&run->plan, now);
  const bool due = tutti_plan_due(&run->plan, config->run.checkpoint_every, now);
  const bool evaluated =
      tutti_train_evaluates(run) && tutti_plan_due(&run->plan, config->train.evaluate_every, now);
  tutti_evaluation validation = {0};
  rows->average.now = rows->training.now = (tutti_evaluation){0};
  // Before weights are judged or saved, the ranks make sure that all have the same ones.
  if (whole || due || evaluated || step->save || step->copy || step->end || is_time_to_check(run)) {
    tutti_metrics_phases_enter(&run->state.phases, TUTTI_PHASE_REDUCE);
    TUTTI_TRY(tutti_run_check_same(run));
    tutti_metrics_phases_leave(&run->state.phases);
  }
  if (evaluated) {
    tutti_rundir_lend(saver);
    TUTTI_TRY(tutti_train_evaluate(run, &validation, &rows->average.now, &rows->training.now));
    tutti_rundir_take_back(saver);
  }
  if (!isfinite(validation.loss) || !isfinite(rows->training.now.loss)) {
    const char *what = isfinite(validation.loss) ? "train_loss is not finite after"
                                                 : "the validation loss is not finite after";
    *stopping = true;
    return tutti_train_diverged(run, saver, what, run->state.at.step, result);
  }
  const bool best = tutti_train_record_rows(run, &validation, whole, result, stopping);
  if (run->keeps_no_rows) {
    // Weights are judged at the same steps as without checkpoints, so that these do not change the result.
    if (*stopping || best || due) TUTTI_TRY(save(run, NULL, best, result, stopping));
    return *stopping ? TUTTI_OK : tutti_train_keep_trial(run, saver, step, result, stopping);
  }
  if (step->end && !*stopping) {
    *stopping = true;
    TUTTI_TRY(tutti_train_end_early(run, saver != NULL, result));
  }
  if (*stopping || best || step->save || due) return save(run, saver, best, result, stopping);
  if (whole) TUTTI_TRY(tutti_rundir_flush(saver));
  return step->copy && saver ? keep_copy(run, saver) : TUTTI_OK;
}
