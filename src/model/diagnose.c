/** Diagnosis after a loss that is not finite or too large: the layer where the numbers went wrong.  The training
 * calls it once, for the message with which it stops. */
#include <math.h>

#include "model/model_impl.h"

static bool all_finite(const float *values, int64_t n) {
  for (int64_t i = 0; i < n; i++)
    if (!isfinite(values[i])) return false;
  return true;
}

/** Weights before outputs: a layer with broken weights is to blame for its outputs. */
int tutti_model_first_nonfinite(const tutti_model *model, const float *params, int64_t rows) {
  if (rows > model->n_rows) rows = model->n_rows;
  for (int i = 0; i < model->n_layers; i++) {
    const tutti_layer *layer = &model->layers[i];
    if (!all_finite(tutti_layer_weights(model, layer, params), layer->n_weights)) return i;
    // A layer that passed its input on did not make its values.
    if (layer->out == layer->y && !all_finite(layer->y, rows * layer->n_out)) return i;
  }
  return -1;
}

/** NaN counts as infinity. */
static double magnitude(float value) {
  return isnan(value) ? INFINITY : fabs((double)value);
}

int tutti_model_largest_layer(const tutti_model *model, int64_t rows, double *largest) {
  if (rows > model->n_rows) rows = model->n_rows;
  int at = -1;
  *largest = 0;
  for (int i = 0; i < model->n_layers; i++) {
    const tutti_layer *layer = &model->layers[i];
    if (layer->out != layer->y) continue; // passed on from an earlier layer
    for (int64_t k = 0; k < rows * layer->n_out; k++) {
      const double size = magnitude(layer->y[k]);
      if (size <= *largest) continue;
      *largest = size;
      at = i;
    }
  }
  return at;
}
