#pragma once
/** A study: many trainings of one config, at several batch sizes, each with several settings of the other varied keys
 * and several seeds.  Groups of ranks and jobs compute them side by side; `fit` says what they show about the batch
 * size. */
#include <stdbool.h>

#include "tutti/config.h"
#include "tutti/fit.h"
#include "tutti/par.h"

/** The text and options of the study as tutti_config_parse took them; borrowed. */
typedef struct {
  const char *text, *name;
  const tutti_override *overrides;
  int n_overrides;
} tutti_study_source;

typedef struct {
  int64_t counts[TUTTI_N_TRIAL_STATES]; // trials of the study's file in each state
  bool interrupted; // a signal or the end of the job's time has ended it before its trials were done
} tutti_study_outcome;

/** Compute the trials of the study that are not done yet, the longest first, on groups of study.ranks_per_trial ranks,
 * and bring them into the file study.output.  Collective over all ranks of the job, arguments equal on all.
 *   attributes of the root: kind "study", format 1, version, config, goal, budget, metric, varied (the varied keys),
 *             branches (the varied key whose values are the branches; absent without them), ranks, ranks_per_trial and
 *             groups (of the job that wrote the file last), data (fingerprint of the training rows), data_hash (its
 *             algorithm: 1 XXH64; absent in files of earlier versions), began (Unix time of the first job), seconds
 *             (wall clock during which trials were computed, over all jobs), idle (of the last job that ended: the part
 *             of the groups' time without a trial, until the last trial ended, counting groups that had none)
 *   /trials   one row per trial, see tutti_fit_trial_set_write
 *   /curves/<6 digits of the trial>   one row per evaluation: step, samples, epoch, seconds, loss, <metric>, val_loss,
 *             val_<metric>, learning_rate, batch_size, samples_per_second; loss and metric are means over the epoch so
 *             far; and the further columns that the tables of a run have with optimizer.ema_momentum and run.measure
 *   /best, /fit   see tutti_fit_summary_write
 * Trials that are done lie in the folder OUTPUT.d.  They come into the file now and then, if it can be written, and at
 * the end.  A job may end at any moment without losing such a trial; started again, also as several jobs at a time and
 * with other numbers of ranks, the study continues.  It may grow while no other job is at work: with a config that adds
 * batch sizes, values, settings or seeds, it keeps the trials that are done, under the numbers of the larger study.
 *
 * A signal (base/signals.h) on any rank, or the end of the job's time (run.time_limit), ends the study early: all
 * groups stop after their current step, the trials that are done stay, and a line of the log says what is left.  A
 * trial that has trained for long keeps a checkpoint in OUTPUT.d, from which a later job continues it.
 *
 * All trials are checked before the first one runs.  If a group fails nevertheless (no memory, a file that cannot be
 * written), a warning says so at once; the other groups finish and keep their current trials and take no others; then
 * all ranks return the failure.  A broken MPI, ERR_MPI, is known to one group only.
 * @param[in]  config   made from `source`
 * @param[out] outcome  equal on all ranks
 * @return ERR_CONFIG the ranks cannot be divided, keys of a trial contradict each other, or the file is of another
 * study or has trials that this one lacks; ERR_CREATE the file is not a study; errors of training and of the files */
TUTTI_NODISCARD
tutti_status tutti_study_run(const tutti_comm *comm, const tutti_study_source *source,
                             const tutti_config *config, tutti_study_outcome *outcome);

/** Check config, data and all trials before a job, without MPI.  Local.  The features are not read.
 * @param[in]  n_ranks   of the job; 0: unknown
 * @param[out] n_trials  of the study
 * @return the error that tutti_study_run would end with before its first trial; its file is not looked at */
TUTTI_NODISCARD
tutti_status tutti_study_check(const tutti_study_source *source, const tutti_config *config, int n_ranks,
                               int64_t *n_trials);

/** Count the trials of a running study that are done but not in its file yet: they lie in the folder OUTPUT.d.  Local.
 * @param[in]     file  the study's
 * @param[in]     take  put their results into the set
 * @param[in,out] set   the trials of the file
 * @param[out]    n     their number
 * @return ERR_MEMORY; ERR_DATA, ERR_IO, ERR_CONFIG as reading the config of the file */
TUTTI_NODISCARD
tutti_status tutti_study_unmerged(const tutti_file *file, bool take, tutti_trial_set *set, int64_t *n);

// --- the noisy quadratic model -----------------------------------------------------------------------------

/** A problem whose answer is known.  Expected loss 1/2 sum h_i E w_i^2 with h_i = 1/i, a gradient h_i w_i plus noise of
 * variance h_i / B, and E w_i^2 = 1 at the start (Zhang, Li, Nado et al., arXiv 1907.04164, section 3).  The rule is
 * Keras' v <- mu v - lr g, w <- w + v. */
typedef struct {
  int64_t dimensions; // from 1
  double batch, learning_rate;
  double momentum; // in [0, 1)
  double target;   // of the expected loss
  int64_t budget;  // largest number of steps, from 0
} tutti_quadratic;

typedef struct {
  tutti_trial_state state; // DIVERGED: the rate is too large for the steepest direction to stay bounded
  int64_t steps;           // until the loss is at most the target; the budget if it is not reached
  double loss;             // expected loss then, or when it was certain that the target is out of reach
} tutti_quadratic_result;

/** Compute the steps to the target, exactly and without a random number.  Local.  Takes microseconds if there is no
 * momentum and the loss falls monotonically, else time in proportion to dimensions and steps.
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_study_quadratic_run(const tutti_quadratic *model, tutti_quadratic_result *result);
