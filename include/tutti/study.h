#pragma once
/** A study: many trainings of one config, at several batch sizes, each with several settings of the other varied keys
 * and several seeds, computed side by side; how many steps each takes to the goal, and what that says about the batch
 * size. */
#include <stdbool.h>

#include "tutti/config.h"
#include "tutti/fit.h"
#include "tutti/par.h"

/** The study as tutti_config_parse took it; borrowed. */
typedef struct {
  const char *text, *name;
  const tutti_override *overrides;
  int n_overrides;
} tutti_study_source;

typedef struct {
  int64_t counts[TUTTI_N_TRIAL_STATES]; // trials of the study's file in each state
} tutti_study_outcome;

/** Collective over all ranks of the job, arguments equal on all.  Compute the trials of the study that are not done yet
 * on groups of study.ranks_per_trial ranks, the longest first, and bring them into the file study.output:
 *   attributes of the root: kind "study", format 1, version, config, goal, budget, metric, varied (the varied keys),
 *             branches (the one of them whose values are branches; absent without),
 *             ranks, ranks_per_trial, groups (of the job that wrote it last), data (fingerprint of the training rows)
 *             and data_hash (what made it: 1 XXH64; absent in files of earlier versions), began (Unix time of the first
 *             job), seconds (wall clock in which trials were computed, over all jobs) and
 *             idle: of the last job that came to its end, the part of its groups' time without a trial, from when all
 *             could begin to the end of the last one, also of groups for which there was none
 *   /trials   a row a trial, see tutti_trial_set_write
 *   /curves/<6 digits of the trial>   a row an evaluation: step, samples, epoch, seconds, loss, <metric>, val_loss,
 *             val_<metric>, learning_rate, batch_size, samples_per_second; of loss and metric the means over the epoch so far; and the
 *             further columns that a run's tables have with optimizer.ema_momentum and run.measure (nothing is measured,
 *             and nothing spent on it, unless that says so), of the steps since the row before
 *   /best, /fit   see tutti_fit_summary_write
 * Finished trials come into it every now and then, as far as it can be written, and at the end; until then they lie in
 * the folder OUTPUT.d.  A job that ends at any moment loses no trial that was done; started again, also as several jobs
 * at one time and with other numbers of ranks, the study goes on.  It may grow, while no other job is at work on it: a
 * config that gives more batch sizes, values, settings or seeds beside those of the file keeps the finished trials,
 * renumbered, and computes the others.
 *
 * What makes a trial impossible is looked for in all of them before the first one.  Where a group fails nevertheless (no
 * memory, a file that cannot be written), a warning says so at once; the other groups finish the trials that they are
 * at, keep them and take no others; then all ranks return the failure.  A broken MPI alone, ERR_MPI, is known to one
 * group and not to the others, as anywhere.
 * @param[in] config  what `source` gives
 * @return ERR_CONFIG the ranks cannot be divided, keys of a trial do not go together, or the file is of another study
 * or has trials that this one lacks;
 * ERR_CREATE it is no study; what training and the files return */
TUTTI_NODISCARD
tutti_status tutti_study_run(const tutti_comm *comm, const tutti_study_source *source,
                             const tutti_config *config, tutti_study_outcome *outcome);

/** Local.  Trials of a study under way that are done but not in its file yet.
 * @param[in]     output  path of the file
 * @param[in]     take    put their results into the set; else they are counted alone
 * @param[in,out] set     its trials
 * @param[out]    n       those of them that wait there, and lie in the folder OUTPUT.d
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_study_unmerged(const char *output, bool take, tutti_trial_set *set, int64_t *n);

// --- the noisy quadratic model -----------------------------------------------------------------------------

/** Expected loss 1/2 sum h_i E w_i^2 with h_i = 1/i, a gradient h_i w_i plus noise of variance h_i / B, and
 * E w_i^2 = 1 at the start (Zhang, Li, Nado et al., arXiv 1907.04164, section 3).  The rule is Keras'
 * v <- mu v - lr g, w <- w + v. */
typedef struct {
  int64_t dimensions; // from 1
  double batch, learning_rate;
  double momentum; // in [0, 1)
  double target;   // of the expected loss
  int64_t budget;  // most steps, from 0
} tutti_quadratic;

typedef struct {
  tutti_trial_state state; // DIVERGED: beyond the rate at which the steepest direction stays bounded
  int64_t steps;           // the first at which the loss is at most the target; not reached: the budget
  double loss;             // expected, there, or where it was certain that the target is out of reach
} tutti_quadratic_result;

/** Local.  Steps to the target, exactly and without a random number.  Takes microseconds without momentum where
 * the loss falls monotonically, else time in proportion to dimensions and steps.
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_quadratic_run(const tutti_quadratic *model, tutti_quadratic_result *result);
