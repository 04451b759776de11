/** A study from its config to its file: each group of ranks computes one trial after another.
 *
 * The leader of a group takes the next trial from the queue, and its group computes it.  The leader puts the result
 * into the folder; rank 0 merges the folder into the study's file now and then.  When the search is done, the fresh
 * seeds of its best settings follow.  `tutti study` calls this. */
#include <math.h>

#include "base/clock.h"
#include "base/log.h"
#include "study/study_impl.h"

// --- the trials

/** Put a trial that is done into the folder.  On the leader. */
static tutti_status keep(tutti_study *study, tutti_trial_record *record) {
  const uint64_t hash = tutti_study_hash(study, record->result.trial);
  TUTTI_TRY(tutti_study_store_put(&study->store, hash, &study->head, &study->set, record));
  study->set.results[record->result.trial] = record->result;
  tutti_study_output_set_metric(study, record->metric);
  tutti_study_trial_folder_remove(study->config->study.output, hash); // while the claim is ours
  tutti_io_claims_give_back(study->store.claims, tutti_study_store_claim(hash));
  study->at_trial = -1;
  if (tutti_comm_rank(study->world) > 0) return TUTTI_OK;
  tutti_study_curves_keep(study, record);
  tutti_study_show(study);
  tutti_study_output_merge_if_due(study);
  return TUTTI_OK;
}

/** The next trial.  Only the leader may know its setting, and the hash that follows from it. */
typedef struct {
  int64_t number, setting;
  tutti_trial_start start;
} choice;

/** Compute one trial with the group, and keep it. */
static tutti_status run_one(tutti_study *study, choice next) {
  tutti_trial_record record;
  tutti_trial trial;
  const double start = tutti_clock_s(), before = tutti_clock_unix_s() - study->head.began;
  study->at_hash = next.start.hash;
  TUTTI_TRY(tutti_comm_agree(study->group, tutti_study_trial(study, next.number, next.setting, &trial)));
  tutti_status status = tutti_trial_run(study, &trial, &next.start, &record);
  record.result.started = before;
  record.result.ended = tutti_clock_unix_s() - study->head.began;
  study->busy += tutti_clock_s() - start;
  if (status == TUTTI_OK && !study->left_trial) {
    const tutti_status local = study->leads ? keep(study, &record) : TUTTI_OK;
    status = tutti_comm_agree_from(study->group, 0, tutti_trial_name_failure(study, &trial, local));
  }
  tutti_trial_record_clear(&record);
  return status;
}

/** Choose the next trial; -1 if there is none, or if another group has failed.  On the leader. */
static tutti_status choose(tutti_study *study, choice *next) {
  bool ending = false;
  TUTTI_TRY(tutti_par_alarm_is_raised(study->failed, &ending));
  if (!ending) TUTTI_TRY(tutti_study_queue_take(study, &next->number));
  if (next->number < 0) return TUTTI_OK;
  next->setting = study->set.results[next->number].setting;
  next->start.hash = tutti_study_hash(study, next->number);
  next->start.continues = tutti_study_trial_folder_exists(study->config->study.output, next->start.hash);
  return TUTTI_OK;
}

/** Compute trials until the leader has none, or until the job has to end. */
static tutti_status work(tutti_study *study) {
  for (;;) {
    choice next = {.number = -1, .setting = -1};
    TUTTI_TRY(tutti_study_check_end(study));
    if (study->ends) return TUTTI_OK;
    const tutti_status local = study->leads ? choose(study, &next) : TUTTI_OK;
    TUTTI_TRY(tutti_comm_agree_from(study->group, 0, local));
    TUTTI_TRY(tutti_comm_bcast(study->group, 0, &next, sizeof next));
    if (next.number < 0) return TUTTI_OK;
    TUTTI_TRY(run_one(study, next));
  }
}

/** Compute trials until there are none.  If a group fails, the trials of the others may be hours old, so these finish
 * and keep them before the job ends with the failure. */
static tutti_status work_together(tutti_study *study) {
  tutti_status status = work(study);
  // The other groups may work for hours.
  if (status == TUTTI_OK && study->leads) status = tutti_study_store_flush(&study->store);
  if (status != TUTTI_OK && status != TUTTI_ERR_MPI && study->leads && study->n_groups > 1) {
    tutti_log(TUTTI_LOG_WARNING,
              "%s; the other groups finish the trials that they are at, then the job ends: started again it "
              "continues from there",
              tutti_fail_text());
    const tutti_status raised = tutti_par_alarm_raise(study->failed);
    if (raised != TUTTI_OK) return raised;
  }
  if (status != TUTTI_ERR_MPI) TUTTI_TRY(tutti_study_meet(study));
  return tutti_comm_agree(study->world, status);
}

