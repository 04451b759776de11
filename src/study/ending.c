/** A study that ends before its trials are done: by a signal that any rank may get, or when the time of the job runs
 * out.
 *
 * The ranks of a group agree after each step, in the reduction.  The leader of a group that ends raises an alarm, and
 * the leaders of the others look at it a few times per second, because a look costs as much as a small step.  run.c and
 * trial_run.c call this. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"
#include "study/study_impl.h"

static const double LOOK_EVERY_S = 0.2;

/** Seconds that a job keeps for its end. */
static const double MARGIN_S = 2;

/** If MPI is broken, the next step says so. */
static bool hears_others(tutti_study *study, double now) {
  bool raised = false;
  study->looked_at = now;
  return tutti_par_alarm_is_raised(study->ending, &raised) == TUTTI_OK && raised;
}

// Rank 0 merges the last trials.
double tutti_study_seconds_left(const tutti_study *study) {
  return study->deadline > 0 ? study->deadline - tutti_clock_s() - MARGIN_S - 2 * study->merge_s : INFINITY;
}

/** Flush the name of the trial before this one, which may have to wait for some steps of this one.  A failure is that of
 * the next flush, after this trial. */
static void flush_names(tutti_study *study) {
  const tutti_status ignored = tutti_study_store_flush_if_due(&study->store);
  (void)ignored;
}

bool tutti_study_ends(tutti_study *study) {
  if (!study->leads) return study->ends;
  flush_names(study);
  if (study->ends) return true;
  const double now = tutti_clock_s();
  if (now - study->looked_at >= LOOK_EVERY_S) study->ends = hears_others(study, now);
  return study->ends;
}

tutti_status tutti_study_check_end(tutti_study *study) {
  double ends =
      study->ends || tutti_signals_caught() >= 0 ||
      (study->leads && (hears_others(study, tutti_clock_s()) || tutti_study_seconds_left(study) <= 0));
  TUTTI_TRY(tutti_comm_max(study->group, &ends, 1));
  study->ends = ends > 0;
  return study->ends && study->leads ? tutti_par_alarm_raise(study->ending) : TUTTI_OK;
}

/** A signal that a rank gets while it waits is meant for the groups that work. */
static tutti_status look(void *context) {
  tutti_study *study = context;
  if (study->ends || tutti_signals_caught() < 0) return TUTTI_OK;
  study->ends = true;
  return hears_others(study, tutti_clock_s()) ? TUTTI_OK : tutti_par_alarm_raise(study->ending);
}

tutti_status tutti_study_meet(tutti_study *study) {
  return tutti_par_alarm_meet(study->world, look, study);
}

/** Count the trials that wait, with those that other jobs have done meanwhile. */
static int64_t count_left(tutti_study *study) {
  int64_t counts[TUTTI_N_TRIAL_STATES];
  if (tutti_study_output_collect_trials(study) != TUTTI_OK) tutti_study_output_warn(study);
  tutti_study_output_count(study, counts);
  return counts[TUTTI_TRIAL_WAITING];
}

tutti_status tutti_study_is_cut_short(tutti_study *study, bool *cut_short) {
  double ends = study->ends || study->passed_over > 0;
  int64_t left = 0;
  TUTTI_TRY(tutti_comm_max(study->world, &ends, 1));
  *cut_short = ends > 0;
  if (!*cut_short) return TUTTI_OK;
  if (tutti_comm_rank(study->world) == 0) left = count_left(study);
  TUTTI_TRY(tutti_comm_bcast(study->world, 0, &left, sizeof left));
  *cut_short = left > 0;
  return TUTTI_OK;
}

/** Count the trials that the groups have left with a checkpoint. */
static tutti_status count_kept(const tutti_study *study, double *n) {
  *n = study->leads && study->left_trial &&
       tutti_study_trial_folder_exists(study->config->study.output, study->at_hash);
  return tutti_comm_sum(study->world, n, 1);
}

/** If no signal ends the job, say how long the trials take that no group has begun for lack of time; "" if there are
 * none. */
static tutti_status name_passed_over(const tutti_study *study, char *text, size_t bytes) {
  const double none = tutti_signals_caught() < 0 ? 1 : 0;
  double least[2] = {study->passed_over > 0 ? study->passed_over : INFINITY, none};
  TUTTI_TRY(tutti_comm_min(study->world, least, 2));
  text[0] = '\0';
  if (isfinite(least[0]) && least[1] > 0)
    snprintf(text, bytes, ", too few for a new trial (about %.0f s) and a checkpoint", least[0]);
  return TUTTI_OK;
}

static void say_what_is_left(const tutti_study *study, const char *cause, const int64_t *counts, int64_t n,
                             double n_kept) {
  const char *output = study->config->study.output;
  char kept[64] = "";
  if (n_kept > 0) snprintf(kept, sizeof kept, ", %.0f of them with a checkpoint", n_kept);
  const long long left = (long long)counts[TUTTI_TRIAL_WAITING];
  tutti_log_root(
      TUTTI_LOG_INFO,
      "%s: stopped; %lld of the %lld trials of %s are done and kept, %lld %s left%s; the same command "
      "continues the study",
      cause, (long long)n - left, (long long)n, output, left, left == 1 ? "is" : "are", kept);
}

// The line comes first, because the job may be killed during the merge.  The merge replaces the file as a whole, and
// the trials are safe in the folder.
tutti_status tutti_study_end_early(tutti_study *study, tutti_study_outcome *outcome) {
  char cause[192], needed[96];
  TUTTI_TRY(tutti_train_name_cause(study->world, study->deadline, cause, sizeof cause - sizeof needed));
  TUTTI_TRY(name_passed_over(study, needed, sizeof needed));
  strcat(cause, needed);
  double n_kept;
  TUTTI_TRY(count_kept(study, &n_kept));
  const int64_t n = tutti_study_output_count(study, outcome->counts);
  say_what_is_left(study, cause, outcome->counts, n, n_kept);
  if (tutti_comm_rank(study->world) == 0 && tutti_study_seconds_left(study) > -MARGIN_S)
    tutti_study_output_merge_now(study);
  return tutti_comm_bcast(study->world, 0, outcome->counts, sizeof outcome->counts);
}
