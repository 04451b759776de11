#include "fit/local_impl.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "fit/bowl_impl.h"
#include "linalg/cholesky.h"

_Static_assert(TUTTI_BOWL_KEYS == 8, "TUTTI_LOCAL_STATE_LIST tells of so many");

const char *const tutti_local_state_names[TUTTI_N_LOCAL_STATES] = {
#define X(code, text) [TUTTI_LOCAL_##code] = text,
    TUTTI_LOCAL_STATE_LIST(X)
#undef X
};

/** The neighbourhood: by so much log steps rise to its end. */
static const double RISE = 0.85;

/** How often the neighbourhood is moved to the least at most, and the first moves, in which the shape has no skew. */
enum { MOST_MOVES = 12, PLAIN_MOVES = 2 };

double tutti_student(double z, int64_t freedom) {
  const double middle = erf(z / sqrt(2)); // the probability between -z and z
  if (freedom == 1) return tan(asin(1) * middle);
  if (freedom == 2) return middle * sqrt(2 / (erfc(z / sqrt(2)) * (1 + middle)));
  const double z2 = z * z, n = (double)freedom;
  const double g1 = (z2 + 1) / 4, g2 = ((5 * z2 + 16) * z2 + 3) / 96,
               g3 = (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384,
               g4 = ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / 92160;
  return z * (1 + (g1 + (g2 + (g3 + g4 / n) / n) / n) / n);
}

double tutti_student_95(int64_t freedom) {
  return tutti_student(1.959963984540054, freedom);
}

/** A fit under way; owned. */
typedef struct {
  const tutti_local_points *points;
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
} work;

static int64_t n_points(const tutti_local_points *points) {
  return points->first[points->n_sizes];
}

static int most_parameters(const tutti_local_points *points) {
  return points->n_sizes * (1 + points->n_keys) + TUTTI_BOWL_TERMS;
}

static tutti_status work_create(const tutti_local_points *points, work *w) {
  const int64_t n = most_parameters(points), sizes = points->n_sizes, keys = points->n_keys;
  *w = (work){.points = points};
  TUTTI_TRY(TUTTI_NEW(w->chosen, n_points(points)));
  TUTTI_TRY(TUTTI_NEW(w->centres, sizes * keys));
  TUTTI_TRY(TUTTI_NEW(w->steps, sizes * keys));
  TUTTI_TRY(TUTTI_NEW(w->bends, sizes * keys * keys));
  TUTTI_TRY(TUTTI_NEW(w->inside, sizes));
  TUTTI_TRY(TUTTI_NEW(w->columns, sizes));
  TUTTI_TRY(TUTTI_NEW(w->factor, n * n));
  TUTTI_TRY(TUTTI_NEW(w->values, n));
  TUTTI_TRY(TUTTI_NEW(w->scratch, (1 + keys) * n));
  return TUTTI_OK;
}

static void work_clear(work *w) {
  tutti_free(w->chosen);
  tutti_free(w->centres);
  tutti_free(w->steps);
  tutti_free(w->bends);
  tutti_free(w->inside);
  tutti_free(w->columns);
  tutti_free(w->factor);
  tutti_free(w->values);
  tutti_free(w->scratch);
}

/** Settings that a size needs: its own height and slopes, and one more that tells something of the noise. */
static int64_t least_settings(const work *w) {
  return w->points->n_keys + 2;
}

// --- least squares

/** The terms of the parameters for size i at `from_centre`: own ones to own[1 + n_keys], shared ones to shared. */
static void terms_at(const work *w, const double *from_centre, double *own, double *shared) {
  own[0] = 1;
  memcpy(own + 1, from_centre, (size_t)w->points->n_keys * sizeof *own);
  tutti_bowl_terms(&w->bowl, from_centre, shared);
}

/** row[n_parameters], with zeros. */
static void row_at(const work *w, int size, const double *from_centre, double *row) {
  for (int p = 0; p < w->n_parameters; p++) row[p] = 0;
  terms_at(w, from_centre, row + w->columns[size], row + w->shape);
}

static void from_centre_of(const work *w, int size, int64_t k, double *from_centre) {
  const int n = w->points->n_keys;
  for (int a = 0; a < n; a++) from_centre[a] = w->points->places[k * n + a] - w->centres[size * n + a];
}

/** Add the products of a row with itself and with `log` to the normal equations; it is zero but for the size's own
 * columns and the shared ones. */
static void add_row(work *w, int size, const double *row, double log) {
  const int n = w->n_parameters, own = w->columns[size], own_end = own + 1 + w->points->n_keys;
  for (int p = own; p < n; p = p + 1 == own_end ? w->shape : p + 1) {
    for (int q = own; q <= p; q = q + 1 == own_end ? w->shape : q + 1)
      w->factor[(int64_t)p * n + q] += row[p] * row[q];
    w->values[p] += row[p] * log;
  }
}

static void add_squares(work *w, int size) {
  double t[TUTTI_BOWL_KEYS];
  for (int64_t k = w->points->first[size]; k < w->points->first[size + 1]; k++) {
    if (!w->chosen[k]) continue;
    from_centre_of(w, size, k, t);
    row_at(w, size, t, w->scratch);
    double rest = w->points->logs[k];
    for (int p = 0; p < w->n_parameters; p++) rest -= w->scratch[p] * w->values[p];
    w->squares += rest * rest;
    w->n_chosen++;
  }
}

static void lay_out(work *w) {
  w->shape = 0;
  for (int i = 0; i < w->points->n_sizes; i++) {
    const bool enough = w->points->first[i + 1] - w->points->first[i] >= least_settings(w);
    w->columns[i] = enough ? w->shape : -1;
    if (enough) w->shape += 1 + w->points->n_keys;
  }
  w->n_parameters = w->shape + w->bowl.n_terms;
}

/** @return false: the settings do not determine the parameters */
static bool solve(work *w, bool skew) {
  double t[TUTTI_BOWL_KEYS];
  w->bowl = tutti_bowl_make(w->points->n_keys, skew);
  lay_out(w);
  memset(w->factor, 0, (size_t)w->n_parameters * (size_t)w->n_parameters * sizeof *w->factor);
  memset(w->values, 0, (size_t)w->n_parameters * sizeof *w->values);
  for (int i = 0; i < w->points->n_sizes; i++)
    for (int64_t k = w->points->first[i]; k < w->points->first[i + 1] && w->columns[i] >= 0; k++) {
      if (!w->chosen[k]) continue;
      from_centre_of(w, i, k, t);
      row_at(w, i, t, w->scratch);
      add_row(w, i, w->scratch, w->points->logs[k]);
    }
  if (!tutti_cholesky_factor(w->n_parameters, w->factor)) return false;
  tutti_cholesky_solve(w->n_parameters, w->factor, w->values);
  w->squares = 0;
  w->n_chosen = 0;
  for (int i = 0; i < w->points->n_sizes; i++)
    if (w->columns[i] >= 0) add_squares(w, i);
  return w->n_chosen >= w->n_parameters + TUTTI_LOCAL_LEAST_FREEDOM;
}

// --- the neighbourhood

/** Choose the settings of a size whose `ranks` are at most `most`, and the least of the others where these are too few. */
static void choose(work *w, int size, const double *ranks, double most) {
  const int64_t begin = w->points->first[size], end = w->points->first[size + 1];
  int64_t n = 0;
  for (int64_t k = begin; k < end; k++) n += w->chosen[k] = ranks[k - begin] <= most;
  for (; n < least_settings(w) && n < end - begin; n++) {
    int64_t next = -1;
    for (int64_t k = begin; k < end; k++)
      if (!w->chosen[k] && (next < 0 || ranks[k - begin] < ranks[next - begin])) next = k;
    w->chosen[next] = true;
  }
}

/** Begin at the setting of the fewest steps, with those that take up to exp(rise) times as many. */
static void begin(work *w, double rise) {
  const tutti_local_points *points = w->points;
  for (int i = 0; i < points->n_sizes; i++) {
    int64_t least = points->first[i];
    for (int64_t k = least; k < points->first[i + 1]; k++)
      if (points->logs[k] < points->logs[least]) least = k;
    if (points->first[i] == points->first[i + 1]) continue;
    memcpy(w->centres + i * points->n_keys, points->places + least * points->n_keys,
           (size_t)points->n_keys * sizeof *w->centres);
    choose(w, i, points->logs + points->first[i], points->logs[least] + rise);
  }
}

/** Between the settings of a size that reached the goal, as seen from its centre. */
static void bounds_of(const work *w, int size, double *low, double *high) {
  double t[TUTTI_BOWL_KEYS];
  for (int a = 0; a < w->points->n_keys; a++) {
    low[a] = INFINITY;
    high[a] = -INFINITY;
  }
  for (int64_t k = w->points->first[size]; k < w->points->first[size + 1]; k++) {
    from_centre_of(w, size, k, t);
    for (int a = 0; a < w->points->n_keys; a++) {
      low[a] = fmin(low[a], t[a]);
      high[a] = fmax(high[a], t[a]);
    }
  }
}

/** Find the least of each size.  @return false: the shape bends down somewhere */
static bool descend(work *w) {
  const int n = w->points->n_keys;
  double low[TUTTI_BOWL_KEYS], high[TUTTI_BOWL_KEYS];
  for (int i = 0; i < w->points->n_sizes; i++) {
    if (w->columns[i] < 0) continue;
    double *t = w->steps + i * n;
    bounds_of(w, i, low, high);
    for (int a = 0; a < n; a++) t[a] = 0;
    if (!tutti_bowl_descend(&w->bowl, w->values + w->columns[i] + 1, w->values + w->shape, low, high, t,
                            w->bends + i * n * n, &w->inside[i]))
      return false;
  }
  return true;
}

/** How far the shape rises from the least of a size to a setting, half z' H z with H = L L'. */
static double rise_to(const work *w, int size, int64_t k) {
  const int n = w->points->n_keys;
  const double *factor = w->bends + size * n * n;
  double t[TUTTI_BOWL_KEYS], sum = 0;
  from_centre_of(w, size, k, t);
  for (int a = 0; a < n; a++) {
    double row = 0;
    for (int b = a; b < n; b++) row += factor[b * n + a] * t[b];
    sum += row * row;
  }
  return sum / 2;
}

/** Put the centres to the leasts, and choose the settings about them.  @return whether other settings are chosen */
static tutti_status move(work *w, bool *changed) {
  double *ranks = NULL;
  bool *before = NULL;
  tutti_status status = TUTTI_OK;
  const int64_t n = n_points(w->points);
  TUTTI_TRY_GOTO(done, TUTTI_NEW(ranks, n));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(before, n));
  memcpy(before, w->chosen, (size_t)n * sizeof *before);
  for (int i = 0; i < w->points->n_sizes; i++) {
    if (w->columns[i] < 0) continue;
    const int64_t begin = w->points->first[i], end = w->points->first[i + 1];
    for (int a = 0; a < w->points->n_keys; a++)
      w->centres[i * w->points->n_keys + a] += w->steps[i * w->points->n_keys + a];
    for (int64_t k = begin; k < end; k++) ranks[k - begin] = rise_to(w, i, k);
    choose(w, i, ranks, RISE);
  }
  *changed = memcmp(before, w->chosen, (size_t)n * sizeof *before) != 0;
done:
  tutti_free(ranks);
  tutti_free(before);
  return status;
}

