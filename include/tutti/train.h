#pragma once
/** Training, and evaluation and prediction with a checkpoint. */
#include <stdbool.h>
#include <stdio.h>

#include "tutti/base.h"
#include "tutti/config.h"
#include "tutti/metrics.h"
#include "tutti/par.h"
#include "tutti/run.h"

typedef struct {
  tutti_stop stop;
  char reason[TUTTI_STOP_BYTES]; // one sentence; after a divergence it names step and layer
  char metric[32];               // name of the metric, for example "accuracy"
  tutti_metrics_row row;         // the last row; if its step is 0, there is no row
  double epochs; // epochs done, the last one in part; samples that the training drops do not count
  tutti_evaluation validation, test; // with the last weights, at the end of the training
  // With the average of the weights, if one is kept.  During the training, average_validation is from the last
  // evaluation.
  tutti_evaluation average_validation, average_test;
  tutti_evaluation training; // of train.train_rows; during the training, from the last evaluation
  bool
      complete; // by tutti_train alone: the training has ended, perhaps without being able to save its last state
} tutti_train_result;

/** Collective, config equal on all ranks.  Train as the config says, and write to its run directory.  Resume the run
 * in this directory if the config says so.  The call sets the number of threads of the BLAS and of our loops.  It
 * also sets this thread, and threads that it starts later, to treat denormal numbers as 0.
 * @param[in]  progress  the stream for the progress line of rank 0; NULL: no line
 * @param[out] result    a divergence is a result, not an error
 * @return (the same on all ranks) the errors of the functions that it calls; the run directory then has the last
 * complete checkpoint.  A save that fails in between is only reported, and tried again. */
TUTTI_NODISCARD
tutti_status tutti_train(const tutti_comm *comm, const tutti_config *config, FILE *progress,
                         tutti_train_result *result);

// --- the check before a job ------------------------------------------------------------------------------------

typedef struct {
  int64_t n_train;  // training samples
  int64_t n_params; // parameters of the network
  int64_t n_steps;  // the budget; with AdaScale, the largest possible number
  bool labels;      // false: the labels are so many that their values were not checked
} tutti_train_facts;

/** Local, and without MPI.  Check whether config, data and network fit together, and warn as tutti_train does.  The
 * features are not read.
 * @param[in]  n_ranks  of the job
 * @param[out] facts    for the user
 * @return the error that a training would end with at its start */
TUTTI_NODISCARD
tutti_status tutti_train_check_alone(const tutti_config *config, int n_ranks, tutti_train_facts *facts);

// --- trainings that end before their budget -------------------------------------------------------------------

/** Local.  Return the clock (tutti_clock_s) at which the job ends: run.time_limit after `start`, or the end that the
 * batch system has set, whichever is earlier; 0: there is no limit. */
double tutti_train_deadline(const tutti_config *config, double start);

/** Collective.  Say why a job ends early: which signal a rank has received, or else what time is left.
 * @param[in]  deadline  of rank 0; see tutti_train_deadline
 * @param[out] text      [bytes] "SIGUSR1 was received" */
TUTTI_NODISCARD
tutti_status tutti_train_name_cause(const tutti_comm *comm, double deadline, char *text, size_t bytes);

// --- several trainings on one data set -----------------------------------------------------------------------

/** Local.  Get a value of a row by the name of its column.  The names include ema_val_loss, train_loss and other
 * columns that are not in the row itself.  Observers call it.
 * @param[in]  result  the result that the training is filling
 * @param[in]  row     the row that the observer was given
 * @param[out] value   NaN: it was not evaluated
 * @return false: there is no such column, and *value is unchanged */
bool tutti_train_value(const tutti_train_result *result, const tutti_metrics_row *row, const char *name,
                       double *value);

/** The data set of a job whose ranks train in groups.  Each node has one copy for all groups. */
typedef struct tutti_training_set tutti_training_set;

/** Collective over all ranks of the job, config equal on all ranks.  Open the data set that the config names, set
 * the numbers of threads, and warn about slow settings as tutti_machine_preflight does.
 * @param[in]  comm  borrowed until the set is closed
 * @param[out] set   owned by the caller
 * @return (agreed) as tutti_dataset_open */
TUTTI_NODISCARD
tutti_status tutti_training_set_open(const tutti_comm *comm, const tutti_config *config,
                                     tutti_training_set **set);

/** Local, and without MPI.  Open it for tutti_training_set_check alone.
 * @param[out] set  owned by the caller
 * @return as tutti_dataset_open */
TUTTI_NODISCARD
tutti_status tutti_training_set_open_labels(const tutti_config *config, tutti_training_set **set);

/** Local.  Return a number that identifies the training rows; see tutti_dataset_fingerprint.
 * @param[in] hash  number of the hash function, such as TUTTI_HASH_XXH64 */
int64_t tutti_training_set_fingerprint(const tutti_training_set *set, int64_t hash);

