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

typedef struct tutti_local_study {
  tutti_local_key *keys; // [model.n_keys]
  tutti_local_model model;
} tutti_local_study;

/** From the medians over seeds of the branch's settings.  The caller owns it: tutti_local_study_clear.
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_local_study_make(const tutti_trial_set *set, const tutti_trial_order *order, int branch,
                                    tutti_local_study *local);
void tutti_local_study_clear(tutti_local_study *local);

/** Put the fresh seeds of set->confirm into rows[model->n_sizes], and how they agree with the model. */
void tutti_best_check(const tutti_trial_set *set, const tutti_local_model *model, tutti_best *rows);

/** The value of a key at a place. */
double tutti_local_value(const tutti_local_key *key, double place);

/** Fit and intervals through the leasts of the sizes that have a model: weighted by their variances, and draws of
 * them by their covariance, with Student's distribution.
 * @param[in]  batch  [model->n_sizes]
 * @param[out] draws  as tutti_fit_study
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_local_fit(const tutti_local_model *model, const double *batch, uint64_t seed,
                             int64_t n_draws, double *draws, tutti_fit *fit);
