/** Layer normalisation (Ba, Kiros and Hinton, arXiv 1607.06450): y = gamma xhat + beta with xhat = (x - mean) /
 * sqrt(variance + epsilon), both over the features of one sample.
 *
 * Forward keeps xhat and 1 / sqrt(variance + epsilon) of each sample for backward.  Sums over features have a fixed
 * order, whatever the vectors of the processor are. */
#include <math.h>

#include "base/clones.h"
#include "linalg/parallel.h"
#include "model/model_impl.h"

enum { LANES = 8 }; // of a sum

typedef struct {
  float *inverse; // [max_rows] owned; 1 / sqrt(variance + epsilon) of each sample, of forward for backward
} scratch;

static void release(void *own) {
  tutti_free(((scratch *)own)->inverse);
}

static float *inverse_of(const tutti_layer *layer) {
  return ((scratch *)layer->own)->inverse;
}

/** Backward needs xhat, in layer->kept, and the inverse deviations of the rows. */
static tutti_status setup(tutti_model *model, tutti_layer *layer) {
  TUTTI_CHECK(
      layer->n_in > 1, TUTTI_ERR_CONFIG,
      "layer %d (%s): the normalised value of a single feature is always 0; leave the layer out, or put it "
      "behind more units",
      layer->index + 1, layer->name);
  TUTTI_TRY(tutti_layer_add_vector(model, layer, "gamma", true, 1));
  TUTTI_TRY(tutti_layer_add_vector(model, layer, "beta", true, 0));
  return TUTTI_NEW(((scratch *)layer->own)->inverse, model->max_rows);
}

/** The lanes are added in their order. */
TUTTI_INLINE double sum_of(const double *lanes) {
  double sum = 0;
  for (int l = 0; l < LANES; l++) sum += lanes[l];
  return sum;
}

/** Sum of x[n]. */
TUTTI_INLINE double sum(const float *restrict x, int n) {
  double lanes[LANES] = {0};
  int j = 0;
  for (; j + LANES <= n; j += LANES)
    for (int l = 0; l < LANES; l++) lanes[l] += (double)x[j + l];
  for (int l = 0; j < n; j++, l++) lanes[l] += (double)x[j];
  return sum_of(lanes);
}

/** Sum of a_j b_j. */
TUTTI_INLINE double dot(const float *restrict a, const float *restrict b, int n) {
  double lanes[LANES] = {0};
  int j = 0;
  for (; j + LANES <= n; j += LANES)
    for (int l = 0; l < LANES; l++) lanes[l] += (double)a[j + l] * (double)b[j + l];
  for (int l = 0; j < n; j++, l++) lanes[l] += (double)a[j] * (double)b[j];
  return sum_of(lanes);
}

// --- forward and backward --------------------------------------------------------------------------------------

/** xhat, inverse and y of each row.  The variance is taken of centred values, so that a large mean costs no digits. */
TUTTI_CLONES static void normalise(const float *restrict x, int64_t rows, int n, double epsilon,
                                   const float *restrict gamma, float *restrict xhat, float *restrict inverse,
                                   float *restrict y) {
  const float *beta = gamma + n;
  for (int64_t i = 0; i < rows; i++) {
    const float *row = x + i * n;
    float *centred = xhat + i * n;
    const double mean = sum(row, n) / n;
    for (int j = 0; j < n; j++) centred[j] = (float)((double)row[j] - mean);
    inverse[i] = (float)(1 / sqrt(dot(centred, centred, n) / n + epsilon));
    for (int j = 0; j < n; j++) centred[j] *= inverse[i];
    for (int j = 0; j < n; j++) y[i * n + j] = centred[j] * gamma[j] + beta[j];
  }
}

/** The rows of a micro-batch, which the threads of this rank share. */
typedef struct {
  const tutti_layer *layer;
  const float *x;
  const float *gamma; // and beta
  float *y;           // outputs, or their gradient, which becomes that of the inputs
} row_loop;

static void share_rows(tutti_loop_part part, const tutti_batch_pass *batch, row_loop l) {
  static const double ns = 0.3; // of an element
  l.gamma = tutti_layer_weights(batch->model, l.layer, batch->params);
  tutti_linalg_parallel(batch->rows, 1, ns * l.layer->n_out, part, &l);
}

static void normalise_some(void *context, int64_t begin, int64_t end) {
  const row_loop *l = context;
  const int n = l->layer->n_out;
  normalise(l->x + begin * n, end - begin, n, l->layer->spec.epsilon, l->gamma, l->layer->kept + begin * n,
            inverse_of(l->layer) + begin, l->y + begin * n);
}

