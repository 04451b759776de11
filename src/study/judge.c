/** The trials of a study by another goal than its own, from their curves. */
#include <math.h>
#include <stdio.h>

#include "study/store.h"
#include "tutti/fit.h"

/** What is read of a row of a curve. */
typedef struct {
  int64_t step, samples;
  double seconds, value;
} evaluation;

/** No row where there is no curve. */
static tutti_status read_curve(const tutti_file *file, const char *name, const char *metric,
                               evaluation **rows, int64_t *n) {
  const tutti_column columns[] = {{"step", TUTTI_I64, offsetof(evaluation, step)},
                                  {"samples", TUTTI_I64, offsetof(evaluation, samples)},
                                  {"seconds", TUTTI_F64, offsetof(evaluation, seconds)},
                                  {metric, TUTTI_F64, offsetof(evaluation, value)}};
  TUTTI_TRY(tutti_table_rows(file, name, n));
  if (*n == 0) return TUTTI_OK;
  TUTTI_TRY(TUTTI_NEW(*rows, *n));
  for (int64_t i = 0; i < *n; i++) (*rows)[i].value = NAN; // as it stays where the curve has no such column
  return tutti_table_read(file, name, columns, 4, sizeof **rows, 0, *n, *rows);
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

/** Why a trial that was stopped at the study's goal has not reached this one. */
static tutti_status refuse(const tutti_file *file, const tutti_goal *goal, const tutti_trial_result *result,
                           int64_t n, bool known) {
  if (n > 0 && !known) return TUTTI_OK; // no such metric: told once for all trials
  TUTTI_FAIL(
      TUTTI_ERR_USAGE,
      "%s: trial %lld %s, so it cannot be told when its %s would have reached %g; expected a goal that comes "
      "before the study's own",
      tutti_file_path(file), (long long)result->trial,
      n > 0 ? "was stopped at the study's goal" : "has no curve", goal->metric, goal->value);
}

/** @param[in,out] known  whether a curve has had the goal's metric */
static tutti_status judge(const tutti_file *file, const tutti_goal *goal, tutti_trial_result *result,
                          bool *known) {
  tutti_status status = TUTTI_OK;
  const bool stopped = result->status == TUTTI_TRIAL_REACHED;
  evaluation *rows = NULL;
  int64_t n = 0, i = 0;
  char name[TUTTI_CURVE_NAME];
  tutti_curve_name(result->trial, name);
  withdraw(result);
  TUTTI_TRY_GOTO(done, read_curve(file, name, goal->metric, &rows, &n));
  for (int64_t k = 0; k < n && !*known; k++) *known = !isnan(rows[k].value);
  while (i < n && !tutti_goal_reached(goal, rows[i].value)) i++;
  if (i < n)
    reach(result, &rows[i]);
  else if (stopped)
    TUTTI_TRY_GOTO(done, refuse(file, goal, result, n, *known));
done:
  tutti_free(rows);
  return status;
}

tutti_status tutti_trial_set_judge(tutti_trial_set *set, const tutti_file *file, const tutti_goal *goal) {
  bool known = false, any = false;
  for (int64_t i = 0; i < set->n_trials; i++) {
    if (set->results[i].status == TUTTI_TRIAL_WAITING) continue;
    any = true;
    TUTTI_TRY(judge(file, goal, &set->results[i], &known));
  }
  TUTTI_CHECK(known || !any, TUTTI_ERR_USAGE,
              "%s: no curve of this study has a value of %s; its own goal is about a metric that they have",
              tutti_file_path(file), goal->metric);
  return TUTTI_OK;
}
