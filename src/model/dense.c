/** y = activation(x W + b). */
#include "linalg/activation.h"
#include "linalg/matmul.h"
#include "linalg/reduce.h"
#include "linalg/squares.h"
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

/** Gradients of the weights of inputs [first, first + count). */
static void kernel_gradient(const tutti_model *model, const tutti_layer *layer, const tutti_flow *flow,
                            const float *x, const float *dy, int first, int count) {
  const int n_in = layer->n_in, n_out = layer->n_out;
  const int64_t begin = layer->offset + (int64_t)first * n_out, n = (int64_t)count * n_out;
  for (int i = 0; i < tutti_flow_n_pieces(flow); i++) {
    const tutti_piece piece = tutti_flow_piece(flow, i);
    float *grads = tutti_flow_gradient(flow, &piece, begin, n);
    tutti_matmul_weight_gradient_part(model->order, x + (int64_t)piece.from * n_in + first, n_in,
                                      dy + (int64_t)piece.from * n_out, piece.rows, count, n_out,
                                      flow->pass->accumulate, grads);
    tutti_flow_done(flow, &piece, begin, n, true);
  }
}

/** In parts of almost equal size, of which what follows may find each in the cache. */
static void kernel_gradients(const tutti_model *model, const tutti_layer *layer, const tutti_flow *flow,
                             const float *x, const float *dy) {
  const int64_t n = (int64_t)layer->n_in * layer->n_out,
                part = flow->pass->leaves ? flow->pass->leaves->part : 0;
  int64_t n_parts = part > 0 ? (n + part - 1) / part : 1;
  if (n_parts > layer->n_in) n_parts = layer->n_in;
  for (int64_t i = 0; i < n_parts; i++) {
    const int first = (int)(layer->n_in * i / n_parts), end = (int)(layer->n_in * (i + 1) / n_parts);
    kernel_gradient(model, layer, flow, x, dy, first, end - first);
  }
}

static void bias_gradient(const tutti_layer *layer, const tutti_flow *flow, const float *dy) {
  const int n = layer->n_out;
  for (int i = 0; i < tutti_flow_n_pieces(flow); i++) {
    const tutti_piece piece = tutti_flow_piece(flow, i);
    float *grads = tutti_flow_gradient(flow, &piece, bias_offset(layer), n);
    double *sums = tutti_layer_sums(layer, flow, grads, n);
    tutti_column_sums(dy + (int64_t)piece.from * n, piece.rows, n, sums);
    tutti_layer_round(layer, n, grads);
    tutti_flow_done(flow, &piece, bias_offset(layer), n, true);
  }
}

/** Squared norms of the rows' gradients: a row's is the outer product of (x, 1) and dy. */
static void add_row_squares(const tutti_model *model, const tutti_layer *layer, const tutti_flow *flow,
                            const float *x, const float *dy) {
  double *squares = model->row_squares[0], *inputs = model->row_squares[1];
  tutti_row_squares(dy, flow->rows, layer->n_out, squares);
  tutti_row_squares(x, flow->rows, layer->n_in, inputs);
  for (int i = 0; i < flow->rows; i++) squares[i] *= inputs[i] + (layer->spec.bias ? 1 : 0);
  tutti_flow_add_squares(flow, squares);
}

static tutti_status backward(tutti_model *model, tutti_layer *layer, const tutti_flow *flow, const float *x,
                             float *dy, float *dx) {
  const int rows = flow->rows, n_in = layer->n_in, n_out = layer->n_out;
  tutti_activation_backward(applied(layer), layer->kept, layer->y, dy, rows, n_out, dy);
  if (flow->pass->squares) add_row_squares(model, layer, flow, x, dy);
  if (dx)
    tutti_matmul_input_gradient(model->order, dy, kernel_of(layer, flow->params), rows, n_in, n_out, dx);
  // Only now, when no product needs the weights any more.
  kernel_gradients(model, layer, flow, x, dy);
  if (layer->spec.bias) bias_gradient(layer, flow, dy);
  return TUTTI_OK;
}

const tutti_layer_ops tutti_dense_ops = {.type = "Dense",
                                         .name = "dense",
                                         .in_place = false,
                                         .setup = setup,
                                         .forward = forward,
                                         .backward = backward};
