/** Everything before the first trial of a study: space, groups, data, checks of all trials, and the study's file.
 *
 * What can fail is done here, so that a mistake in any trial is reported at once and not after hours.  run.c calls
 * this. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "fit/trial_set.h"
#include "study/study_impl.h"

/** Copy names and texts of the varied keys from the space to the set, with what the set keeps of the config. */
static tutti_status make_varied(tutti_study *study) {
  const tutti_space *space = study->space;
  tutti_trial_set *set = &study->set;
  const int n = tutti_space_n_varied(space);
  TUTTI_TRY(TUTTI_NEW(set->names, n));
  TUTTI_TRY(TUTTI_NEW(set->texts, n));
  for (int k = 0; k < n; k++) {
    set->names[k] = tutti_strdup(tutti_space_varied(space, k));
    if (!set->names[k]) return TUTTI_ERR_MEMORY;
    set->n_varied++;
    int n_texts = 0;
    const char *const *texts = tutti_space_choices(space, k, &n_texts);
    if (texts) TUTTI_TRY(tutti_texts_add_all(&set->texts[k], texts, n_texts));
  }
  set->branches = tutti_space_branches(space) + 1;
  return tutti_fit_trial_set_take_config(set, study->config);
}

/** Make the rows of all trials, which wait, and the slots of the fresh seeds. */
static tutti_status make_set(tutti_study *study) {
  tutti_trial_set *set = &study->set;
  TUTTI_TRY(make_varied(study));
  set->n_trials = tutti_space_n_trials(study->space);
  TUTTI_TRY(TUTTI_NEW(set->results, set->n_trials));
  TUTTI_TRY(TUTTI_NEW(set->varied, set->n_trials * set->n_varied));
  for (int64_t i = 0; i < set->n_trials; i++) {
    const tutti_trial *trial = tutti_space_trial(study->space, i);
    set->results[i] = tutti_trial_waiting(trial);
    for (int k = 0; k < set->n_varied; k++) set->varied[i * set->n_varied + k] = trial->values[k];
  }
  return tutti_study_confirm_make(study);
}

/** List the varied keys, each once, because several branches may vary the same key. */
static tutti_status list_varied(tutti_study *study, int *n) {
  const tutti_study_options *options = &study->config->study;
  TUTTI_TRY(TUTTI_NEW(study->varied, options->n_axes));
  *n = 0;
  for (int64_t i = 0; i < options->n_axes; i++) {
    int k = 0;
    while (k < *n && strcmp(study->varied[k], options->axes[i].key) != 0) k++;
    if (k == *n) study->varied[(*n)++] = options->axes[i].key;
  }
  return TUTTI_OK;
}

static tutti_status make_head(tutti_study *study) {
  const tutti_study_options *options = &study->config->study;
  const tutti_axis *branches = tutti_config_study_branches(options);
  int n_varied;
  TUTTI_TRY(tutti_config_dump(study->config, &study->resolved));
  TUTTI_TRY(list_varied(study, &n_varied));
  tutti_config_goal_print(options->problem == TUTTI_PROBLEM_TRAINING
                              ? &options->goal
                              : &(tutti_goal){"loss", TUTTI_AT_MOST, options->target},
                          study->goal, sizeof study->goal);
  tutti_count_print(options->budget, study->budget, sizeof study->budget);
  study->head = (tutti_study_head){.config = study->resolved,
                                   .goal = study->goal,
                                   .budget = study->budget,
                                   .metric = study->metric,
                                   .varied = study->varied,
                                   .n_varied = n_varied,
                                   .branches = branches ? branches->key : NULL,
                                   .ranks = tutti_comm_size(study->world),
                                   .ranks_per_trial = options->ranks_per_trial,
                                   .groups = study->n_groups,
                                   .idle = NAN};
  return TUTTI_OK;
}

static tutti_status check_division(int64_t size, int64_t wanted) {
  TUTTI_CHECK(
      size % wanted == 0, TUTTI_ERR_CONFIG,
      "study.ranks_per_trial: %lld: the %lld rank%s of this job cannot be divided into groups of this size; "
      "start a multiple of %lld ranks, or choose another number",
      (long long)wanted, (long long)size, size == 1 ? "" : "s", (long long)wanted);
  return TUTTI_OK;
}

/** Divide the ranks of the job into groups. */
static tutti_status divide(tutti_study *study) {
  const int64_t size = tutti_comm_size(study->world), wanted = study->config->study.ranks_per_trial;
  TUTTI_TRY(check_division(size, wanted));
  study->n_groups = (int)(size / wanted);
  study->number = (int)(tutti_comm_rank(study->world) / wanted);
  return TUTTI_OK;
}

static tutti_status prepare_local(tutti_study *study) {
  TUTTI_TRY(divide(study));
  TUTTI_TRY(tutti_space_create(study->config, &study->space));
  TUTTI_TRY(make_set(study));
  TUTTI_TRY(make_head(study));
  return tutti_study_queue_make(study);
}

/** Open the data of the first trial, which all trials share. */
static tutti_status open_data(tutti_study *study) {
  const tutti_trial *first = tutti_space_trial(study->space, 0);
  tutti_config config = {0};
  if (study->config->study.problem != TUTTI_PROBLEM_TRAINING) return TUTTI_OK;
  tutti_status status = tutti_trial_parse(study, first, &config);
  status = tutti_comm_agree(study->world, tutti_trial_name_failure(study, first, status));
  if (status == TUTTI_OK) status = tutti_training_set_open(study->world, &config, &study->data);
  if (status == TUTTI_OK) study->head.data = tutti_training_set_fingerprint(study->data, TUTTI_HASH_XXH64);
  tutti_config_clear(&config);
  return status;
}

