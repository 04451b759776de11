#include "support/reference_net.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "support/linalg_twin.h"

#define SELU_LOW (-1.0507009873554805 * 1.6732632423543772)

/** What a layer works with: a[rows, n] becomes its output. */
typedef struct {
  const reference_net *net;
  const tutti_model_pass *pass;
  const double *params; // of the layers to come
  double *state;        // the same; may be NULL
  double *a;
  int64_t rows, n;
  int layer;
  double kink;
} walk;

static void near_kink(walk *w, double distance) {
  if (fabs(distance) < w->kink) w->kink = fabs(distance);
}

static void activate(walk *w, tutti_activation kind) {
  for (int64_t i = 0; i < w->rows * w->n; i++)
    near_kink(w, tutti_linalg_reference_activation_kink(kind, w->a[i]));
  tutti_linalg_reference_activation(kind, w->a, w->rows, w->n, w->a);
}

static void dense(walk *w, const tutti_layer_spec *spec) {
  double *z = calloc((size_t)(w->rows * spec->units + 1), sizeof *z);
  const double *kernel = w->params, *bias = kernel + w->n * spec->units;
  tutti_linalg_reference_forward(w->a, kernel, spec->bias ? bias : NULL, w->rows, w->n, spec->units, z);
  w->params = bias + (spec->bias ? spec->units : 0);
  free(w->a);
  w->a = z;
  w->n = spec->units;
  activate(w, spec->activation);
}

static uint32_t word(const walk *w, uint64_t number) {
  const tutti_stream stream = {w->pass->seed, TUTTI_STREAM_NOISE, (uint32_t)w->layer, w->pass->epoch};
  uint32_t four[4];
  tutti_random_words(stream, number / 4, four);
  return four[number % 4];
}

static double normal(const walk *w, uint64_t element) {
  double pair[2];
  tutti_random_normal(word(w, element / 2 * 2), word(w, element / 2 * 2 + 1), pair);
  return pair[element % 2];
}

// Layers of noise, element by element.

static double dropout(const walk *w, const tutti_layer_spec *spec, uint64_t element, double v) {
  return tutti_random_uniform(word(w, element)) >= spec->rate ? v / (1 - spec->rate) : 0;
}

static double gaussian_noise(const walk *w, const tutti_layer_spec *spec, uint64_t element, double v) {
  return v + spec->stddev * normal(w, element);
}

static double gaussian_dropout(const walk *w, const tutti_layer_spec *spec, uint64_t element, double v) {
  return v * (1 + sqrt(spec->rate / (1 - spec->rate)) * normal(w, element));
}

static double alpha_dropout(const walk *w, const tutti_layer_spec *spec, uint64_t element, double v) {
  const double rate = spec->rate, a = pow((1 - rate) * (1 + rate * SELU_LOW * SELU_LOW), -0.5);
  const bool is_kept = tutti_random_uniform(word(w, element)) >= rate;
  return a * (is_kept ? v : SELU_LOW) - a * SELU_LOW * rate;
}

/** One feature of the rows [from, to), which are a group. */
static void normalise(walk *w, const tutti_layer_spec *spec, int64_t j, int64_t from, int64_t to) {
  double mean = 0, variance = 0;
  for (int64_t i = from; i < to; i++) mean += w->a[i * w->n + j] / (double)(to - from);
  for (int64_t i = from; i < to; i++) variance += pow(w->a[i * w->n + j] - mean, 2) / (double)(to - from);
  double *moving_mean = w->state ? w->state + j : NULL,
         *moving_variance = w->state ? moving_mean + w->n : NULL;
  if (!w->pass->training) {
    mean = *moving_mean;
    variance = *moving_variance;
  } else if (w->state && to - from > 1) {
    *moving_mean = spec->momentum * *moving_mean + (1 - spec->momentum) * mean;
    *moving_variance = spec->momentum * *moving_variance + (1 - spec->momentum) * variance;
  }
  for (int64_t i = from; i < to; i++)
    w->a[i * w->n + j] =
        w->params[j] * (w->a[i * w->n + j] - mean) / sqrt(variance + spec->epsilon) + w->params[w->n + j];
}

