/** The layers of noise: identities outside of training.  The number of element (sample, feature) is a
 * function of (seed, epoch, layer, position of the sample in the epoch, feature), so that neither ranks nor
 * micro-batches change a mask.
 *
 * Forward keeps the factors for backward: four bytes an element are read faster than ten rounds of Philox are
 * done again. */
#include <math.h>

#include "base/clones.h"
#include "base/random.h"
#include "linalg/constants.h"
#include "base/loops.h"
#include "model/model_impl.h"

enum { CHUNK = 1024 }; // words on the stack

static tutti_stream stream_of(const tutti_layer *layer, const tutti_flow *flow) {
  return (tutti_stream){.seed = flow->pass->seed,
                        .kind = TUTTI_STREAM_NOISE,
                        .part = (uint32_t)layer->index,
                        .epoch = flow->pass->epoch};
}

/** In the epoch, of the micro-batch's first element. */
static uint64_t first_element(const tutti_layer *layer, const tutti_flow *flow) {
  return (uint64_t)flow->pass->position * (uint64_t)layer->n_out;
}

static int64_t n_elements(const tutti_layer *layer, const tutti_flow *flow) {
  return (int64_t)flow->rows * layer->n_out;
}

TUTTI_CLONES static void compare(const uint32_t *restrict words, int64_t n, uint32_t threshold, float keep,
                                 float *restrict kept) {
  for (int64_t i = 0; i < n; i++) kept[i] = words[i] >= threshold ? keep : 0;
}

/** kept[n] = `keep` with probability 1 - rate, else 0; one word an element. */
static void draw_kept(tutti_stream stream, uint64_t first, int64_t n, double rate, float keep, float *kept) {
  uint32_t words[CHUNK];
  const uint32_t threshold = (uint32_t)(rate * 0x1p32);
  for (int64_t done = 0; done < n; done += CHUNK) {
    const int64_t part = n - done < CHUNK ? n - done : CHUNK;
    tutti_random_fill(stream, first + (uint64_t)done, part, words);
    compare(words, part, threshold, keep, kept + done);
  }
}

/** values[n] = mean + deviation * normal; elements 2 i and 2 i + 1 share the words of these numbers. */
static void draw_normal(tutti_stream stream, uint64_t first, int64_t n, double mean, double deviation,
                        float *values) {
  uint32_t words[CHUNK];
  double pair[2];
  for (int64_t done = 0; done < n;) {
    const uint64_t at = first + (uint64_t)done, even = at & ~UINT64_C(1);
    const uint64_t end = first + (uint64_t)n;
    const uint64_t part = end - even < CHUNK ? (end - even + 1) & ~UINT64_C(1) : CHUNK;
    tutti_random_fill(stream, even, (int64_t)part, words);
    for (uint64_t i = 0; i < part; i += 2) {
      tutti_random_normal(words[i], words[i + 1], pair);
      for (uint64_t k = 0; k < 2; k++)
        if (even + i + k >= at && even + i + k < end) values[done++] = (float)(mean + deviation * pair[k]);
    }
  }
}

static tutti_status setup(tutti_model *model, tutti_layer *layer) {
  layer->n_out = layer->n_in;
  return tutti_layer_allocate(model, layer, true);
}

/** With no noise to make, the output is the input. */
static bool is_off(const tutti_layer *layer, const tutti_flow *flow) {
  return !flow->pass->training || (layer->spec.rate == 0 && layer->spec.stddev == 0);
}

TUTTI_CLONES static void multiply(const float *x, const float *factors, int64_t n, float *y) {
  TUTTI_INDEPENDENT
  for (int64_t i = 0; i < n; i++) y[i] = x[i] * factors[i];
}

static tutti_status dropout_forward(tutti_model *model, tutti_layer *layer, const tutti_flow *flow,
                                    const float *x) {
  (void)model;
  layer->out = x;
  if (is_off(layer, flow)) return TUTTI_OK;
  const double rate = layer->spec.rate;
  const int64_t n = n_elements(layer, flow);
  draw_kept(stream_of(layer, flow), first_element(layer, flow), n, rate, (float)(1 / (1 - rate)),
            layer->kept);
  multiply(x, layer->kept, n, layer->y);
  layer->out = layer->y;
  return TUTTI_OK;
}

