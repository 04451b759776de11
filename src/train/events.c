#include "train/events.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "measure/average.h"
#include "measure/meter.h"
#include "run/evaluated.h"
#include "run/stop.h"

static void add(tutti_checkpoint_sums *sums, const tutti_step_result *step, double seconds) {
  sums->samples += step->samples;
  sums->loss += step->loss + step->penalty * step->samples;
  sums->metric += step->metric;
  sums->seconds += seconds;
}

static void count(tutti_run *run, const tutti_step_result *step, double seconds) {
  tutti_checkpoint_state *state = &run->state.at;
  state->place = tutti_plan_move(&run->fixed.plan, tutti_run_position(run), 1).place;
  state->step++;
  state->step_in_epoch++;
  state->gained += run->step.gain;
  state->samples += (int64_t)step->samples;
  state->seconds += seconds;
  add(&state->in_epoch, step, seconds);
  add(&state->in_row, step, seconds);
}

/** `epoch` from 1. */
static tutti_metrics_row make_row(const tutti_run *run, int64_t epoch, const tutti_checkpoint_sums *sums,
                                  const tutti_evaluation *validation) {
  const bool evaluated = validation->samples > 0;
  return (tutti_metrics_row){.epoch = epoch,
                             .step = run->state.at.step,
                             .samples = run->state.at.samples,
                             .loss = sums->loss / sums->samples,
                             .metric = sums->metric / sums->samples,
                             .val_loss = evaluated ? validation->loss : NAN,
                             .val_metric = evaluated ? validation->metric : NAN,
                             .learning_rate = run->state.at.learning_rate,
                             .batch_size =
                                 tutti_stages_batch(&run->fixed.plan.stages, tutti_run_position(run).at - 1),
                             .seconds = run->state.at.seconds,
                             .samples_per_second = sums->samples / sums->seconds};
}

/** Of what lies between two rows of /epochs; a step that belongs to two epochs is the later one's. */
static tutti_metrics_row make_step_row(const tutti_run *run, const tutti_evaluation *validation) {
  const tutti_plan *plan = &run->fixed.plan;
  const tutti_position now = tutti_run_position(run);
  tutti_metrics_row row =
      make_row(run, (now.place - 1) / plan->epoch.n + 1, &run->state.at.in_row, validation);
  row.batch_size = now.samples - tutti_plan_move(plan, now, -1).samples; // fewer at the end of an epoch
  return row;
}

static bool is_better(const char *name, double value, double best) {
  if (isnan(best)) return true;
  return tutti_metric_wants_small(name) ? value < best : value > best;
}

/** Keep count of the monitored value; true where it is the best so far. */
static bool monitor(tutti_run *run, const tutti_metrics_row *row) {
  const char *name = run->fixed.config->train.monitor;
  double value = 0;
  if (!name || !tutti_run_value(run, row, name, &value)) return false;
  tutti_checkpoint_state *state = &run->state.at;
  const bool better = is_better(name, value, state->best);
  if (better) state->best = value;
  state->evaluations_since_best = better ? 0 : state->evaluations_since_best + 1;
  return better;
}

/** Decided on reduced values: all ranks' rates fall together. */
static void look_for_plateau(tutti_run *run, const tutti_metrics_row *row) {
  const tutti_config *config = run->fixed.config;
  const char *name = config->train.monitor ? config->train.monitor : "val_loss";
  const tutti_extent done = tutti_plan_progress(&run->fixed.plan, tutti_run_position(run));
  double value = 0;
  if (config->schedule.decay != TUTTI_DECAY_PLATEAU ||
      tutti_schedule_is_warming(&run->fixed.schedule, &done) || !tutti_run_value(run, row, name, &value))
    return;
  tutti_checkpoint_state *state = &run->state.at;
  tutti_plateau plateau = {state->plateau_best, state->plateau_waited, state->plateau_cooling,
                           state->plateau_drops};
  tutti_plateau_see(&run->fixed.schedule, !tutti_metric_wants_small(name), value, &plateau);
  state->plateau_best = plateau.best;
  state->plateau_waited = plateau.waited;
  state->plateau_cooling = plateau.cooling;
  state->plateau_drops = plateau.drops;
}

