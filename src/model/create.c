/** Creates and frees a network: the loss that fits, the layers in their order, the offsets of their arrays, and work
 * memory.  This file lies above the list of kinds, whose tables set up each layer. */
#include <stdio.h>
#include <string.h>

#include "base/arithmetic.h"
#include "linalg/loss.h"
#include "linalg/matmul.h"
#include "model/model_impl.h"

enum { MAX_STATES = 2 }; // arrays of a layer

/** dense, dense_1, dense_2: the nth of its kind. */
static void name_layer(const tutti_model *model, tutti_layer *layer) {
  int n = 0;
  for (int i = 0; i < layer->index; i++) n += model->layers[i].ops == layer->ops;
  if (n == 0)
    snprintf(layer->name, sizeof layer->name, "%s", layer->ops->name);
  else
    snprintf(layer->name, sizeof layer->name, "%s_%d", layer->ops->name, n);
}

/** The activation at the end of the network; none after a layer of noise or normalisation. */
static tutti_activation last_activation(const tutti_model_options *options) {
  const tutti_layer_spec *last = &options->layers[options->n_layers - 1];
  return tutti_layer_has_activation(last) ? last->activation : TUTTI_LINEAR;
}

/** AUTO is the cross-entropy of the last activation, or the mean squared error. */
static tutti_loss resolve_loss(const tutti_model_options *options) {
  return options->loss == TUTTI_LOSS_AUTO ? tutti_loss_for(last_activation(options)) : options->loss;
}

/** A cross-entropy contains its softmax or sigmoid, which must be the end of the network. */
static tutti_status check_loss(const tutti_model_options *options, tutti_loss loss) {
  const tutti_activation wanted = tutti_loss_activation(loss);
  char last[128];
  tutti_layer_print(&options->layers[options->n_layers - 1], last, sizeof last);
  TUTTI_CHECK(
      wanted == TUTTI_LINEAR || wanted == last_activation(options), TUTTI_ERR_CONFIG,
      "loss %s requires %s at the end of the network, but the last layer is '%s'; end with 'dense UNITS "
      "%s', or choose "
      "another loss",
      tutti_loss_names[loss], tutti_activation_names[wanted], last, tutti_activation_names[wanted]);
  TUTTI_CHECK(options->label_smoothing == 0 || tutti_loss_takes_smoothing(loss), TUTTI_ERR_CONFIG,
              "model.label_smoothing: %g spreads the targets of classes, but the loss %s has no classes; "
              "leave it out, or use "
              "categorical_crossentropy or binary_crossentropy",
              options->label_smoothing, tutti_loss_names[loss]);
  return TUTTI_OK;
}

/** Checks that hold for all kinds, after set-up, when the sizes are known. */
static tutti_status check_layer(const tutti_layer *layer) {
  const bool softmax = layer->ops->has_activation && layer->spec.activation == TUTTI_SOFTMAX;
  TUTTI_CHECK(!softmax || layer->n_out > 1, TUTTI_ERR_CONFIG,
              "layer %d (%s): softmax over one unit is always 1; write sigmoid, or one unit per class",
              layer->index + 1, layer->name);
  return TUTTI_OK;
}

/** Set up layer `index` behind the layers before it.  Offsets follow from the arrays that these have added. */
static tutti_status add_layer(tutti_model *model, const tutti_layer_spec *spec, int index,
                              bool gives_logits) {
  tutti_layer *layer = &model->layers[index];
  layer->spec = *spec;
  layer->ops = tutti_layer_ops_of(spec->kind);
  layer->index = index;
  layer->n_in = layer->n_out = index ? model->layers[index - 1].n_out : model->n_in;
  const int64_t n_moving = model->n_moving, n_frozen = model->n_frozen, n_params = model->n_params;
  layer->offset = spec->frozen ? n_frozen : n_params;
  layer->state = n_moving;
  layer->gives_logits = gives_logits;
  layer->keeps_values = layer->ops->keeps_values;
  name_layer(model, layer);
  if (layer->ops->own_bytes > 0 && !(layer->own = tutti_calloc(1, layer->ops->own_bytes)))
    return TUTTI_ERR_MEMORY;
  if (layer->ops->setup) TUTTI_TRY(layer->ops->setup(model, layer));
  layer->n_params = model->n_params - n_params;
  layer->n_state = model->n_moving - n_moving + model->n_frozen - n_frozen;
  const int64_t n = (int64_t)model->max_rows * layer->n_out;
  TUTTI_TRY(TUTTI_NEW(layer->y, n));
  if (layer->keeps_values) TUTTI_TRY(TUTTI_NEW(layer->kept, n));
  if (layer->n_weights > 0) TUTTI_TRY(TUTTI_NEW(layer->sums, TUTTI_MAX_TRAINED * (int64_t)layer->n_out));
  return check_layer(layer);
}

/** Place frozen arrays behind the moving ones, which are summed over ranks in each step. */
static void place_frozen(tutti_model *model) {
  model->n_state = model->n_moving + model->n_frozen;
  for (int i = 0; i < model->n_states; i++)
    if (model->states[i].frozen) model->states[i].view.offset += model->n_moving;
  for (int i = 0; i < model->n_layers; i++) {
    tutti_layer *layer = &model->layers[i];
    if (!layer->spec.frozen) continue;
    layer->offset += model->n_moving;
    layer->state = layer->offset + layer->n_weights;
  }
}