static tutti_status forward(tutti_layer *layer, const tutti_batch_pass *batch, const float *x) {
  share_rows(normalise_some, batch, (row_loop){.layer = layer, .x = x, .y = layer->y});
  return TUTTI_OK;
}

/** Sums over rows, column by column. */
typedef struct {
  const float *xhat, *dy;
  int64_t rows, n;
  double *sums;
} columns;

/** sums[2, n] += sums of dy xhat and of dy over the rows, for columns [begin, end). */
TUTTI_CLONES static void add_columns(const columns *c, int64_t begin, int64_t end, double *restrict sums) {
  const float *restrict xhat = c->xhat, *restrict dy = c->dy;
  const int64_t n = c->n;
  for (int64_t i = 0; i < c->rows; i++)
    for (int64_t j = begin; j < end; j++) {
      sums[j] += (double)dy[i * n + j] * (double)xhat[i * n + j];
      sums[n + j] += (double)dy[i * n + j];
    }
}

static void add_some_columns(void *context, int64_t begin, int64_t end) {
  const columns *c = context;
  add_columns(c, begin, end, c->sums);
}

static void gradient_sums(const float *xhat, const float *dy, int64_t rows, int64_t n, double *sums) {
  static const double ns = 0.2; // of an element
  tutti_linalg_parallel_columns(rows, n, ns, add_some_columns, &(columns){xhat, dy, rows, n, sums});
}

/** The gradients of gamma_j and beta_j by one row are dy_j xhat_j and dy_j. */
TUTTI_CLONES static void row_squares(const float *restrict xhat, const float *restrict dy, int64_t rows,
                                     int n, double *restrict squares) {
  for (int64_t i = 0; i < rows; i++) {
    double total = 0;
    for (int j = 0; j < n; j++) {
      const double d = dy[i * n + j], e = d * (double)xhat[i * n + j];
      total += d * d + e * e;
    }
    squares[i] = total;
  }
}

/** dx = inverse (a - mean of a - xhat mean of a xhat) with a = gamma dy, in place. */
TUTTI_CLONES static void gradient_by_input(const float *restrict xhat, const float *restrict inverse,
                                           int64_t rows, int n, const float *restrict gamma,
                                           float *restrict dy) {
  for (int64_t i = 0; i < rows; i++) {
    const float *h = xhat + i * n;
    float *a = dy + i * n;
    for (int j = 0; j < n; j++) a[j] *= gamma[j];
    const float mean = (float)(sum(a, n) / n), along = (float)(dot(a, h, n) / n);
    for (int j = 0; j < n; j++) a[j] = inverse[i] * (a[j] - mean - h[j] * along);
  }
}

static void gradient_of_some(void *context, int64_t begin, int64_t end) {
  const row_loop *l = context;
  const int n = l->layer->n_out;
  gradient_by_input(l->layer->kept + begin * n, inverse_of(l->layer) + begin, end - begin, n, l->gamma,
                    l->y + begin * n);
}

/** Gradients of gamma and beta for each leaf, and the squares of rows if they are wanted. */
static void parameter_gradients(const tutti_layer *layer, const tutti_batch_pass *batch, const float *dy) {
  double *squares = batch->model->row_squares[0];
  if (batch->pass->squares) {
    row_squares(layer->kept, dy, batch->rows, layer->n_out, squares);
    tutti_layer_add_squares(batch, squares);
  }
  tutti_layer_vector_gradients(layer, batch, layer->kept, dy, layer->offset, 2 * layer->n_out, gradient_sums);
}

static tutti_status backward(tutti_layer *layer, const tutti_batch_pass *batch, const float *x, float *dy,
                             float *dx) {
  (void)x;
  if (!layer->spec.frozen) parameter_gradients(layer, batch, dy);
  if (dx) share_rows(gradient_of_some, batch, (row_loop){.layer = layer, .y = dx});
  return TUTTI_OK;
}

// --- with derivatives along a direction ------------------------------------------------------------------------
//
// t xhat = inverse (tx - mean of tx - xhat mean of xhat tx), and t inverse = - inverse^2 mean of xhat tx.

/** The derivative of a row's xhat.  @return that of its inverse */
static float tangent_of_row(const float *h, float inverse, const float *tx, int n, float *th) {
  const double mean = sum(tx, n) / n, along = dot(h, tx, n) / n;
  for (int j = 0; j < n; j++)
    th[j] = (float)((double)inverse * ((double)tx[j] - mean - (double)h[j] * along));
  return (float)(-(double)inverse * (double)inverse * along);
}

