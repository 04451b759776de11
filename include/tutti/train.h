#pragma once
/** Training, evaluation and prediction: the one place that knows the order of things. */
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
  char metric[32];                   // "accuracy"
  tutti_metrics_row row;             // the last one; step 0: none
  double epochs;                     // done, of the last one as much as of the samples that it takes
  tutti_evaluation validation, test; // at the end, at the last weights
  // And at their average, where one is kept; average_validation is that of the last evaluation while there are more to
  // come.
  tutti_evaluation average_validation, average_test;
  tutti_evaluation training; // of train.train_rows; while there are more to come, that of the last evaluation
} tutti_train_result;

/** Collective, config equal on all ranks.  Train as the config says, into its run directory; resume where it
 * says so.  Sets how many threads the BLAS and our loops have, and that this thread and those it starts from now on
 * take numbers below the smallest normal one for 0.
 * @param[in] progress  where rank 0 draws the progress; NULL: nowhere
 * @return (the same on all ranks) what the rooms return; the run directory then holds the last complete
 * checkpoint */
TUTTI_NODISCARD
tutti_status tutti_train(const tutti_comm *comm, const tutti_config *config, FILE *progress,
                         tutti_train_result *result);

// --- several trainings on one data set -----------------------------------------------------------------------

/** Local.  For an observer that was given `row`, and for the training that fills `result`: the value of a column by its
 * name, also of ema_val_loss, train_loss and the like; NaN where there is none.  False: no such column, *value is then
 * untouched. */
bool tutti_train_value(const tutti_train_result *result, const tutti_metrics_row *row, const char *name,
                       double *value);

/** The data set of a job whose ranks train in groups: one copy a node, whatever the groups. */
typedef struct tutti_training_set tutti_training_set;

/** Collective over all ranks of the job, config equal on all.  Opens the data set that the config names; sets the
 * threads and tells what will be slow, as tutti_preflight.
 * @return (agreed) as tutti_dataset_open.  The caller owns the set; `comm` is borrowed. */
TUTTI_NODISCARD
tutti_status tutti_training_set_open(const tutti_comm *comm, const tutti_config *config,
                                     tutti_training_set **set);

/** Local.  A number that tells one set of training rows from another: tutti_dataset_fingerprint. */
int64_t tutti_training_set_fingerprint(const tutti_training_set *set, int64_t hash);

/** Local.  Whether a training on the set's data can begin, as far as that is told without the memory it takes: how its
 * batches and schedules lie in the data, and what layers, loss and goal have to do with the labels.
 * @param[in] n_ranks       of its group
 * @param[in] with_network  false: the latter, which looks at all labels, is left out
 * @return ERR_CONFIG, ERR_DATA what tutti_train_on would return, and for a batch of more than the training samples, which
 * it takes for one of them all; OK also for a config that names other data */
TUTTI_NODISCARD
tutti_status tutti_training_set_check(const tutti_training_set *set, const tutti_config *config, int n_ranks,
                                      bool with_network);

/** Local.  Samples of the last batch of an epoch, of a training on the set's data: with train.last_batch: short fewer
 * than of the others, unless these divide the epoch. */
int64_t tutti_training_set_last_batch(const tutti_training_set *set, const tutti_config *config);

/** Collective over `group`, config equal on its ranks.  Train as the config says, from fresh weights to the end; nothing
 * is saved, and of run.* only measure and measure_every mean anything, for an observer.  The numbers are those of
 * tutti_train.  Groups train side by side, each its own
 * config: all share the set's copy of the data, unless a config names other data (file, arrays or limits), which the
 * group then opens for itself.
 * @param[in] group     ranks of the set, all in one group at a time; may be all of them
 * @param[in] observer  called on every rank of the group; NULL: none
 * @return (agreed in the group) what the rooms return; a divergence is none of it but a result */
TUTTI_NODISCARD
tutti_status tutti_train_on(tutti_training_set *set, const tutti_comm *group, const tutti_config *config,
                            tutti_observer observer, void *context, tutti_train_result *result);

void tutti_training_set_close(
    tutti_training_set **set); // Collective.  Accepts NULL inside; nulls the handle.

// --- what a checkpoint is good for ---------------------------------------------------------------------------

/** Collective, arguments equal on all ranks.  Loss and metric of a checkpoint's network.
 * @param[in] file    data set, all of its rows; NULL: the one it was trained with, and its limits
 * @param[in] external  the data may lead to files outside of the folder of their file
 * @param[in] metric  [32] receives the metric's name
 * @return ERR_CONFIG there is no such split, or no average */
TUTTI_NODISCARD
tutti_status tutti_train_evaluate_checkpoint(const tutti_comm *comm, const char *checkpoint, const char *file,
                                       bool external, tutti_split split, tutti_weights weights,
                                       char metric[32], tutti_evaluation *result);

/** Collective, arguments equal on all ranks.  Outputs of a checkpoint's network for the rows of an array:
 * `predictions [n, n_out]` float32 and, for classifiers, `classes` int32, the decisions that its accuracy
 * counts, written by rank 0.  With categorical_crossentropy, or one output, `classes [n]` are class ids; with
 * several outputs (binary_crossentropy, hinge) `classes [n, n_out]` are 0 or 1 for each of them, whatever the labels.
 * Where the classes' names are known, they are its attribute.
 * @param[in]  dataset    name of the array in `input`; NULL: the only one, or x_test
 * @param[in]  external   `input` may lead to files outside of its folder
 * @param[out] n_samples  rows predicted
 * @return ERR_USAGE the output is the input or the checkpoint; ERR_CONFIG there is no average; what the rooms return */
TUTTI_NODISCARD
tutti_status tutti_train_predict_checkpoint(const tutti_comm *comm, const char *checkpoint, const char *input,
                                      const char *dataset, bool external, const char *output,
                                      tutti_weights weights, int64_t *n_samples);
