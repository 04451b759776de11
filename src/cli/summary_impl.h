#pragma once
/** Summaries for `tutti info`: one function for each kind of file.  All are local and print to standard output. */
#include "tutti/config.h"
#include "tutti/fit.h"
#include "tutti/io.h"

// --- configs, data sets, checkpoints, metrics (summary.c, summary_metrics.c) ---------------------

/** Print the resolved config and the table of its layers.
 * @param[in] overrides  [n] keys that override the file */
TUTTI_NODISCARD
tutti_status tutti_cli_print_config(const char *path, const tutti_override *overrides, int n);
TUTTI_NODISCARD
tutti_status tutti_cli_print_dataset(const tutti_file *file);
TUTTI_NODISCARD
tutti_status tutti_cli_print_checkpoint(const char *path);
TUTTI_NODISCARD
tutti_status tutti_cli_print_metrics(const tutti_file *file);

/** The product of all dimensions but the first: the numbers of one sample (show.c). */
int64_t tutti_cli_features_of(const tutti_array_shape *shape);

/** Draw the first n samples of array x, each with its label from array y (show.c).  Images, [N, rows, columns], and
 * square images of integers, [N, k*k], appear as grey levels, other samples as lists of numbers.
 * @return ERR_DATA as tutti_file_read_rows */
TUTTI_NODISCARD
tutti_status tutti_cli_print_samples(const tutti_file *file, const char *x, const char *y, int64_t n);

// --- studies (summary_study.c) -------------------------------------------------------------------

/** Whether it is the file of a study. */
bool tutti_cli_is_study(const tutti_file *file);

/** Print the best setting of each batch size, then the fit.  If the study has an own budget question or no goal, print
 * the best values at its budget, too.
 * @param[in] goal   judge the trials by this goal, see tutti_fit_trial_set_regoal; NULL: by the goal of the study
 * @param[in] asked  print only the best values at this budget, see tutti_fit_budget_table_create; a metric or budget
 * that it
 *                   lacks is the one of the study; NULL: do not
 * @return ERR_DATA, ERR_IO; ERR_USAGE the trials cannot be judged by this goal */
TUTTI_NODISCARD
tutti_status tutti_cli_print_study(const tutti_file *file, const tutti_goal *goal,
                                   const tutti_budget_question *asked);

// --- tables of a study (study_tables.c) ----------------------------------------------------------

/** Number of rows with a trial that is done. */
int tutti_cli_count_begun(const tutti_best_table *best);

/** Print the best setting of each batch size; rows without such a trial are counted, not printed. */
void tutti_cli_print_best(const tutti_trial_set *set, const tutti_best_table *best);

/** Print the fit, or a row for each branch.
 * @param[in] fits  [number of branches, at least 1] */
void tutti_cli_print_fits(const tutti_trial_set *set, const tutti_fit *fits);

/** Print the best values at a budget. */
void tutti_cli_print_budget(const tutti_trial_set *set, const tutti_budget_question *question,
                            const tutti_budget_table *table);
