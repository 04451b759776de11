/* A training from beginning to end: announce it, take steps until one of them says that it is over, evaluate its last
 * weights.  The command line calls tutti_train; studies call tutti_train_on (trial.c), which shares the loop. */
#include "train/train_impl.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "machine/threads.h"
#include "measure/average.h"
#include "run/evaluated.h"
#include "run/stages.h"
#include "run/stop.h"

/** With train.steps: 0 the checkpoint has the initial weights, so that others can be started from them. */
static tutti_status save_beginning(tutti_run *run, tutti_rundir_saver *saver) {
  // The average of the weights is a part of a checkpoint, and before the first step it is not set yet.
  tutti_log_root(TUTTI_LOG_INFO,
                 "no step is to be done: the checkpoint has the weights before the first one");
  tutti_measure_average_begin(run);
  return tutti_rundir_save(saver, false);
}

/** Whether a divergence is answered by a rollback. */
static bool goes_back(const tutti_run *run, const tutti_rundir_saver *saver, tutti_train_result *result) {
  const tutti_run_options *options = &run->config->run;
  if (result->stop != TUTTI_STOP_DIVERGED || !saver || options->on_divergence != TUTTI_DIVERGENCE_ROLLBACK)
    return false;
  if (run->state.at.rollbacks < options->rollbacks) return true;
  char more[64];
  snprintf(more, sizeof more, "; run.rollbacks: all %lld are used up", (long long)options->rollbacks);
  strncat(result->reason, more, sizeof result->reason - strlen(result->reason) - 1);
  return false;
}

static tutti_status go_back(tutti_run *run, tutti_rundir_saver *saver, tutti_train_result *result) {
  TUTTI_TRY(tutti_rundir_go_back(saver));
  const int facts = (int)strcspn(result->reason, ";"); // without the advice
  tutti_log_root(
      TUTTI_LOG_WARNING,
      "%.*s: back to the checkpoint of step %lld, with the learning rate times %g (rollback %lld of "
      "%lld)",
      facts, result->reason, (long long)run->state.at.step, run->state.at.rate_factor,
      (long long)run->state.at.rollbacks, (long long)run->config->run.rollbacks);
  result->stop = TUTTI_STOP_BUDGET;
  result->reason[0] = '\0';
  return TUTTI_OK;
}

/** Steps until the budget, the goal or the patience ends them, or the training diverges. */
static tutti_status loop(tutti_run *run, tutti_rundir_saver *saver, tutti_train_result *result) {
  // A run that resumes may have reached its goal already, or its config may have a smaller budget now.
  bool stopping = tutti_run_is_over(run, &result->stop, result->reason);
  if (stopping && run->state.at.step == 0) return save_beginning(run, saver);
  if (stopping)
    tutti_log_root(
        TUTTI_LOG_INFO,
        "%s is complete, nothing is left to train: %s continues it, run.resume=no starts from scratch",
        run->config->run.directory,
        result->stop == TUTTI_STOP_GOAL       ? "another train.stop_at"
        : result->stop == TUTTI_STOP_PATIENCE ? "more train.patience"
                                              : "a larger budget");
  tutti_train_start first_steps = {0};
  while (!stopping) {
    tutti_train_step_result step;
    const double start = tutti_clock_s();
    tutti_rundir_lend(saver);
    TUTTI_TRY(tutti_train_step(run, saver, &step));
    tutti_rundir_take_back(saver);
    run->state.step_s = tutti_clock_s() - start;
    TUTTI_TRY(tutti_train_note_start(run, &first_steps));
    stopping = !step.finite;
    if (stopping)
      TUTTI_TRY(
          tutti_train_diverged(run, saver, "the loss is not finite at", run->state.at.step + 1, result));
    else
      TUTTI_TRY(tutti_train_after_step(run, saver, &step, run->state.step_s, result, &stopping));
    if (stopping && goes_back(run, saver, result)) {
      TUTTI_TRY(go_back(run, saver, result));
      stopping = false;
    }
  }
  return TUTTI_OK;
}

/** Steps of the first epoch of this plan.  After a change of data or batch it begins where the training before it has
 * ended an epoch. */
static double steps_of_epoch(const tutti_plan *plan) {
  const tutti_epoch *epoch = &plan->epoch;
  if (epoch->last == TUTTI_LAST_CARRY) return (double)epoch->n / (double)plan->stages.stages[0].batch;
  return (double)(tutti_stages_reach(&plan->stages, plan->from.place + epoch->n) - plan->from.at);
}

/** Log the setup: ranks, data, size of the model and the batches. */
static void announce(const tutti_run *run, const tutti_machine_threads *threads) {
  const tutti_comm *comm = run->comm;
  const tutti_plan *plan = &run->plan;
  tutti_log_root(TUTTI_LOG_INFO, "%d rank%s on %d node%s, %s reduction, %d thread%s per rank (%s), %s",
                 run->size, run->size > 1 ? "s" : "", tutti_comm_n_nodes(comm),
                 tutti_comm_n_nodes(comm) > 1 ? "s" : "", tutti_reducer_name(run->reducer), threads->n,
                 threads->n > 1 ? "s" : "", threads->why, tutti_blas_description());
  tutti_log_root(TUTTI_LOG_INFO, "%s: %lld training, %lld validation, %lld test samples of %lld features",
                 tutti_dataset_file(run->dataset), (long long)run->samples.train.n,
                 (long long)run->samples.validation.n, (long long)run->samples.test.n,
                 (long long)tutti_dataset_n_features(run->dataset));
  tutti_log_root(TUTTI_LOG_INFO, "%lld parameters, batch %lld, %.6g steps per epoch",
                 (long long)tutti_model_n_params(run->network.model), (long long)plan->stages.stages[0].batch,
                 steps_of_epoch(plan));
  if (plan->stages.n_stages > 1)
    tutti_log_root(
        TUTTI_LOG_INFO, "the batch grows: %lld samples from step %lld, and finally %lld from step %lld",
        (long long)plan->stages.stages[1].batch, (long long)plan->stages.stages[1].at + 1,
        (long long)plan->largest_batch, (long long)plan->stages.stages[plan->stages.n_stages - 1].at + 1);
}

