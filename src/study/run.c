/** A study from its config to its file: groups of ranks, each with one trial after another. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "study/study_impl.h"

// --- before the first trial

static tutti_status copy_texts(const char *const *texts, int n, char ***copy) {
  TUTTI_TRY(TUTTI_NEW(*copy, n));
  for (int i = 0; i < n; i++)
    if (!((*copy)[i] = tutti_strdup(texts[i]))) return TUTTI_ERR_MEMORY;
  return TUTTI_OK;
}

/** What differs between the trials, and where it does not, what all have. */
static tutti_status make_varied(tutti_study *study) {
  const tutti_space *space = study->space;
  tutti_trial_set *set = &study->set;
  const int n = tutti_space_n_varied(space);
  bool one_rule = true;
  TUTTI_TRY(TUTTI_NEW(set->names, n));
  TUTTI_TRY(TUTTI_NEW(set->texts, n));
  TUTTI_TRY(TUTTI_NEW(set->n_texts, n));
  for (int k = 0; k < n; k++) {
    set->names[k] = tutti_strdup(tutti_space_varied(space, k));
    if (!set->names[k]) return TUTTI_ERR_MEMORY;
    set->n_varied++;
    const char *const *texts = tutti_space_choices(space, k, &set->n_texts[k]);
    if (texts) TUTTI_TRY(copy_texts(texts, set->n_texts[k], &set->texts[k]));
    one_rule = one_rule && strcmp(set->names[k], "optimizer.name") != 0;
  }
  set->branches = tutti_space_branches(space) + 1;
  set->learning_rate = one_rule ? study->config->optimizer.learning_rate : NAN;
  set->momentum = one_rule ? study->config->optimizer.momentum : NAN;
  return TUTTI_OK;
}

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
  return TUTTI_OK;
}

