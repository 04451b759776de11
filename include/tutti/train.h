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
  char reason[TUTTI_STOP_BYTES];     // one sentence; for a divergence with step and layer
  char metric[32];                   // name of the metric, for example "accuracy"
  tutti_metrics_row row;             // the last one; its step 0: there is none
  double epochs;                     // done, with the done part of the last one; dropped samples do not count
  tutti_evaluation validation, test; // at the last weights; set at the end
  // At the average of the weights, if one is kept.  Before the end, average_validation is that of the last evaluation.
  tutti_evaluation average_validation, average_test;
  tutti_evaluation training; // of train.train_rows; before the end, that of the last evaluation
} tutti_train_result;

/** Collective, config equal on all ranks.  Train as the config says, into its run directory, and resume a run there if the
 * config says so.  Sets the number of threads of the BLAS and of our loops.  On this thread, and on threads that it starts
 * from now on, denormal numbers become 0.
 * @param[in]  progress  where rank 0 draws the progress line; NULL: nowhere
 * @param[out] result    a divergence is a result, not an error
 * @return (the same on all ranks) the errors of the modules involved; the run directory then has the last complete
 * checkpoint */
TUTTI_NODISCARD
tutti_status tutti_train(const tutti_comm *comm, const tutti_config *config, FILE *progress,
                         tutti_train_result *result);

// --- several trainings on one data set -----------------------------------------------------------------------

/** Local.  A value of a row by the name of its column, including ema_val_loss, train_loss and the like.  For observers.
 * @param[in]  result  that the training is filling
 * @param[in]  row     that the observer was given
 * @param[out] value   NaN: not evaluated
 * @return false: there is no such column, and *value is unchanged */
bool tutti_train_value(const tutti_train_result *result, const tutti_metrics_row *row, const char *name,
                       double *value);

/** The data set of a job whose ranks train in groups.  Each node has one copy for all groups. */
typedef struct tutti_training_set tutti_training_set;

/** Collective over all ranks of the job, config equal on all.  Open the data set that the config names, set the threads, and
 * warn about slow settings as tutti_machine_preflight does.
 * @param[in]  comm  borrowed
 * @param[out] set   owned by the caller
 * @return (agreed) as tutti_dataset_open */
TUTTI_NODISCARD
tutti_status tutti_training_set_open(const tutti_comm *comm, const tutti_config *config,
                                     tutti_training_set **set);

/** Local.  A number that identifies the training rows, see tutti_dataset_fingerprint.
 * @param[in] hash  the kind of hash */
int64_t tutti_training_set_fingerprint(const tutti_training_set *set, int64_t hash);

/** Local.  Check whether this config can train on this data, without the memory that the training needs: how batches and schedules fit
 * the data, and whether layers, loss and goal fit the labels.
 * @param[in] n_ranks       ranks of the group
 * @param[in] with_network  false: leave out layers, loss and goal, which would read all labels
 * @return the ERR_CONFIG or ERR_DATA that tutti_train_on would return; also ERR_CONFIG if the batch is larger than the training
 * set, where a training would only warn.  OK for a config that names other data */
TUTTI_NODISCARD
tutti_status tutti_training_set_check(const tutti_training_set *set, const tutti_config *config, int n_ranks,
                                      bool with_network);

/** Local.  Samples of the last batch of an epoch in a training on the set's data.  It is smaller than the others with
 * train.last_batch: short, unless their size divides the epoch. */
int64_t tutti_training_set_last_batch(const tutti_training_set *set, const tutti_config *config);

/** Collective over `group`, config equal on its ranks.  Train as the config says, from initial weights to the end.  Nothing is
 * saved; of the section run only measure and measure_every matter, for an observer.  The numbers are those of tutti_train.
 * Groups train side by side, each with a config of its own.  All share the set's copy of the data, unless a config names
 * other data (file, arrays or limits), which its group then opens for itself.
 * @param[in]  group     ranks of the set, each in one group at a time; may be all of them
 * @param[in]  observer  called on every rank of the group; NULL: none
 * @param[out] result    a divergence is a result, not an error
 * @return (agreed in the group) the errors of the modules involved */
TUTTI_NODISCARD
tutti_status tutti_train_on(tutti_training_set *set, const tutti_comm *group, const tutti_config *config,
                            tutti_observer observer, void *context, tutti_train_result *result);

void tutti_training_set_close(
    tutti_training_set **set); // Collective.  Accepts NULL inside; nulls the handle.

// --- evaluation and prediction with a checkpoint --------------------------------------------------------------

/** Collective, arguments equal on all ranks.  Loss and metric of a checkpoint's network.
 * @param[in]  file      data set, of which all rows count; NULL: the one of the training, with its limits
 * @param[in]  external  allow data in files outside of the folder of their file
 * @param[out] metric    [32] name of the metric
 * @return ERR_CONFIG there is no such split, or no average; the errors of the modules involved */
TUTTI_NODISCARD
tutti_status tutti_train_evaluate_checkpoint(const tutti_comm *comm, const char *checkpoint, const char *file,
                                             bool external, tutti_split split, tutti_weights weights,
                                             char metric[32], tutti_evaluation *result);

/** Collective, arguments equal on all ranks.  Outputs of a checkpoint's network for the rows of an array.
 *
 * Rank 0 writes `predictions [n, n_out]` float32 and, for classifiers, `classes` int32, the decisions that accuracy counts.  With
 * categorical_crossentropy, or one output, `classes [n]` are class ids.  With several outputs (binary_crossentropy, hinge)
 * `classes [n, n_out]` are 0 or 1 for each of them, whatever the labels are.  If the names of the classes are known, they are
 * an attribute of `classes`.
 * @param[in]  dataset    name of the array in `input`; NULL: the only one, or x_test
 * @param[in]  external   allow data in files outside of the folder of `input`
 * @param[out] n_samples  rows predicted
 * @return ERR_USAGE the output is the input or the checkpoint; ERR_CONFIG there is no average; the errors of the modules
 * involved */
TUTTI_NODISCARD
tutti_status tutti_train_predict_checkpoint(const tutti_comm *comm, const char *checkpoint, const char *input,
                                            const char *dataset, bool external, const char *output,
                                            tutti_weights weights, int64_t *n_samples);
