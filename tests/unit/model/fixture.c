#include "fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/numbers.h"

static void *array(int64_t n, size_t unit) {
  return calloc((size_t)n + 1, unit);
}

static int parse(const char *words, tutti_layer_spec *layers) {
  char copy[512], *rest = NULL;
  int n = 0;
  snprintf(copy, sizeof copy, "%s", words);
  for (char *layer = strtok_r(copy, ",", &rest); layer; layer = strtok_r(NULL, ",", &rest)) {
    assert_true(n < MAX_LAYERS);
    CHECK_OK(tutti_layer_parse(layer, &layers[n++]));
  }
  return n;
}

void fixture_make(fixture *f, const char *layers, tutti_loss loss, int64_t n_in, int64_t rows,
                  uint32_t part) {
  fixture_make_smoothed(f, layers, loss, 0, n_in, rows, part);
}

void fixture_make_smoothed(fixture *f, const char *layers, tutti_loss loss, double label_smoothing,
                           int64_t n_in, int64_t rows, uint32_t part) {
  *f = (fixture){.n_in = n_in, .rows = rows, .label_smoothing = label_smoothing};
  f->n_layers = parse(layers, f->layers);
  const tutti_model_options options = {
      .layers = f->layers, .n_layers = f->n_layers, .loss = loss, .label_smoothing = label_smoothing};
  CHECK_OK(tutti_model_create(&options, n_in, rows, &f->model));
  f->n_out = tutti_model_n_out(f->model);
  f->n_params = tutti_model_n_params(f->model);
  f->params = array(f->n_params, sizeof *f->params);
  f->grads = array(f->n_params, sizeof *f->grads);
  f->x = array(rows * n_in, sizeof *f->x);
  f->values = array(rows * f->n_out, sizeof *f->values);
  f->classes = array(rows, sizeof *f->classes);
  fixture_draw(f, part);
}

void fixture_free(fixture *f) {
  tutti_model_destroy(&f->model);
  free(f->params);
  free(f->grads);
  free(f->x);
  free(f->values);
  free(f->classes);
}

void fixture_draw(fixture *f, uint32_t part) {
  const uint32_t first = part * 16;
  tutti_model_init(f->model, part, f->params);
  numbers_fill(first, -0.4, 0.4, f->n_params, f->grads);
  for (int64_t i = 0; i < f->n_params; i++) f->params[i] += f->grads[i];
  numbers_fill(first + 1, -1.5, 1.5, f->rows * f->n_in, f->x);
  numbers_fill(first + 2, 0, 1, f->rows * f->n_out, f->values);
  const tutti_loss loss = tutti_model_loss_kind(f->model);
  for (int64_t i = 0; i < f->rows * f->n_out; i++) {
    if (loss == TUTTI_BINARY_CROSSENTROPY || loss == TUTTI_HINGE) f->values[i] = f->values[i] > 0.5f;
    if (loss == TUTTI_HUBER) f->values[i] *= 5;
  }
  for (int64_t i = 0; i < f->rows; i++) f->classes[i] = (int32_t)((i * 5 + i / 3) % f->n_out);
}

tutti_targets fixture_targets(const fixture *f, int64_t first) {
  if (tutti_model_loss_kind(f->model) == TUTTI_CATEGORICAL_CROSSENTROPY && !f->by_value)
    return (tutti_targets){.classes = f->classes + first, .smoothing = f->label_smoothing};
  return (tutti_targets){.values = f->values + first * f->n_out, .smoothing = f->label_smoothing};
}

tutti_model_pass fixture_pass(const fixture *f) {
  return (tutti_model_pass){
      .training = true, .seed = 5, .epoch = 3, .position = 1001, .batch_begin = 1001, .batch_count = f->rows};
}

tutti_status fixture_step(fixture *f, tutti_model_pass pass, int64_t first, int64_t n, double *loss,
                          double *metric) {
  pass.position += first;
  const float *x = f->x + first * f->n_in;
  TUTTI_TRY(tutti_model_forward(f->model, f->params, &pass, x, n));
  tutti_model_loss(f->model, &pass, fixture_targets(f, first), n, loss, metric);
  return tutti_model_backward(f->model, f->params, &pass, x, n, f->grads);
}

reference_net fixture_reference(const fixture *f) {
  return (reference_net){
      .layers = f->layers, .n_layers = f->n_layers, .n_in = f->n_in, .loss = tutti_model_loss_kind(f->model)};
}

double fixture_norm(const float *values, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += (double)values[i] * values[i];
  return sqrt(sum);
}

void fixture_each_loss(void (*check)(const char *layers, tutti_loss loss)) {
  for (int loss = TUTTI_MEAN_SQUARED_ERROR; loss < TUTTI_N_LOSSES; loss++) {
    check("dense 5 tanh,dense 3", (tutti_loss)loss);
    check("dense 5 tanh,dense 1", (tutti_loss)loss);
  }
  check("dense 5 tanh,dense 4 softmax", TUTTI_CATEGORICAL_CROSSENTROPY);
  check("dense 5 tanh,dense 4,activation softmax", TUTTI_LOSS_AUTO);
  check("dense 5 tanh,dense 3 sigmoid", TUTTI_BINARY_CROSSENTROPY);
  check("dense 5 tanh,dense 1 sigmoid", TUTTI_LOSS_AUTO);
  check("dense 5 tanh,dense 2,activation sigmoid", TUTTI_BINARY_CROSSENTROPY);
}
