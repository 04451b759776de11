#pragma once
/** A run is one training on the ranks of a communicator.  This header has the types that trainings, their files and
 * their callers share. */
#include "tutti/metrics.h"

/** Why a training ended: a numerical outcome, not a failure. */
typedef enum {
  TUTTI_STOP_BUDGET,     // train.epochs, steps or samples are done
  TUTTI_STOP_GOAL,       // stop_at was reached
  TUTTI_STOP_PATIENCE,   // the monitored value has stopped improving
  TUTTI_STOP_DIVERGED,   // the loss is not finite
  TUTTI_STOP_INTERRUPTED // a signal, or the time of the job runs out: the training can continue later
} tutti_stop;

enum { TUTTI_STOP_BYTES = 768 }; // bytes of the sentence that tells why a training ended

/** Loss and metric of a set of samples at fixed weights. */
typedef struct {
  int64_t samples; // 0: there is no such set, and the rest is not set
  double loss, metric;
} tutti_evaluation;

/** A function that a training calls with a table row: at each evaluation, and at the end of the training.  If no set
 * is evaluated, it is called at the end of each epoch.
 * @param[in] context  given by the caller of the training
 * @param[in] layout   layout of the tables of a run; optimizer.ema_momentum and run.measure decide which further
 *                     columns it has
 * @param[in] row      its loss and its metric are means over the epoch so far
 * @param[in] more     [layout->n_more] values of the further columns.  Measurements are of the steps since the call
 *                     before (see docs/measurements.md).  They are known on rank 0 of the group, and NaN on other
 *                     ranks. */
typedef void (*tutti_observer)(void *context, const tutti_metrics_layout *layout,
                               const tutti_metrics_row *row, const double *more);

/** A set of samples of a data set. */
typedef enum { TUTTI_SPLIT_TEST, TUTTI_SPLIT_VALIDATION, TUTTI_SPLIT_TRAIN, TUTTI_N_SPLITS } tutti_split;
extern const char *const tutti_train_split_names[TUTTI_N_SPLITS];

/** The weights of a checkpoint.  LAST are the weights after the last step, and AVERAGE is the average of the
 * weights.  OF_FILE are the weights that the file stands for.  In most files these are the last weights.  In a
 * best.h5 that became the best because of its average, they are the average. */
typedef enum { TUTTI_WEIGHTS_OF_FILE, TUTTI_WEIGHTS_LAST, TUTTI_WEIGHTS_AVERAGE } tutti_weights;