/** The sets that there are. */
static tutti_status evaluate(tutti_run *run, tutti_evaluation *validation) {
  const tutti_samples_all *sets = &run->fixed.samples;
  const float *params = tutti_reducer_params(run->fixed.reducer);
  tutti_phases_enter(&run->state.phases, TUTTI_PHASE_EVALUATE);
  if (sets->validation.n > 0)
    TUTTI_TRY(tutti_network_evaluate(&run->fixed.network, params, &sets->validation, validation));
  TUTTI_TRY(tutti_average_evaluate(run, &sets->validation, &run->state.rows.average.now));
  if (sets->looked_at.n > 0)
    TUTTI_TRY(
        tutti_network_evaluate(&run->fixed.network, params, &sets->looked_at, &run->state.rows.training.now));
  tutti_phases_leave(&run->state.phases);
  return TUTTI_OK;
}

static void show_step(const tutti_run *run) {
  const tutti_checkpoint_sums *sums = &run->state.at.in_epoch;
  if (run->fixed.progress)
    tutti_progress_step(run->fixed.progress, run->state.at.epoch + 1, (int64_t)sums->samples,
                        sums->loss / sums->samples, sums->metric / sums->samples);
}

/** Whether there are rows to evaluate now and then. */
static bool evaluates(const tutti_run *run) {
  return run->fixed.samples.validation.n > 0 || run->fixed.samples.looked_at.n > 0;
}

/** What there is to see of a training between its beginning and its end. */
static void tell(tutti_run *run, const tutti_metrics_row *row, bool whole, bool last) {
  const bool evaluated =
      evaluates(run) ? !isnan(row->val_loss) || run->state.rows.training.now.samples > 0 : whole;
  if (!run->fixed.observer || !(evaluated || last)) return;
  tutti_meter_read(run, TUTTI_METER_OBSERVED);
  run->fixed.observer(run->fixed.observer_context, &run->state.rows.layout, row, run->state.rows.more);
  tutti_meter_clear(run, TUTTI_METER_OBSERVED);
}

/** The epoch's row: kept, shown, and a new epoch begins where this one is whole. */
static void end_epoch(tutti_run *run, const tutti_metrics_row *row, bool whole) {
  run->state.rows.last = *row;
  tutti_meter_read(run, TUTTI_METER_EPOCHS);
  tutti_run_keep_row(run, &run->state.rows.history, &run->state.rows.last);
  if (run->fixed.progress) tutti_progress_epoch(run->fixed.progress, &run->state.rows.last);
  if (!whole) return;
  run->state.at.epoch = row->epoch;
  run->state.at.step_in_epoch = 0;
  run->state.at.in_epoch = (tutti_checkpoint_sums){0};
  tutti_meter_clear(run, TUTTI_METER_EPOCHS);
  if (run->fixed.config->run.metrics_every.value > 0) return;
  run->state.at.in_row = (tutti_checkpoint_sums){0};
  tutti_meter_clear(run, TUTTI_METER_STEPS);
}

/** Rows that are due after this step, and what they decide.  True where the monitored value is the best so
 * far. */
static bool observe(tutti_run *run, const tutti_evaluation *validation, bool whole,
                    tutti_train_result *result, bool *last) {
  const bool evaluated_within =
      (validation->samples > 0 || run->state.rows.training.now.samples > 0) && !whole;
  const bool row_due =
      evaluated_within ||
      tutti_plan_due(&run->fixed.plan, run->fixed.config->run.metrics_every, tutti_run_position(run));
  *last = tutti_stop_budget_done(run, &result->stop, result->reason);
  if (!whole && !row_due && !*last) return false;
  tutti_evaluated_tell(run, &run->state.rows.average);
  tutti_evaluated_tell(run, &run->state.rows.training);
  const int64_t done = run->state.at.place / run->fixed.plan.epoch.n; // epochs
  const tutti_metrics_row of_epoch =
      make_row(run, whole ? done : done + 1, &run->state.at.in_epoch, validation);
  const tutti_metrics_row judge = tutti_stop_judged(&of_epoch, whole);
  const bool best = monitor(run, &judge);
  look_for_plateau(run, &judge);
  if (tutti_stop_goal_reached(run, &judge, &result->stop, result->reason) ||
      tutti_stop_out_of_patience(run, &result->stop, result->reason))
    *last = true;
  if (row_due) {
    const tutti_metrics_row row = make_step_row(run, validation);
    tutti_meter_read(run, TUTTI_METER_STEPS);
    tutti_run_keep_row(run, &run->state.rows.steps, &row);
    tutti_meter_clear(run, TUTTI_METER_STEPS);
    run->state.at.in_row = (tutti_checkpoint_sums){0};
  }
  result->epochs = tutti_plan_epochs(&run->fixed.plan, &run->state.at);
  result->average_validation = run->state.rows.average.now;
  result->training = run->state.rows.training.now;
  tell(run, &of_epoch, whole, *last);
  if (whole || *last) end_epoch(run, &of_epoch, whole);
  return best;
}

