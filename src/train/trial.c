/* A training that is a trial of a study.  It begins in memory alone, because most trials are short.  One that trains
 * for longer keeps a checkpoint in a run directory of its own, from which a later job continues it.
 *
 * The history of this checkpoint has the rows that the observer got.  They are given to the observer again, so that
 * curve and best value are those of a trial that nobody interrupted.  The room study calls this. */
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "run/evaluated.h"
#include "run/stages.h"
#include "train/train_impl.h"

// --- the rows before an interruption -------------------------------------------------------------------------

/** Give the rows of the history to the observer, as when they were made.  They are on rank 0. */
static void observe_again(tutti_run *run, tutti_train_result *result) {
  tutti_run_rows *rows = &run->state.rows;
  snprintf(result->metric, sizeof result->metric, "%s", tutti_model_metric_name(run->network.model));
  for (int64_t i = 0; i < rows->history.n && run->observer; i++) {
    const tutti_metrics_row *row = tutti_metrics_record(&rows->history, i);
    tutti_run_evaluated_get_columns(row, &rows->average);
    tutti_run_evaluated_get_columns(row, &rows->training);
    result->average_validation = rows->average.now;
    result->training = rows->training.now;
    result->epochs = (double)tutti_stages_place(&run->plan.stages, row->step) / (double)run->plan.epoch.n;
    run->observer(run->observer_context, &rows->layout, row, (const double *)(row + 1));
  }
}

// --- begin and end -------------------------------------------------------------------------------------------

static tutti_status continue_trial(tutti_run *run, tutti_rundir_saver **saver, tutti_train_result *result) {
  TUTTI_TRY(tutti_rundir_saver_create(run, saver));
  TUTTI_TRY(tutti_rundir_start(*saver));
  observe_again(run, result);
  return TUTTI_OK;
}

/** Undo a continuation that has failed.  The trial begins from scratch, and its first checkpoint replaces the other,
 * which therefore must not be one that another program can read. */
static tutti_status start_again(tutti_run *run, tutti_rundir_saver **saver) {
  if (run->rank == 0) tutti_log(TUTTI_LOG_WARNING, "%s; this trial begins from scratch", tutti_fail_text());
  tutti_rundir_saver_destroy(saver);
  tutti_train_release(run);
  run->state = (tutti_run_state){0};
  TUTTI_TRY(tutti_run_split_samples(run));
  return tutti_train_build(run->comm, run->config, run);
}

static tutti_status begin(tutti_run *run, const tutti_trial_terms *terms, tutti_rundir_saver **saver,
                          tutti_train_result *result) {
  if (terms->save_every > 0 && terms->continues) {
    const tutti_status status = continue_trial(run, saver, result);
    if (status == TUTTI_OK || status == TUTTI_ERR_MPI || status == TUTTI_ERR_NEWER) return status;
    TUTTI_TRY(start_again(run, saver));
  }
  if (terms->save_every > 0) TUTTI_TRY(tutti_rundir_saver_create_late(run, saver));
  run->state.saved_at = tutti_clock_s();
  return tutti_train_begin(run);
}

tutti_status tutti_train_trial(tutti_training_set *set, const tutti_comm *group, const tutti_config *config,
                               const tutti_trial_terms *terms, tutti_train_result *result) {
  tutti_run run = {0};
  tutti_rundir_saver *saver = NULL;
  tutti_status status = TUTTI_OK;
  *result = (tutti_train_result){0};
  TUTTI_TRY_GOTO(done, tutti_train_open_trial(set, group, config, &run));
  run.keeps_no_rows = true;
  run.save_every = terms->save_every;
  run.observer = terms->observer;
  run.observer_context = terms->context;
  run.ends = terms->ends;
  run.deadline = terms->deadline;
  TUTTI_TRY_GOTO(done, tutti_train_build(group, config, &run));
  TUTTI_TRY_GOTO(done, begin(&run, terms, &saver, result));
  TUTTI_TRY_GOTO(done, tutti_train_finish(&run, saver, result));
done:
  tutti_rundir_saver_destroy(&saver);
  tutti_train_close_trial(set, &run);
  return status;
}

tutti_status tutti_train_on(tutti_training_set *set, const tutti_comm *group, const tutti_config *config,
                            tutti_observer observer, void *context, tutti_train_result *result) {
  const tutti_trial_terms terms = {.observer = observer, .context = context};
  return tutti_train_trial(set, group, config, &terms, result);
}
