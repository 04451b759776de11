#pragma once
/** The local model of a branch of a study.  Local. */
#include "fit/fit_impl.h"
#include "fit/local_impl.h"

/** A varied key that is a direction of the model: place = (scale of value - low) / width. */
typedef struct {
  int varied; // index of the varied key
  tutti_axis_scale scale;
  double low, width;
} tutti_local_key;

/** The local model of a branch with its keys. */
typedef struct tutti_local_study {
  tutti_local_key *keys; // [model.n_keys]
  tutti_local_model model;
} tutti_local_study;

/** Make the model from the medians over seeds of the settings of a branch.
 * @param[out] local  owned by the caller: tutti_fit_local_study_clear
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_fit_local_study_make(const tutti_trial_set *set, const tutti_trial_order *order,
                                        int branch, tutti_local_study *local);
void tutti_fit_local_study_clear(tutti_local_study *local); // Frees what it owns; zeroes it.

/** Fill the confirm columns of rows[model->n_sizes]: the fresh seeds of set->confirm, and how they agree with the model
 * (fresh_seeds.c). */
void tutti_fit_best_check(const tutti_trial_set *set, const tutti_local_model *model, tutti_best *rows);

/** Return the value of a key at a place. */
double tutti_fit_local_value(const tutti_local_key *key, double place);

/** Fit the minima of the sizes that have a model, weighted by their variances, with intervals from draws by their
 * covariance (local_fit.c).
 * @param[in]  batch  [model->n_sizes]
 * @param[out] draws  as tutti_fit_study
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_fit_local_fit(const tutti_local_model *model, const double *batch, uint64_t seed,
                                 int64_t n_draws, double *draws, tutti_fit *fit);