tutti_status tutti_train_diverged(tutti_run *run, tutti_saver *saver, const char *what, int64_t at,
                                  tutti_train_result *result) {
  char layer[128];
  TUTTI_TRY(tutti_run_check_same(run)); // or it has not diverged, but was changed on one rank
  TUTTI_TRY(tutti_train_find_bad_layer(run, layer, sizeof layer));
  const tutti_plan *plan = &run->fixed.plan;
  const tutti_position now = tutti_run_position(run);
  const tutti_position before = at > run->state.at.step ? now : tutti_plan_move(plan, now, -1);
  result->stop = TUTTI_STOP_DIVERGED;
  snprintf(result->reason, sizeof result->reason,
           "%s step %lld (epoch %lld)%s, learning rate %g; try a smaller optimizer.learning_rate, "
           "schedule.warmup, or "
           "optimizer.global_clipnorm",
           what, (long long)at, (long long)(before.place / plan->epoch.n + 1), layer,
           tutti_plan_learning_rate(plan, &run->fixed.schedule, before));
  return tutti_saver_flush(saver);
}

/** Save where it is due, but never weights that are not finite over good ones. */
static tutti_status save(tutti_run *run, tutti_saver *saver, bool best, tutti_train_result *result,
                         bool *stopping) {
  bool finite = false;
  TUTTI_TRY(tutti_train_is_finite(run, &finite));
  if (finite) return tutti_saver_save(saver, best);
  *stopping = true;
  return tutti_train_diverged(run, saver, "the weights are not finite after", run->state.at.step, result);
}

/** Besides what is evaluated or saved: the last step, and so many that it costs nothing. */
static bool is_time_to_check(const tutti_run *run) {
  enum { EVERY = 1000 };
  return run->state.at.step % EVERY == 0 ||
         tutti_plan_done(&run->fixed.plan, run->fixed.config->train.budget, tutti_run_position(run));
}

static tutti_status check_same(tutti_run *run) {
  tutti_phases_enter(&run->state.phases, TUTTI_PHASE_REDUCE);
  TUTTI_TRY(tutti_run_check_same(run));
  tutti_phases_leave(&run->state.phases);
  return TUTTI_OK;
}

tutti_status tutti_train_after_step(tutti_run *run, tutti_saver *saver, const tutti_step_result *step,
                                    double seconds, tutti_train_result *result, bool *stopping) {
  const tutti_config *config = run->fixed.config;
  count(run, step, seconds);
  show_step(run);
  const tutti_position now = tutti_run_position(run);
  const bool whole = tutti_plan_ends_epoch(&run->fixed.plan, now);
  const bool due = tutti_plan_due(&run->fixed.plan, config->run.checkpoint_every, now);
  const bool evaluated =
      evaluates(run) && tutti_plan_due(&run->fixed.plan, config->train.evaluate_every, now);
  tutti_evaluation validation = {0};
  run->state.rows.average.now = run->state.rows.training.now = (tutti_evaluation){0};
  if (whole || due || evaluated || step->save || is_time_to_check(run)) TUTTI_TRY(check_same(run));
  if (evaluated) TUTTI_TRY(evaluate(run, &validation));
  if (!isfinite(validation.loss) || !isfinite(run->state.rows.training.now.loss)) {
    const char *what = isfinite(validation.loss) ? "train_loss is not finite after"
                                                 : "the validation loss is not finite after";
    *stopping = true;
    return tutti_train_diverged(run, saver, what, run->state.at.step, result);
  }
  const bool best = observe(run, &validation, whole, result, stopping);
  if (*stopping || best || step->save || due) return save(run, saver, best, result, stopping);
  if (whole) TUTTI_TRY(tutti_saver_flush(saver));
  return TUTTI_OK;
}
