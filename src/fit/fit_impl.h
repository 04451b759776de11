#pragma once
/** The fit without its text, for the many of a bootstrap.  Local. */
#include "fit/trial_set.h"

enum { TUTTI_FIT_LEAST_SIZES = 4 };

/** As tutti_fit_make, with squares that count by weights[n]; NULL: all alike. */
void tutti_fit_make_weighted(const double *batch, const double *steps, const double *weights, int n,
                             tutti_fit *fit);

/** The same for at least one batch size with steps; the numbers come out at the end of the range, too. */
tutti_fit_end tutti_fit_solve(const double *batch, const double *steps, const double *weights, int n,
                              double value[TUTTI_N_FIT_NUMBERS], double *residual);

/** The fit through the searched minima of /best, with percentiles of the bootstrap: each draw takes, within each batch
 * size, as many of its settings as there are, with replacement, and of each as many of its seeds; then the best setting
 * and the fit are made anew.  The search's luck is in the minima, so that these intervals hold the truth less often
 * than 95 %.  There is none, and no_interval says so, where more than 5 % of the draws leave fewer than 4 batch sizes
 * with steps.  Arguments as of tutti_fit_study.
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_fit_search(const tutti_trial_set *set, const tutti_best_table *best, int branch,
                              uint64_t seed, int64_t n_draws, double *draws, tutti_fit *fit);

/** Put the 95 % intervals of draws into `fit`.
 * @param[in,out] numbers  the first n of the room for n_draws numbers of each kind; sorted */
void tutti_fit_intervals(double *numbers, int64_t n, int64_t n_draws, tutti_fit *fit);

/** tutti_best.at_edge of the batch size with these trials[n], whose best setting has the trial `best`. */
int64_t tutti_best_edge(const tutti_trial_set *set, const int64_t *trials, int64_t n, int64_t best);

/** Where a fit is refused, say what the study lacks: which trials wait, which batch sizes did not reach the goal, whose
 * best lies at the end of a range. */
void tutti_fit_advise(const tutti_trial_set *set, const tutti_best_table *best, int branch, tutti_fit *fit);

/** How many of steps[n] are finite and above 0. */
int tutti_fit_count(const double *steps, int n);

// --- trial_set.c

/** Return the scale of varied key k in a branch; log if its values are a list. */
tutti_axis_scale tutti_trial_set_scale(const tutti_trial_set *set, int branch, int k);

/** Whether values of key k lie nearer to each other or further: not those of words, nor seeds. */
bool tutti_trial_set_has_scale(const tutti_trial_set *set, int k);

// --- median.c

/** Sort values[n], none of them NAN, from the least. */
void tutti_sort_reals(double *values, int64_t n);

/** Sort steps[n], those of the seeds of a setting, INFINITY where the goal was not reached.
 * @return their median, of an even number the upper of the two in the middle: finite where more than half of them are */
double tutti_median_of_seeds(double *steps, int64_t n);