/** Evaluate all sets at the last weights.  What the last row has already is not computed twice. */
static tutti_status evaluate_end(tutti_run *run, tutti_rundir_saver *saver, tutti_train_result *result) {
  const float *params = tutti_reducer_params(run->reducer);
  const tutti_samples_all *sets = &run->samples;
  const tutti_metrics_row *last = &run->state.rows.last;
  const bool at_end = last->step > 0 && last->step == run->state.at.step;
  if (at_end && !isnan(last->val_loss)) {
    result->validation = (tutti_evaluation){sets->validation.n, last->val_loss, last->val_metric};
    result->average_validation = run->state.rows.average.now;
  }
  result->training = at_end ? run->state.rows.training.now : (tutti_evaluation){0};
  TUTTI_TRY(tutti_train_evaluate(run, &result->validation, &result->average_validation, &result->training));
  tutti_metrics_phases_enter(&run->state.phases, TUTTI_PHASE_EVALUATE);
  if (sets->test.n > 0) TUTTI_TRY(tutti_network_evaluate(&run->network, params, &sets->test, &result->test));
  TUTTI_TRY(tutti_measure_average_evaluate(run, &sets->test, &result->average_test));
  tutti_metrics_phases_leave(&run->state.phases);
  if (!isfinite(result->validation.loss) || !isfinite(result->test.loss))
    return tutti_train_diverged(run, saver, "an evaluation is not finite after", run->state.at.step, result);
  return tutti_rundir_flush(saver); // writes the times of the last checkpoint and of these evaluations
}

tutti_status tutti_train_finish(tutti_run *run, tutti_rundir_saver *saver, tutti_train_result *result) {
  snprintf(result->metric, sizeof result->metric, "%s", tutti_model_metric_name(run->network.model));
  TUTTI_TRY(loop(run, saver, result));
  // A training can end between two rows: what counts is where it stands, not where its last row was.
  result->row = run->state.rows.last;
  if (result->row.step != run->state.at.step) result->row.epoch = run->state.at.epoch;
  result->row.step = run->state.at.step;
  result->row.samples = run->state.at.samples;
  result->row.seconds = run->state.at.seconds;
  result->epochs = tutti_plan_epochs(&run->plan, &run->state.at);
  return result->stop == TUTTI_STOP_DIVERGED || result->stop == TUTTI_STOP_INTERRUPTED
             ? TUTTI_OK
             : evaluate_end(run, saver, result);
}

static tutti_status train(tutti_run *run, const tutti_machine_threads *threads, FILE *progress,
                          tutti_train_result *result) {
  tutti_rundir_saver *saver = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_rundir_saver_create(run, &saver));
  TUTTI_TRY_GOTO(done, tutti_rundir_start(saver));
  announce(run, threads);
  if (run->config->run.on_divergence == TUTTI_DIVERGENCE_ROLLBACK)
    TUTTI_TRY_GOTO(done, tutti_rundir_save_first(saver));
  tutti_train_warn(run);
  if (run->rank == 0 && progress)
    status = tutti_metrics_progress_create(
        progress, tutti_model_metric_name(run->network.model),
        tutti_plan_last_epoch(&run->plan, run->config->train.budget, tutti_run_position(run)),
        run->plan.epoch.n, &run->progress);
  TUTTI_TRY_GOTO(done, tutti_comm_agree(run->comm, status));
  TUTTI_TRY_GOTO(done, tutti_train_finish(run, saver, result));
  result->complete = true;
  TUTTI_TRY_GOTO(done, tutti_rundir_finish(saver, result->stop != TUTTI_STOP_DIVERGED));
done:
  tutti_rundir_saver_destroy(&saver);
  return status;
}

tutti_status tutti_train(const tutti_comm *comm, const tutti_config *config, FILE *progress,
                         tutti_train_result *result) {
  *result = (tutti_train_result){0};
  const double start = tutti_clock_s();
  tutti_machine_threads threads;
  TUTTI_TRY(tutti_machine_set_threads(comm, config->parallel.threads, &threads));
  tutti_run run;
  TUTTI_TRY(tutti_train_create(comm, config, &run));
  run.deadline = tutti_train_deadline(config, start);
  const tutti_status status = train(&run, &threads, progress, result);
  tutti_train_destroy(&run);
  return status;
}

bool tutti_train_value(const tutti_train_result *result, const tutti_metrics_row *row, const char *name,
                       double *value) {
  return tutti_metrics_value(row, result->metric, name, value) ||
         tutti_run_evaluated_find(TUTTI_AVERAGE_PREFIX, result->metric, &result->average_validation, name,
                                  value) ||
         tutti_run_evaluated_find(TUTTI_TRAIN_PREFIX, result->metric, &result->training, name, value);
}
