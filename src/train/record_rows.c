/* The rows of the tables /steps and /epochs, and the decisions that depend on them: a new best checkpoint, a plateau of
 * the learning rate, the goal and the patience.  All of them depend on reduced values and on counts, so that all ranks
 * decide alike.  after_step.c calls this after every step. */
#include "train/train_impl.h"

#include <math.h>

#include "measure/meter.h"
#include "run/evaluated.h"
#include "run/stages.h"
#include "run/stop.h"

// --- counting ------------------------------------------------------------------------------------------------

static void add(tutti_checkpoint_sums *sums, const tutti_train_step_result *step, double seconds) {
  sums->samples += step->samples;
  sums->loss += step->loss + step->penalty * step->samples;
  sums->metric += step->metric;
  sums->seconds += seconds;
}

void tutti_train_count_step(tutti_run *run, const tutti_train_step_result *step, double seconds) {
  tutti_checkpoint_state *state = &run->state.at;
  // The place goes first: tutti_run_position reads the counters that change below.
  state->place = tutti_plan_move(&run->plan, tutti_run_position(run), 1).place;
  state->step++;
  state->step_in_epoch++;
  state->gained += run->step.gain;
  state->samples += (int64_t)step->samples;
  state->seconds += seconds;
  add(&state->in_epoch, step, seconds);
  add(&state->in_row, step, seconds);
}

// --- rows ----------------------------------------------------------------------------------------------------

/** A row with the means of `sums`; `epoch` counts from 1. */
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
                                 tutti_stages_batch(&run->plan.stages, tutti_run_position(run).at - 1),
                             .seconds = run->state.at.seconds,
                             .samples_per_second = sums->samples / sums->seconds};
}

/** Append the row of this step, and begin the sums of the next one.  A step with samples of two epochs counts for the
 * later one. */
static void record_step_row(tutti_run *run, const tutti_evaluation *validation) {
  const tutti_position now = tutti_run_position(run);
  const int64_t epoch = (now.place - 1) / run->plan.epoch.n + 1;
  tutti_metrics_row row = make_row(run, epoch, &run->state.at.in_row, validation);
  row.batch_size =
      now.samples - tutti_plan_move(&run->plan, now, -1).samples; // smaller at the end of an epoch
  tutti_meter_read(run, TUTTI_METER_STEPS);
  tutti_run_keep_row(run, &run->state.rows.steps, &row);
  tutti_meter_clear(run, TUTTI_METER_STEPS);
  run->state.at.in_row = (tutti_checkpoint_sums){0};
}

/** Append and show the epoch's row.  If the epoch is whole, begin the next one. */
static void record_epoch_row(tutti_run *run, const tutti_metrics_row *row, bool whole) {
  run->state.rows.last = *row;
  tutti_meter_read(run, TUTTI_METER_EPOCHS);
  tutti_run_keep_row(run, &run->state.rows.history, &run->state.rows.last);
  if (run->progress) tutti_metrics_progress_epoch(run->progress, &run->state.rows.last);
  if (!whole) return;
  run->state.at.epoch = row->epoch;
  run->state.at.step_in_epoch = 0;
  run->state.at.in_epoch = (tutti_checkpoint_sums){0};
  tutti_meter_clear(run, TUTTI_METER_EPOCHS);
  // If run.metrics_every is not set, /steps has rows of evaluations only, and their means begin with the epoch.
  if (run->config->run.metrics_every.value > 0) return;
  run->state.at.in_row = (tutti_checkpoint_sums){0};
  tutti_meter_clear(run, TUTTI_METER_STEPS);
}

bool tutti_train_evaluates(const tutti_run *run) {
  return run->samples.validation.n > 0 || run->samples.looked_at.n > 0;
}

