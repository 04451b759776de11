/** One trial, from its config to its row: a training of the group, or a solution of the noisy quadratic.
 *
 * While a training runs, the leader of the group collects the rows of its curve and notes the best value of the goal's
 * metric.  run.c calls this for each trial that the queue gives out. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "study/study_impl.h"

static void set_goal(tutti_trial_result *result) {
  result->status = TUTTI_TRIAL_REACHED;
  result->goal_step = result->steps;
  result->goal_samples = result->samples;
  result->goal_epoch = result->epochs;
  result->goal_seconds = result->seconds;
}

// --- a training

typedef struct {
  tutti_study *study;
  tutti_trial_record *record;
  const tutti_train_result *result;
  tutti_status status; // of the last row; only the leader knows it
} watcher;

/** Return the goal of the trials; without one, the best value of the metric of study.at_budget is wanted. */
static tutti_goal watched_of(const tutti_study_options *study) {
  tutti_goal goal = study->goal;
  if (goal.metric[0] || !study->at_budget) return goal;
  snprintf(goal.metric, sizeof goal.metric, "%s", study->at_budget);
  goal.relation = tutti_config_metric_wants_small(goal.metric) ? TUTTI_AT_MOST : TUTTI_AT_LEAST;
  return goal;
}

static bool is_better(const tutti_goal *goal, double value, double best) {
  const bool small = goal->relation == TUTTI_AT_MOST || goal->relation == TUTTI_BELOW;
  return isnan(best) || (small ? value < best : value > best);
}

/** Return whether the goal's metric counts in this row.  A mean over part of the samples of an epoch does not; an
 * evaluation always does. */
static bool counts(const tutti_goal *goal, const tutti_train_result *training, const tutti_metrics_row *row) {
  const bool of_epoch = strcmp(goal->metric, "loss") == 0 || strcmp(goal->metric, training->metric) == 0;
  return !of_epoch || training->epochs >= (double)row->epoch;
}

/** Note the last and the best value of the metric of the goal. */
static void note_value(const tutti_goal *goal, const tutti_train_result *training,
                       const tutti_metrics_row *row, tutti_trial_result *result) {
  double value = NAN;
  if (!counts(goal, training, row)) return;
  if (!tutti_train_value(training, row, goal->metric, &value) || isnan(value)) return;
  result->last_value = value;
  if (!is_better(goal, value, result->best_value)) return;
  result->best_value = value;
  result->best_step = (double)row->step;
}

/** Collect a row of the curve while the training runs. */
static void watch(void *context, const tutti_metrics_layout *layout, const tutti_metrics_row *row,
                  const double *more) {
  watcher *w = context;
  if (!w->study->leads || w->status != TUTTI_OK) return;
  const tutti_goal watched = watched_of(&w->study->config->study);
  note_value(&watched, w->result, row, &w->record->result);
  w->status = tutti_metrics_records_append(&w->record->curve, layout, row, more);
  w->study->at_trial = w->record->result.trial;
  w->study->at_step = (double)row->step;
  w->study->at_value = w->record->result.last_value;
  if (tutti_comm_rank(w->study->world) == 0) tutti_study_show(w->study);
}

/** Take the result of a training into the row of its trial. */
static void take_result(const tutti_train_result *from, tutti_trial_record *record) {
  tutti_trial_result *to = &record->result;
  snprintf(record->metric, sizeof record->metric, "%s", from->metric);
  to->steps = (double)from->row.step;
  to->samples = (double)from->row.samples;
  to->epochs = from->epochs;
  to->seconds = from->row.seconds;
  to->status = from->stop == TUTTI_STOP_DIVERGED ? TUTTI_TRIAL_DIVERGED : TUTTI_TRIAL_NOT_REACHED;
  if (from->stop == TUTTI_STOP_GOAL) set_goal(to);
  if (from->validation.samples > 0) {
    to->val_loss = from->validation.loss;
    to->val_metric = from->validation.metric;
  }
  if (from->test.samples > 0) {
    to->test_loss = from->test.loss;
    to->test_metric = from->test.metric;
  }
}

static bool ends(void *context) {
  const watcher *w = context;
  return tutti_study_ends(w->study);
}

/** Seconds between two checkpoints of a trial, unless run.checkpoint_every gives seconds.  Trials that are shorter have
 * none. */
static const double SAVE_EVERY_S = 30;

/** Without claims that all jobs see, two jobs might write to one run directory. */
static double save_every(const tutti_study *study) {
  const tutti_count given = study->config->run.checkpoint_every;
  if (!study->claims_reach) return 0;
  return given.unit == TUTTI_UNIT_SECONDS && given.value > 0 ? given.value : SAVE_EVERY_S;
}

