#pragma once
/** Training, evaluation and prediction: the one place that knows the order of things. */
#include <stdbool.h>
#include <stdio.h>

#include "tutti/base.h"
#include "tutti/config.h"
#include "tutti/metrics.h"
#include "tutti/par.h"

/** Why a training ended: a numerical outcome, not a failure. */
typedef enum {
  TUTTI_STOP_BUDGET,   // the epochs, steps or samples are done
  TUTTI_STOP_GOAL,     // stop_at was reached
  TUTTI_STOP_PATIENCE, // the monitored value has not become better
  TUTTI_STOP_DIVERGED  // the loss is not finite
} tutti_stop;

/** Loss and metric of a set of samples at fixed weights. */
typedef struct {
  int64_t samples; // 0: there is no such set, the rest means nothing
  double loss, metric;
} tutti_evaluation;

typedef struct {
  tutti_stop stop;
  char reason[512];                  // one sentence; for a divergence with step and layer
  char metric[32];                   // "accuracy"
  tutti_metrics_row row;             // the last one; step 0: none
  tutti_evaluation validation, test; // at the end, at the last weights
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

typedef enum { TUTTI_SPLIT_TEST, TUTTI_SPLIT_VALIDATION, TUTTI_SPLIT_TRAIN, TUTTI_N_SPLITS } tutti_split;
extern const char *const tutti_split_names[TUTTI_N_SPLITS];

/** Collective, arguments equal on all ranks.  Loss and metric of a checkpoint's network.
 * @param[in] file    data set, all of its rows; NULL: the one it was trained with, and its limits
 * @param[in] metric  [32] receives the metric's name
 * @return ERR_CONFIG there is no such split */
TUTTI_NODISCARD
tutti_status tutti_evaluate_checkpoint(const tutti_comm *comm, const char *checkpoint, const char *file,
                                       tutti_split split, char metric[32], tutti_evaluation *result);

/** Collective, arguments equal on all ranks.  Outputs of a checkpoint's network for the rows of an array:
 * `predictions [n, n_out]` float32 and, for classifiers, `classes` int32, the decisions that its accuracy
 * counts, written by rank 0.  With categorical_crossentropy, or one output, `classes [n]` are class ids; with
 * several outputs that are labels of their own (binary_crossentropy, hinge) `classes [n, n_out]` are 0 or 1.
 * Where the classes' names are known, they are its attribute.
 * @param[in]  dataset    name of the array in `input`; NULL: the only one, or x_test
 * @param[out] n_samples  rows predicted
 * @return ERR_USAGE the output is the input or the checkpoint; what the rooms return */
TUTTI_NODISCARD
tutti_status tutti_predict_checkpoint(const tutti_comm *comm, const char *checkpoint, const char *input,
                                      const char *dataset, const char *output, int64_t *n_samples);
