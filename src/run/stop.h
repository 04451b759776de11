#pragma once
/** Whether a training is over.  Local; the same on all ranks.
 *
 * If the answer is yes, *stop and reason[TUTTI_STOP_BYTES] are set. */
#include "run/run.h"

/** The value of a column of a row, by the name of the column.
 * @return false: there is no such column, or it is NaN in this row */
bool tutti_run_value(const tutti_run *run, const tutti_metrics_row *row, const char *name, double *value);

/** The row that train.stop_at and train.monitor look at.  Means over the training samples count at the end of an epoch
 * only (`whole`), evaluations always, so it makes no difference how often rows are written. */
tutti_metrics_row tutti_run_row_for_goal(const tutti_metrics_row *row, bool whole);

/** train.stop_at.
 * @param[in] row  a tutti_run_row_for_goal */
bool tutti_run_goal_reached(const tutti_run *run, const tutti_metrics_row *row, tutti_stop *stop,
                            char *reason);

/** train.patience. */
bool tutti_run_out_of_patience(const tutti_run *run, tutti_stop *stop, char *reason);

/** train.epochs, train.steps or train.samples. */
bool tutti_run_budget_done(const tutti_run *run, tutti_stop *stop, char *reason);

/** Whether a run that resumes is over before its first step: any of the three, by its last row. */
bool tutti_run_is_over(const tutti_run *run, tutti_stop *stop, char *reason);
