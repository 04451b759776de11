#pragma once
/** The files of this room see one another's functions here; other rooms see tutti/train.h and probe.h. */
#include "run/run.h"
#include "rundir/saver.h"
#include "tutti/train.h"

// --- setup.c: a training in memory, from its data to its first weights -----------------------------------------

/** Collective.  Create data, network, reducer and optimizer: all that can fail before it is known where the training
 * begins.  The caller destroys the run. */
TUTTI_NODISCARD
tutti_status tutti_train_create(const tutti_comm *comm, const tutti_config *config, tutti_run *run);
void tutti_train_destroy(tutti_run *run); // Collective.

/** Collective over `comm`, after tutti_run_open.  Call tutti_run_build, then create what is measured and the buffers of
 * a step.  If it fails, tutti_train_release frees what has been made. */
TUTTI_NODISCARD
tutti_status tutti_train_build(const tutti_comm *comm, const tutti_config *config, tutti_run *run);
void tutti_train_release(
    tutti_run *run); // Collective over that communicator.  Frees everything but the data.

/** Local.  Check for tutti_train_build what config and data alone decide.
 * @param[in] n_ranks       ranks that would train
 * @param[in] with_network  also check that layers, loss, labels and the metric of study.at_budget fit together
 * @return the errors of tutti_train_build */
TUTTI_NODISCARD
tutti_status tutti_train_check(const tutti_config *config, const tutti_dataset *dataset, int n_ranks,
                               bool with_network);

/** Collective.  Begin from scratch: all ranks get the initial weights, and no step is done yet. */
TUTTI_NODISCARD
tutti_status tutti_train_begin(tutti_run *run);

/** Collective.  Begin from weights[n_params] that rank 0 has.
 * @param[in] weights  on rank 0 alone; NULL elsewhere */
TUTTI_NODISCARD
tutti_status tutti_train_begin_with(tutti_run *run, const float *weights);

// --- warnings.c: settings that are legal but probably a mistake ------------------------------------------------

/** Local.  Rank 0 warns about the settings of a run that is about to begin. */
void tutti_train_warn(const tutti_run *run);

/** Local.  Warn about the network alone.  A study calls this once, not once per trial. */
void tutti_train_warn_network(const tutti_config *config, const tutti_network *network);

// --- gradients.c and update.c: the two halves of a step --------------------------------------------------------

/** Collective if batch_norm sums over ranks.  Compute the gradients of this rank's leaves into the reducer, and those
 * entries of run->step.tail that are sums over samples. */
TUTTI_NODISCARD
tutti_status tutti_train_gradients(tutti_run *run);

/** Collective if clipping or the rule needs norms.  Update this rank's slice, after tutti_reducer_reduce. */
TUTTI_NODISCARD
tutti_status tutti_train_update(tutti_run *run);

// --- step.c: one step -------------------------------------------------------------------------------------------

/** The result of one step, reduced: equal on all ranks. */
typedef struct {
  double samples, loss, metric; // sums over the samples; the loss is without the penalty
  double penalty;               // of the parameters before the step
  bool finite;                  // false: the loss is not finite, and the weights are as before the step
  bool save;                    // a checkpoint is due by the clock of rank 0
  bool wait;                    // else: the last one has failed, or its time is to be known
  bool copy;                    // else: rank 0 wants a copy in memory
  bool end;                     // a rank asks to end the training after this step
} tutti_train_step_result;

/** Collective.  Do one update: number state.at.step + 1, with the batch at state.at.place.
 * @param[in] saver  asked whether a failed save is due again; NULL: nothing is saved */
TUTTI_NODISCARD
tutti_status tutti_train_step(tutti_run *run, const tutti_rundir_saver *saver,
                              tutti_train_step_result *result);

/** Collective.  Whether all parameters are finite. */
TUTTI_NODISCARD
tutti_status tutti_train_is_finite(const tutti_run *run, bool *finite);

// --- fewer_ranks.c: steps that are too small for their ranks -----------------------------------------------------

enum { TUTTI_TRAIN_WINDOWS = 5 };

/** The first steps of a training on this rank, in windows of equal length after a warm-up; it begins with zeros. */
typedef struct {
  int n_steps;           // so far
  int64_t batch_size;    // of the steps that count: whole batches, as large as that of the last step
  double clock_s, cpu_s; // when the window began
  int n_counted[TUTTI_TRAIN_WINDOWS]; // steps of the window that count
  double step_s[TUTTI_TRAIN_WINDOWS]; // sum over them
  double busy[TUTTI_TRAIN_WINDOWS];   // part of its time for which this rank had a core
} tutti_train_start;

/** Local, but collective at call 120 of each training of several ranks; after each step, before it is counted.  When
 * the windows are full and steps are short, rank 0 takes some steps alone, and logs a hint if they take clearly less
 * time.  The pause does not count as a part of a step.  Trials of a study get no hint.
 * @return ERR_MPI; other failures cost the hint alone */
