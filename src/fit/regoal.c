/** The trials of a study by another goal or metric than they ran with, from their curves.
 *
 * A trial stops at the study's goal, so its curve shows only goals that come earlier.  `tutti info --goal` asks for
 * another goal; a study without a goal takes its best values by the metric of study.at_budget. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fit/evaluations_impl.h"
#include "fit/trial_set.h"

/** The other goal. */
typedef struct {
  const tutti_goal *goal;
  tutti_evaluation_kind kind;
  bool known; // a curve has a value of its metric
} yardstick;

/** Clear what the trial has by the study's own goal. */
static void withdraw(tutti_trial_result *result) {
  if (result->status == TUTTI_TRIAL_REACHED) result->status = TUTTI_TRIAL_NOT_REACHED;
  result->goal_step = result->goal_samples = result->goal_epoch = result->goal_seconds = NAN;
}

/** The trial reaches the goal with this evaluation. */
static void reach(tutti_trial_result *result, const tutti_evaluation *at) {
  result->status = TUTTI_TRIAL_REACHED;
  result->goal_step = (double)at->step;
  result->goal_samples = (double)at->samples;
  result->goal_epoch = at->epochs;
  result->goal_seconds = at->seconds;
}

/** Refuse a goal that a trial might have reached after it stopped at the study's own. */
static tutti_status refuse(const tutti_file *file, const yardstick *by, const tutti_trial_result *result,
                           int64_t n) {
  const tutti_goal *goal = by->goal;
  if (n > 0 && !by->known) return TUTTI_OK; // the metric is missing, which is reported once for all trials
  TUTTI_FAIL(
      TUTTI_ERR_USAGE,
      "%s: trial %lld %s, so nobody knows when its %s would have reached %g; expected a goal that comes "
      "before the study's own",
      tutti_file_path(file), (long long)result->trial,
      n > 0 ? "was stopped at the study's goal" : "has no curve", goal->metric, goal->value);
}

/** Look for the first evaluation of a trial that reaches the goal. */
static tutti_status judge(const tutti_file *file, yardstick *by, tutti_trial_result *result) {
  tutti_status status = TUTTI_OK;
  const bool stopped = result->status == TUTTI_TRIAL_REACHED;
  tutti_evaluation *rows = NULL;
  int64_t n = 0, i = 0;
  withdraw(result);
  TUTTI_TRY_GOTO(done, tutti_fit_evaluations_read(file, result, by->goal->metric, &by->kind, &rows, &n));
  for (int64_t k = 0; k < n && !by->known; k++) by->known = !isnan(rows[k].value);
  while (i < n && !tutti_config_goal_reached(by->goal, rows[i].value)) i++;
  if (i < n)
    reach(result, &rows[i]);
  else if (stopped)
    TUTTI_TRY_GOTO(done, refuse(file, by, result, n));
done:
  tutti_free(rows);
  return status;
}

/** A fresh seed that was kept while its study grew may have lost its curve.  Nothing is known of it by another goal, so
 * it counts as one that waits.  One that diverged at once has no curve either, but still has its number. */
static tutti_status judge_fresh(const tutti_file *file, yardstick *by, tutti_trial_result *result) {
  char name[TUTTI_CURVE_NAME];
  int64_t n = 0;
  if (result->status == TUTTI_TRIAL_WAITING) return TUTTI_OK;
  tutti_fit_trial_curve_name(result->trial, name);
  TUTTI_TRY(tutti_table_rows(file, name, &n));
  if (n > 0 || (result->trial >= 0 && result->status == TUTTI_TRIAL_DIVERGED)) return judge(file, by, result);
  result->status = TUTTI_TRIAL_WAITING;
  return TUTTI_OK;
}

tutti_status tutti_fit_trial_set_regoal(tutti_trial_set *set, const tutti_file *file,
                                        const tutti_goal *goal) {
  yardstick by = {.goal = goal};
  bool any = false;
  TUTTI_TRY(tutti_fit_evaluations_find_kind(file, goal->metric, &by.kind));
  for (int64_t i = 0; i < set->n_trials; i++) {
    if (set->results[i].status == TUTTI_TRIAL_WAITING) continue;
    any = true;
    TUTTI_TRY(judge(file, &by, &set->results[i]));
  }
  for (int64_t i = 0; i < set->n_confirm; i++) TUTTI_TRY(judge_fresh(file, &by, &set->confirm[i]));
  TUTTI_CHECK(by.known || !any, TUTTI_ERR_USAGE,
              "%s: no curve of this study has a value of %s%s; its own goal is about a metric that they have",
              tutti_file_path(file), goal->metric, by.kind.of_epochs ? " at the end of an epoch" : "");
  return TUTTI_OK;
}

/** Set the values of a trial by a metric.  A trial without a curve keeps what it has. */
static tutti_status take_values(const tutti_file *file, const char *metric, const tutti_evaluation_kind *kind,
                                tutti_trial_result *result) {
  const double sign = tutti_config_metric_wants_small(metric) ? 1 : -1;
  tutti_evaluation *rows = NULL;
  int64_t n = 0;
  const tutti_status status = tutti_fit_evaluations_read(file, result, metric, kind, &rows, &n);
  if (status == TUTTI_OK && n > 0) result->best_value = result->best_step = result->last_value = NAN;
  for (int64_t i = 0; status == TUTTI_OK && i < n; i++) {
    if (isnan(rows[i].value)) continue;
    result->last_value = rows[i].value;
    if (sign * rows[i].value >= sign * result->best_value) continue;
    result->best_value = rows[i].value;
    result->best_step = (double)rows[i].step;
  }
  tutti_free(rows);
  return status;
}

tutti_status tutti_fit_trial_set_take_values(tutti_trial_set *set, const tutti_file *file,
                                             const char *metric) {
  tutti_evaluation_kind kind;
  TUTTI_TRY(tutti_fit_evaluations_find_kind(file, metric, &kind));
  for (int64_t i = 0; i < set->n_trials; i++)
    if (set->results[i].status != TUTTI_TRIAL_WAITING)
      TUTTI_TRY(take_values(file, metric, &kind, &set->results[i]));
  return TUTTI_OK;
}
