#pragma once
/** What the curves of a study's trials have of one metric.  Local. */
#include "tutti/fit.h"

/** What is read of a row of a curve. */
typedef struct {
  int64_t step, epoch, samples;
  double seconds, value; // NAN: the curve has no such column, or there is none
  double epochs;         // done until then
} tutti_evaluation;

/** What a study's curves have of a metric. */
typedef struct {
  bool
      of_epochs; // a mean over the epoch's training samples, which counts when these are all; evaluations are of all
                 // samples whenever they are
  bool at_ends; // whichever epoch has rows, the last of them is at its end, or at that of the training
  bool drops;   // an epoch leaves samples out: not as many in each where the batch grows
} tutti_evaluation_kind;

/** The curve of a trial; no row where there is none.
 * @param[out] rows  [*n] the caller's (tutti_free), also where this fails; of_epochs: values of a part of an epoch are NAN
 * @return ERR_DATA, ERR_IO, ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_evaluations_read(const tutti_file *file, const tutti_trial_result *result,
                                    const char *metric, const tutti_evaluation_kind *kind,
                                    tutti_evaluation **rows, int64_t *n);

/** @return ERR_DATA, ERR_IO, ERR_CONFIG, ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_evaluations_find_kind(const tutti_file *file, const char *metric,
                                         tutti_evaluation_kind *kind);