TUTTI_NODISCARD
tutti_status tutti_train_note_start(tutti_run *run, tutti_train_start *start);

// --- divergence.c: numbers that are not finite -----------------------------------------------------------------

/** Collective.  The layer with the first bad numbers of the last step, with the rank and the samples that have them.
 * @param[out] text  [bytes] the end of a sentence, such as ", first in layer dense"; "" if no layer stands out */
TUTTI_NODISCARD
tutti_status tutti_train_find_bad_layer(const tutti_run *run, char *text, size_t bytes);

// --- ending.c: a training that ends before its budget ----------------------------------------------------------

/** Whether the time of the job suffices for another step and the last save, as rank 0 sees it. */
typedef enum {
  TUTTI_TRAIN_IN_TIME, // always on the other ranks
  TUTTI_TRAIN_UNSURE,  // nothing has been saved yet, and the guess of how long that takes says no
  TUTTI_TRAIN_LATE
} tutti_train_time;

/** Local.  Called once per step. */
tutti_train_time tutti_train_look_at_time(tutti_run *run);

/** Local.  Whether a signal or the caller asks this rank to end the training after this step. */
bool tutti_train_asks_to_end(const tutti_run *run);

/** Collective, after a step at which a rank has asked.  Set stop and reason of the result.
 * @param[in] saves  a checkpoint is saved, so the training can continue */
TUTTI_NODISCARD
tutti_status tutti_train_end_early(const tutti_run *run, bool saves, tutti_train_result *result);

// --- after_step.c and record_rows.c: between two steps ----------------------------------------------------------

/** Collective.  After a step with a finite loss: count it, then evaluate, log and save what is due.
 * @param[in]  seconds   duration of the step
 * @param[out] result    if the training is over, its stop and reason are set
 * @param[out] stopping  whether the training is over */
TUTTI_NODISCARD
tutti_status tutti_train_after_step(tutti_run *run, tutti_rundir_saver *saver,
                                    const tutti_train_step_result *step, double seconds,
                                    tutti_train_result *result, bool *stopping);

/** Collective.  Evaluate the validation rows, also at the averaged weights, and train.train_rows.  Each of the results
 * is computed only if its `samples` is 0, and stays so if there is no such set.
 * @param[in,out] average  computed together with validation */
TUTTI_NODISCARD
tutti_status tutti_train_evaluate(tutti_run *run, tutti_evaluation *validation, tutti_evaluation *average,
                                  tutti_evaluation *training);

/** Collective.  The training has diverged: set the result's reason, with step and layer, and write the rows so far to
 * metrics.h5.
 * @param[in] what  for example "the loss is not finite at"
 * @param[in] at    number of that step, from 1 */
TUTTI_NODISCARD
tutti_status tutti_train_diverged(tutti_run *run, tutti_rundir_saver *saver, const char *what, int64_t at,
                                  tutti_train_result *result);

/** Local.  Add a step to the counters and sums of the run's state. */
void tutti_train_count_step(tutti_run *run, const tutti_train_step_result *step, double seconds);

/** Local.  Whether some rows are evaluated during training: validation rows or train.train_rows. */
bool tutti_train_evaluates(const tutti_run *run);

/** Local, the same on all ranks.  Append the rows that are due after this step, pass them to the observer, and decide
 * by them.
 * @param[in]  validation  samples 0: not evaluated at this step
 * @param[in]  whole       the step ends an epoch
 * @param[out] last        the training is over
 * @return whether the monitored value is the best so far */
bool tutti_train_record_rows(tutti_run *run, const tutti_evaluation *validation, bool whole,
                             tutti_train_result *result, bool *last);

// --- training_set.c: the data of several trainings -----------------------------------------------------------------

/** Collective over `group`.  Set the number of threads, and open a run on the data of the set, or on data of its own if
 * the config names others. */
TUTTI_NODISCARD
tutti_status tutti_train_open_trial(tutti_training_set *set, const tutti_comm *group,
                                    const tutti_config *config, tutti_run *run);

/** Collective.  Destroy the run, but not the data of the set. */
void tutti_train_close_trial(const tutti_training_set *set, tutti_run *run);

// --- trial_save.c: the checkpoints of a trial of a study -------------------------------------------------------------

/** Collective, after a step at which the trial is not over.  Save its checkpoint if the clock or the end of the job
 * asks for it, and end the trial with the job.  If a checkpoint cannot be written, the trial continues, with a
 * warning. */
TUTTI_NODISCARD
tutti_status tutti_train_keep_trial(tutti_run *run, tutti_rundir_saver *saver,
                                    const tutti_train_step_result *step, tutti_train_result *result,
                                    bool *stopping);

// --- train.c: the loop --------------------------------------------------------------------------------------------

/** Collective.  The loop of a training that has begun, and the evaluations at its end.
 * @param[in]     saver   NULL: nothing is saved
 * @param[in,out] result  zeros; all is set */
TUTTI_NODISCARD
tutti_status tutti_train_finish(tutti_run *run, tutti_rundir_saver *saver, tutti_train_result *result);