static tutti_status gaussian_dropout_forward(tutti_model *model, tutti_layer *layer, const tutti_flow *flow,
                                             const float *x) {
  (void)model;
  layer->out = x;
  if (is_off(layer, flow)) return TUTTI_OK;
  const double rate = layer->spec.rate;
  const int64_t n = n_elements(layer, flow);
  draw_normal(stream_of(layer, flow), first_element(layer, flow), n, 1, sqrt(rate / (1 - rate)), layer->kept);
  multiply(x, layer->kept, n, layer->y);
  layer->out = layer->y;
  return TUTTI_OK;
}

/** Klambauer et al., 2017: dropped elements become the value selu tends to, and y = a v + b keeps mean and
 * variance. */
static tutti_status alpha_dropout_forward(tutti_model *model, tutti_layer *layer, const tutti_flow *flow,
                                          const float *x) {
  (void)model;
  layer->out = x;
  if (is_off(layer, flow)) return TUTTI_OK;
  const double rate = layer->spec.rate, low = -TUTTI_SELU_SCALE * TUTTI_SELU_ALPHA;
  const double a = 1 / sqrt((1 - rate) * (1 + rate * low * low)), b = -a * low * rate;
  const int64_t n = n_elements(layer, flow);
  draw_kept(stream_of(layer, flow), first_element(layer, flow), n, rate, (float)a, layer->kept);
  const float shift = (float)b, dropped = (float)(a * low + b);
  for (int64_t i = 0; i < n; i++) layer->y[i] = layer->kept[i] != 0 ? layer->kept[i] * x[i] + shift : dropped;
  layer->out = layer->y;
  return TUTTI_OK;
}

static tutti_status multiply_backward(tutti_model *model, tutti_layer *layer, const tutti_flow *flow,
                                      const float *x, float *dy, float *dx) {
  (void)model, (void)x;
  if (is_off(layer, flow)) return TUTTI_OK;
  multiply(dy, layer->kept, n_elements(layer, flow), dx);
  return TUTTI_OK;
}

static tutti_status noise_setup(tutti_model *model, tutti_layer *layer) {
  layer->n_out = layer->n_in;
  return tutti_layer_allocate(model, layer, false);
}

static tutti_status noise_forward(tutti_model *model, tutti_layer *layer, const tutti_flow *flow,
                                  const float *x) {
  (void)model;
  layer->out = x;
  if (is_off(layer, flow)) return TUTTI_OK;
  const int64_t n = n_elements(layer, flow);
  draw_normal(stream_of(layer, flow), first_element(layer, flow), n, 0, layer->spec.stddev, layer->y);
  for (int64_t i = 0; i < n; i++) layer->y[i] += x[i];
  layer->out = layer->y;
  return TUTTI_OK;
}

/** A sum: dx is dy. */
static tutti_status noise_backward(tutti_model *model, tutti_layer *layer, const tutti_flow *flow,
                                   const float *x, float *dy, float *dx) {
  (void)model, (void)layer, (void)flow, (void)x, (void)dy, (void)dx;
  return TUTTI_OK;
}

const tutti_layer_ops tutti_dropout_ops = {.type = "Dropout",
                                           .name = "dropout",
                                           .in_place = true,
                                           .setup = setup,
                                           .forward = dropout_forward,
                                           .backward = multiply_backward};

const tutti_layer_ops tutti_gaussian_dropout_ops = {.type = "GaussianDropout",
                                                    .name = "gaussian_dropout",
                                                    .in_place = true,
                                                    .setup = setup,
                                                    .forward = gaussian_dropout_forward,
                                                    .backward = multiply_backward};

const tutti_layer_ops tutti_alpha_dropout_ops = {.type = "AlphaDropout",
                                                 .name = "alpha_dropout",
                                                 .in_place = true,
                                                 .setup = setup,
                                                 .forward = alpha_dropout_forward,
                                                 .backward = multiply_backward};

const tutti_layer_ops tutti_gaussian_noise_ops = {.type = "GaussianNoise",
                                                  .name = "gaussian_noise",
                                                  .in_place = true,
                                                  .setup = noise_setup,
                                                  .forward = noise_forward,
                                                  .backward = noise_backward};
