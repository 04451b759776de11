/** Lines of progress in the log: how many trials are done, how long the rest takes, and which trials are under way.
 *
 * The time left follows from the estimated costs of the trials and the time that those done so far have taken.  run.c
 * calls this after each trial, and trial_run.c after each evaluation. */
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "study/study_impl.h"

/** Minimum spacing of progress lines, in seconds and as a fraction of the elapsed time. */
static const double EVERY_S = 5, EVERY_PART = 0.02;

/** "3 min" */
static void print_time(double seconds, char *text, size_t bytes) {
  if (seconds < 90)
    snprintf(text, bytes, "%.0f s", seconds);
  else if (seconds < 90 * 60)
    snprintf(text, bytes, "%.0f min", seconds / 60);
  else
    snprintf(text, bytes, "%.1f h", seconds / 3600);
}

/** Print the time left, if the trials that are done allow an estimate. */
static void print_left(const tutti_study *study, char *text, size_t bytes) {
  double done = 0, left = 0;
  char time[32];
  for (int64_t i = 0; i < study->set.n_trials; i++)
    *(study->set.results[i].status == TUTTI_TRIAL_WAITING ? &left : &done) += study->cost[i];
  done -= study->cost_before;
  text[0] = '\0';
  if (done <= 0 || left <= 0) return;
  print_time((tutti_clock_s() - study->start) * left / done, time, sizeof time);
  snprintf(text, bytes, ", about %s left", time);
}

/** Return the metric whose value the line shows. */
static const char *metric_of(const tutti_study_options *study) {
  return study->goal.metric[0] || !study->at_budget ? study->goal.metric : study->at_budget;
}

/** Append the trial of this group, "17 (batch_size 64, step 1200, val_accuracy 0.931)". */
static void append_own(const tutti_study *study, char *text, size_t bytes) {
  tutti_text_append(text, bytes, "%lld (batch_size %lld, step %.0f", (long long)study->at_trial,
                    (long long)study->set.results[study->at_trial].batch_size, study->at_step);
  if (!isnan(study->at_value))
    tutti_text_append(text, bytes, ", %s %.6g", metric_of(&study->config->study), study->at_value);
  tutti_text_append(text, bytes, ")");
}

// Claims of many trials take long to look up on a network file system.  The longest trials come first, so that claimed
// ones are near the front of the order, and the first hundred are enough.
void tutti_study_print_under_way(const tutti_study *study, char *text, size_t bytes) {
  enum { MOST_ASKED = 100, MOST_TOLD = 4 };
  int n_asked = 0, n = 0;
  text[0] = '\0';
  if (study->at_trial >= 0) {
    tutti_text_append(text, bytes, "; under way: ");
    append_own(study, text, bytes);
    n++;
  }
  for (int64_t k = 0; k < study->set.n_trials && study->claims_reach && n_asked < MOST_ASKED; k++) {
    const int64_t i = study->order[k];
    if (study->set.results[i].status != TUTTI_TRIAL_WAITING || i == study->at_trial) continue;
    n_asked++;
    if (!tutti_io_claims_held(study->store.claims, tutti_study_store_claim(tutti_study_hash(study, i))) ||
        n++ >= MOST_TOLD)
      continue;
    tutti_text_append(text, bytes, "%s%lld (batch_size %lld)", n == 1 ? "; under way: " : ", ", (long long)i,
                      (long long)study->set.results[i].batch_size);
  }
  if (n > MOST_TOLD) tutti_text_append(text, bytes, " and %d more", n - MOST_TOLD);
}

void tutti_study_show(tutti_study *study) {
  const double now = tutti_clock_s();
  if (now - study->shown_at < fmax(EVERY_S, EVERY_PART * (now - study->start))) return;
  if (tutti_study_output_collect_trials(study) != TUTTI_OK) tutti_study_output_warn(study);
  int64_t counts[TUTTI_N_TRIAL_STATES];
  char left[64], under_way[512];
  const int64_t n = tutti_study_output_count(study, counts);
  print_left(study, left, sizeof left);
  tutti_study_print_under_way(study, under_way, sizeof under_way);
  tutti_log_root(TUTTI_LOG_INFO, "%lld/%lld trials: %lld reached the goal, %lld did not, %lld diverged%s%s",
                 (long long)(n - counts[TUTTI_TRIAL_WAITING]), (long long)n,
                 (long long)counts[TUTTI_TRIAL_REACHED], (long long)counts[TUTTI_TRIAL_NOT_REACHED],
                 (long long)counts[TUTTI_TRIAL_DIVERGED], left, under_way);
  study->shown_at = tutti_clock_s();
}