/** The observer gets each evaluation (or each epoch, if nothing is evaluated) and the end of the training. */
static void notify_observer(tutti_run *run, const tutti_metrics_row *row, bool whole, bool last) {
  const bool evaluated =
      tutti_train_evaluates(run) ? !isnan(row->val_loss) || run->state.rows.training.now.samples > 0 : whole;
  if (!run->observer || !(evaluated || last)) return;
  tutti_meter_read(run, TUTTI_METER_OBSERVED);
  tutti_run_keep_observed(run, row);
  run->observer(run->observer_context, &run->state.rows.layout, row, run->state.rows.more);
  tutti_meter_clear(run, TUTTI_METER_OBSERVED);
}

// --- decisions -----------------------------------------------------------------------------------------------

static bool is_better(const char *name, double value, double best) {
  if (isnan(best)) return true;
  return tutti_config_metric_wants_small(name) ? value < best : value > best;
}

/** Compare the monitored value with the best one and count for train.patience.  @return whether it is the new best */
static bool update_best(tutti_run *run, const tutti_metrics_row *row) {
  const char *name = run->config->train.monitor;
  double value = 0;
  // A row without an evaluation of the monitored value is no reason to lose patience.
  if (!name || !tutti_run_value(run, row, name, &value)) return false;
  tutti_checkpoint_state *state = &run->state.at;
  const bool better = is_better(name, value, state->best);
  if (better) state->best = value;
  state->evaluations_since_best = better ? 0 : state->evaluations_since_best + 1;
  return better;
}

/** schedule.decay: plateau.  The value is a reduced one, so the rates of all ranks fall together. */
static void update_plateau(tutti_run *run, const tutti_metrics_row *row) {
  const tutti_config *config = run->config;
  const char *name = config->train.monitor ? config->train.monitor : "val_loss";
  const tutti_extent done = tutti_plan_progress(&run->plan, tutti_run_position(run));
  double value = 0;
  if (config->schedule.decay != TUTTI_DECAY_PLATEAU || tutti_schedule_is_warming(&run->schedule, &done) ||
      !tutti_run_value(run, row, name, &value))
    return;
  tutti_checkpoint_state *state = &run->state.at;
  tutti_plateau plateau = {state->plateau_best, state->plateau_waited, state->plateau_cooling,
                           state->plateau_drops};
  tutti_optim_plateau_see(&run->schedule, !tutti_config_metric_wants_small(name), value, &plateau);
  state->plateau_best = plateau.best;
  state->plateau_waited = plateau.waited;
  state->plateau_cooling = plateau.cooling;
  state->plateau_drops = plateau.drops;
}

bool tutti_train_record_rows(tutti_run *run, const tutti_evaluation *validation, bool whole,
                             tutti_train_result *result, bool *last) {
  const bool evaluated_within =
      (validation->samples > 0 || run->state.rows.training.now.samples > 0) && !whole;
  const bool row_due =
      evaluated_within || tutti_plan_due(&run->plan, run->config->run.metrics_every, tutti_run_position(run));
  *last = tutti_run_budget_done(run, &result->stop, result->reason);
  if (!whole && !row_due && !*last) return false;
  tutti_run_evaluated_put_columns(run, &run->state.rows.average);
  tutti_run_evaluated_put_columns(run, &run->state.rows.training);
  const int64_t done = run->state.at.place / run->plan.epoch.n; // epochs
  const tutti_metrics_row of_epoch =
      make_row(run, whole ? done : done + 1, &run->state.at.in_epoch, validation);
  const tutti_metrics_row judged = tutti_run_row_for_goal(&of_epoch, whole);
  const bool best = update_best(run, &judged);
  update_plateau(run, &judged);
  // The goal goes before the patience, and both before the budget, which has set stop and reason already.
  if (tutti_run_goal_reached(run, &judged, &result->stop, result->reason) ||
      tutti_run_out_of_patience(run, &result->stop, result->reason))
    *last = true;
  if (row_due) record_step_row(run, validation);
  result->epochs = tutti_plan_epochs(&run->plan, &run->state.at);
  result->average_validation = run->state.rows.average.now;
  result->training = run->state.rows.training.now;
  notify_observer(run, &of_epoch, whole, *last);
  if (whole || *last) record_epoch_row(run, &of_epoch, whole);
  return best;
}
