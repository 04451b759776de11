#pragma once
/** Shared by the files of this room: fits without text, branches, edges and medians.  Local. */
#include "fit/trial_set.h"

// --- fit.c ---------------------------------------------------------------------------------------

enum { TUTTI_FIT_LEAST_SIZES = 4 };

/** Fit as tutti_fit_make with weighted squares.
 * @param[in] weights  [n] NULL: all equal */
void tutti_fit_make_weighted(const double *batch, const double *steps, const double *weights, int n,
                             tutti_fit *fit);

/** Fit at least one batch size with steps, also if B_crit reaches an end of its range.  Arguments as above.
 * @param[out] residual  root mean square of log S - log fit
 * @return where B_crit lies in the range */
tutti_fit_end tutti_fit_solve(const double *batch, const double *steps, const double *weights, int n,
                              double value[TUTTI_N_FIT_NUMBERS], double *residual);

// --- bootstrap.c ---------------------------------------------------------------------------------

/** Fit the best steps of /best, with percentiles of a bootstrap over settings and seeds.  These intervals hold the
 * truth in fewer than 95 % of studies, because the luck of the search is in the best steps.  There is no interval, and
 * no_interval says so, if more than 5 % of the draws leave fewer than 4 batch sizes with steps.  Arguments as of
 * tutti_fit_study.
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_fit_search(const tutti_trial_set *set, const tutti_best_table *best, int branch,
                              uint64_t seed, int64_t n_draws, double *draws, tutti_fit *fit);

/** Put the 95 % intervals of draws into `fit` (fit.c).
 * @param[in,out] numbers  [TUTTI_N_FIT_NUMBERS, n_draws] of which the first n of each row count; these come out
 * sorted */
void tutti_fit_intervals(double *numbers, int64_t n, int64_t n_draws, tutti_fit *fit);

// --- edge.c --------------------------------------------------------------------------------------

/** Return tutti_best.at_edge of a batch size.
 * @param[in] trials  [n] indices of its trials
 * @param[in] best    index of a trial of its best setting */
int64_t tutti_fit_best_edge(const tutti_trial_set *set, const int64_t *trials, int64_t n, int64_t best);

// --- advice.c ------------------------------------------------------------------------------------

/** The reason of a fit whose B_crit is at the high end; the format takes an addition to the fact. */
#define TUTTI_FIT_ALL_PERFECT                                                                                \
  "all batch sizes are in perfect scaling%s, so that the fewest steps are not determined"

/** Add to the reason of a refused fit what to change in the study.  Does nothing if there is a fit. */
void tutti_fit_advise(const tutti_trial_set *set, const tutti_best_table *best, int branch, tutti_fit *fit);

/** Return how many of steps[n] are finite and above 0 (fit.c). */
int tutti_fit_count(const double *steps, int n);

// --- trial_set.c ---------------------------------------------------------------------------------

/** Return whether the values of key k have distances.  Texts and seeds do not. */
bool tutti_fit_trial_set_has_scale(const tutti_trial_set *set, int k);

// --- median.c ------------------------------------------------------------------------------------

/** Sort values[n] in ascending order.  None of them is NAN. */
void tutti_fit_sort_reals(double *values, int64_t n);

/** Sort the steps of the seeds of a setting and return their median; for an even number the upper one in the middle.
 * @param[in,out] steps  [n] INFINITY for a seed that did not reach the goal
 * @return finite if more than half of the steps are */
double tutti_fit_median_of_seeds(double *steps, int64_t n);
