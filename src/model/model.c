/** Questions to a network, and the passes of a micro-batch through its layers: forward, loss, backward.  The layers'
 * tables do the work; backward gives two buffers in turn to the layers, from the last one to the first with weights.
 * The training, the evaluation and curvature.c call it. */
#include "tutti/model.h"

#include <math.h>
#include <string.h>

#include "linalg/activation.h"
#include "linalg/loss.h"
#include "model/groups_impl.h"
#include "model/model_impl.h"

// --- questions -------------------------------------------------------------------------------------------

int64_t tutti_model_n_out(const tutti_model *model) {
  return model->layers[model->n_layers - 1].n_out;
}

int64_t tutti_model_n_params(const tutti_model *model) {
  return model->n_params;
}

tutti_matmul_by tutti_model_products(const tutti_model *model) {
  return model->products;
}

void tutti_model_choose_products(tutti_model *model, const tutti_matmul_choices *choices) {
  model->products.choices = choices;
}

void tutti_model_time_products(tutti_model *model, tutti_model_product_times *times) {
  model->product_times = times;
}

tutti_loss tutti_model_loss_kind(const tutti_model *model) {
  return model->loss;
}

bool tutti_model_is_classifier(const tutti_model *model) {
  return tutti_loss_is_classification(model->loss);
}

const char *tutti_model_metric_name(const tutti_model *model) {
  if (!tutti_model_is_classifier(model)) return "mean_absolute_error";
  return tutti_model_n_decisions(model) > 1 && !model->one_hot ? "binary_accuracy" : "accuracy";
}

void tutti_model_set_one_hot(tutti_model *model, bool one_hot) {
  model->one_hot = one_hot && tutti_model_n_decisions(model) > 1;
}

int tutti_model_n_arrays(const tutti_model *model) {
  return model->n_trained + model->n_states;
}

const tutti_model_array *tutti_model_array_at(const tutti_model *model, int i) {
  TUTTI_ASSERT(i >= 0 && i < tutti_model_n_arrays(model));
  return i < model->n_trained ? &model->trained[i].view : &model->states[i - model->n_trained].view;
}

const tutti_model_array *tutti_model_next_kernel(const tutti_model *model, int *i) {
  while (*i < tutti_model_n_arrays(model)) {
    const tutti_model_array *array = tutti_model_array_at(model, (*i)++);
    if (strcmp(array->name, "kernel") == 0) return array;
  }
  return NULL;
}

bool tutti_model_passes_on(const tutti_model *model, const tutti_model_array *array) {
  for (int i = 0; i <= model->first_trained; i++)
    if (strcmp(model->layers[i].name, array->layer) == 0) return false;
  return true;
}

float *tutti_model_state(tutti_model *model) {
  return model->state;
}

int64_t tutti_model_n_state(const tutti_model *model) {
  return model->n_state;
}

int tutti_model_n_layers(const tutti_model *model) {
  return model->n_layers;
}

void tutti_model_layer(const tutti_model *model, int i, tutti_layer_info *info) {
  const tutti_layer *layer = &model->layers[i];
  *info = (tutti_layer_info){.name = layer->name,
                             .type = layer->ops->type,
                             .n_out = layer->n_out,
                             .n_trainable = layer->n_params,
                             .n_other = layer->n_state,
                             .kind = layer->spec.kind,
                             .has_function = tutti_layer_activation(layer) != TUTTI_LINEAR,
                             .trains_bias = layer->spec.bias && !layer->spec.frozen};
}

// --- one micro-batch -------------------------------------------------------------------------------------

/** Each layer reads the outputs of the one before: its own array, or an earlier one that was passed on. */
tutti_status tutti_model_forward(tutti_model *model, const float *params, const tutti_model_pass *pass,
                                 const float *x, int64_t rows) {
  TUTTI_ASSERT(rows >= 0 && rows <= model->max_rows);
  const tutti_batch_pass batch = {.model = model, .pass = pass, .params = params, .rows = (int)rows};
  model->n_rows = batch.rows;
  for (int i = 0; i < model->n_layers; i++) {
    tutti_layer *layer = &model->layers[i];
    layer->out = layer->y;
    TUTTI_TRY(layer->ops->forward(layer, &batch, x));
    x = layer->out;
  }
  return TUTTI_OK;
}

static const tutti_layer *last_layer(const tutti_model *model) {
  return &model->layers[model->n_layers - 1];
}

/** The gradient by the last outputs goes to delta[0], where backward begins. */
void tutti_model_loss_part(tutti_model *model, const tutti_model_pass *pass, tutti_targets targets,
                           int64_t from, int64_t to, double *loss_sum, double *metric_sum) {
  const tutti_layer *last = last_layer(model);
  const int64_t n = last->n_out;
  TUTTI_ASSERT(0 <= from && from <= to && to <= model->n_rows);
  targets.smoothing = model->label_smoothing;
  targets.one_hot = model->one_hot;
  tutti_loss_rows(model->loss, last->out + from * n, targets, to - from, n, 1 / (double)pass->batch_count,
                  loss_sum, metric_sum, pass->training ? model->delta[0] + from * n : NULL);
}