/** @param[out] made  false: the settings have no such shape */
static tutti_status settle(work *w, double rise, bool skew, bool *made) {
  bool changed = true;
  begin(w, rise);
  for (int i = 0; i < MOST_MOVES; i++) {
    const bool solved = solve(w, skew && i >= PLAIN_MOVES);
    *made = solved && descend(w);
    w->flat = solved && !*made;
    if (!*made || (!changed && i > PLAIN_MOVES)) return TUTTI_OK;
    if (i + 1 < MOST_MOVES) TUTTI_TRY(move(w, &changed));
  }
  return TUTTI_OK;
}

// --- what comes out

static double dot(int n, const double *x, const double *y) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += x[i] * y[i];
  return sum;
}

/** Covariance of the slopes of size i at its least, [n_keys, n_keys]. */
static void slope_covariance(work *w, int size, double variance, double *covariance) {
  const int n = w->points->n_keys, p = w->n_parameters;
  for (int a = 0; a < n; a++) {
    double *row = w->scratch + (int64_t)(1 + a) * p;
    for (int q = 0; q < p; q++) row[q] = 0;
    row[w->columns[size] + 1 + a] = 1;
    tutti_bowl_slopes(&w->bowl, w->steps + size * n, a, row + w->shape);
    tutti_cholesky_forward(p, w->factor, row);
  }
  for (int i = 0; i < n * n; i++)
    covariance[i] =
        variance * dot(p, w->scratch + (int64_t)(1 + i / n) * p, w->scratch + (int64_t)(1 + i % n) * p);
}

