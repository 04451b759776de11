/** Fresh seeds of the best settings, as a check of the search and its local model.
 *
 * Their geometric mean of steps is compared with the model's steps at the setting, in standard errors of the
 * difference.  The noise of a seed comes from the fresh seeds of all batch sizes together.  best.c fills the confirm
 * columns with this. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "fit/local_branch_impl.h"

/** Log steps of the fresh seeds of one batch size that reached the goal. */
typedef struct {
  int64_t n_trials, n;
  double mean, squares; // about the mean
} sample;

/** Gather the fresh seeds of a row, with mean and squares in one pass (Welford, 1962). */
static sample sample_of(const tutti_trial_set *set, const tutti_best *row) {
  sample s = {0};
  for (int64_t i = 0; i < set->n_confirm; i++) {
    const tutti_trial_result *trial = &set->confirm[i];
    if (trial->batch_size != row->batch_size || trial->setting != row->setting || row->setting < 0) continue;
    s.n_trials += trial->status != TUTTI_TRIAL_WAITING;
    if (trial->status != TUTTI_TRIAL_REACHED || !(trial->goal_step > 0)) continue;
    const double off = log(trial->goal_step) - s.mean;
    s.mean += off / (double)++s.n;
    s.squares += off * (log(trial->goal_step) - s.mean);
  }
  return s;
}

/** Fill in their geometric mean and its interval.  A setting that most of them miss disagrees with the search. */
static void take_sample(const sample *s, tutti_best *row) {
  row->confirm_trials = s->n_trials;
  row->confirm_reached = s->n;
  row->confirm_steps = s->n > 0 ? exp(s->mean) : NAN;
  row->confirm_steps_low = row->confirm_steps_high = row->confirm_off = NAN;
  row->confirm_disagrees = 2 * s->n < s->n_trials;
  if (s->n < 2) return;
  const double n = (double)s->n, wide = tutti_fit_student_95(s->n - 1) * sqrt(s->squares / (n - 1) / n);
  row->confirm_steps_low = exp(s->mean - wide);
  row->confirm_steps_high = exp(s->mean + wide);
}

/** Compare the mean of a batch size with the model, with the noise of the fresh seeds of all sizes. */
static void compare(const sample *s, double variance, int64_t freedom, double log_steps, double error,
                    tutti_best *row) {
  // With ten batch sizes and nothing wrong, three studies in a hundred have one that is further off.
  const double unlikely = 3;
  if (s->n == 0 || freedom < 1 || isnan(log_steps)) return;
  const double all = sqrt(variance / (double)s->n + error * error);
  row->confirm_off = all > 0 ? (s->mean - log_steps) / all : 0;
  if (fabs(row->confirm_off) > tutti_fit_student(unlikely, freedom)) row->confirm_disagrees = 1;
}

void tutti_fit_best_check(const tutti_trial_set *set, const tutti_local_model *model, tutti_best *rows) {
  double squares = 0;
  int64_t freedom = 0;
  for (int i = 0; i < model->n_sizes; i++) {
    const sample s = sample_of(set, &rows[i]);
    take_sample(&s, &rows[i]);
    squares += s.squares;
    freedom += s.n > 1 ? s.n - 1 : 0;
  }
  for (int i = 0; i < model->n_sizes; i++) {
    const sample s = sample_of(set, &rows[i]);
    compare(&s, freedom > 0 ? squares / (double)freedom : NAN, freedom, model->best_logs[i],
            model->best_errors[i], &rows[i]);
  }
}

void tutti_fit_best_disagreement(const tutti_best *best, char text[TUTTI_DISAGREEMENT_BYTES]) {
  text[0] = '\0';
  if (!best->confirm_disagrees) return;
  if (2 * best->confirm_reached < best->confirm_trials)
    snprintf(text, TUTTI_DISAGREEMENT_BYTES,
             "batch_size %" PRId64 ": only %" PRId64 " of %" PRId64
             " fresh seeds of the best setting reached the goal: its steps are the luck of the search",
             best->batch_size, best->confirm_reached, best->confirm_trials);
  else
    snprintf(text, TUTTI_DISAGREEMENT_BYTES,
             "batch_size %" PRId64 ": %" PRId64
             " fresh seeds of the best setting take %.6g steps, and the local "
             "model says %.6g there, %.2g standard errors apart: more settings near the best would tell",
             best->batch_size, best->confirm_reached, best->confirm_steps, best->setting_steps,
             fabs(best->confirm_off));
}
