#pragma once
/** A run: one training on the ranks of a communicator.  The words that trainings, their files and their callers share. */
#include "tutti/metrics.h"

/** Why a training ended: a numerical outcome, not a failure. */
typedef enum {
  TUTTI_STOP_BUDGET,   // the epochs, steps or samples are done
  TUTTI_STOP_GOAL,     // stop_at was reached
  TUTTI_STOP_PATIENCE, // the monitored value has not become better
  TUTTI_STOP_DIVERGED  // the loss is not finite
} tutti_stop;

enum { TUTTI_STOP_BYTES = 512 }; // of the sentence that says why a training ended

/** Loss and metric of a set of samples at fixed weights. */
typedef struct {
  int64_t samples; // 0: there is no such set, the rest means nothing
  double loss, metric;
} tutti_evaluation;

/** Called with a training's row at each evaluation, or at each epoch's end where no set is evaluated; and at the
 * training's end.  Its loss and metric are means over the epoch so far.
 * @param[in] layout  of a run's tables, so that its further columns are what optimizer.ema_momentum and run.measure ask
 *                    for; measured are the steps since the call before, see docs/reference.md
 * @param[in] more    [layout->n_more] their values; what is measured is known on rank 0 of the group, NaN elsewhere */
typedef void (*tutti_observer)(void *context, const tutti_metrics_layout *layout,
                               const tutti_metrics_row *row, const double *more);

typedef enum { TUTTI_SPLIT_TEST, TUTTI_SPLIT_VALIDATION, TUTTI_SPLIT_TRAIN, TUTTI_N_SPLITS } tutti_split;
extern const char *const tutti_split_names[TUTTI_N_SPLITS];

/** Which weights of a checkpoint: the network that it holds (the average in a best.h5 that an average made the best, else
 * the last weights), or the ones or the others. */
typedef enum { TUTTI_WEIGHTS_OF_FILE, TUTTI_WEIGHTS_LAST, TUTTI_WEIGHTS_AVERAGE } tutti_weights;
