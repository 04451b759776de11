/** The penalty l1 sum |w| + l2 sum w^2 on kernels that are trained, as Keras' regularizers: a part of the loss that
 * is not divided by the batch, with its gradient and its Hessian.  Rank 0 adds the penalty to the loss; each rank
 * adds the gradient of its slice during the update. */
#include <math.h>

#include "base/clones.h"
#include "model/model_impl.h"

enum { LANES = 8 }; // of a sum, which fix the order of the additions on any processor

/** Frozen kernels add a constant, which is left out. */
static bool has_penalty(const tutti_layer *layer) {
  return !layer->spec.frozen && (layer->spec.l1 > 0 || layer->spec.l2 > 0);
}

static int64_t kernel_size(const tutti_layer *layer) {
  return (int64_t)layer->n_in * layer->n_out;
}

/** l1 sum |w| + l2 sum w^2 over n weights. */
TUTTI_CLONES static double penalty_of(const float *w, int64_t n, double l1, double l2) {
  double sums[LANES] = {0}, squares[LANES] = {0}, sum = 0, square = 0;
  int64_t k = 0;
  for (; k + LANES <= n; k += LANES) {
    for (int l = 0; l < LANES; l++) {
      sums[l] += fabs((double)w[k + l]);
      squares[l] += (double)w[k + l] * w[k + l];
    }
  }
  for (int l = 0; k < n; k++, l++) {
    sums[l] += fabs((double)w[k]);
    squares[l] += (double)w[k] * w[k];
  }
  for (int l = 0; l < LANES; l++) {
    sum += sums[l];
    square += squares[l];
  }
  return l1 * sum + l2 * square;
}

double tutti_model_penalty(const tutti_model *model, const float *params) {
  double total = 0;
  for (int i = 0; i < model->n_layers; i++) {
    const tutti_layer *layer = &model->layers[i];
    if (has_penalty(layer))
      total += penalty_of(params + layer->offset, kernel_size(layer), layer->spec.l1, layer->spec.l2);
  }
  return total;
}

/** grads += l1 sign w + 2 l2 w. */
TUTTI_CLONES static void add_slope(const float *restrict w, int64_t n, float l1, float l2,
                                   float *restrict grads) {
  for (int64_t k = 0; k < n; k++) grads[k] += l1 * (float)((w[k] > 0) - (w[k] < 0)) + 2 * l2 * w[k];
}

/** The slice may begin and end within a kernel. */
void tutti_model_penalty_gradient(const tutti_model *model, const float *params, int64_t begin, int64_t end,
                                  float *grads) {
  for (int i = 0; i < model->n_layers; i++) {
    const tutti_layer *layer = &model->layers[i];
    if (!has_penalty(layer)) continue;
    const int64_t kernel_end = layer->offset + kernel_size(layer);
    const int64_t from = layer->offset > begin ? layer->offset : begin,
                  to = kernel_end < end ? kernel_end : end;
    if (to <= from) continue;
    add_slope(params + (from - begin), to - from, (float)layer->spec.l1, (float)layer->spec.l2,
              grads + (from - begin));
  }
}

void tutti_model_penalty_product(const tutti_model *model, const float *v, double *product) {
  for (int i = 0; i < model->n_layers; i++) {
    const tutti_layer *layer = &model->layers[i];
    if (!has_penalty(layer)) continue;
    for (int64_t k = layer->offset; k < layer->offset + kernel_size(layer); k++)
      product[k] += 2 * layer->spec.l2 * v[k];
  }
}
