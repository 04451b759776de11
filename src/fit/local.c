/** The local model of the steps near the best settings: heights, places and errors of the bowls of all batch sizes.
 *
 * The height of a minimum is, to first order, linear in the parameters, with the terms of the model at the minimum as
 * its gradient: its variance follows from the factor of the normal equations.  Second order corrects its bias.
 * local_branch.c calls this for each branch of a study; local_impl.h has the formulas. */
#include "fit/local_impl.h"

#include <math.h>

#include "fit/local_bowls_impl.h"
#include "linalg/cholesky.h"

_Static_assert(TUTTI_BOWL_KEYS == 8, "TUTTI_LOCAL_STATE_LIST has this number");

const char *const tutti_fit_local_state_names[TUTTI_N_LOCAL_STATES] = {
#define X(code, text) [TUTTI_LOCAL_##code] = text,
    TUTTI_LOCAL_STATE_LIST(X)
#undef X
};

static double dot(int n, const double *x, const double *y) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += x[i] * y[i];
  return sum;
}

/** Get the covariance of the slopes of a size at its minimum, [n_keys, n_keys]. */
static void slope_covariance(tutti_local_bowls *fit, int size, double variance, double *covariance) {
  const int n = fit->points->n_keys, p = fit->n_parameters;
  for (int a = 0; a < n; a++) {
    double *row = fit->scratch + (int64_t)(1 + a) * p;
    for (int q = 0; q < p; q++) row[q] = 0;
    row[fit->columns[size] + 1 + a] = 1;
    tutti_fit_bowl_slopes(&fit->bowl, fit->steps + size * n, a, row + fit->shape);
    tutti_linalg_cholesky_forward(p, fit->factor, row);
  }
  for (int i = 0; i < n * n; i++)
    covariance[i] =
        variance * dot(p, fit->scratch + (int64_t)(1 + i / n) * p, fit->scratch + (int64_t)(1 + i % n) * p);
}

/** Fill in the place of a size with its errors, and add the terms of second order. */
static void finish_size(tutti_local_bowls *fit, int size, tutti_local_model *model) {
  const int n = fit->points->n_keys;
  double slopes[TUTTI_BOWL_KEYS * TUTTI_BOWL_KEYS], trace = 0, trace2 = 0;
  const double *bend = fit->bends + size * n * n;
  slope_covariance(fit, size, model->noise * model->noise, slopes);
  // Columns of C H^-1, which as C and H are symmetric is the transpose of H V with V = H^-1 C H^-1.
  for (int a = 0; a < n; a++) tutti_linalg_cholesky_solve(n, bend, slopes + a * n);
  for (int a = 0; a < n; a++) {
    trace += slopes[a * n + a];
    for (int b = 0; b < n; b++) trace2 += slopes[a * n + b] * slopes[b * n + a];
  }
  model->logs[size] += trace / 2;
  model->covariance[(int64_t)size * (model->n_sizes + 1)] += trace2 / 2;
  for (int a = 0; a < n; a++) {
    double column[TUTTI_BOWL_KEYS];
    for (int b = 0; b < n; b++) column[b] = slopes[b * n + a];
    tutti_linalg_cholesky_solve(n, bend, column);
    model->errors[size * n + a] = sqrt(column[a]);
    model->places[size * n + a] = fit->centres[size * n + a] + fit->steps[size * n + a];
  }
}

/** Fill in heights and their covariance, to first order. */
static tutti_status finish_heights(tutti_local_bowls *fit, tutti_local_model *model) {
  const int p = fit->n_parameters, n = model->n_sizes, keys = fit->points->n_keys;
  double *rows = NULL;
  TUTTI_TRY(TUTTI_NEW(rows, (int64_t)n * p));
  for (int i = 0; i < n; i++) {
    if (model->states[i] != TUTTI_LOCAL_MADE) continue;
    double *row = rows + (int64_t)i * p;
    tutti_fit_local_row_at(fit, i, fit->steps + i * keys, row);
    model->logs[i] = dot(p, row, fit->values);
    tutti_linalg_cholesky_forward(p, fit->factor, row);
  }
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      model->covariance[(int64_t)i * n + j] =
          model->noise * model->noise * dot(p, rows + (int64_t)i * p, rows + (int64_t)j * p);
  tutti_free(rows);
  return TUTTI_OK;
}

/** Return 1 + the first key whose minimum is at an end of all that was tried; 0 if there is none. */
static int edge_of(const tutti_local_bowls *fit, int size) {
  const double close = 1e-6;
  const int n = fit->points->n_keys;
  for (int a = 0; a < n; a++) {
    const double place = fit->centres[size * n + a] + fit->steps[size * n + a];
    if (place < close || place > 1 - close) return a + 1;
  }
  return 0;
}

