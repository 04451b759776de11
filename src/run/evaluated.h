#pragma once
/** Evaluations besides that of the validation rows.  Each has two columns of its own in the tables, with a prefix:
 * "ema_val_loss" and "ema_val_accuracy", "train_loss" and "train_accuracy".  All functions are local. */
#include "run/run.h"

#define TUTTI_AVERAGE_PREFIX "ema_val_" // validation rows, at the average of the weights
#define TUTTI_TRAIN_PREFIX   "train_"   // train.train_rows of the training rows, at the current weights

/** Add the columns to the tables of a run that is being built.
 * @param[in] prefix   borrowed
 * @param[in] samples  size of the set that is evaluated
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_run_evaluated_create(tutti_run *run, const char *prefix, int64_t samples,
                                        tutti_run_evaluated *evaluated);

/** Set the columns of the next rows to evaluated->now; NaN if it was not evaluated. */
void tutti_run_evaluated_put_columns(tutti_run *run, const tutti_run_evaluated *evaluated);

/** Set evaluated->now from the columns of a record of the run's tables; NULL: it was not evaluated. */
void tutti_run_evaluated_get_columns(const tutti_metrics_row *record, tutti_run_evaluated *evaluated);

/** The value of the column `name`; NaN if it was not evaluated.  @return false: these are not its columns */
bool tutti_run_evaluated_value(const tutti_run *run, const tutti_run_evaluated *evaluated, const char *name,
                               double *value);

/** The same for an evaluation outside of a run, with the prefix of its columns and the name of its metric. */
bool tutti_run_evaluated_find(const char *prefix, const char *metric, const tutti_evaluation *now,
                              const char *name, double *value);
