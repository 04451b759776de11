#pragma once
/** Made-up trials. */
#include "tutti/fit.h"

/** A set of no trials with room for `n_most`, of these varied keys; to be cleared with tutti_fit_trial_set_clear. */
tutti_trial_set trials_begin(int64_t n_most, int n_varied, const char *const *names);

/** Key k is an index into these texts. */
void trials_choice(tutti_trial_set *set, int k, const char *const *texts, int n);

/** Add a trial; steps: to the goal where it was reached.  varied [n_varied] */
void trials_add(tutti_trial_set *set, int64_t batch_size, int64_t setting, tutti_trial_state state,
                double steps, const double *varied);
