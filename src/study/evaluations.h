#pragma once
/** What the curves of a study's trials have of one metric.  Local. */
#include "study/store.h"
#include "tutti/fit.h"

/** What is read of a row of a curve. */
typedef struct {
  int64_t step, epoch, samples;
  double seconds, value; // NAN: the curve has no such column, or there is none
} tutti_evaluation;

/** The curve of a trial; no row where there is none.
 * @param[in]  of_epochs  as tutti_evaluations_are_of_epochs: values of a part of an epoch come out NAN
 * @param[out] rows       [*n] the caller's (tutti_free), also where this fails
 * @return ERR_DATA, ERR_IO, ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_evaluations_read(const tutti_file *file, const tutti_trial_result *result,
                                    const char *metric, bool of_epochs, tutti_evaluation **rows, int64_t *n);

/** Whether the metric is a mean over the epoch's training samples, which counts when these are all; evaluations are of
 * all samples whenever they are.  @return ERR_DATA, ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_evaluations_are_of_epochs(const tutti_file *file, const char *metric, bool *of_epochs);
