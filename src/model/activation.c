/** A layer that is an activation alone, as after batch_norm: y = f(x).  If it is the last layer and its function is
 * part of the loss (softmax, sigmoid), it passes its inputs on. */
#include "linalg/activation.h"
#include "model/model_impl.h"

/** Without a function of its own the layer passes its inputs on, without a copy. */
static bool changes_nothing(const tutti_layer *layer) {
  return layer->gives_logits || layer->spec.activation == TUTTI_LINEAR;
}

static tutti_status forward(tutti_layer *layer, const tutti_batch_pass *batch, const float *x) {
  if (changes_nothing(layer))
    layer->out = x;
  else
    tutti_activation_forward(layer->spec.activation, x, batch->rows, layer->n_out, layer->y);
  return TUTTI_OK;
}

/** dx = f'(x) dy, in place. */
static tutti_status backward(tutti_layer *layer, const tutti_batch_pass *batch, const float *x, float *dy,
                             float *dx) {
  if (changes_nothing(layer)) return TUTTI_OK;
  tutti_activation_backward(layer->spec.activation, x, layer->y, dy, batch->rows, layer->n_out, dx);
  return TUTTI_OK;
}

/** ty = f'(x) tx: the same product as in backward. */
static void tangent_forward(const tutti_tangent_pass *pass) {
  const tutti_activation kind = tutti_layer_activation(pass->layer);
  if (kind == TUTTI_LINEAR || !pass->tx)
    pass->tangent->out = pass->tx;
  else
    tutti_activation_backward(kind, pass->x, pass->layer->y, pass->tx, pass->rows, pass->layer->n_out,
                              pass->tangent->ty);
}

/** Other functions than the identity may leave the range of their inputs. */
static bool keeps_range(const tutti_layer_spec *spec) {
  return spec->activation == TUTTI_LINEAR;
}

/** Called only behind a layer with weights, so that with a direction there is a tx. */
static void tangent_backward(const tutti_tangent_pass *pass) {
  tutti_model_tangent_activation(pass, pass->x, pass->tx);
}

const tutti_layer_ops tutti_layer_activation_ops = {
    .type = "Activation",
    .name = "activation",
    .example = "activation tanh",
    .fields = {{NULL, "NAME", TUTTI_WORD_ACTIVATION, true, TUTTI_AT(activation), 0, 0, ""}},
    .in_place = true,
    .has_activation = true,
    .keeps_range = keeps_range,
    .forward = forward,
    .backward = backward,
    .tangent_forward = tangent_forward,
    .tangent_backward = tangent_backward,
};
