#pragma once
/** The average of the weights that the optimizer keeps beside them (optimizer.ema_momentum): its evaluations.  Moving
 * statistics of batch_norm are the present ones. */
#include "run/run.h"

/** Local, while a run is built, after its optimizer.  Room for the whole average and its columns of the tables; nothing
 * where none is kept.  @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_average_create(tutti_run *run);

/** Local.  Before the first step the average of the weights is the weights. */
void tutti_average_begin(tutti_run *run);

/** Collective.  Loss and metric of a set at the averaged weights; samples 0 where no average is kept. */
TUTTI_NODISCARD
tutti_status tutti_average_evaluate(const tutti_run *run, const tutti_samples *set, tutti_evaluation *result);

/** Local.  Whether `name` (NULL: none) is a column of the average. */
bool tutti_average_has(const tutti_run *run, const char *name);
