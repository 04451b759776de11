/* When a training ends before its budget: a signal asks for it, the time of the job runs out, or the caller wants
 * it.  Every rank puts its own wish into the tail of the reduction, so that all ranks see the sum after the same step
 * and save together.  step.c and after_step.c call this. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/signals.h"
#include "base/text.h"
#include "train/train_impl.h"

/** Batch systems set it to the second since 1970 at which the job ends; Slurm does from version 23.02 on, and
 * jobs/train.sbatch for earlier ones. */
#define END_OF_JOB "SLURM_JOB_END_TIME"

double tutti_train_deadline(const tutti_config *config, double start) {
  const double limit = config->run.time_limit.value;
  const char *text = getenv(END_OF_JOB);
  double end = 0, deadline = limit > 0 ? start + limit : INFINITY;
  if (text && tutti_text_real(text, &end) && end > 0)
    deadline = fmin(deadline, tutti_clock_s() + end - tutti_clock_unix_s());
  return isfinite(deadline) ? deadline : 0;
}

/** Seconds that a save takes: the longest one so far, or a guess before the first one. */
static double seconds_of_save(const tutti_run *run) {
  static const double start_s = 2, bytes_per_s = 50e6; // a slow network file system
  const double numbers =
      (double)tutti_model_n_params(run->network.model) * (1 + tutti_optim_n_slots(run->optim));
  const double guess = start_s + numbers * sizeof(float) / bytes_per_s;
  return run->state.longest_save > 0 ? run->state.longest_save : guess;
}

/** Seconds that are left for the last save, if another step, with the evaluations and saves that belong to it, is
 * done. */
static double seconds_for_save(tutti_run *run) {
  static const double margin_s = 2;
  const double now = tutti_clock_s();
  if (run->state.looked_at > 0)
    run->state.longest_step = fmax(run->state.longest_step, now - run->state.looked_at);
  run->state.looked_at = now;
  return run->deadline - now - run->state.longest_step - margin_s;
}

tutti_train_time tutti_train_look_at_time(tutti_run *run) {
  static const double save_factor = 2;
  // The clocks of ranks differ, so rank 0 alone looks at the time.
  if (run->rank > 0 || run->deadline <= 0) return TUTTI_TRAIN_IN_TIME;
  const double left = seconds_for_save(run);
  if (left >= save_factor * seconds_of_save(run)) return TUTTI_TRAIN_IN_TIME;
  return left > 0 && run->state.longest_save <= 0 ? TUTTI_TRAIN_UNSURE : TUTTI_TRAIN_LATE;
}

bool tutti_train_asks_to_end(const tutti_run *run) {
  return tutti_signals_caught() >= 0 || (run->ends && run->ends(run->observer_context));
}

tutti_status tutti_train_name_cause(const tutti_comm *comm, double deadline, char *text, size_t bytes) {
  double signal = tutti_signals_caught();
  TUTTI_TRY(tutti_comm_max(comm, &signal, 1));
  double left = tutti_comm_rank(comm) == 0 && deadline > 0 ? deadline - tutti_clock_s() : INFINITY;
  TUTTI_TRY(tutti_comm_min(comm, &left, 1));
  if (signal >= 0)
    snprintf(text, bytes, "%s was received", tutti_signals_names[(int)signal]);
  else if (isfinite(left))
    snprintf(text, bytes, "%.0f seconds are left of the time of this job", left);
  else
    snprintf(text, bytes, "another group of this job ends");
  return TUTTI_OK;
}

tutti_status tutti_train_end_early(const tutti_run *run, bool saves, tutti_train_result *result) {
  char cause[96], saved[TUTTI_STOP_BYTES / 2] = "";
  TUTTI_TRY(tutti_train_name_cause(run->comm, run->deadline, cause, sizeof cause));
  if (saves)
    snprintf(saved, sizeof saved, " and saved in %s; the same command continues from there",
             run->config->run.directory);
  result->stop = TUTTI_STOP_INTERRUPTED;
  snprintf(result->reason, sizeof result->reason, "%s: stopped after step %lld (epoch %lld)%s", cause,
           (long long)run->state.at.step, (long long)run->state.at.epoch + 1, saved);
  return TUTTI_OK;
}