/** Local.  Check if this config can train on this data.  The check does not need the memory of a training.  It
 * checks if batches and schedules fit the data, and if layers, loss and goal fit the labels.
 * @param[in] n_ranks       number of ranks of the group that will train
 * @param[in] with_network  false: do not check layers, loss and goal, because this reads all labels
 * @return the ERR_CONFIG or ERR_DATA that tutti_train_on would return.  With train.last_batch: short, a batch larger
 * than the training set is also ERR_CONFIG, although a training would only warn.  OK for a config that names other
 * data. */
TUTTI_NODISCARD
tutti_status tutti_training_set_check(const tutti_training_set *set, const tutti_config *config, int n_ranks,
                                      bool with_network);

/** Local.  Return the number of samples of the last batch of an epoch, for a training on the data of the set.  With
 * train.last_batch: short it is smaller than the other batches, unless their size divides the epoch. */
int64_t tutti_training_set_last_batch(const tutti_training_set *set, const tutti_config *config);

/** Collective over `group`, config equal on its ranks.  Train as the config says, from initial weights to the end.
 * The numbers are those of tutti_train, but nothing is saved.  From the section `run` of the config, only measure
 * and measure_every have an effect: they choose what the observer gets.
 *
 * Groups train side by side, and each has a config of its own.  They share the copy of the data that the set has.
 * If a config names other data (file, arrays or limits), its group opens that data for itself.
 * @param[in]  group     ranks of the set, possibly all of them; a rank is in one group at a time
 * @param[in]  observer  called on every rank of the group; NULL: none
 * @param[in]  context   passed to the observer
 * @param[out] result    a divergence is a result, not an error
 * @return (agreed in the group) the errors of the functions that it calls */
TUTTI_NODISCARD
tutti_status tutti_train_on(tutti_training_set *set, const tutti_comm *group, const tutti_config *config,
                            tutti_observer observer, void *context, tutti_train_result *result);

/** What a trial has to do with its study.  With save_every > 0, it keeps a checkpoint in the run.directory of its
 * config: after each such number of seconds, and when it ends early.  A later call of the same config, with any number
 * of ranks, continues from it: the observer of rank 0 gets the rows before that first.  The numbers are those of a
 * trial that has not been interrupted. */
typedef struct {
  tutti_observer observer; // as of tutti_train_on
  bool (*ends)(
      void *context); // local, asked on every rank after each step: whether the trial shall end; NULL: never
  void *context;      // passed to both
  double deadline;    // clock at which the job ends; 0: there is no limit.  Rank 0 of the group looks at it
  double save_every;  // 0: nothing is kept
  bool continues; // run.directory may have a checkpoint.  One that cannot be used is replaced, with a warning
} tutti_trial_terms;

/** Collective over `group`.  As tutti_train_on, for a trial that may end early: then the stop is
 * TUTTI_STOP_INTERRUPTED, and no evaluation follows. */
TUTTI_NODISCARD
tutti_status tutti_train_trial(tutti_training_set *set, const tutti_comm *group, const tutti_config *config,
                               const tutti_trial_terms *terms, tutti_train_result *result);

/** Collective.  Accepts NULL inside; nulls the handle. */
void tutti_training_set_close(tutti_training_set **set);

// --- evaluation and prediction with a checkpoint --------------------------------------------------------------

/** Collective, arguments equal on all ranks.  Compute the loss and the metric of a checkpoint's network.
 * @param[in]  file      a data set file; all its rows are evaluated.  NULL: the data set of the training, with its
 *                       limits
 * @param[in]  trust     what the data set file may make the program do
 * @param[out] metric    [32] name of the metric
 * @return ERR_CONFIG: there is no such split, or no average; the errors of the functions that it calls */
TUTTI_NODISCARD
tutti_status tutti_train_evaluate_checkpoint(const tutti_comm *comm, const char *checkpoint, const char *file,
                                             tutti_trust trust, tutti_split split, tutti_weights weights,
                                             char metric[32], tutti_evaluation *result);

/** Collective, arguments equal on all ranks.  Compute the outputs of a checkpoint's network for the rows of an
 * array, and write them to a file on rank 0.
 *
 * The file has `predictions [n, n_out]`, float32.  For classifiers it also has `classes`, int32, with the decisions
 * that the accuracy counts.  With categorical_crossentropy, or with one output, `classes [n]` are class ids.  With
 * several outputs and binary_crossentropy or hinge, `classes [n, n_out]` are 0 or 1 for each output, even if the
 * labels are one-hot.  If the names of the classes are known, `classes` has them as an attribute.
 * @param[in]  input      the file of the rows
 * @param[in]  dataset    name of the array in `input`; NULL: its only array, or x_test
 * @param[in]  trust      what `input` may make the program do
 * @param[in]  output     the file to write
 * @param[out] n_samples  number of rows of `predictions`
 * @return ERR_USAGE: the output is the input or the checkpoint; ERR_CONFIG: there is no average; the errors of the
 * functions that it calls */
TUTTI_NODISCARD
tutti_status tutti_train_predict_checkpoint(const tutti_comm *comm, const char *checkpoint, const char *input,
                                            const char *dataset, tutti_trust trust, const char *output,
                                            tutti_weights weights, int64_t *n_samples);