/** Fill in the steps of the model at the best setting, to first order, if it is near the minimum. */
static void finish_best(tutti_local_bowls *fit, int size, tutti_local_model *model) {
  const int64_t k = fit->points->best[size];
  const int p = fit->n_parameters;
  double t[TUTTI_BOWL_KEYS];
  if (k < 0 || !fit->chosen[k]) return;
  tutti_fit_local_from_centre(fit, size, k, t);
  tutti_fit_local_row_at(fit, size, t, fit->scratch);
  model->best_logs[size] = dot(p, fit->scratch, fit->values);
  tutti_linalg_cholesky_forward(p, fit->factor, fit->scratch);
  model->best_errors[size] = model->noise * sqrt(dot(p, fit->scratch, fit->scratch));
}

/** Fill the model from the fitted bowls: noise first, because all errors are in its units. */
static tutti_status finish(tutti_local_bowls *fit, tutti_local_model *model) {
  model->freedom = fit->n_chosen - fit->n_parameters;
  model->noise = sqrt(fit->squares / (double)model->freedom);
  for (int i = 0; i < model->n_sizes; i++) {
    if (fit->columns[i] < 0) continue;
    model->states[i] = fit->inside[i] ? TUTTI_LOCAL_MADE : TUTTI_LOCAL_EDGE;
    model->edges[i] = fit->inside[i] ? 0 : edge_of(fit, i);
    for (int64_t k = fit->points->first[i]; k < fit->points->first[i + 1] && fit->inside[i]; k++)
      model->used[i] += fit->chosen[k];
  }
  TUTTI_TRY(finish_heights(fit, model));
  for (int i = 0; i < model->n_sizes; i++) {
    if (model->states[i] != TUTTI_LOCAL_MADE) continue;
    finish_size(fit, i, model);
    if (fit->points->best) finish_best(fit, i, model);
  }
  return TUTTI_OK;
}

/** Return the state before a model is made: FEW if the keys allow one. */
static tutti_local_state state_of_keys(int n_keys) {
  if (n_keys < 1) return TUTTI_LOCAL_NONE;
  return n_keys > TUTTI_BOWL_KEYS ? TUTTI_LOCAL_MANY : TUTTI_LOCAL_FEW;
}

static tutti_status model_create(const tutti_local_points *points, tutti_local_model *model) {
  const int64_t n = points->n_sizes, keys = points->n_keys;
  *model = (tutti_local_model){.n_sizes = points->n_sizes, .n_keys = points->n_keys};
  TUTTI_TRY(TUTTI_POOL_NEW(&model->pool, model->states, n));
  TUTTI_TRY(TUTTI_POOL_NEW(&model->pool, model->logs, n));
  TUTTI_TRY(TUTTI_POOL_NEW(&model->pool, model->covariance, n * n));
  TUTTI_TRY(TUTTI_POOL_NEW(&model->pool, model->places, n * keys));
  TUTTI_TRY(TUTTI_POOL_NEW(&model->pool, model->errors, n * keys));
  TUTTI_TRY(TUTTI_POOL_NEW(&model->pool, model->best_logs, n));
  TUTTI_TRY(TUTTI_POOL_NEW(&model->pool, model->best_errors, n));
  TUTTI_TRY(TUTTI_POOL_NEW(&model->pool, model->used, n));
  TUTTI_TRY(TUTTI_POOL_NEW(&model->pool, model->edges, n));
  for (int64_t i = 0; i < n; i++) model->states[i] = state_of_keys(points->n_keys);
  for (int64_t i = 0; i < n; i++) model->logs[i] = model->best_logs[i] = model->best_errors[i] = NAN;
  for (int64_t i = 0; i < n * keys; i++) model->places[i] = model->errors[i] = NAN;
  return TUTTI_OK;
}

tutti_status tutti_fit_local_make(const tutti_local_points *points, tutti_local_model *model) {
  tutti_status status = TUTTI_OK;
  tutti_local_bowls fit = {0};
  bool made = false;
  TUTTI_TRY_GOTO(done, model_create(points, model));
  if (state_of_keys(points->n_keys) != TUTTI_LOCAL_FEW || points->first[points->n_sizes] == 0) goto done;
  TUTTI_TRY_GOTO(done, tutti_fit_local_bowls_create(points, &fit));
  TUTTI_TRY_GOTO(done, tutti_fit_local_bowls_fit(&fit, &made));
  if (made) TUTTI_TRY_GOTO(done, finish(&fit, model));
  for (int i = 0; i < model->n_sizes && fit.flat; i++)
    if (fit.columns[i] >= 0) model->states[i] = TUTTI_LOCAL_FLAT;
done:
  if (status != TUTTI_OK) tutti_fit_local_clear(model);
  tutti_pool_clear(&fit.pool);
  return status;
}

void tutti_fit_local_clear(tutti_local_model *model) {
  tutti_pool_clear(&model->pool);
  *model = (tutti_local_model){0};
}
