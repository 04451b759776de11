/** Each layer in evaluation, with derivatives along a direction.  t stands before the derivative of a value along
 * it: of y = f(x, w) it is ty = f_x tx + f_w v, and of the gradient dx = f_x' dy it is
 * tdx = f_x' tdy + (d f_x)' dy. */
#include <string.h>

#include "base/clones.h"
#include "linalg/activation.h"
#include "linalg/curvature.h"
#include "linalg/matmul.h"
#include "linalg/reduce.h"
#include "model/curvature_impl.h"

tutti_activation tutti_bend_activation(const tutti_layer *layer) {
  const bool has_one = layer->spec.kind == TUTTI_LAYER_DENSE || layer->spec.kind == TUTTI_LAYER_ACTIVATION;
  return has_one && !layer->gives_logits ? layer->spec.activation : TUTTI_LINEAR;
}

static int64_t n_elements(const tutti_bend *bend) {
  return (int64_t)bend->rows * bend->layer->n_out;
}

TUTTI_CLONES static void add(const float *restrict x, int64_t n, float *restrict y) {
  for (int64_t i = 0; i < n; i++) y[i] += x[i];
}

/** From gradients by outputs to those by inputs, in place. */
static void activation_backward(const tutti_bend *bend, const float *z, const float *tz) {
  const tutti_activation kind = tutti_bend_activation(bend->layer);
  const float *y = bend->layer->y;
  const int rows = bend->rows, n = bend->layer->n_out;
  if (kind == TUTTI_LINEAR) return;
  if (bend->tdy) {
    tutti_activation_backward(kind, z, y, bend->tdy, rows, n, bend->tdy);
    tutti_activation_curvature(kind, z, y, tz, bend->tangent->ty, bend->dy, rows, n, bend->tdy);
  }
  tutti_activation_backward(kind, z, y, bend->dy, rows, n, bend->dy);
}

// --- dense: z = x W + b --------------------------------------------------------------------------------------

/** tz = tx W + x V + v_b. */
static void dense_forward(const tutti_bend *bend) {
  const tutti_layer *layer = bend->layer;
  const int rows = bend->rows, n_in = layer->n_in, n_out = layer->n_out;
  tutti_tangent *tangent = bend->tangent;
  const float *bias = layer->spec.bias ? bend->v + (int64_t)n_in * n_out : NULL;
  tutti_matmul_forward(bend->order, bend->x, bend->v, bias, rows, n_in, n_out, tangent->tz);
  if (bend->tx) {
    tutti_matmul_forward(bend->order, bend->tx, bend->params, NULL, rows, n_in, n_out, bend->spare);
    add(bend->spare, n_elements(bend), tangent->tz);
  }
  if (tangent->tz != tangent->ty)
    tutti_activation_backward(tutti_bend_activation(layer), layer->kept, layer->y, tangent->tz, rows, n_out,
                              tangent->ty);
  tangent->out = tangent->ty;
}

/** Zeros, for the gradient of n elements of vectors. */
static double *new_sums(const tutti_bend *bend, int n) {
  double *sums = bend->layer->sums;
  memset(sums, 0, (size_t)n * sizeof *sums);
  return sums;
}

static void bias_gradient(const tutti_bend *bend, const float *last, float *grads) {
  const int n = bend->layer->n_out;
  double *sums = new_sums(bend, n);
  tutti_column_sums(last, bend->rows, n, sums);
  tutti_layer_round(bend->layer, n, grads);
}

