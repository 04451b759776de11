/* Whether a training is over: its goal, its patience and its budget, in this order.  Everything is decided on reduced
 * values and on counts, so that all ranks decide alike.  The loop asks after each row, and a run that resumes asks
 * before its first step. */
#include "run/stop.h"

#include <math.h>
#include <stdio.h>

#include "run/evaluated.h"

bool tutti_run_value(const tutti_run *run, const tutti_metrics_row *row, const char *name, double *value) {
  const char *metric = tutti_model_metric_name(run->network.model);
  return (tutti_metrics_value(row, metric, name, value) ||
          tutti_run_evaluated_value(run, &run->state.rows.average, name, value) ||
          tutti_run_evaluated_value(run, &run->state.rows.training, name, value)) &&
         !isnan(*value);
}

bool tutti_run_goal_reached(const tutti_run *run, const tutti_metrics_row *row, tutti_stop *stop,
                            char *reason) {
  const tutti_goal *goal = &run->config->train.stop_at;
  double value = 0;
  if (!goal->metric[0] || !tutti_run_value(run, row, goal->metric, &value) ||
      !tutti_config_goal_reached(goal, value))
    return false;
  *stop = TUTTI_STOP_GOAL;
  snprintf(reason, TUTTI_STOP_BYTES, "the goal is reached: %s %.6g at step %lld", goal->metric, value,
           (long long)row->step);
  return true;
}

bool tutti_run_out_of_patience(const tutti_run *run, tutti_stop *stop, char *reason) {
  const tutti_train_options *train = &run->config->train;
  if (train->patience == 0 || run->state.at.evaluations_since_best < train->patience) return false;
  *stop = TUTTI_STOP_PATIENCE;
  snprintf(reason, TUTTI_STOP_BYTES, "%s has not become better than %.6g in %lld evaluations", train->monitor,
           run->state.at.best, (long long)run->state.at.evaluations_since_best);
  return true;
}

bool tutti_run_budget_done(const tutti_run *run, tutti_stop *stop, char *reason) {
  if (!tutti_plan_done(&run->plan, run->config->train.budget, tutti_run_position(run))) return false;
  *stop = TUTTI_STOP_BUDGET;
  if (run->plan.base > 0)
    snprintf(reason, TUTTI_STOP_BYTES, "the budget of %.6g steps of %g samples is done by %lld steps",
             run->plan.base_steps, run->plan.base, (long long)run->state.at.step);
  else
    snprintf(reason, TUTTI_STOP_BYTES, "the budget of %lld steps is done", (long long)run->plan.total_steps);
  return true;
}

tutti_metrics_row tutti_run_row_for_goal(const tutti_metrics_row *row, bool whole) {
  tutti_metrics_row judged = *row;
  if (!whole) judged.loss = judged.metric = NAN;
  return judged;
}

bool tutti_run_is_over(const tutti_run *run, tutti_stop *stop, char *reason) {
  // The last row is that of a whole epoch if its epoch is among those that are done.
  const tutti_metrics_row judge =
      tutti_run_row_for_goal(&run->state.rows.last, run->state.rows.last.epoch <= run->state.at.epoch);
  if (run->state.rows.last.step > 0 && tutti_run_goal_reached(run, &judge, stop, reason)) return true;
  return tutti_run_out_of_patience(run, stop, reason) || tutti_run_budget_done(run, stop, reason);
}
