/** Fits the bowls of a local model: least squares of log steps over the settings near the best, whose neighbourhood
 * moves with the fit.
 *
 * The normal equations A'A p = A'y have for each batch size its height and slopes, and for all together the terms of
 * the shape.  After each solution the centres move to the minima, and the settings for which the bowl itself rises by
 * at most RISE become the neighbourhood, until it does not change.  local.c calls this and makes the model of the
 * result. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "fit/local_bowls_impl.h"
#include "linalg/cholesky.h"

/** Size of the neighbourhood: the rise of log steps to its edge. */
static const double RISE = 0.85;

/** Most moves of the neighbourhood, and how many of them come first with a shape without skew. */
enum { MOST_MOVES = 12, PLAIN_MOVES = 2 };

tutti_status tutti_fit_local_bowls_create(const tutti_local_points *points, tutti_local_bowls *fit) {
  const int64_t sizes = points->n_sizes, keys = points->n_keys;
  const int64_t n = sizes * (1 + keys) + TUTTI_BOWL_TERMS; // parameters at most
  *fit = (tutti_local_bowls){.points = points};
  TUTTI_TRY(TUTTI_POOL_NEW(&fit->pool, fit->chosen, points->first[points->n_sizes]));
  TUTTI_TRY(TUTTI_POOL_NEW(&fit->pool, fit->centres, sizes * keys));
  TUTTI_TRY(TUTTI_POOL_NEW(&fit->pool, fit->steps, sizes * keys));
  TUTTI_TRY(TUTTI_POOL_NEW(&fit->pool, fit->bends, sizes * keys * keys));
  TUTTI_TRY(TUTTI_POOL_NEW(&fit->pool, fit->inside, sizes));
  TUTTI_TRY(TUTTI_POOL_NEW(&fit->pool, fit->columns, sizes));
  TUTTI_TRY(TUTTI_POOL_NEW(&fit->pool, fit->factor, n * n));
  TUTTI_TRY(TUTTI_POOL_NEW(&fit->pool, fit->values, n));
  return TUTTI_POOL_NEW(&fit->pool, fit->scratch, (1 + keys) * n);
}

/** Return how many settings a size needs: for its height and slopes, and one more for the noise. */
static int64_t least_settings(const tutti_local_bowls *fit) {
  return fit->points->n_keys + 2;
}

// --- least squares

/** Get the derivatives by the parameters at `from_centre`: by those of a size in own[1 + n_keys], by shared ones in
 * shared[n_terms]. */
static void terms_at(const tutti_local_bowls *fit, const double *from_centre, double *own, double *shared) {
  own[0] = 1;
  memcpy(own + 1, from_centre, (size_t)fit->points->n_keys * sizeof *own);
  tutti_fit_bowl_terms(&fit->bowl, from_centre, shared);
}

void tutti_fit_local_row_at(const tutti_local_bowls *fit, int size, const double *from_centre, double *row) {
  for (int p = 0; p < fit->n_parameters; p++) row[p] = 0;
  terms_at(fit, from_centre, row + fit->columns[size], row + fit->shape);
}

void tutti_fit_local_from_centre(const tutti_local_bowls *fit, int size, int64_t k, double *from_centre) {
  const int n = fit->points->n_keys;
  for (int a = 0; a < n; a++) from_centre[a] = fit->points->places[k * n + a] - fit->centres[size * n + a];
}

/** Add the products of a row with itself and with `log` to the normal equations.  The row is zero except in the columns
 * of its size and the shared ones. */
static void add_row(tutti_local_bowls *fit, int size, const double *row, double log) {
  const int n = fit->n_parameters, own = fit->columns[size], own_end = own + 1 + fit->points->n_keys;
  for (int p = own; p < n; p = p + 1 == own_end ? fit->shape : p + 1) {
    for (int q = own; q <= p; q = q + 1 == own_end ? fit->shape : q + 1)
      fit->factor[(int64_t)p * n + q] += row[p] * row[q];
    fit->values[p] += row[p] * log;
  }
}