/** dW = x' dz and dx = dz W' have the derivatives tx' dz + x' tdz and tdz W' + dz V'. */
static void dense_backward(const tutti_bend *bend) {
  const tutti_layer *layer = bend->layer;
  const int rows = bend->rows, n_in = layer->n_in, n_out = layer->n_out;
  activation_backward(bend, layer->kept, bend->tangent->tz);
  const float *last = bend->tdy ? bend->tdy : bend->dy;
  tutti_matmul_weight_gradient(bend->order, bend->x, last, rows, n_in, n_out, false, bend->grads);
  if (bend->tdy && bend->tx)
    tutti_matmul_weight_gradient(bend->order, bend->tx, bend->dy, rows, n_in, n_out, true, bend->grads);
  if (layer->spec.bias) bias_gradient(bend, last, bend->grads + (int64_t)n_in * n_out);
  if (!bend->dx) return;
  tutti_matmul_input_gradient(bend->order, bend->dy, bend->params, rows, n_in, n_out, bend->dx);
  if (!bend->tdx) return;
  tutti_matmul_input_gradient(bend->order, bend->tdy, bend->params, rows, n_in, n_out, bend->tdx);
  tutti_matmul_input_gradient(bend->order, bend->dy, bend->v, rows, n_in, n_out, bend->spare);
  add(bend->spare, (int64_t)rows * n_in, bend->tdx);
}

// --- activation, and what is off in evaluation ---------------------------------------------------------------

static void activation_forward(const tutti_bend *bend) {
  const tutti_activation kind = tutti_bend_activation(bend->layer);
  bend->tangent->out = bend->tx;
  if (kind == TUTTI_LINEAR || !bend->tx) return;
  tutti_activation_backward(kind, bend->x, bend->layer->y, bend->tx, bend->rows, bend->layer->n_out,
                            bend->tangent->ty);
  bend->tangent->out = bend->tangent->ty;
}

/** Asked for only behind a layer with weights, so that there is a tx where there is a direction. */
static void activation_layer_backward(const tutti_bend *bend) {
  activation_backward(bend, bend->x, bend->tx);
}

static void noise_forward(const tutti_bend *bend) {
  bend->tangent->out = bend->tx;
}

static void noise_backward(const tutti_bend *bend) {
  (void)bend;
}

// --- batch_norm: y = gamma xhat + beta, xhat = (x - moving mean) inverse deviation -----------------------------

/** Inverse deviations and means of the last evaluation. */
static const float *statistics(const tutti_layer *layer) {
  return tutti_group_stats(&layer->groups, 0);
}

TUTTI_CLONES static void norm_tangent(const float *x, const float *tx, int64_t rows, int n,
                                      const float *stats, const float *params, const float *v, float *ty) {
  const float *mean = stats, *inverse = stats + n;
  for (int64_t i = 0; i < rows; i++)
    for (int j = 0; j < n; j++) {
      const int64_t k = i * n + j;
      ty[k] = v[j] * (x[k] - mean[j]) * inverse[j] + v[n + j] + (tx ? params[j] * inverse[j] * tx[k] : 0);
    }
}

static void norm_forward(const tutti_bend *bend) {
  const tutti_layer *layer = bend->layer;
  norm_tangent(bend->x, bend->tx, bend->rows, layer->n_out, statistics(layer), bend->params, bend->v,
               bend->tangent->ty);
  bend->tangent->out = bend->tangent->ty;
}

/** sums[2, n] += sums of d xhat and of d over the rows. */
TUTTI_CLONES static void norm_gradient(const float *restrict x, const float *restrict d, int64_t rows, int n,
                                       const float *restrict stats, double *restrict sums) {
  const float *mean = stats, *inverse = stats + n;
  for (int64_t i = 0; i < rows; i++)
    for (int j = 0; j < n; j++) {
      sums[j] += (double)(d[i * n + j] * (x[i * n + j] - mean[j]) * inverse[j]);
      sums[n + j] += (double)d[i * n + j];
    }
}

/** sums[n] += sum of dy times the derivative of xhat. */
TUTTI_CLONES static void norm_gradient_tangent(const float *restrict tx, const float *restrict dy,
                                               int64_t rows, int n, const float *restrict stats,
                                               double *restrict sums) {
  const float *inverse = stats + n;
  for (int64_t i = 0; i < rows; i++)
    for (int j = 0; j < n; j++) sums[j] += (double)(dy[i * n + j] * tx[i * n + j] * inverse[j]);
}