/** Buffers that all layers share: two for gradients by outputs, which backward uses in turn, and two for squares. */
static tutti_status allocate(tutti_model *model) {
  int64_t widest = 0;
  for (int i = 0; i < model->n_layers; i++)
    if (model->layers[i].n_out > widest) widest = model->layers[i].n_out;
  for (int i = 0; i < 2; i++) {
    TUTTI_TRY(TUTTI_NEW(model->delta[i], model->max_rows * widest));
    TUTTI_TRY(TUTTI_NEW(model->row_squares[i], model->max_rows));
  }
  TUTTI_TRY(TUTTI_NEW(model->state, model->n_state));
  model->n_leaves = 1;
  TUTTI_TRY(TUTTI_NEW(model->moving, model->n_moving));
  return TUTTI_OK;
}

/** Room for the rounded factors of the largest product. */
static tutti_status reserve_bfloat16(tutti_model *model) {
  TUTTI_CHECK(
      tutti_matmul_has_bfloat16(), TUTTI_ERR_CONFIG,
      "model.compute bfloat16 needs a processor with AVX-512 BF16 (Intel Cooper Lake, Sapphire Rapids, "
      "AMD Zen 4 or newer), which this one is not; train on such a processor, or give "
      "model.compute=float32, with which a run that began with bfloat16 can only continue as another "
      "training: in another run.directory, from the file that run.resume names");
  int64_t most = 0;
  const tutti_model_array *kernel;
  for (int i = 0; (kernel = tutti_model_next_kernel(model, &i));)
    most = tutti_max64(most, tutti_matmul_scratch(model->max_rows, (int)kernel->rows, (int)kernel->cols));
  return TUTTI_NEW(model->products.scratch, most);
}

static tutti_status build(const tutti_model_options *options, int64_t n_in, int64_t max_rows,
                          tutti_model *model) {
  model->loss = resolve_loss(options);
  TUTTI_TRY(check_loss(options, model->loss));
  TUTTI_ASSERT(options->label_smoothing >= 0 && options->label_smoothing < 1);
  model->label_smoothing = options->label_smoothing;
  TUTTI_TRY(tutti_to_int(n_in, "features of a sample", &model->n_in));
  TUTTI_TRY(tutti_to_int(max_rows, "samples of a micro-batch", &model->max_rows));
  model->initializer = options->initializer;
  model->products.order = options->order;
  model->products.compute = options->compute;
  const bool logits = tutti_loss_activation(model->loss) != TUTTI_LINEAR;
  if (logits) model->last_activation = last_activation(options);

  const int n = options->n_layers;
  TUTTI_TRY(TUTTI_NEW(model->layers, n));
  TUTTI_TRY(TUTTI_NEW(model->trained, TUTTI_MAX_TRAINED * n));
  TUTTI_TRY(TUTTI_NEW(model->states, (MAX_STATES + TUTTI_MAX_TRAINED) * n));
  model->n_layers = n;
  for (int i = 0; i < n; i++) TUTTI_TRY(add_layer(model, &options->layers[i], i, logits && i == n - 1));

  place_frozen(model);
  TUTTI_CHECK(model->n_params > 0 || model->n_frozen == 0, TUTTI_ERR_CONFIG,
              "model.layers: each layer with weights has trainable=no, so there is nothing to train; remove "
              "it from a layer");
  TUTTI_CHECK(model->n_params > 0, TUTTI_ERR_CONFIG,
              "no layer of the network has weights; add 'dense UNITS'");
  while (model->layers[model->first_trained].n_params == 0) model->first_trained++;
  if (options->compute == TUTTI_COMPUTE_BFLOAT16) TUTTI_TRY(reserve_bfloat16(model));
  return allocate(model);
}

tutti_status tutti_model_create(const tutti_model_options *options, int64_t n_in, int64_t max_rows,
                                tutti_model **model) {
  *model = NULL;
  TUTTI_CHECK(options->n_layers > 0, TUTTI_ERR_CONFIG,
              "the network has no layer; write some, for example 'dense 512 relu'");
  TUTTI_CHECK(n_in > 0, TUTTI_ERR_DATA, "the samples have no features");
  TUTTI_ASSERT(max_rows >= 0);
  tutti_model *made = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(made, 1));
  TUTTI_TRY_GOTO(done, build(options, n_in, max_rows, made));
  *model = made;
  made = NULL;
done:
  tutti_model_destroy(&made);
  return status;
}

/** A kind frees the memory behind its own struct; the struct itself is freed here. */
static void free_layer(tutti_layer *layer) {
  if (layer->own && layer->ops->release) layer->ops->release(layer->own);
  tutti_free(layer->own);
  tutti_free(layer->y);
  tutti_free(layer->kept);
  tutti_free(layer->sums);
}

void tutti_model_destroy(tutti_model **model) {
  tutti_model *m = *model;
  if (!m) return;
  for (int i = 0; i < m->n_layers; i++) free_layer(&m->layers[i]);
  tutti_free(m->products.scratch);
  tutti_free(m->layers);
  tutti_free(m->trained);
  tutti_free(m->states);
  tutti_free(m->state);
  tutti_free(m->moving);
  for (int i = 0; i < 2; i++) {
    tutti_free(m->delta[i]);
    tutti_free(m->row_squares[i]);
  }
  tutti_free(m);
  *model = NULL;
}