static tutti_status train(tutti_study *study, const tutti_config *config, bool continues,
                          tutti_trial_record *record) {
  tutti_train_result result;
  watcher w = {study, record, &result, TUTTI_OK};
  const tutti_trial_terms terms = {.observer = watch,
                                   .ends = ends,
                                   .context = &w,
                                   .deadline = study->deadline,
                                   .save_every = save_every(study),
                                   .continues = continues};
  TUTTI_TRY(tutti_train_trial(study->data, study->group, config, &terms, &result));
  TUTTI_TRY(tutti_comm_agree_from(study->group, 0, w.status));
  study->left_trial = result.stop == TUTTI_STOP_INTERRUPTED;
  study->ends = study->ends || study->left_trial;
  take_result(&result, record);
  return TUTTI_OK;
}

// --- the noisy quadratic

/** Solve the noisy quadratic.  Only the leader does, because the ranks have nothing to share. */
static tutti_status solve(const tutti_config *config, tutti_trial_record *record) {
  tutti_trial_result *to = &record->result;
  const double start = tutti_clock_s();
  const tutti_quadratic model = {.dimensions = config->study.dimensions,
                                 .batch = (double)config->train.batch_size,
                                 .learning_rate = config->optimizer.learning_rate,
                                 .momentum =
                                     isnan(config->optimizer.momentum) ? 0 : config->optimizer.momentum,
                                 .target = config->study.target,
                                 .budget = (int64_t)config->train.budget.value};
  tutti_quadratic_result result;
  TUTTI_TRY(tutti_study_quadratic_run(&model, &result));
  snprintf(record->metric, sizeof record->metric, "loss");
  to->seconds = tutti_clock_s() - start;
  to->steps = (double)result.steps;
  to->samples = to->steps * model.batch;
  to->best_value = to->last_value = result.loss;
  to->best_step = to->steps;
  to->status = result.state;
  if (result.state == TUTTI_TRIAL_REACHED) set_goal(to);
  return TUTTI_OK;
}

// --- either

static tutti_status run_config(tutti_study *study, const tutti_config *config, bool continues,
                               tutti_trial_record *record) {
  if (config->study.problem == TUTTI_PROBLEM_TRAINING) return train(study, config, continues, record);
  return tutti_comm_agree_from(study->group, 0, study->leads ? solve(config, record) : TUTTI_OK);
}

/** Append ", optimizer.learning_rate 0.31", or nothing if the branch of the trial does not vary the key. */
static void append_varied(const tutti_trial_set *set, int k, double value, char *text, size_t bytes) {
  char number[32];
  if (isnan(value)) return;
  const bool is_index = value >= 0 && value < set->texts[k].n;
  tutti_text_append(text, bytes, ", %s %s", set->names[k],
                    is_index ? set->texts[k].list[(int)value]
                             : tutti_text_print_real(number, sizeof number, value));
}

tutti_status tutti_trial_name_failure(const tutti_study *study, const tutti_trial *trial,
                                      tutti_status status) {
  char text[2048];
  if (status == TUTTI_OK || status == TUTTI_ERR_MPI) return status;
  snprintf(text, sizeof text, "trial %lld (batch size %lld, seed %llu", (long long)trial->trial,
           (long long)trial->batch_size, (unsigned long long)trial->seed);
  for (int k = 0; k < study->set.n_varied; k++)
    if (strcmp(study->set.names[k], "train.seed") != 0)
      append_varied(&study->set, k, trial->values[k], text, sizeof text);
  tutti_text_append(text, sizeof text, "): %s", tutti_fail_text());
  tutti_fail_set_text(text);
  return status;
}

tutti_status tutti_trial_parse(const tutti_study *study, const tutti_trial *trial, tutti_config *config) {
  const tutti_study_source *source = study->source;
  return tutti_space_trial_config(trial, source->text, source->name, source->overrides, source->n_overrides,
                                  config);
}

/** Make the config of a trial that runs, with a run directory of its own. */
static tutti_status parse_to_run(const tutti_study *study, const tutti_trial *trial, uint64_t hash,
                                 tutti_config *config) {
  const tutti_study_source *source = study->source;
  const int n = source->n_overrides;
  char *directory = NULL;
  tutti_override *all = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_study_trial_folder(study->config->study.output, hash, &directory));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(all, n + 3));
  if (n > 0) memcpy(all, source->overrides, (size_t)n * sizeof *all);
  all[n] = (tutti_override){"run.directory", directory};
  all[n + 1] = (tutti_override){"run.resume", "auto"};
  all[n + 2] = (tutti_override){"run.keep", "1"};
  TUTTI_TRY_GOTO(done, tutti_space_trial_config(trial, source->text, source->name, all, n + 3, config));
done:
  tutti_free(all);
  tutti_free(directory);
  return status;
}

tutti_status tutti_trial_run(tutti_study *study, const tutti_trial *trial, const tutti_trial_start *start,
                             tutti_trial_record *record) {
  tutti_config config = {0};
  *record = (tutti_trial_record){.result = tutti_trial_waiting(trial)};
  record->result.group = study->number;
  record->result.ranks = tutti_comm_size(study->group);
  tutti_status status = tutti_comm_agree(study->group, parse_to_run(study, trial, start->hash, &config));
  if (status == TUTTI_OK) status = run_config(study, &config, start->continues, record);
  tutti_config_clear(&config);
  return tutti_trial_name_failure(study, trial, status);
}