/** dx = gamma inverse dy in place, tdx = gamma inverse tdy + v inverse dy. */
TUTTI_CLONES static void norm_by_input(int64_t rows, int n, const float *stats, const float *params,
                                       const float *v, float *dy, float *tdy) {
  const float *inverse = stats + n;
  for (int64_t i = 0; i < rows; i++)
    for (int j = 0; j < n; j++) {
      const int64_t k = i * n + j;
      if (tdy) tdy[k] = (params[j] * tdy[k] + v[j] * dy[k]) * inverse[j];
      dy[k] *= params[j] * inverse[j];
    }
}

static void norm_backward(const tutti_bend *bend) {
  const tutti_layer *layer = bend->layer;
  const int rows = bend->rows, n = layer->n_out;
  const float *stats = statistics(layer);
  double *sums = new_sums(bend, 2 * n);
  norm_gradient(bend->x, bend->tdy ? bend->tdy : bend->dy, rows, n, stats, sums);
  if (bend->tdy && bend->tx) norm_gradient_tangent(bend->tx, bend->dy, rows, n, stats, sums);
  tutti_layer_round(layer, 2 * n, bend->grads);
  if (bend->dx) norm_by_input(rows, n, stats, bend->params, bend->v, bend->dy, bend->tdy);
}

// --- prelu: y = x where x > 0, else alpha x --------------------------------------------------------------------

static void prelu_forward(const tutti_bend *bend) {
  const int n = bend->layer->n_out;
  const float *x = bend->x, *tx = bend->tx;
  float *ty = bend->tangent->ty;
  for (int64_t k = 0; k < n_elements(bend); k++) {
    const float along = tx ? tx[k] : 0;
    ty[k] = x[k] > 0 ? along : bend->params[k % n] * along + bend->v[k % n] * x[k];
  }
  bend->tangent->out = ty;
}

static void prelu_backward(const tutti_bend *bend) {
  const int n = bend->layer->n_out;
  const float *x = bend->x, *alpha = bend->params;
  float *dy = bend->dy, *tdy = bend->tdy;
  double *sums = new_sums(bend, n);
  for (int64_t k = 0; k < n_elements(bend); k++) {
    const int64_t j = k % n;
    if (x[k] > 0) continue;
    sums[j] += (double)((tdy ? tdy[k] : dy[k]) * x[k]);
    if (tdy && bend->tx) sums[j] += (double)(dy[k] * bend->tx[k]);
    if (tdy) tdy[k] = alpha[j] * tdy[k] + bend->v[j] * dy[k];
    dy[k] *= alpha[j];
  }
  tutti_layer_round(bend->layer, n, bend->grads);
}

const tutti_bend_ops *tutti_bend_ops_of(tutti_layer_kind kind) {
  static const tutti_bend_ops dense = {dense_forward, dense_backward},
                              activation = {activation_forward, activation_layer_backward},
                              noise = {noise_forward, noise_backward}, norm = {norm_forward, norm_backward},
                              prelu = {prelu_forward, prelu_backward};
  switch (kind) {
  case TUTTI_LAYER_DENSE:
    return &dense;
  case TUTTI_LAYER_ACTIVATION:
    return &activation;
  case TUTTI_LAYER_BATCH_NORM:
    return &norm;
  case TUTTI_LAYER_PRELU:
    return &prelu;
  case TUTTI_LAYER_DROPOUT:
  case TUTTI_LAYER_GAUSSIAN_NOISE:
  case TUTTI_LAYER_GAUSSIAN_DROPOUT:
  case TUTTI_LAYER_ALPHA_DROPOUT:
    return &noise;
  case TUTTI_N_LAYER_KINDS:
    break;
  }
  return NULL;
}
