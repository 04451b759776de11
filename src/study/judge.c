/** The trials of a study by another goal than its own, from their curves. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "study/store.h"
#include "tutti/fit.h"

/** What is read of a row of a curve. */
typedef struct {
  int64_t step, epoch, samples;
  double seconds, value;
} evaluation;

/** What the trials are judged by. */
typedef struct {
  const tutti_goal *goal;
  bool of_epoch; // a mean over the epoch's training samples, which counts when these are all
  bool known;    // a curve has had a value of it
} yardstick;

/** No row where there is no curve. */
static tutti_status read_curve(const tutti_file *file, const char *name, const char *metric,
                               evaluation **rows, int64_t *n) {
  const tutti_column columns[] = {{"step", TUTTI_I64, offsetof(evaluation, step)},
                                  {"epoch", TUTTI_I64, offsetof(evaluation, epoch)},
                                  {"samples", TUTTI_I64, offsetof(evaluation, samples)},
                                  {"seconds", TUTTI_F64, offsetof(evaluation, seconds)},
                                  {metric, TUTTI_F64, offsetof(evaluation, value)}};
  TUTTI_TRY(tutti_table_rows(file, name, n));
  if (*n == 0) return TUTTI_OK;
  TUTTI_TRY(TUTTI_NEW(*rows, *n));
  for (int64_t i = 0; i < *n; i++) (*rows)[i].value = NAN; // as it stays where the curve has no such column
  return tutti_table_read(file, name, columns, 5, sizeof **rows, 0, *n, *rows);
}

/** Forget the study's own goal. */
static void withdraw(tutti_trial_result *result) {
  if (result->status == TUTTI_TRIAL_REACHED) result->status = TUTTI_TRIAL_NOT_REACHED;
  result->goal_step = result->goal_samples = result->goal_epoch = result->goal_seconds = NAN;
}

static void reach(tutti_trial_result *result, const evaluation *at) {
  result->status = TUTTI_TRIAL_REACHED;
  result->goal_step = (double)at->step;
  result->goal_samples = (double)at->samples;
  result->goal_epoch = result->epochs * (double)at->samples / result->samples;
  result->goal_seconds = at->seconds;
}

/** Means over a part of an epoch are none that a training is judged by. */
static void leave_out_parts(const tutti_trial_result *result, evaluation *rows, int64_t n) {
  const double n_train = result->samples / result->epochs;
  for (int64_t i = 0; i < n && n_train >= 1; i++)
    if (rows[i].samples < rows[i].epoch * llround(n_train)) rows[i].value = NAN;
}

/** Why a trial that was stopped at the study's goal has not reached this one. */
static tutti_status refuse(const tutti_file *file, const yardstick *by, const tutti_trial_result *result,
                           int64_t n) {
  const tutti_goal *goal = by->goal;
  if (n > 0 && !by->known) return TUTTI_OK; // no such metric: told once for all trials
  TUTTI_FAIL(
      TUTTI_ERR_USAGE,
      "%s: trial %lld %s, so it cannot be told when its %s would have reached %g; expected a goal that comes "
      "before the study's own",
      tutti_file_path(file), (long long)result->trial,
      n > 0 ? "was stopped at the study's goal" : "has no curve", goal->metric, goal->value);
}

static tutti_status judge(const tutti_file *file, yardstick *by, tutti_trial_result *result) {
  tutti_status status = TUTTI_OK;
  const bool stopped = result->status == TUTTI_TRIAL_REACHED;
  evaluation *rows = NULL;
  int64_t n = 0, i = 0;
  char name[TUTTI_CURVE_NAME];
  tutti_curve_name(result->trial, name);
  withdraw(result);
  TUTTI_TRY_GOTO(done, read_curve(file, name, by->goal->metric, &rows, &n));
  if (by->of_epoch) leave_out_parts(result, rows, n);
  for (int64_t k = 0; k < n && !by->known; k++) by->known = !isnan(rows[k].value);
  while (i < n && !tutti_goal_reached(by->goal, rows[i].value)) i++;
  if (i < n)
    reach(result, &rows[i]);
  else if (stopped)
    TUTTI_TRY_GOTO(done, refuse(file, by, result, n));
done:
  tutti_free(rows);
  return status;
}

/** Loss and metric of the training samples; evaluations are of all samples whenever they are. */
static tutti_status is_of_epoch(const tutti_file *file, const char *name, bool *of_epoch) {
  char *metric = NULL;
  *of_epoch = strcmp(name, "loss") == 0;
  if (*of_epoch || !tutti_file_has_attribute(file, "/", "metric")) return TUTTI_OK;
  TUTTI_TRY(tutti_file_get_text(file, "/", "metric", &metric));
  *of_epoch = strcmp(name, metric) == 0;
  tutti_free(metric);
  return TUTTI_OK;
}

tutti_status tutti_trial_set_judge(tutti_trial_set *set, const tutti_file *file, const tutti_goal *goal) {
  yardstick by = {.goal = goal};
  bool any = false;
  TUTTI_TRY(is_of_epoch(file, goal->metric, &by.of_epoch));
  for (int64_t i = 0; i < set->n_trials; i++) {
    if (set->results[i].status == TUTTI_TRIAL_WAITING) continue;
    any = true;
    TUTTI_TRY(judge(file, &by, &set->results[i]));
  }
  for (int64_t i = 0; i < set->n_confirm; i++)
    if (set->confirm[i].status != TUTTI_TRIAL_WAITING) TUTTI_TRY(judge(file, &by, &set->confirm[i]));
  TUTTI_CHECK(by.known || !any, TUTTI_ERR_USAGE,
              "%s: no curve of this study has a value of %s%s; its own goal is about a metric that they have",
              tutti_file_path(file), goal->metric, by.of_epoch ? " at the end of an epoch" : "");
  return TUTTI_OK;
}