/** Place, its errors and the terms of second order of a size. */
static void finish_size(work *w, int size, tutti_local_model *model) {
  const int n = w->points->n_keys;
  double slopes[TUTTI_BOWL_KEYS * TUTTI_BOWL_KEYS], trace = 0, trace2 = 0;
  const double *bend = w->bends + size * n * n;
  slope_covariance(w, size, model->noise * model->noise, slopes);
  // Columns of C H^-1, which as C and H are symmetric is the transpose of H V with V = H^-1 C H^-1.
  for (int a = 0; a < n; a++) tutti_cholesky_solve(n, bend, slopes + a * n);
  for (int a = 0; a < n; a++) {
    trace += slopes[a * n + a];
    for (int b = 0; b < n; b++) trace2 += slopes[a * n + b] * slopes[b * n + a];
  }
  model->logs[size] += trace / 2;
  model->covariance[(int64_t)size * (model->n_sizes + 1)] += trace2 / 2;
  for (int a = 0; a < n; a++) {
    double column[TUTTI_BOWL_KEYS];
    for (int b = 0; b < n; b++) column[b] = slopes[b * n + a];
    tutti_cholesky_solve(n, bend, column);
    model->errors[size * n + a] = sqrt(column[a]);
    model->places[size * n + a] = w->centres[size * n + a] + w->steps[size * n + a];
  }
}