/** Add the squared residuals of a size. */
static void add_squares(tutti_local_bowls *fit, int size) {
  double t[TUTTI_BOWL_KEYS];
  for (int64_t k = fit->points->first[size]; k < fit->points->first[size + 1]; k++) {
    if (!fit->chosen[k]) continue;
    tutti_fit_local_from_centre(fit, size, k, t);
    tutti_fit_local_row_at(fit, size, t, fit->scratch);
    double rest = fit->points->logs[k];
    for (int p = 0; p < fit->n_parameters; p++) rest -= fit->scratch[p] * fit->values[p];
    fit->squares += rest * rest;
    fit->n_chosen++;
  }
}

/** Number the parameters: those of each size with enough settings, then the shared ones. */
static void lay_out(tutti_local_bowls *fit) {
  fit->shape = 0;
  for (int i = 0; i < fit->points->n_sizes; i++) {
    const bool enough = fit->points->first[i + 1] - fit->points->first[i] >= least_settings(fit);
    fit->columns[i] = enough ? fit->shape : -1;
    if (enough) fit->shape += 1 + fit->points->n_keys;
  }
  fit->n_parameters = fit->shape + fit->bowl.n_terms;
}

/** Solve the normal equations.  @return false: the settings do not determine the parameters */
static bool solve(tutti_local_bowls *fit, bool skew) {
  double t[TUTTI_BOWL_KEYS];
  fit->bowl = tutti_fit_bowl_make(fit->points->n_keys, skew);
  lay_out(fit);
  memset(fit->factor, 0, (size_t)fit->n_parameters * (size_t)fit->n_parameters * sizeof *fit->factor);
  memset(fit->values, 0, (size_t)fit->n_parameters * sizeof *fit->values);
  for (int i = 0; i < fit->points->n_sizes; i++)
    for (int64_t k = fit->points->first[i]; k < fit->points->first[i + 1] && fit->columns[i] >= 0; k++) {
      if (!fit->chosen[k]) continue;
      tutti_fit_local_from_centre(fit, i, k, t);
      tutti_fit_local_row_at(fit, i, t, fit->scratch);
      add_row(fit, i, fit->scratch, fit->points->logs[k]);
    }
  if (!tutti_linalg_cholesky_factor(fit->n_parameters, TUTTI_CHOLESKY_LEAST_PART, fit->factor)) return false;
  tutti_linalg_cholesky_solve(fit->n_parameters, fit->factor, fit->values);
  fit->squares = 0;
  fit->n_chosen = 0;
  for (int i = 0; i < fit->points->n_sizes; i++)
    if (fit->columns[i] >= 0) add_squares(fit, i);
  return fit->n_chosen >= fit->n_parameters + TUTTI_LOCAL_LEAST_FREEDOM;
}

// --- the neighbourhood

/** Choose the settings of a size whose ranks are at most `most`, and if these are too few, the lowest of the others. */
static void choose(tutti_local_bowls *fit, int size, const double *ranks, double most) {
  const int64_t begin = fit->points->first[size], end = fit->points->first[size + 1];
  int64_t n = 0;
  for (int64_t k = begin; k < end; k++) n += fit->chosen[k] = ranks[k - begin] <= most;
  for (; n < least_settings(fit) && n < end - begin; n++) {
    int64_t next = -1;
    for (int64_t k = begin; k < end; k++)
      if (!fit->chosen[k] && (next < 0 || ranks[k - begin] < ranks[next - begin])) next = k;
    fit->chosen[next] = true;
  }
}

/** Start at the setting with the fewest steps, with the settings that take up to exp(rise) times as many. */
static void begin(tutti_local_bowls *fit, double rise) {
  const tutti_local_points *points = fit->points;
  for (int i = 0; i < points->n_sizes; i++) {
    int64_t least = points->first[i];
    for (int64_t k = least; k < points->first[i + 1]; k++)
      if (points->logs[k] < points->logs[least]) least = k;
    if (points->first[i] == points->first[i + 1]) continue;
    memcpy(fit->centres + i * points->n_keys, points->places + least * points->n_keys,
           (size_t)points->n_keys * sizeof *fit->centres);
    choose(fit, i, points->logs + points->first[i], points->logs[least] + rise);
  }
}