/** The varied keys, each once: several branches may have one. */
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
  const tutti_axis *branches = tutti_study_branches(options);
  int n_varied;
  TUTTI_TRY(tutti_config_dump(study->config, &study->resolved));
  TUTTI_TRY(list_varied(study, &n_varied));
  tutti_goal_print(options->problem == TUTTI_PROBLEM_TRAINING
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

static tutti_status divide(tutti_study *study) {
  const int64_t size = tutti_comm_size(study->world), wanted = study->config->study.ranks_per_trial;
  TUTTI_CHECK(
      size % wanted == 0, TUTTI_ERR_CONFIG,
      "study.ranks_per_trial: %lld: the %lld rank%s of this job cannot be divided into groups of so many; "
      "start a multiple of %lld ranks, or choose another number",
      (long long)wanted, (long long)size, size == 1 ? "" : "s", (long long)wanted);
  study->n_groups = (int)(size / wanted);
  study->number = (int)(tutti_comm_rank(study->world) / wanted);
  return TUTTI_OK;
}

static tutti_status prepare_local(tutti_study *study) {
  TUTTI_TRY(divide(study));
  TUTTI_TRY(tutti_space_create(study->config, &study->space));
  TUTTI_TRY(make_set(study));
  TUTTI_TRY(make_head(study));
  return tutti_queue_make(study);
}

static tutti_status open_data(tutti_study *study) {
  const tutti_study_source *source = study->source;
  tutti_config config = {0};
  if (study->config->study.problem != TUTTI_PROBLEM_TRAINING) return TUTTI_OK;
  tutti_status status = tutti_trial_config(tutti_space_trial(study->space, 0), source->text, source->name,
                                           source->overrides, source->n_overrides, &config);
  status =
      tutti_agree(study->world, tutti_trial_name_failure(study, tutti_space_trial(study->space, 0), status));
  if (status == TUTTI_OK) status = tutti_training_set_open(study->world, &config, &study->data);
  if (status == TUTTI_OK) study->head.data = tutti_training_set_fingerprint(study->data);
  tutti_config_clear(&config);
  return status;
}

static tutti_status check_config(const tutti_study *study, const tutti_trial *trial, bool with_network) {
  const tutti_study_source *source = study->source;
  tutti_config config = {0};
  tutti_status status =
      tutti_trial_config(trial, source->text, source->name, source->overrides, source->n_overrides, &config);
  if (status == TUTTI_OK && study->data)
    status = tutti_training_set_check(study->data, &config, (int)study->head.ranks_per_trial, with_network);
  tutti_config_clear(&config);
  return tutti_trial_name_failure(study, trial, status);
}

static bool varies_model(const tutti_study *study) {
  for (int k = 0; k < study->set.n_varied; k++)
    if (strncmp(study->set.names[k], "model.", 6) == 0) return true;
  return false;
}

/** What is wrong with a trial is told now and not after hours.  The ranks share the work, and a seed makes no
 * difference: some tens of microseconds are seconds for many trials. */
static tutti_status check_configs(const tutti_study *study) {
  const bool each_network = varies_model(study);
  const int size = tutti_comm_size(study->world), rank = tutti_comm_rank(study->world);
  int64_t n = 0;
  for (int64_t i = 0; i < study->set.n_trials; i++) {
    const tutti_trial *trial = tutti_space_trial(study->space, i);
    if (trial->seed_index > 0 || n++ % size != rank) continue;
    TUTTI_TRY(check_config(study, trial, each_network || n == rank + 1));
  }
  return TUTTI_OK;
}

static void warn_of_goal(const tutti_goal *goal) {
  char text[128];
  tutti_goal_print(goal, text, sizeof text);
  if (tutti_goal_out_of_reach(goal))
    tutti_log_root(
        TUTTI_LOG_WARNING,
        "study.goal: nothing can reach %s, an accuracy is at most 1 and a loss at least 0: every trial "
        "will take its whole budget",
        text);
}

/** Rank 0 begins the study's file; what it holds goes to all. */
static tutti_status open_output(tutti_study *study) {
  const bool first = tutti_comm_rank(study->world) == 0;
  tutti_status local = first ? tutti_output_begin(study) : TUTTI_OK;
  TUTTI_TRY(tutti_agree_from(study->world, 0, local));
  if (study->leads && !first) local = tutti_store_open(study->config->study.output, false, &study->store);
  TUTTI_TRY(tutti_agree(study->world, local));
  tutti_study_head *head = &study->head;
  TUTTI_TRY(tutti_bcast(study->world, 0, &head->began, sizeof head->began));
  TUTTI_TRY(tutti_bcast(study->world, 0, study->metric, sizeof study->metric));
  return tutti_bcast(study->world, 0, study->set.results,
                     study->set.n_trials * (int64_t)sizeof *study->set.results);
}

static void announce(const tutti_study *study) {
  int64_t counts[TUTTI_N_TRIAL_STATES];
  tutti_output_count(study, counts);
  const int64_t n = study->set.n_trials, left = counts[TUTTI_TRIAL_WAITING];
  if (left == 0)
    tutti_log_root(TUTTI_LOG_INFO, "%s: all %lld trials are done", study->config->study.output, (long long)n);
  else
    tutti_log_root(TUTTI_LOG_INFO, "%s: %lld trials, %lld of them done; %d group%s of %lld rank%s",
                   study->config->study.output, (long long)n, (long long)(n - left), study->n_groups,
                   study->n_groups > 1 ? "s" : "", (long long)study->head.ranks_per_trial,
                   study->head.ranks_per_trial > 1 ? "s" : "");
  if (left > 0) warn_of_goal(&study->config->study.goal);
}

/** They are a part of the time without a trial, whatever the others do. */
static void warn_of_idle_groups(const tutti_study *study) {
  int64_t counts[TUTTI_N_TRIAL_STATES];
  tutti_output_count(study, counts);
  const int64_t left = counts[TUTTI_TRIAL_WAITING], n_idle = study->n_groups - left;
  if (left == 0 || n_idle <= 0) return;
  tutti_log_root(
      TUTTI_LOG_WARNING,
      "%lld trial%s left for %d groups of ranks: %lld ha%s nothing to do; fewer ranks, or a larger "
      "study.ranks_per_trial, would be all at work",
      (long long)left, left > 1 ? "s are" : " is", study->n_groups, (long long)n_idle,
      n_idle > 1 ? "ve" : "s");
}

static tutti_status prepare(tutti_study *study) {
  TUTTI_TRY(tutti_agree(study->world, prepare_local(study)));
  TUTTI_TRY(tutti_alarm_create(study->world, &study->failed));
  TUTTI_TRY(tutti_comm_split(study->world, study->number, &study->group));
  study->leads = tutti_comm_rank(study->group) == 0;
  TUTTI_TRY(open_data(study));
  TUTTI_TRY(tutti_agree(study->world, check_configs(study)));
  TUTTI_TRY(open_output(study));
  TUTTI_TRY(tutti_queue_probe(study));
  announce(study);
  warn_of_idle_groups(study);
  return TUTTI_OK;
}

// --- the trials

/** On the leader. */
static tutti_status keep(tutti_study *study, const tutti_trial_record *record) {
  TUTTI_TRY(tutti_store_put(&study->store, &study->head, &study->set, record));
  study->set.results[record->result.trial] = record->result;
  if (!study->metric[0]) snprintf(study->metric, sizeof study->metric, "%s", record->metric);
  tutti_claims_give_back(study->store.claims, TUTTI_CLAIM_TRIALS + record->result.trial);
  if (tutti_comm_rank(study->world) > 0) return TUTTI_OK;
  tutti_study_show(study);
  tutti_output_merge_if_due(study);
  return TUTTI_OK;
}

static tutti_status run_one(tutti_study *study, int64_t number) {
  tutti_trial_record record;
  const double start = tutti_clock_s(), before = tutti_clock_unix_s() - study->head.began;
  const tutti_trial *trial = tutti_space_trial(study->space, number);
  tutti_status status = tutti_trial_run(study, trial, &record);
  record.result.started = before;
  record.result.ended = tutti_clock_unix_s() - study->head.began;
  study->busy += tutti_clock_s() - start;
  if (status == TUTTI_OK) {
    const tutti_status local = study->leads ? keep(study, &record) : TUTTI_OK;
    status = tutti_agree_from(study->group, 0, tutti_trial_name_failure(study, trial, local));
  }
  tutti_trial_record_clear(&record);
  return status;
}

/** On the leader.  The next trial; -1: there is none, or another group has failed. */
static tutti_status choose(tutti_study *study, int64_t *number) {
  bool ending = false;
  TUTTI_TRY(tutti_alarm_look(study->failed, &ending));
  return ending ? TUTTI_OK : tutti_queue_take(study, number);
}

static tutti_status work(tutti_study *study) {
  for (;;) {
    int64_t number = -1;
    const tutti_status local = study->leads ? choose(study, &number) : TUTTI_OK;
    TUTTI_TRY(tutti_agree_from(study->group, 0, local));
    TUTTI_TRY(tutti_bcast(study->group, 0, &number, sizeof number));
    if (number < 0) return TUTTI_OK;
    TUTTI_TRY(run_one(study, number));
  }
}

/** A group that fails says so at once, but the trials of the others may be hours old: they come to their ends, and are
 * kept, before the job ends with that failure. */
static tutti_status work_together(tutti_study *study) {
  const tutti_status status = work(study);
  if (status != TUTTI_OK && status != TUTTI_ERR_MPI && study->leads && study->n_groups > 1) {
    tutti_log(TUTTI_LOG_WARNING,
              "%s; the other groups finish the trials that they are at, then the job ends: started again it "
              "goes on from there",
              tutti_fail_text());
    const tutti_status told = tutti_alarm_raise(study->failed);
    if (told != TUTTI_OK) return told;
  }
  return tutti_agree(study->world, status);
}

static double cost_of_done(const tutti_study *study) {
  double sum = 0;
  for (int64_t i = 0; i < study->set.n_trials; i++)
    if (study->set.results[i].status != TUTTI_TRIAL_WAITING) sum += study->cost[i];
  return sum;
}

/** A job ends while others compute; if these are killed, or hang, nobody else would say that trials are missing. */
static void tell_of_rest(const tutti_study *study, int64_t n) {
  if (n == 0) return;
  tutti_log_root(
      TUTTI_LOG_WARNING,
      "%s: %lld trial%s left, which other jobs have begun; where one of them does not come to its end, "
      "run the study again",
      study->config->study.output, (long long)n, n > 1 ? "s are" : " is");
}

/** All groups are at the end of the queue. */
static tutti_status finish(tutti_study *study, tutti_study_outcome *outcome) {
  double busy = study->leads ? study->busy : 0;
  TUTTI_TRY(tutti_sum(study->world, &busy, 1));
  const double wall = tutti_clock_s() - study->start;
  if (busy > 0) study->head.idle = 1 - busy / (wall * study->n_groups);
  const tutti_status local = tutti_comm_rank(study->world) == 0 ? tutti_output_merge(study) : TUTTI_OK;
  TUTTI_TRY(tutti_agree_from(study->world, 0, local));
  if (busy > 0)
    tutti_log_root(TUTTI_LOG_INFO, "%.1f s; the groups were %.1f %% of it without a trial", wall,
                   100 * study->head.idle);
  tutti_output_count(study, outcome->counts);
  TUTTI_TRY(tutti_bcast(study->world, 0, outcome->counts, sizeof outcome->counts));
  tell_of_rest(study, outcome->counts[TUTTI_TRIAL_WAITING]);
  return TUTTI_OK;
}

static void destroy(tutti_study *study) {
  tutti_training_set_close(&study->data);
  tutti_store_close(&study->store);
  tutti_alarm_destroy(&study->failed);
  tutti_comm_destroy(&study->group);
  tutti_space_destroy(&study->space);
  tutti_trial_set_clear(&study->set);
  tutti_free(study->varied);
  tutti_free(study->resolved);
  tutti_free(study->order);
  tutti_free(study->cost);
  tutti_free(study->elsewhere);
}

tutti_status tutti_study_run(const tutti_comm *comm, const tutti_study_source *source,
                             const tutti_config *config, tutti_study_outcome *outcome) {
  tutti_study study = {.world = comm, .config = config, .source = source};
  tutti_status status = TUTTI_OK;
  *outcome = (tutti_study_outcome){0};
  TUTTI_TRY_GOTO(done, prepare(&study));
  TUTTI_TRY_GOTO(done, tutti_barrier(comm));
  study.start = study.shown_at = tutti_clock_s();
  study.cost_before = cost_of_done(&study);
  TUTTI_TRY_GOTO(done, work_together(&study));
  TUTTI_TRY_GOTO(done, finish(&study, outcome));
done:
  // With a broken MPI nothing is: that takes all ranks, and most may be busy.
  if (status != TUTTI_ERR_MPI) destroy(&study);
  return status;
}
