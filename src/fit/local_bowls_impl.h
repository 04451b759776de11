#pragma once
/** The least squares behind a local model.  Local. */
#include "fit/bowl_impl.h"
#include "fit/local_impl.h"

/** The bowls while they are fitted. */
typedef struct {
  const tutti_local_points *points;
  tutti_pool pool; // owns the arrays
  tutti_bowl bowl;
  bool *chosen;            // [n] settings in the neighbourhood
  double *centres;         // [n_sizes, n_keys]
  double *steps;           // [n_sizes, n_keys] from the centre to the least
  double *bends;           // [n_sizes, n_keys, n_keys] Cholesky factors at the least
  bool *inside;            // [n_sizes]
  int *columns;            // [n_sizes] the first parameter of each, its height; -1: it takes no part
  int n_parameters, shape; // ... the first of the shape
  double *factor;          // [n_parameters, n_parameters] of the normal equations
  double *values;          // [n_parameters]
  double *scratch;         // [(1 + n_keys) * n_parameters]
  double squares;          // of the residuals
  int64_t n_chosen;
  bool flat; // the last shape bends down somewhere
} tutti_local_bowls;

/** Allocate the arrays.
 * @param[in]  points  borrowed while `fit` lives
 * @param[out] fit     the caller clears its pool, also after a failure
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_fit_local_bowls_create(const tutti_local_points *points, tutti_local_bowls *fit);

/** Fit the bowls and move their neighbourhoods until these do not change.
 * @param[out] made  false: the settings have no such shape
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_fit_local_bowls_fit(tutti_local_bowls *fit, bool *made);

/** Get the place of setting k of a batch size as seen from its centre.
 * @param[out] from_centre  [n_keys] */
void tutti_fit_local_from_centre(const tutti_local_bowls *fit, int size, int64_t k, double *from_centre);

/** Get the row of the least squares for a place: the derivatives of log steps there by all parameters.
 * @param[in]  from_centre  [n_keys]
 * @param[out] row          [n_parameters] */
void tutti_fit_local_row_at(const tutti_local_bowls *fit, int size, const double *from_centre, double *row);
