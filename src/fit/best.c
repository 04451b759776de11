/** The best setting of each batch size, by the median over its seeds of steps to the goal.
 *
 * A seed that did not reach the goal counts as infinitely late, so the best setting needs more than half of its seeds.
 * The local models of the branches follow, and fill the model columns.  Studies call this when they write their file,
 * and confirm.c to find which settings get fresh seeds. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fit/local_branch_impl.h"

// --- medians

/** Return the median of the field at `offset` of the result.  Trials that missed the goal count as infinity. */
static double median_of(const tutti_trial_set *set, const int64_t *trials, int64_t n, size_t offset,
                        double *scratch) {
  for (int64_t i = 0; i < n; i++) {
    const tutti_trial_result *result = &set->results[trials[i]];
    double value = INFINITY;
    if (result->status == TUTTI_TRIAL_REACHED) memcpy(&value, (const char *)result + offset, sizeof value);
    scratch[i] = value;
  }
  return tutti_fit_median_of_seeds(scratch, n);
}

#define MEDIAN(set, trials, n, member, scratch)                                                              \
  median_of((set), (trials), (n), offsetof(tutti_trial_result, member), (scratch))

// --- the best setting

/** Count the trials of a batch size by their states. */
static void count_states(const tutti_trial_set *set, const int64_t *trials, int64_t n, tutti_best *best) {
  best->trials = n;
  for (int64_t i = 0; i < n; i++) {
    const int64_t state = set->results[trials[i]].status;
    best->reached += state == TUTTI_TRIAL_REACHED;
    best->not_reached += state == TUTTI_TRIAL_NOT_REACHED;
    best->diverged += state == TUTTI_TRIAL_DIVERGED;
  }
}

/** Fill in medians and range over the seeds of the setting with these trials. */
static void fill_setting(const tutti_trial_set *set, const int64_t *trials, int64_t n, double *scratch,
                         tutti_best *best) {
  best->setting = set->results[trials[0]].setting;
  best->samples = MEDIAN(set, trials, n, goal_samples, scratch);
  best->epochs = MEDIAN(set, trials, n, goal_epoch, scratch);
  best->seconds = MEDIAN(set, trials, n, goal_seconds, scratch);
  best->steps = MEDIAN(set, trials, n, goal_step, scratch);
  best->steps_low = scratch[0];
  for (int64_t i = 0; i < n && isfinite(scratch[i]); i++) best->steps_high = scratch[i];
  for (int64_t i = n - 1; i >= 0; i--) {
    const tutti_trial_result *result = &set->results[trials[i]];
    if (result->status == TUTTI_TRIAL_REACHED && result->goal_step == best->steps)
      best->trial = result->trial;
  }
}

/** Return the value of a key in a setting; the fallback if it does not vary. */
static double value_of(const tutti_trial_set *set, const double *varied, const char *key, double fallback) {
  const int k = tutti_fit_trial_set_find(set, key);
  return k < 0 || isnan(varied[k]) ? fallback : varied[k];
}

/** Return the scaling of the learning rate in a setting, which may vary it. */
static tutti_scaling scaling_of(const tutti_trial_set *set, const double *varied) {
  const int k = tutti_fit_trial_set_find(set, "schedule.scaling");
  if (k < 0 || isnan(varied[k])) return set->scaling;
  int scaling = 0;
  while (scaling < TUTTI_N_SCALINGS - 1 &&
         strcmp(tutti_optim_scaling_names[scaling], set->texts[k].list[(int)varied[k]]) != 0)
    scaling++;
  return (tutti_scaling)scaling;
}

/** Return lr / (1 - momentum) with the scaled lr.  AdaScale changes the rate at each step, so there is none. */
static double effective_lr(const tutti_trial_set *set, const double *varied, int64_t batch_size) {
  const tutti_scaling scaling = scaling_of(set, varied);
  if (scaling == TUTTI_SCALING_ADASCALE) return NAN;
  const double base = value_of(set, varied, "schedule.base_batch_size", set->base_batch_size);
  return value_of(set, varied, "optimizer.learning_rate", set->learning_rate) *
         tutti_optim_scaling_factor(scaling, base, (double)batch_size) /
         (1 - value_of(set, varied, "optimizer.momentum", set->momentum));
}

/** Fill the row of a batch size, whose settings are [first, end) of the order. */
static void fill_row(const tutti_trial_set *set, const tutti_trial_order *order, int64_t first, int64_t end,
                     double *scratch, tutti_best *best, double *varied) {
  const tutti_setting_trials *settings = order->settings, *winner = NULL;
  const int64_t *all = order->order + settings[first].first;
  const int64_t n_all = settings[end - 1].first + settings[end - 1].n - settings[first].first;
  double fewest = INFINITY;
  *best = (tutti_best){.batch_size = settings[first].batch_size, .setting = -1, .trial = -1};
  best->steps = best->samples = best->epochs = best->seconds = NAN;
  best->steps_low = best->steps_high = best->effective_lr = NAN;
  best->model_steps = best->model_steps_low = best->model_steps_high = best->setting_steps = NAN;
  for (int k = 0; k < set->n_varied; k++) varied[k] = NAN;
  if (set->branches > 0) varied[set->branches - 1] = settings[first].branch;
  count_states(set, all, n_all, best);
  for (int64_t i = first; i < end; i++) {
    const double steps = MEDIAN(set, order->order + settings[i].first, settings[i].n, goal_step, scratch);
    if (steps < fewest) {
      fewest = steps;
      winner = &settings[i];
    }
  }
  if (!winner) return;
  const int64_t *trials = order->order + winner->first;
  fill_setting(set, trials, winner->n, scratch, best);
  for (int k = 0; k < set->n_varied; k++) varied[k] = set->varied[trials[0] * set->n_varied + k];
  best->effective_lr = effective_lr(set, varied, best->batch_size);
  best->at_edge = tutti_fit_best_edge(set, all, n_all, trials[0]);
}

