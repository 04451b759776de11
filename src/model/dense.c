/** y = activation(x W + b). */
#include "linalg/activation.h"
#include "linalg/matmul.h"
#include "linalg/reduce.h"
#include "model/model_impl.h"

static tutti_activation applied(const tutti_layer *layer) {
  return layer->gives_logits ? TUTTI_LINEAR : layer->spec.activation;
}

static tutti_status setup(tutti_model *model, tutti_layer *layer) {
  TUTTI_TRY(tutti_to_int(layer->spec.units, "units of a dense layer", &layer->n_out));
  const tutti_array kernel = {
      .view = {.name = "kernel", .rows = layer->n_in, .cols = layer->n_out, .trainable = true},
      .random = true,
      .initializer = layer->spec.has_initializer ? layer->spec.initializer : model->initializer};
  TUTTI_TRY(tutti_layer_add_array(model, layer, kernel));
  if (layer->spec.bias) TUTTI_TRY(tutti_layer_add_vector(model, layer, "bias", true, 0));
  return tutti_layer_allocate(model, layer, tutti_activation_needs_input(applied(layer)));
}

static const float *kernel_of(const tutti_layer *layer, const float *params) {
  return params + layer->offset;
}

static int64_t bias_offset(const tutti_layer *layer) {
  return layer->offset + (int64_t)layer->n_in * layer->n_out;
}

static tutti_status forward(tutti_model *model, tutti_layer *layer, const tutti_flow *flow, const float *x) {
  const float *bias = layer->spec.bias ? flow->params + bias_offset(layer) : NULL;
  float *z = layer->kept ? layer->kept : layer->y;
  tutti_matmul_forward(model->order, x, kernel_of(layer, flow->params), bias, flow->rows, layer->n_in,
                       layer->n_out, z);
  tutti_activation_forward(applied(layer), z, flow->rows, layer->n_out, layer->y);
  layer->out = layer->y;
  return TUTTI_OK;
}

static void gradient_of_piece(const tutti_model *model, const tutti_layer *layer, const tutti_flow *flow,
                              int i, const float *x, const float *dy) {
  const int n_in = layer->n_in, n_out = layer->n_out;
  const tutti_piece piece = tutti_flow_piece(flow, i);
  const bool accumulate = flow->pass->accumulate;
  const float *dy_piece = dy + (int64_t)piece.from * n_out;
  tutti_matmul_weight_gradient(model->order, x + (int64_t)piece.from * n_in, dy_piece, piece.rows, n_in,
                               n_out, accumulate, piece.grads + layer->offset);
  if (layer->spec.bias)
    tutti_column_sums(dy_piece, piece.rows, n_out, accumulate, piece.grads + bias_offset(layer));
  tutti_flow_done(flow, &piece, layer);
}

static tutti_status backward(tutti_model *model, tutti_layer *layer, const tutti_flow *flow, const float *x,
                             float *dy, float *dx) {
  const int rows = flow->rows, n_in = layer->n_in, n_out = layer->n_out;
  tutti_activation_backward(applied(layer), layer->kept, layer->y, dy, rows, n_out, dy);
  if (dx)
    tutti_matmul_input_gradient(model->order, dy, kernel_of(layer, flow->params), rows, n_in, n_out, dx);
  for (int i = 0; i < tutti_flow_n_pieces(flow); i++) gradient_of_piece(model, layer, flow, i, x, dy);
  return TUTTI_OK;
}

const tutti_layer_ops tutti_dense_ops = {.type = "Dense",
                                         .name = "dense",
                                         .in_place = false,
                                         .setup = setup,
                                         .forward = forward,
                                         .backward = backward};
