#pragma once
/** A run: one training on the ranks of a communicator.  These are the types that trainings, their files and their callers share. */
#include "tutti/metrics.h"

/** Why a training ended: a numerical outcome, not a failure. */
typedef enum {
  TUTTI_STOP_BUDGET,   // train.epochs, steps or samples are done
  TUTTI_STOP_GOAL,     // stop_at was reached
  TUTTI_STOP_PATIENCE, // the monitored value has stopped improving
  TUTTI_STOP_DIVERGED  // the loss is not finite
} tutti_stop;

enum { TUTTI_STOP_BYTES = 512 }; // size of the sentence that says why a training ended

/** Loss and metric of a set of samples at fixed weights. */
typedef struct {
  int64_t samples; // 0: there is no such set, and the rest is not set
  double loss, metric;
} tutti_evaluation;

/** Called with the row of each evaluation, or of each end of an epoch if no set is evaluated; and at the end of the training.
 * @param[in] context  of the caller
 * @param[in] layout   of the tables: its further columns are those of optimizer.ema_momentum and run.measure
 * @param[in] row      loss and metric are means over the epoch so far
 * @param[in] more     [layout->n_more] further values.  Measurements are those since the call before, see
 *                     docs/measurements.md; they are known on rank 0 of the group, NaN elsewhere */
typedef void (*tutti_observer)(void *context, const tutti_metrics_layout *layout,
                               const tutti_metrics_row *row, const double *more);

typedef enum { TUTTI_SPLIT_TEST, TUTTI_SPLIT_VALIDATION, TUTTI_SPLIT_TRAIN, TUTTI_N_SPLITS } tutti_split;
extern const char *const tutti_train_split_names[TUTTI_N_SPLITS];

/** The weights of a checkpoint: those that the file stands for (in a best.h5 that was the best by an average this average,
 * else the last weights), the last weights, or their average. */
typedef enum { TUTTI_WEIGHTS_OF_FILE, TUTTI_WEIGHTS_LAST, TUTTI_WEIGHTS_AVERAGE } tutti_weights;
