#pragma once
/** Evaluations beside that of the validation rows.  Each has two columns of its own in the tables, named by its prefix:
 * "ema_val_loss" and "ema_val_accuracy", "train_loss" and "train_accuracy".  Local. */
#include "run/run.h"

#define TUTTI_AVERAGE_PREFIX "ema_val_" // validation rows at the average of the weights
#define TUTTI_TRAIN_PREFIX   "train_"   // train.train_rows of the training rows, at the weights of the moment

/** While a run is built: its columns.
 * @param[in] prefix   borrowed
 * @param[in] samples  of the set
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_evaluated_create(tutti_run *run, const char *prefix, int64_t samples,
                                    tutti_evaluated *evaluated);

/** What the next rows have in its columns. */
void tutti_evaluated_tell(tutti_run *run, const tutti_evaluated *evaluated);

/** Its value as a record of the run's tables has it. */
void tutti_evaluated_recall(const tutti_metrics_row *record, tutti_evaluated *evaluated);

/** The value of the column `name`, NaN where it was not evaluated; false: no such column. */
bool tutti_evaluated_value(const tutti_run *run, const tutti_evaluated *evaluated, const char *name,
                           double *value);

/** The value of the column `name` among those with this prefix, for an evaluation of the metric; false: no such column. */
bool tutti_evaluated_find(const char *prefix, const char *metric, const tutti_evaluation *now,
                          const char *name, double *value);
