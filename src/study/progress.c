#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "study/study_impl.h"

/** Seconds between two lines at least, and their part of the time until now: a log of a day is no book. */
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

/** By the estimated costs: as much for a second as until now. */
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

void tutti_study_show(tutti_study *study) {
  const double now = tutti_clock_s();
  if (now - study->shown_at < fmax(EVERY_S, EVERY_PART * (now - study->start))) return;
  if (tutti_output_learn(study) != TUTTI_OK) tutti_output_warn(study);
  int64_t counts[TUTTI_N_TRIAL_STATES];
  char left[64];
  tutti_output_count(study, counts);
  print_left(study, left, sizeof left);
  const int64_t n = study->set.n_trials;
  tutti_log_root(TUTTI_LOG_INFO, "%lld/%lld trials: %lld reached the goal, %lld did not, %lld diverged%s",
                 (long long)(n - counts[TUTTI_TRIAL_WAITING]), (long long)n,
                 (long long)counts[TUTTI_TRIAL_REACHED], (long long)counts[TUTTI_TRIAL_NOT_REACHED],
                 (long long)counts[TUTTI_TRIAL_DIVERGED], left);
  study->shown_at = tutti_clock_s();
}