void tutti_model_loss(tutti_model *model, const tutti_model_pass *pass, tutti_targets targets, int64_t rows,
                      double *loss_sum, double *metric_sum) {
  TUTTI_ASSERT(rows == model->n_rows);
  tutti_model_loss_part(model, pass, targets, 0, rows, loss_sum, metric_sum);
}

/** One layer that mixes samples is enough. */
bool tutti_model_has_examples(const tutti_model *model) {
  for (int i = 0; i < model->n_layers; i++)
    if (tutti_layer_mixes_samples(&model->layers[i])) return false;
  return true;
}

/** The layers before the first one with weights need no gradient. */
tutti_status tutti_model_backward(tutti_model *model, const float *params, const tutti_model_pass *pass,
                                  const float *x, int64_t rows, float *grads) {
  TUTTI_ASSERT(pass->training && rows == model->n_rows);
  const tutti_batch_pass batch = {
      .model = model, .pass = pass, .params = params, .grads = grads, .rows = (int)rows};
  float *dy = model->delta[0], *other = model->delta[1];
  for (int i = model->n_layers - 1; i >= model->first_trained; i--) {
    tutti_layer *layer = &model->layers[i];
    const float *input = i ? model->layers[i - 1].out : x;
    float *dx = layer->ops->in_place ? dy : other;
    TUTTI_TRY(layer->ops->backward(layer, &batch, input, dy, i > model->first_trained ? dx : NULL));
    if (dx == dy) continue;
    other = dy;
    dy = dx;
  }
  model->leaf_rows = rows + (pass->accumulate ? model->leaf_rows : 0);
  return TUTTI_OK;
}

/** If the loss contains the last activation, the outputs are logits until here. */
void tutti_model_predict(const tutti_model *model, int64_t rows, float *out) {
  const tutti_layer *last = last_layer(model);
  TUTTI_ASSERT(rows <= model->n_rows);
  tutti_activation_forward(model->last_activation, last->out, rows, last->n_out, out);
}

int64_t tutti_model_n_decisions(const tutti_model *model) {
  if (!tutti_model_is_classifier(model)) return 0;
  return tutti_loss_n_decisions(model->loss, last_layer(model)->n_out);
}

void tutti_model_decide(const tutti_model *model, int64_t rows, int32_t *classes) {
  const tutti_layer *last = last_layer(model);
  TUTTI_ASSERT(rows <= model->n_rows);
  tutti_loss_decide(model->loss, last->out, rows, last->n_out, classes);
}

// --- groups and moving statistics of batch_norm ----------------------------------------------------------

/** Each leaf has sums of its own for the state, which are added in the order of leaves. */
tutti_status tutti_model_reserve(tutti_model *model, int64_t batch_count, int n_leaves, int64_t leaf_rows) {
  tutti_free(model->moving);
  model->n_leaves = n_leaves;
  TUTTI_TRY(TUTTI_NEW(model->moving, n_leaves * model->n_moving));
  for (int i = 0; i < model->n_layers; i++) {
    tutti_layer *layer = &model->layers[i];
    if (layer->ops->reserve) TUTTI_TRY(layer->ops->reserve(layer, batch_count, n_leaves, leaf_rows));
  }
  return TUTTI_OK;
}

/** The state keeps momentum^K of itself for K groups; their own parts, with weights, were summed by the layers. */
tutti_status tutti_model_merge_state(tutti_model *model, int64_t batch_count, tutti_model_sum sum,
                                     void *context) {
  if (model->n_moving == 0) return TUTTI_OK;
  if (sum) TUTTI_TRY(sum(context, model->moving, model->n_leaves * model->n_moving));
  for (int leaf = 1; leaf < model->n_leaves; leaf++)
    for (int64_t k = 0; k < model->n_moving; k++)
      model->moving[k] += model->moving[leaf * model->n_moving + k];
  for (int i = 0; i < model->n_layers; i++) {
    const tutti_layer *layer = &model->layers[i];
    if (!tutti_layer_mixes_samples(layer)) continue;
    const double kept =
        pow(layer->spec.momentum, (double)tutti_model_groups_with_variance(layer->spec.ghost, batch_count));
    for (int64_t k = layer->state; k < layer->state + layer->n_state; k++)
      model->state[k] = (float)(kept * model->state[k] + model->moving[k]);
  }
  memset(model->moving, 0, (size_t)model->n_leaves * (size_t)model->n_moving * sizeof *model->moving);
  return TUTTI_OK;
}