/** Get the range of the settings of a size that reached the goal, as seen from its centre. */
static void bounds_of(const tutti_local_bowls *fit, int size, double *low, double *high) {
  double t[TUTTI_BOWL_KEYS];
  for (int a = 0; a < fit->points->n_keys; a++) {
    low[a] = INFINITY;
    high[a] = -INFINITY;
  }
  for (int64_t k = fit->points->first[size]; k < fit->points->first[size + 1]; k++) {
    tutti_fit_local_from_centre(fit, size, k, t);
    for (int a = 0; a < fit->points->n_keys; a++) {
      low[a] = fmin(low[a], t[a]);
      high[a] = fmax(high[a], t[a]);
    }
  }
}

/** Find the minimum of each size.  @return false: the shape bends down somewhere */
static bool descend(tutti_local_bowls *fit) {
  const int n = fit->points->n_keys;
  double low[TUTTI_BOWL_KEYS], high[TUTTI_BOWL_KEYS];
  for (int i = 0; i < fit->points->n_sizes; i++) {
    if (fit->columns[i] < 0) continue;
    double *t = fit->steps + i * n;
    bounds_of(fit, i, low, high);
    for (int a = 0; a < n; a++) t[a] = 0;
    if (!tutti_fit_bowl_descend(&fit->bowl, fit->values + fit->columns[i] + 1, fit->values + fit->shape, low,
                                high, t, fit->bends + i * n * n, &fit->inside[i]))
      return false;
  }
  return true;
}

/** Return the rise of the shape from the minimum of a size to a setting, half z' H z with H = L L'. */
static double rise_to(const tutti_local_bowls *fit, int size, int64_t k) {
  const int n = fit->points->n_keys;
  const double *factor = fit->bends + size * n * n;
  double t[TUTTI_BOWL_KEYS], sum = 0;
  tutti_fit_local_from_centre(fit, size, k, t);
  for (int a = 0; a < n; a++) {
    double row = 0;
    for (int b = a; b < n; b++) row += factor[b * n + a] * t[b];
    sum += row * row;
  }
  return sum / 2;
}

/** Move the centres to the minima, and choose the settings around them.
 * @param[out] changed  other settings than before */
static tutti_status move(tutti_local_bowls *fit, bool *changed) {
  double *ranks = NULL;
  bool *before = NULL;
  tutti_status status = TUTTI_OK;
  const int64_t n = fit->points->first[fit->points->n_sizes];
  TUTTI_TRY_GOTO(done, TUTTI_NEW(ranks, n));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(before, n));
  memcpy(before, fit->chosen, (size_t)n * sizeof *before);
  for (int i = 0; i < fit->points->n_sizes; i++) {
    if (fit->columns[i] < 0) continue;
    const int64_t begin = fit->points->first[i], end = fit->points->first[i + 1];
    for (int a = 0; a < fit->points->n_keys; a++)
      fit->centres[i * fit->points->n_keys + a] += fit->steps[i * fit->points->n_keys + a];
    for (int64_t k = begin; k < end; k++) ranks[k - begin] = rise_to(fit, i, k);
    choose(fit, i, ranks, RISE);
  }
  *changed = memcmp(before, fit->chosen, (size_t)n * sizeof *before) != 0;
done:
  tutti_free(ranks);
  tutti_free(before);
  return status;
}

/** Fit and move until the neighbourhood does not change.
 * @param[out] made  false: the settings have no such shape */
static tutti_status settle(tutti_local_bowls *fit, double rise, bool skew, bool *made) {
  bool changed = true;
  begin(fit, rise);
  for (int i = 0; i < MOST_MOVES; i++) {
    const bool solved = solve(fit, skew && i >= PLAIN_MOVES);
    *made = solved && descend(fit);
    fit->flat = solved && !*made;
    if (!*made || (!changed && i > PLAIN_MOVES)) return TUTTI_OK;
    if (i + 1 < MOST_MOVES) TUTTI_TRY(move(fit, &changed));
  }
  return TUTTI_OK;
}

/** Neighbourhoods start near the best.  If only noise is seen there, they start wider; if the settings are too few for
 * a shape with skew, it has none. */
tutti_status tutti_fit_local_bowls_fit(tutti_local_bowls *fit, bool *made) {
  static const double rises[] = {1, 2, DBL_MAX};
  *made = false;
  for (int skew = 1; skew >= 0 && !*made; skew--)
    for (int i = 0; i < 3 && !*made; i++) TUTTI_TRY(settle(fit, rises[i], skew, made));
  return TUTTI_OK;
}
