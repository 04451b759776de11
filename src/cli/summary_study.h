#pragma once
/** `tutti info` of a study's file.  Local; prints to standard output. */
#include "tutti/config.h"
#include "tutti/io.h"

/** Whether it is a study's file. */
bool tutti_is_study(const tutti_file *file);

/** A row a batch size, then the fit.
 * @param[in] goal  judge the trials by it, see tutti_trial_set_judge; NULL: by the study's own
 * @return ERR_DATA, ERR_IO; ERR_USAGE this goal cannot be judged */
TUTTI_NODISCARD
tutti_status tutti_summary_study(const tutti_file *file, const tutti_goal *goal);