/** ty = v_gamma xhat + v_beta + gamma t_xhat, row by row. */
static void tangent_forward(const tutti_tangent_pass *pass) {
  const tutti_layer *layer = pass->layer;
  const int n = layer->n_out;
  for (int64_t i = 0; i < pass->rows; i++) {
    const float *h = layer->kept + i * n;
    float *ty = pass->tangent->ty + i * n, *th = pass->spare;
    if (pass->tx) tangent_of_row(h, inverse_of(layer)[i], pass->tx + i * n, n, th);
    for (int j = 0; j < n; j++)
      ty[j] = pass->v[j] * h[j] + pass->v[n + j] + (pass->tx ? pass->params[j] * th[j] : 0);
  }
}

/** Add the derivatives of the gradients of gamma and beta, sum of dy xhat and of dy. */
static void add_tangent_sums(const float *h, const float *th, const float *dy, const float *tdy, int n,
                             double *sums) {
  for (int j = 0; j < n; j++) {
    sums[j] += (double)tdy[j] * (double)h[j] + (th ? (double)dy[j] * (double)th[j] : 0);
    sums[n + j] += (double)tdy[j];
  }
}

/** dx = inverse s with s = a - mean of a - xhat mean of a xhat, a = gamma dy; and its derivative. */
static void tangent_by_input(const tutti_tangent_pass *pass, const float *h, float inverse, const float *th,
                             float t_inverse, float *dy, float *tdy) {
  const int n = pass->layer->n_out;
  const float *gamma = pass->params, *v = pass->v;
  for (int j = 0; j < n; j++) {
    tdy[j] = gamma[j] * tdy[j] + v[j] * dy[j];
    dy[j] *= gamma[j];
  }
  const double mean = sum(dy, n) / n, along = dot(dy, h, n) / n;
  const double t_mean = sum(tdy, n) / n, t_along = (dot(tdy, h, n) + (th ? dot(dy, th, n) : 0)) / n;
  for (int j = 0; j < n; j++) {
    const double s = (double)dy[j] - mean - (double)h[j] * along;
    const double ts = (double)tdy[j] - t_mean - (double)h[j] * t_along - (th ? (double)th[j] * along : 0);
    tdy[j] = (float)((double)t_inverse * s + (double)inverse * ts);
    dy[j] = (float)((double)inverse * s);
  }
}

/** Without a direction it is backward; else each row needs its t_xhat again. */
static void tangent_backward(const tutti_tangent_pass *pass) {
  const tutti_layer *layer = pass->layer;
  const int n = layer->n_out;
  double *sums = tutti_model_tangent_sums(pass, 2 * n);
  if (!pass->tdy) {
    gradient_sums(layer->kept, pass->dy, pass->rows, n, sums);
    if (pass->dx) gradient_by_input(layer->kept, inverse_of(layer), pass->rows, n, pass->params, pass->dy);
  }
  for (int64_t i = 0; pass->tdy && i < pass->rows; i++) {
    const float *h = layer->kept + i * n;
    const float inverse = inverse_of(layer)[i];
    float *th = pass->tx ? pass->spare : NULL;
    const float t_inverse = th ? tangent_of_row(h, inverse, pass->tx + i * n, n, th) : 0;
    add_tangent_sums(h, th, pass->dy + i * n, pass->tdy + i * n, n, sums);
    if (pass->dx) tangent_by_input(pass, h, inverse, th, t_inverse, pass->dy + i * n, pass->tdy + i * n);
  }
  tutti_layer_round(layer, 2 * n, pass->grads);
}

const tutti_layer_ops tutti_layer_layer_norm_ops = {
    .type = "LayerNormalization",
    .name = "layer_normalization",
    .example = "layer_norm epsilon=0.1",
    .fields = {{"epsilon", "epsilon", TUTTI_WORD_REAL, false, TUTTI_AT(epsilon), 1e-30, TUTTI_ANY,
                "a number > 0"},
               TUTTI_FIELD_TRAINABLE},
    .usual = {.epsilon = 1e-3},
    .in_place = true,
    .keeps_values = true,
    .own_bytes = sizeof(scratch),
    .release = release,
    .setup = setup,
    .forward = forward,
    .backward = backward,
    .tangent_forward = tangent_forward,
    .tangent_backward = tangent_backward,
};
