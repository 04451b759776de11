#pragma once
/** One metric in the curves of a study.  Local. */
#include "tutti/fit.h"

/** One row of a curve. */
typedef struct {
  int64_t step, epoch, samples;
  double seconds, value; // value: NAN if the curve has no such column, or no value there
  double epochs;         // until then
} tutti_evaluation;

/** How the curves of a study have a metric. */
typedef struct {
  bool
      of_epochs; // a mean over the training samples of an epoch so far, which counts at the end of the epoch only
  bool at_ends; // the last row of each epoch that has rows is at its end, or at that of the training
  bool drops;   // epochs leave samples out, and not the same number in each if the batch grows
} tutti_evaluation_kind;

/** Read the curve of a trial.
 * @param[out] rows  [*n] the caller frees them (tutti_free), also after a failure; none if there is no curve; with
 * of_epochs, values within an epoch are NAN
 * @return ERR_DATA, ERR_IO, ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_fit_evaluations_read(const tutti_file *file, const tutti_trial_result *result,
                                        const char *metric, const tutti_evaluation_kind *kind,
                                        tutti_evaluation **rows, int64_t *n);

/** Find out how the curves of a study's file have a metric.  @return ERR_DATA, ERR_IO, ERR_CONFIG, ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_fit_evaluations_find_kind(const tutti_file *file, const char *metric,
                                             tutti_evaluation_kind *kind);