/** Heights and their covariance, to first order. */
static tutti_status finish_heights(work *w, tutti_local_model *model) {
  const int p = w->n_parameters, n = model->n_sizes, keys = w->points->n_keys;
  double *rows = NULL;
  TUTTI_TRY(TUTTI_NEW(rows, (int64_t)n * p));
  for (int i = 0; i < n; i++) {
    if (model->states[i] != TUTTI_LOCAL_MADE) continue;
    double *row = rows + (int64_t)i * p;
    row_at(w, i, w->steps + i * keys, row);
    model->logs[i] = dot(p, row, w->values);
    tutti_cholesky_forward(p, w->factor, row);
  }
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      model->covariance[(int64_t)i * n + j] =
          model->noise * model->noise * dot(p, rows + (int64_t)i * p, rows + (int64_t)j * p);
  tutti_free(rows);
  return TUTTI_OK;
}

/** 1 + the first key at an end of all that was tried; 0: there is none. */
static int edge_of(const work *w, int size) {
  const double close = 1e-6;
  const int n = w->points->n_keys;
  for (int a = 0; a < n; a++) {
    const double place = w->centres[size * n + a] + w->steps[size * n + a];
    if (place < close || place > 1 - close) return a + 1;
  }
  return 0;
}

/** What the model says of a setting, to first order; of one far from the least nothing. */
static void finish_best(work *w, int size, tutti_local_model *model) {
  const int64_t k = w->points->best[size];
  const int p = w->n_parameters;
  double t[TUTTI_BOWL_KEYS];
  if (k < 0 || !w->chosen[k]) return;
  from_centre_of(w, size, k, t);
  row_at(w, size, t, w->scratch);
  model->best_logs[size] = dot(p, w->scratch, w->values);
  tutti_cholesky_forward(p, w->factor, w->scratch);
  model->best_errors[size] = model->noise * sqrt(dot(p, w->scratch, w->scratch));
}

