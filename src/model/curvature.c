/** The gradient of a trained network's loss in evaluation, and the product of its Hessian with a vector v.
 *
 * H v is the derivative of the gradient along v (Pearlmutter 1994, "Fast exact multiplication by the Hessian").  So
 * the forward pass also computes the derivative of each layer's outputs along v, and the backward pass that of each
 * gradient (forward over reverse).  A product costs about two gradients, whatever the number of parameters.  The
 * layers bring their own tangent passes.  The room curvature calls this for blocks of samples. */
#include <string.h>

#include "linalg/loss.h"
#include "model/model_impl.h"

struct tutti_model_curvature {
  tutti_model *model;      // borrowed
  tutti_tangent *tangents; // [n_layers] owned
  float *spare;            // [max_rows, widest layer]; owned with the memory of the next four
  float *d[2], *td[2]; // the same; gradients by outputs and their derivatives, for both ends of a dense layer
  float *grads;        // [weights of the largest layer]; owned with the memory of the next one
  float *zeros;        // the same; the direction of frozen weights
};

// --- create and destroy ----------------------------------------------------------------------------------

/** A layer whose activation is not its own last step needs tz beside ty. */
static tutti_status create_tangent(const tutti_model *model, const tutti_layer *layer,
                                   tutti_tangent *tangent) {
  const int64_t n = (int64_t)model->max_rows * layer->n_out;
  TUTTI_TRY(TUTTI_NEW(tangent->ty, n));
  tangent->tz = tangent->ty;
  const bool apart = !layer->ops->in_place && tutti_layer_activation(layer) != TUTTI_LINEAR;
  return apart ? TUTTI_NEW(tangent->tz, n) : TUTTI_OK;
}

/** A kind without tangent passes is refused here: taken for an identity it would give wrong numbers. */
static tutti_status check_layers(const tutti_model *model) {
  for (int i = 0; i < model->n_layers; i++)
    TUTTI_CHECK(
        model->layers[i].ops->tangent_backward, TUTTI_ERR_CONFIG,
        "layer %d (%s): this kind of layer has no second derivatives, so the sharpness of a network with "
        "such a layer cannot be measured",
        i + 1, model->layers[i].name);
  return TUTTI_OK;
}

static tutti_status allocate(tutti_model_curvature *curvature) {
  const tutti_model *model = curvature->model;
  int64_t widest = 0, largest = 0;
  TUTTI_TRY(TUTTI_NEW(curvature->tangents, model->n_layers));
  for (int i = 0; i < model->n_layers; i++) {
    const tutti_layer *layer = &model->layers[i];
    TUTTI_TRY(create_tangent(model, layer, &curvature->tangents[i]));
    if (layer->n_out > widest) widest = layer->n_out;
    if (layer->n_weights > largest) largest = layer->n_weights;
  }
  const int64_t n = model->max_rows * widest;
  TUTTI_TRY(TUTTI_NEW(curvature->spare, 5 * n));
  for (int i = 0; i < 2; i++) {
    curvature->d[i] = curvature->spare + (1 + i) * n;
    curvature->td[i] = curvature->spare + (3 + i) * n;
  }
  TUTTI_TRY(TUTTI_NEW(curvature->grads, 2 * largest));
  curvature->zeros = curvature->grads + largest;
  return TUTTI_OK;
}

tutti_status tutti_model_curvature_create(tutti_model *model, tutti_model_curvature **curvature) {
  *curvature = NULL;
  tutti_model_curvature *made = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(made, 1));
  made->model = model;
  TUTTI_TRY_GOTO(done, check_layers(model));
  TUTTI_TRY_GOTO(done, allocate(made));
  *curvature = made;
  made = NULL;
done:
  tutti_model_curvature_destroy(&made);
  return status;
}

void tutti_model_curvature_destroy(tutti_model_curvature **curvature) {
  tutti_model_curvature *c = *curvature;
  if (!c) return;
  for (int i = 0; c->tangents && i < c->model->n_layers; i++) {
    if (c->tangents[i].tz != c->tangents[i].ty) tutti_free(c->tangents[i].tz);
    tutti_free(c->tangents[i].ty);
  }
  tutti_free(c->tangents);
  tutti_free(c->spare);
  tutti_free(c->grads);
  tutti_free(c);
  *curvature = NULL;
}

// --- passes --------------------------------------------------------------------------------------------------

/** What both passes give layer i.  A frozen layer has no weights in v, so that its direction is 0; the first layer
 * has no tangent of its inputs, because the samples do not depend on the weights. */