/** Run the best settings again with fresh seeds, now that the search is done. */
static tutti_status confirm(tutti_study *study) {
  bool ends = false;
  if (study->set.n_trials == study->n_searched) return TUTTI_OK;
  TUTTI_TRY(tutti_study_is_cut_short(study, &ends));
  if (ends) return TUTTI_OK;
  const tutti_status local =
      tutti_comm_rank(study->world) == 0 ? tutti_study_output_collect_trials(study) : TUTTI_OK;
  TUTTI_TRY(tutti_comm_agree_from(study->world, 0, local));
  TUTTI_TRY(tutti_study_share(study));
  return work_together(study);
}

static double cost_of_done(const tutti_study *study) {
  double sum = 0;
  for (int64_t i = 0; i < study->set.n_trials; i++)
    if (study->set.results[i].status != TUTTI_TRIAL_WAITING) sum += study->cost[i];
  return sum;
}

/** Warn of trials that other jobs compute: if those jobs are killed or hang, nobody else says that trials are
 * missing. */
static void warn_of_rest(const tutti_study *study, int64_t n) {
  if (n == 0) return;
  tutti_log_root(TUTTI_LOG_WARNING,
                 "%s: %lld trial%s left, which other jobs compute; if one of them does not end, "
                 "run the study again",
                 study->config->study.output, (long long)n, n > 1 ? "s are" : " is");
}

/** Merge everything into the study's file, when all groups have reached the end of the queue. */
static tutti_status finish(tutti_study *study, tutti_study_outcome *outcome) {
  double busy = study->leads ? study->busy : 0;
  TUTTI_TRY(tutti_study_is_cut_short(study, &outcome->interrupted));
  if (outcome->interrupted) return tutti_study_end_early(study, outcome);
  TUTTI_TRY(tutti_comm_sum(study->world, &busy, 1));
  const double wall = tutti_clock_s() - study->start;
  if (busy > 0) study->head.idle = 1 - busy / (wall * study->n_groups);
  const tutti_status local = tutti_comm_rank(study->world) == 0 ? tutti_study_output_merge(study) : TUTTI_OK;
  TUTTI_TRY(tutti_comm_agree_from(study->world, 0, local));
  if (busy > 0)
    tutti_log_root(TUTTI_LOG_INFO, "%.1f s; the groups were %.1f %% of it without a trial", wall,
                   100 * study->head.idle);
  tutti_study_output_count(study, outcome->counts);
  TUTTI_TRY(tutti_comm_bcast(study->world, 0, outcome->counts, sizeof outcome->counts));
  warn_of_rest(study, outcome->counts[TUTTI_TRIAL_WAITING]);
  return TUTTI_OK;
}

static void destroy(tutti_study *study) {
  tutti_training_set_close(&study->data);
  tutti_study_store_close(&study->store);
  tutti_par_alarm_destroy(&study->failed);
  tutti_par_alarm_destroy(&study->ending);
  tutti_comm_destroy(&study->group);
  tutti_space_destroy(&study->space);
  tutti_study_curves_forget(study);
  tutti_fit_trial_set_clear(&study->set);
  tutti_free(study->varied);
  tutti_free(study->resolved);
  tutti_free(study->fresh);
  tutti_free(study->carried);
  tutti_free(study->written);
  tutti_free(study->order);
  tutti_free(study->cost);
  tutti_free(study->elsewhere);
}

tutti_status tutti_study_run(const tutti_comm *comm, const tutti_study_source *source,
                             const tutti_config *config, tutti_study_outcome *outcome) {
  tutti_study study = {.world = comm, .config = config, .source = source, .at_trial = -1};
  tutti_status status = TUTTI_OK;
  *outcome = (tutti_study_outcome){0};
  const double now = tutti_clock_s();
  study.deadline = tutti_train_deadline(config, now);
  study.whole = study.deadline > 0 ? study.deadline - now : INFINITY;
  TUTTI_TRY_GOTO(done, tutti_study_prepare(&study));
  TUTTI_TRY_GOTO(done, tutti_comm_barrier(comm));
  study.start = study.shown_at = tutti_clock_s();
  study.cost_before = cost_of_done(&study);
  TUTTI_TRY_GOTO(done, work_together(&study));
  TUTTI_TRY_GOTO(done, confirm(&study));
  TUTTI_TRY_GOTO(done, finish(&study, outcome));
done:
  // To destroy communicators takes all ranks, and with a broken MPI most of them may be busy.
  if (status != TUTTI_ERR_MPI) destroy(&study);
  return status;
}

tutti_status tutti_study_check(const tutti_study_source *source, const tutti_config *config, int n_ranks,
                               int64_t *n_trials) {
  tutti_study study = {.config = config, .source = source, .at_trial = -1};
  const tutti_status status = tutti_study_prepare_check(&study, n_ranks);
  *n_trials = study.set.n_trials;
  destroy(&study);
  return status;
}
