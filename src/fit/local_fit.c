/** The fit through the minima of a local model, with intervals from their covariance.
 *
 * The squares of log S are weighted by the inverse variances.  A draw of the heights is m + L z sqrt(n / chi^2_n), with
 * L L' the covariance and n its degrees of freedom: Student's distribution.  branch_fit.c calls this. */
#include <math.h>
#include <stdio.h>

#include "base/random.h"
#include "fit/local_branch_impl.h"
#include "linalg/cholesky.h"

/** Added to each variance for the rounding of logarithms, so that exact data have weights and a covariance. */
static const double ROUNDING = 1e-24;

/** Numbers of one draw, one after the other. */
typedef struct {
  tutti_stream stream;
  uint64_t next;
} draws_from;

static double draw_normal(draws_from *from) {
  uint32_t words[4];
  double normal[2];
  tutti_random_words(from->stream, from->next++, words);
  tutti_random_normal(words[0], words[1], normal);
  return normal[0];
}

/** Draw chi squared: a sum of exponentials, and for an odd number of degrees of freedom a square of a normal. */
static double draw_chi_squared(draws_from *from, int64_t freedom) {
  double sum = 0;
  for (int64_t i = 0; i < freedom / 2; i++) {
    uint32_t words[4];
    tutti_random_words(from->stream, from->next++, words);
    sum -= 2 * log(tutti_random_uniform(words[0]));
  }
  const double normal = freedom % 2 ? draw_normal(from) : 0;
  return sum + normal * normal;
}

/** All that the draws share. */
typedef struct {
  tutti_pool pool;                 // owns the arrays
  int n;                           // batch sizes that have a model
  int *sizes;                      // [n] of the model
  double *batch, *steps, *weights; // [n]
  double *factor;                  // [n, n] of the covariance
  double *drawn, *normals;         // [n]
  double *numbers;                 // [TUTTI_N_FIT_NUMBERS, n_draws]
} work;

static tutti_status work_create(const tutti_local_model *model, int64_t n_draws, work *w) {
  const int64_t n = model->n_sizes;
  TUTTI_TRY(TUTTI_POOL_NEW(&w->pool, w->sizes, n));
  TUTTI_TRY(TUTTI_POOL_NEW(&w->pool, w->batch, n));
  TUTTI_TRY(TUTTI_POOL_NEW(&w->pool, w->steps, n));
  TUTTI_TRY(TUTTI_POOL_NEW(&w->pool, w->weights, n));
  TUTTI_TRY(TUTTI_POOL_NEW(&w->pool, w->factor, n * n));
  TUTTI_TRY(TUTTI_POOL_NEW(&w->pool, w->drawn, n));
  TUTTI_TRY(TUTTI_POOL_NEW(&w->pool, w->normals, n));
  TUTTI_TRY(TUTTI_POOL_NEW(&w->pool, w->numbers, TUTTI_N_FIT_NUMBERS * n_draws));
  for (int i = 0; i < model->n_sizes; i++)
    if (model->states[i] == TUTTI_LOCAL_MADE) w->sizes[w->n++] = i;
  return TUTTI_OK;
}

/** Take the heights that a model has, their weights and their covariance. */
static void take_points(const tutti_local_model *model, const double *batch, work *w) {
  for (int i = 0; i < w->n; i++) {
    const double *row = model->covariance + (int64_t)w->sizes[i] * model->n_sizes;
    w->batch[i] = batch[w->sizes[i]];
    w->steps[i] = exp(model->logs[w->sizes[i]]);
    for (int j = 0; j < w->n; j++) w->factor[i * w->n + j] = row[w->sizes[j]] + (i == j ? ROUNDING : 0);
    w->weights[i] = 1 / (row[w->sizes[i]] + ROUNDING);
  }
}

/** Draw heights and fit them.  The wide factor is Student's, because the noise is known from its residuals only. */
static void draw_fit(work *w, int64_t freedom, draws_from *from, double value[TUTTI_N_FIT_NUMBERS]) {
  double residual;
  const double wide = sqrt((double)freedom / draw_chi_squared(from, freedom));
  for (int i = 0; i < w->n; i++) w->normals[i] = wide * draw_normal(from);
  for (int i = 0; i < w->n; i++) {
    double sum = 0;
    for (int j = 0; j <= i; j++) sum += w->factor[i * w->n + j] * w->normals[j];
    w->drawn[i] = w->steps[i] * exp(sum);
  }
  // A draw that runs to an end of the range counts, because the interval would be too narrow without it.
  (void)tutti_fit_solve(w->batch, w->drawn, w->weights, w->n, value, &residual);
}

/** Say why there is no interval: rounding has left a matrix that no covariance can be. */
static void explain_no_covariance(tutti_fit *fit) {
  snprintf(fit->no_interval, sizeof fit->no_interval,
           "the errors of the local models of the batch sizes give no covariance to draw from: give "
           "the study more settings, or seeds");
}

tutti_status tutti_fit_local_fit(const tutti_local_model *model, const double *batch, uint64_t seed,
                                 int64_t n_draws, double *draws, tutti_fit *fit) {
  tutti_status status = TUTTI_OK;
  work w = {0};
  for (int64_t i = 0; draws && i < n_draws * TUTTI_N_FIT_NUMBERS; i++) draws[i] = NAN;
  TUTTI_TRY_GOTO(done, work_create(model, n_draws, &w));
  take_points(model, batch, &w);
  tutti_fit_make_weighted(w.batch, w.steps, w.weights, w.n, fit);
  if (fit->refused[0] || n_draws == 0) goto done;
  if (!tutti_linalg_cholesky_factor(w.n, TUTTI_CHOLESKY_LEAST_PART, w.factor)) {
    explain_no_covariance(fit);
    goto done;
  }
  for (int64_t d = 0; d < n_draws; d++) {
    double value[TUTTI_N_FIT_NUMBERS];
    draws_from from = {.stream = {seed, TUTTI_STREAM_BOOTSTRAP, 1, (uint32_t)d}};
    draw_fit(&w, model->freedom, &from, value);
    for (int k = 0; k < TUTTI_N_FIT_NUMBERS; k++) {
      w.numbers[k * n_draws + d] = value[k];
      if (draws) draws[d * TUTTI_N_FIT_NUMBERS + k] = value[k];
    }
  }
  tutti_fit_intervals(w.numbers, n_draws, n_draws, fit);
done:
  tutti_pool_clear(&w.pool);
  return status;
}
