/** Whether a trial is worth beginning in the time that a job has left, by what the trials before it have taken.
 *
 * A trial that another job could compute at once is left to it.  A trial that is longer than a whole job is begun,
 * because it ends only if job after job continues it.  queue.c asks before a group takes a trial. */
#include <math.h>

#include "study/study_impl.h"

/** Trials differ by some tenths from what their cost says. */
static const double SAFETY = 1.25;

bool tutti_study_worth_beginning(double needed, double left, double whole) {
  const double wanted = SAFETY * needed;
  return !(wanted > left) || wanted > whole;
}

/** Seconds of a trial.  Its begin and end are those in its last job, and the time of training lacks evaluations. */
static double seconds_of(const tutti_trial_result *result) {
  return fmax(result->seconds, result->ended - result->started);
}

double tutti_study_seconds_per_cost(const tutti_trial_result *results, const double *cost, int64_t n,
                                    int64_t ranks) {
  double seconds[2] = {0}, sum[2] = {0}; // of all trials; of those with this number of ranks
  for (int64_t i = 0; i < n; i++) {
    const tutti_trial_result *result = &results[i];
    if (result->status != TUTTI_TRIAL_REACHED && result->status != TUTTI_TRIAL_NOT_REACHED) continue;
    for (int same = 0; same <= (result->ranks == ranks); same++) {
      seconds[same] += seconds_of(result);
      sum[same] += cost[i];
    }
  }
  const int which = sum[1] > 0;
  return sum[which] > 0 ? seconds[which] / sum[which] : NAN;
}
