#pragma once
/** Whether a training is over.  Local; the same on all ranks.
 *
 * `reason` has room for TUTTI_STOP_BYTES.  It and *stop are set if the answer is yes. */
#include "run/run.h"

/** The value of a column of a row, by the name of the column; false if there is no such column or it is NaN in this row. */
bool tutti_run_value(const tutti_run *run, const tutti_metrics_row *row, const char *name, double *value);

/** The row that train.stop_at looks at.  Means over the training samples count at the end of an epoch only (`whole`),
 * evaluations always, so that it makes no difference how often rows are written. */
tutti_metrics_row tutti_stop_judged(const tutti_metrics_row *row, bool whole);

/** train.stop_at, by a row of tutti_stop_judged. */
bool tutti_stop_goal_reached(const tutti_run *run, const tutti_metrics_row *row, tutti_stop *stop,
                             char *reason);

bool tutti_stop_out_of_patience(const tutti_run *run, tutti_stop *stop, char *reason); // train.patience
bool tutti_stop_budget_done(const tutti_run *run, tutti_stop *stop,
                            char *reason); // train.epochs, steps or samples

/** Whether a run that resumes is over before its first step: any of the three, by its last row. */
bool tutti_run_is_over(const tutti_run *run, tutti_stop *stop, char *reason);
