/** l1 sum |w| + l2 sum w^2 on kernels, as Keras' regularizers: part of the loss, not divided by the batch. */
#include <math.h>

#include "model/model_impl.h"

static bool has_penalty(const tutti_layer *layer) {
  return layer->spec.kind == TUTTI_LAYER_DENSE && (layer->spec.l1 > 0 || layer->spec.l2 > 0);
}

static int64_t kernel_size(const tutti_layer *layer) {
  return (int64_t)layer->n_in * layer->n_out;
}

double tutti_model_penalty(const tutti_model *model, const float *params) {
  double total = 0;
  for (int i = 0; i < model->n_layers; i++) {
    const tutti_layer *layer = &model->layers[i];
    if (!has_penalty(layer)) continue;
    const float *w = params + layer->offset;
    double sum = 0, squares = 0;
    for (int64_t k = 0; k < kernel_size(layer); k++) {
      sum += fabs((double)w[k]);
      squares += (double)w[k] * w[k];
    }
    total += layer->spec.l1 * sum + layer->spec.l2 * squares;
  }
  return total;
}

void tutti_model_penalty_gradient(const tutti_model *model, const float *params, int64_t begin, int64_t end,
                                  float *grads) {
  for (int i = 0; i < model->n_layers; i++) {
    const tutti_layer *layer = &model->layers[i];
    if (!has_penalty(layer)) continue;
    const int64_t kernel_end = layer->offset + kernel_size(layer);
    const int64_t from = layer->offset > begin ? layer->offset : begin,
                  to = kernel_end < end ? kernel_end : end;
    const float l1 = (float)layer->spec.l1, l2 = (float)layer->spec.l2;
    for (int64_t k = from - begin; k < to - begin; k++) {
      const float w = params[k];
      grads[k] += l1 * (float)((w > 0) - (w < 0)) + 2 * l2 * w;
    }
  }
}
