#pragma once
/** `tutti info` of a study's file.  Local; prints to standard output. */
#include "tutti/config.h"
#include "tutti/fit.h"
#include "tutti/io.h"

/** Whether it is a study's file. */
bool tutti_is_study(const tutti_file *file);

/** A row a batch size, then the fit; where the study says so, or has no goal, also the best values at its budget.
 * @param[in] goal  judge the trials by it, see tutti_trial_set_regoal; NULL: by the study's own
 * @param[in] asked  tell the best values at this budget instead, see tutti_budget_table_create; without a metric or budget,
 *                   at the study's own; NULL: nothing is asked
 * @return ERR_DATA, ERR_IO; ERR_USAGE this goal cannot be judged */
TUTTI_NODISCARD
tutti_status tutti_summary_study(const tutti_file *file, const tutti_goal *goal,
                                 const tutti_budget_question *asked);