static void batch_norm(walk *w, const tutti_layer_spec *spec) {
  const int64_t group = spec->ghost ? spec->ghost : w->rows;
  for (int64_t from = 0; from < w->rows; from += group)
    for (int64_t j = 0; j < w->n; j++)
      normalise(w, spec, j, from, from + group < w->rows ? from + group : w->rows);
  w->params += 2 * w->n;
  if (w->state) w->state += 2 * w->n;
}

static void prelu(walk *w, const tutti_layer_spec *spec) {
  (void)spec;
  for (int64_t i = 0; i < w->rows * w->n; i++) {
    near_kink(w, w->a[i]);
    w->a[i] = fmax(w->a[i], 0) + w->params[i % w->n] * fmin(w->a[i], 0);
  }
  w->params += w->n;
}

static void layer_norm(walk *w, const tutti_layer_spec *spec) {
  for (int64_t i = 0; i < w->rows; i++) {
    double *a = w->a + i * w->n, mean = 0, variance = 0;
    for (int64_t j = 0; j < w->n; j++) mean += a[j] / (double)w->n;
    for (int64_t j = 0; j < w->n; j++) variance += pow(a[j] - mean, 2) / (double)w->n;
    for (int64_t j = 0; j < w->n; j++)
      a[j] = w->params[j] * (a[j] - mean) / sqrt(variance + spec->epsilon) + w->params[w->n + j];
  }
  w->params += 2 * w->n;
}

static void activation(walk *w, const tutti_layer_spec *spec) {
  activate(w, spec->activation);
}

// --- the list

/** A layer; or, if it only adds noise in training, one element of its output. */
typedef struct {
  void (*layer)(walk *w, const tutti_layer_spec *spec);
  double (*noise)(const walk *w, const tutti_layer_spec *spec, uint64_t element, double v);
} twin;

static const twin dense_twin = {.layer = dense}, activation_twin = {.layer = activation},
                  batch_norm_twin = {.layer = batch_norm}, layer_norm_twin = {.layer = layer_norm},
                  prelu_twin = {.layer = prelu}, dropout_twin = {.noise = dropout},
                  gaussian_noise_twin = {.noise = gaussian_noise},
                  gaussian_dropout_twin = {.noise = gaussian_dropout},
                  alpha_dropout_twin = {.noise = alpha_dropout};

/** A layer without a twin does not compile. */
static const twin *const twins[TUTTI_N_LAYER_KINDS] = {
#define X(code, word, sentence) [TUTTI_LAYER_##code] = &word##_twin,
#include "tutti/layers.def"
};

static void pass_layer(walk *w, const tutti_layer_spec *spec) {
  const twin *of = twins[spec->kind];
  if (of->layer) of->layer(w, spec);
  for (int64_t i = 0; of->noise && w->pass->training && i < w->rows * w->n; i++)
    w->a[i] = of->noise(w, spec, (uint64_t)(w->pass->position * w->n + i), w->a[i]);
}

static void loss_kinks(walk *w, tutti_targets targets) {
  for (int64_t i = 0; targets.values && i < w->rows * w->n; i++) {
    const double t = targets.values[i];
    near_kink(w, tutti_linalg_reference_loss_kink(w->net->loss, w->a[i], t));
  }
}

reference_result reference_net_run(const reference_net *net, const double *params, double *state,
                                   const tutti_model_pass *pass, const double *x, tutti_targets targets,
                                   int64_t rows, double *outputs) {
  walk w = {.net = net,
            .pass = pass,
            .params = params,
            .state = state,
            .rows = rows,
            .n = net->n_in,
            .kink = INFINITY};
  w.a = calloc((size_t)(rows * w.n + 1), sizeof *w.a);
  memcpy(w.a, x, (size_t)(rows * w.n) * sizeof *w.a);
  for (w.layer = 0; w.layer < net->n_layers; w.layer++) pass_layer(&w, &net->layers[w.layer]);
  loss_kinks(&w, targets);
  const reference_result result = {.loss = tutti_linalg_reference_loss(net->loss, w.a, targets, rows, w.n),
                                   .metric =
                                       tutti_linalg_reference_metric(net->loss, w.a, targets, rows, w.n),
                                   .kink = w.kink};
  if (outputs) memcpy(outputs, w.a, (size_t)(rows * w.n) * sizeof *outputs);
  free(w.a);
  return result;
}