/** Warn of a goal that no trial can reach, or that is a mean over an epoch. */
static void warn_of_goal(const tutti_goal *goal) {
  char text[128];
  tutti_config_goal_print(goal, text, sizeof text);
  if (tutti_config_goal_out_of_reach(goal))
    tutti_log_root(
        TUTTI_LOG_WARNING,
        "study.goal: nothing can reach %s, an accuracy is at most 1 and a loss at least 0: every trial "
        "will take its whole budget",
        text);
  if (goal->metric[0] && !tutti_config_metric_is_evaluated(goal->metric))
    tutti_log_root(
        TUTTI_LOG_WARNING,
        "study.goal: %s is a mean over an epoch, while the weights move, and counts at its end alone: steps "
        "to "
        "it depend on that, not on the training; train_%s, with study.train_rows, is taken at fixed weights",
        goal->metric, goal->metric);
}

tutti_status tutti_study_share(tutti_study *study) {
  tutti_trial_set *set = &study->set;
  const int64_t n_values = set->n_trials * set->n_varied;
  TUTTI_TRY(tutti_comm_bcast(study->world, 0, set->results, set->n_trials * (int64_t)sizeof *set->results));
  return tutti_comm_bcast(study->world, 0, set->varied, n_values * (int64_t)sizeof *set->varied);
}

/** Rank 0 opens the study's file and gives its trials to all ranks. */
static tutti_status open_output(tutti_study *study) {
  const bool first = tutti_comm_rank(study->world) == 0;
  tutti_status local = first ? tutti_study_output_open(study) : TUTTI_OK;
  TUTTI_TRY(tutti_comm_agree_from(study->world, 0, local));
  if (study->leads && !first)
    local = tutti_study_store_open(study->config->study.output, false, &study->store);
  TUTTI_TRY(tutti_comm_agree(study->world, local));
  tutti_study_head *head = &study->head;
  TUTTI_TRY(tutti_comm_bcast(study->world, 0, &head->began, sizeof head->began));
  TUTTI_TRY(tutti_comm_bcast(study->world, 0, study->metric, sizeof study->metric));
  return tutti_study_share(study);
}

static void announce(const tutti_study *study) {
  int64_t counts[TUTTI_N_TRIAL_STATES];
  const int64_t n = tutti_study_output_count(study, counts), left = counts[TUTTI_TRIAL_WAITING];
  if (left == 0)
    tutti_log_root(TUTTI_LOG_INFO, "%s: all %lld trials are done", study->config->study.output, (long long)n);
  else
    tutti_log_root(TUTTI_LOG_INFO, "%s: %lld trials, %lld of them done; %d group%s of %lld rank%s",
                   study->config->study.output, (long long)n, (long long)(n - left), study->n_groups,
                   study->n_groups > 1 ? "s" : "", (long long)study->head.ranks_per_trial,
                   study->head.ranks_per_trial > 1 ? "s" : "");
  if (left > 0) warn_of_goal(&study->config->study.goal);
}

/** Warn of groups for which no trial is left. */
static void warn_of_idle_groups(const tutti_study *study) {
  int64_t counts[TUTTI_N_TRIAL_STATES];
  tutti_study_output_count(study, counts);
  const int64_t left = counts[TUTTI_TRIAL_WAITING], n_idle = study->n_groups - left;
  if (left == 0 || n_idle <= 0) return;
  tutti_log_root(
      TUTTI_LOG_WARNING,
      "%lld trial%s left for %d groups of ranks: %lld ha%s nothing to do; fewer ranks, or a larger "
      "study.ranks_per_trial, would be all at work",
      (long long)left, left > 1 ? "s are" : " is", study->n_groups, (long long)n_idle,
      n_idle > 1 ? "ve" : "s");
}

tutti_status tutti_study_prepare(tutti_study *study) {
  TUTTI_TRY(tutti_comm_agree(study->world, prepare_local(study)));
  TUTTI_TRY(tutti_par_alarm_create(study->world, &study->failed));
  TUTTI_TRY(tutti_par_alarm_create(study->world, &study->ending));
  TUTTI_TRY(tutti_comm_split(study->world, study->number, &study->group));
  study->leads = tutti_comm_rank(study->group) == 0;
  TUTTI_TRY(open_data(study));
  const int rank = tutti_comm_rank(study->world), size = tutti_comm_size(study->world);
  TUTTI_TRY(tutti_comm_agree(study->world, tutti_study_check_trials(study, rank, size)));
  TUTTI_TRY(open_output(study));
  TUTTI_TRY(tutti_study_queue_probe(study));
  announce(study);
  if (tutti_comm_rank(study->world) == 0) tutti_study_warn_of_short_batches(study);
  warn_of_idle_groups(study);
  return TUTTI_OK;
}

tutti_status tutti_study_prepare_check(tutti_study *study, int n_ranks) {
  const int64_t wanted = study->config->study.ranks_per_trial;
  tutti_config config = {0};
  tutti_status status = TUTTI_OK;
  if (n_ranks > 0) TUTTI_TRY(check_division(n_ranks, wanted));
  study->head.ranks_per_trial = wanted;
  TUTTI_TRY(tutti_space_create(study->config, &study->space));
  TUTTI_TRY(make_set(study));
  if (study->config->study.problem == TUTTI_PROBLEM_TRAINING) {
    const tutti_trial *first = tutti_space_trial(study->space, 0);
    status = tutti_trial_name_failure(study, first, tutti_trial_parse(study, first, &config));
    if (status == TUTTI_OK) status = tutti_training_set_open_labels(&config, &study->data);
    tutti_config_clear(&config);
  }
  return status == TUTTI_OK ? tutti_study_check_trials(study, 0, 1) : status;
}
