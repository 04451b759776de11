#pragma once
/** Evaluations at the average of the weights (optimizer.ema_momentum), which the optimizer keeps in a slot of its own.
 * Moving statistics of batch_norm are not averaged: these are the current ones. */
#include "run/run.h"

/** Local, while a run is built, after its optimizer.  Allocate the buffer for the whole average and add its columns to
 * the tables.  Nothing happens if no average is kept.  @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_measure_average_create(tutti_run *run);

/** Local.  Before the first step, set the average of the weights to the weights. */
void tutti_measure_average_begin(tutti_run *run);

/** Collective.  Loss and metric of a set at the averaged weights; samples 0 if no average is kept. */
TUTTI_NODISCARD
tutti_status tutti_measure_average_evaluate(const tutti_run *run, const tutti_samples *set,
                                            tutti_evaluation *result);