static tutti_tangent_pass pass_of(tutti_model_curvature *curvature, const tutti_model_curvature_batch *batch,
                                  const float *v, int i) {
  tutti_model *model = curvature->model;
  const tutti_layer *layer = &model->layers[i];
  return (tutti_tangent_pass){.layer = layer,
                              .tangent = &curvature->tangents[i],
                              .products = model->products,
                              .rows = model->n_rows,
                              .params = tutti_layer_weights(model, layer, batch->params),
                              .v = !v                   ? NULL
                                   : layer->spec.frozen ? curvature->zeros
                                                        : v + layer->offset,
                              .x = i ? model->layers[i - 1].out : batch->x,
                              .tx = v && i ? curvature->tangents[i - 1].out : NULL,
                              .spare = curvature->spare};
}

static tutti_status forward(tutti_model_curvature *curvature, const tutti_model_curvature_batch *batch,
                            const float *v) {
  tutti_model *model = curvature->model;
  const tutti_model_pass pass = {.batch_count = batch->count};
  TUTTI_TRY(tutti_model_forward(model, batch->params, &pass, batch->x, batch->rows));
  for (int i = 0; v && i < model->n_layers; i++) {
    const tutti_tangent_pass along = pass_of(curvature, batch, v, i);
    along.tangent->out = along.tangent->ty;
    along.layer->ops->tangent_forward(&along);
  }
  return TUTTI_OK;
}

/** The sums over many micro-batches are double, so that they keep the digits of float. */
static void add_gradient(const tutti_layer *layer, const float *grads, double *sums) {
  for (int64_t k = 0; k < layer->n_params; k++) sums[layer->offset + k] += grads[k];
}

/** The backward pass.  d[0] is the gradient by the last outputs and td[0] its derivative along v.  A layer that
 * works in place overwrites them; another writes into the second pair of buffers, which then becomes the first. */
static void backward(tutti_model_curvature *curvature, const tutti_model_curvature_batch *batch,
                     const float *v, double *sums) {
  const tutti_model *model = curvature->model;
  int at = 0;
  for (int i = model->n_layers - 1; i >= model->first_trained; i--) {
    tutti_tangent_pass pass = pass_of(curvature, batch, v, i);
    const int next = pass.layer->ops->in_place ? at : 1 - at;
    pass.dy = curvature->d[at];
    pass.dx = i > model->first_trained ? curvature->d[next] : NULL;
    if (v) pass.tdy = curvature->td[at];
    if (v && pass.dx) pass.tdx = curvature->td[next];
    pass.grads = curvature->grads;
    pass.layer->ops->tangent_backward(&pass);
    add_gradient(pass.layer, curvature->grads, sums);
    at = next;
  }
}

/** Add the loss, and set d[0] to its gradient by the outputs of the last layer, and td[0] to its derivative along v. */
static void start_backward(tutti_model_curvature *curvature, const tutti_model_curvature_batch *batch,
                           bool along, double *loss_sum) {
  const tutti_model *model = curvature->model;
  const int last = model->n_layers - 1;
  const float *z = model->layers[last].out;
  const int64_t rows = batch->rows, n = model->layers[last].n_out;
  const double scale = 1 / (double)batch->count;
  double metric_sum = 0;
  tutti_targets targets = batch->targets;
  targets.smoothing = model->label_smoothing;
  tutti_loss_rows(model->loss, z, targets, rows, n, scale, loss_sum, &metric_sum, curvature->d[0]);
  if (along)
    tutti_loss_curvature(model->loss, z, targets, rows, n, scale, curvature->tangents[last].out,
                         curvature->td[0]);
}

/** Add the gradient of the batch, or with v[n_params] the product of its Hessian with v, to sums[n_params]. */
static tutti_status add_derivatives(tutti_model_curvature *curvature,
                                    const tutti_model_curvature_batch *batch, const float *v,
                                    double *loss_sum, double *sums) {
  if (batch->rows == 0) return TUTTI_OK;
  TUTTI_TRY(forward(curvature, batch, v));
  start_backward(curvature, batch, v, loss_sum);
  backward(curvature, batch, v, sums);
  return TUTTI_OK;
}

tutti_status tutti_model_curvature_gradient(tutti_model_curvature *curvature,
                                            const tutti_model_curvature_batch *batch, double *loss_sum,
                                            double *grads) {
  return add_derivatives(curvature, batch, NULL, loss_sum, grads);
}

tutti_status tutti_model_curvature_product(tutti_model_curvature *curvature,
                                           const tutti_model_curvature_batch *batch, const float *v,
                                           double *product) {
  double loss_sum = 0;
  return add_derivatives(curvature, batch, v, &loss_sum, product);
}