static tutti_status finish(work *w, tutti_local_model *model) {
  model->freedom = w->n_chosen - w->n_parameters;
  model->noise = sqrt(w->squares / (double)model->freedom);
  for (int i = 0; i < model->n_sizes; i++) {
    if (w->columns[i] < 0) continue;
    model->states[i] = w->inside[i] ? TUTTI_LOCAL_MADE : TUTTI_LOCAL_EDGE;
    model->edges[i] = w->inside[i] ? 0 : edge_of(w, i);
    for (int64_t k = w->points->first[i]; k < w->points->first[i + 1] && w->inside[i]; k++)
      model->used[i] += w->chosen[k];
  }
  TUTTI_TRY(finish_heights(w, model));
  for (int i = 0; i < model->n_sizes; i++) {
    if (model->states[i] != TUTTI_LOCAL_MADE) continue;
    finish_size(w, i, model);
    if (w->points->best) finish_best(w, i, model);
  }
  return TUTTI_OK;
}

/** FEW until a model is made, where the keys are such that one can be. */
static tutti_local_state state_of_keys(int n_keys) {
  if (n_keys < 1) return TUTTI_LOCAL_NONE;
  return n_keys > TUTTI_BOWL_KEYS ? TUTTI_LOCAL_MANY : TUTTI_LOCAL_FEW;
}

static tutti_status model_create(const tutti_local_points *points, tutti_local_model *model) {
  const int64_t n = points->n_sizes, keys = points->n_keys;
  *model = (tutti_local_model){.n_sizes = points->n_sizes, .n_keys = points->n_keys};
  TUTTI_TRY(TUTTI_NEW(model->states, n));
  TUTTI_TRY(TUTTI_NEW(model->logs, n));
  TUTTI_TRY(TUTTI_NEW(model->covariance, n * n));
  TUTTI_TRY(TUTTI_NEW(model->places, n * keys));
  TUTTI_TRY(TUTTI_NEW(model->errors, n * keys));
  TUTTI_TRY(TUTTI_NEW(model->best_logs, n));
  TUTTI_TRY(TUTTI_NEW(model->best_errors, n));
  TUTTI_TRY(TUTTI_NEW(model->used, n));
  TUTTI_TRY(TUTTI_NEW(model->edges, n));
  for (int64_t i = 0; i < n; i++) model->states[i] = state_of_keys(points->n_keys);
  for (int64_t i = 0; i < n; i++) model->logs[i] = model->best_logs[i] = model->best_errors[i] = NAN;
  for (int64_t i = 0; i < n * keys; i++) model->places[i] = model->errors[i] = NAN;
  return TUTTI_OK;
}

/** From near the best first; from further off where noise alone is seen there; a shape without skew where the settings
 * are too few for one. */
static tutti_status try_all(work *w, bool *made) {
  static const double rises[] = {1, 2, DBL_MAX};
  *made = false;
  for (int skew = 1; skew >= 0 && !*made; skew--)
    for (int i = 0; i < 3 && !*made; i++) TUTTI_TRY(settle(w, rises[i], skew, made));
  return TUTTI_OK;
}

tutti_status tutti_local_make(const tutti_local_points *points, tutti_local_model *model) {
  tutti_status status = TUTTI_OK;
  work w = {0};
  bool made = false;
  TUTTI_TRY_GOTO(done, model_create(points, model));
  if (state_of_keys(points->n_keys) != TUTTI_LOCAL_FEW || n_points(points) == 0) goto done;
  TUTTI_TRY_GOTO(done, work_create(points, &w));
  TUTTI_TRY_GOTO(done, try_all(&w, &made));
  if (made) TUTTI_TRY_GOTO(done, finish(&w, model));
  for (int i = 0; i < model->n_sizes && w.flat; i++)
    if (w.columns[i] >= 0) model->states[i] = TUTTI_LOCAL_FLAT;
done:
  if (status != TUTTI_OK) tutti_local_clear(model);
  work_clear(&w);
  return status;
}

void tutti_local_clear(tutti_local_model *model) {
  tutti_free(model->states);
  tutti_free(model->logs);
  tutti_free(model->covariance);
  tutti_free(model->places);
  tutti_free(model->errors);
  tutti_free(model->best_logs);
  tutti_free(model->best_errors);
  tutti_free(model->used);
  tutti_free(model->edges);
  *model = (tutti_local_model){0};
}
