/** Helpers of the layers when they are set up: arrays in the flat buffers or in the state.  Their order is that of the
 * layers.  All layers call them from `setup`, in create.c. */
#include "model/model_impl.h"

tutti_status tutti_layer_add_array(tutti_model *model, tutti_layer *layer, tutti_array array) {
  const bool is_weight = array.view.trainable;
  array.frozen = layer->spec.frozen;
  array.view.trainable = is_weight && !array.frozen;
  int64_t *end = array.view.trainable ? &model->n_params : array.frozen ? &model->n_frozen : &model->n_moving;
  // Two factors below 2^31 have a product that can be counted; the sum of many may not.
  array.view.n = (array.view.rows ? array.view.rows : 1) * array.view.cols;
  TUTTI_CHECK(array.view.n <= INT64_MAX / 16 - *end, TUTTI_ERR_CONFIG,
              "layer %d (%s): the network has over 2^59 weights", layer->index + 1, layer->name);
  array.view.layer = layer->name;
  array.view.offset = *end;
  *end += array.view.n;
  if (is_weight) {
    layer->n_weights += array.view.n;
    array.part = model->n_weight_arrays++;
  }
  if (array.view.trainable)
    model->trained[model->n_trained++] = array;
  else
    model->states[model->n_states++] = array;
  return TUTTI_OK;
}

tutti_status tutti_layer_add_vector(tutti_model *model, tutti_layer *layer, const char *name, bool trainable,
                                    float fill) {
  const tutti_array array = {.view = {.name = name, .cols = layer->n_out, .trainable = trainable},
                             .fill = fill};
  return tutti_layer_add_array(model, layer, array);
}