// --- the local model

static tutti_estimate estimate(double value, double error, double student) {
  return (tutti_estimate){value, value - student * error, value + student * error};
}

/** Translate a place on the scale of a key into its value.  The scale may turn the order of the ends. */
static void take_place(const tutti_local_key *key, tutti_estimate place, tutti_estimate *to) {
  const double a = tutti_fit_local_value(key, place.low), b = tutti_fit_local_value(key, place.high);
  *to = (tutti_estimate){tutti_fit_local_value(key, place.value), fmin(a, b), fmax(a, b)};
}

/** Fill in the model columns of batch size i.
 * @param[in,out] places  [n_varied] NAN before */
static void take_model(const tutti_local_study *local, int i, tutti_best *best, tutti_estimate *places) {
  const tutti_local_model *model = &local->model;
  const double student = tutti_fit_student_95(model->freedom);
  best->model = model->states[i];
  best->model_settings = model->used[i];
  if (best->at_edge == 0 && model->edges[i] > 0) best->at_edge = local->keys[model->edges[i] - 1].varied + 1;
  if (model->states[i] != TUTTI_LOCAL_MADE) return;
  const double variance = model->covariance[(int64_t)i * (model->n_sizes + 1)];
  const tutti_estimate logs = estimate(model->logs[i], sqrt(variance), student);
  best->setting_steps = exp(model->best_logs[i]);
  best->model_steps = exp(logs.value);
  best->model_steps_low = exp(logs.low);
  best->model_steps_high = exp(logs.high);
  for (int a = 0; a < model->n_keys; a++) {
    const int at = i * model->n_keys + a;
    take_place(&local->keys[a], estimate(model->places[at], model->errors[at], student),
               &places[local->keys[a].varied]);
  }
}

/** Make the local model of each branch and fill the columns that come from it. */
static tutti_status make_models(const tutti_trial_set *set, const tutti_trial_order *order,
                                tutti_best_table *best) {
  const int64_t n = (int64_t)best->n_rows * best->n_varied;
  TUTTI_TRY(TUTTI_NEW(best->model, n));
  TUTTI_TRY(TUTTI_NEW(best->local, best->n_branches));
  for (int64_t i = 0; i < n; i++) best->model[i] = (tutti_estimate){NAN, NAN, NAN};
  for (int b = 0; b < best->n_branches; b++) {
    TUTTI_TRY(tutti_fit_local_study_make(set, order, b, &best->local[b]));
    for (int i = best->first[b]; i < best->first[b + 1]; i++)
      take_model(&best->local[b], i - best->first[b], &best->rows[i],
                 best->model + (int64_t)i * best->n_varied);
    tutti_fit_best_check(set, &best->local[b].model, best->rows + best->first[b]);
  }
  return TUTTI_OK;
}

void tutti_fit_best_claim(const tutti_best *best, char text[TUTTI_CLAIM_BYTES]) {
  const char *why = best->model < 0 ? "an earlier version wrote the file, without local models"
                                    : tutti_fit_local_state_names[best->model % TUTTI_N_LOCAL_STATES];
  if (isnan(best->steps))
    snprintf(text, TUTTI_CLAIM_BYTES, "-");
  else if (best->model == TUTTI_LOCAL_MADE)
    snprintf(text, TUTTI_CLAIM_BYTES, "95 %%");
  else
    snprintf(text, TUTTI_CLAIM_BYTES, "best of %lld trials: %s", (long long)best->trials, why);
}

// --- all

tutti_status tutti_fit_best_table_create(const tutti_trial_set *set, tutti_best_table *best) {
  tutti_status status = TUTTI_OK;
  tutti_trial_order order = {0};
  double *scratch = NULL;
  *best = (tutti_best_table){.n_varied = set->n_varied};
  TUTTI_TRY_GOTO(done, tutti_fit_trial_order_make(set, &order));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(scratch, set->n_trials));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(best->rows, order.n_sizes));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(best->first, order.n_branches + 1));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(best->varied, (int64_t)order.n_sizes * set->n_varied));
  best->n_rows = order.n_sizes;
  best->n_branches = order.n_branches;
  memcpy(best->first, order.branches, (size_t)(order.n_branches + 1) * sizeof *best->first);
  for (int i = 0; i < order.n_sizes; i++)
    fill_row(set, &order, order.sizes[i], order.sizes[i + 1], scratch, &best->rows[i],
             best->varied + (int64_t)i * set->n_varied);
  TUTTI_TRY_GOTO(done, make_models(set, &order, best));
done:
  if (status != TUTTI_OK) tutti_fit_best_table_clear(best);
  tutti_free(scratch);
  tutti_fit_trial_order_clear(&order);
  return status;
}

void tutti_fit_best_table_clear(tutti_best_table *best) {
  for (int b = 0; b < best->n_branches && best->local; b++) tutti_fit_local_study_clear(&best->local[b]);
  tutti_free(best->local);
  tutti_free(best->model);
  tutti_free(best->rows);
  tutti_free(best->varied);
  tutti_free(best->first);
  *best = (tutti_best_table){0};
}
