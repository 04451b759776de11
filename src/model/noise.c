/** The layers of noise: dropout, gaussian_noise, gaussian_dropout and alpha_dropout, which are identities in
 * evaluation.  The random number of an element (sample, feature) is a function of (seed, epoch, layer, position of
 * the sample in the epoch, feature), so that neither ranks nor micro-batches change a mask.
 *
 * Forward keeps the factors for backward: reading four bytes per element is faster than ten rounds of Philox. */
#include <math.h>
#include <string.h>

#include "base/clones.h"
#include "base/loops.h"
#include "base/random.h"
#include "linalg/constants.h"
#include "linalg/parallel.h"
#include "linalg/vector_math.h"
#include "model/model_impl.h"

enum { CHUNK = 1024 }; // an even number of elements

/** The seed and the epoch make the stream, and each layer has its own part of it. */
static tutti_stream stream_of(const tutti_layer *layer, const tutti_batch_pass *batch) {
  return (tutti_stream){.seed = batch->pass->seed,
                        .kind = TUTTI_STREAM_NOISE,
                        .part = (uint32_t)layer->index,
                        .epoch = batch->pass->epoch};
}

/** Elements [at, at + n) of a micro-batch, at most CHUNK: they stay in the nearest cache from drawing to multiplying. */
typedef struct {
  tutti_layer *layer;
  const tutti_batch_pass *batch;
  int64_t at, n;
} chunk;

/** The number of its first element in the epoch. */
static uint64_t number_of(const chunk *c) {
  return (uint64_t)c->batch->pass->position * (uint64_t)c->layer->n_out + (uint64_t)c->at;
}

static int64_t n_elements(const tutti_layer *layer, const tutti_batch_pass *batch) {
  return (int64_t)batch->rows * layer->n_out;
}

// --- drawing ---------------------------------------------------------------------------------------------

/** kept[i] = keep if the random word is at least the threshold, else 0. */
TUTTI_CLONES static void compare(const uint32_t *restrict words, int64_t n, uint32_t threshold, float keep,
                                 float *restrict kept) {
  for (int64_t i = 0; i < n; i++) kept[i] = words[i] >= threshold ? keep : 0;
}

/** layer->kept = `keep` with probability 1 - rate, else 0; one random word per element. */
static void draw_kept(const chunk *c, double keep) {
  uint32_t words[CHUNK];
  const uint32_t threshold = (uint32_t)(c->layer->spec.rate * 0x1p32);
  tutti_random_fill(stream_of(c->layer, c->batch), number_of(c), c->n, words);
  compare(words, c->n, threshold, (float)keep, c->layer->kept + c->at);
}

/** Two words make two normal numbers (Box and Muller). */
TUTTI_CLONES static void transform(const uint32_t *restrict words, int64_t n_pairs, float mean,
                                   float deviation, float *restrict values) {
  for (int64_t i = 0; i < n_pairs; i++) {
    float first, second;
    tutti_normal_pair(words[2 * i], words[2 * i + 1], &first, &second);
    values[2 * i] = mean + deviation * first;
    values[2 * i + 1] = mean + deviation * second;
  }
}

/** values[n] = mean + deviation * normal; elements 2 i and 2 i + 1 of the epoch share the words of these numbers. */
static void draw_normal(const chunk *c, double mean, double deviation, float *values) {
  uint32_t words[CHUNK + 2];
  float normals[CHUNK + 2];
  const uint64_t at = number_of(c);
  const int64_t odd = (int64_t)(at & 1); // the first element is the second of its pair
  const int64_t n_pairs = (odd + c->n + 1) / 2;
  tutti_random_fill(stream_of(c->layer, c->batch), at - (uint64_t)odd, 2 * n_pairs, words);
  transform(words, n_pairs, (float)mean, (float)deviation, normals);
  memcpy(values, normals + odd, (size_t)c->n * sizeof *values);
}

// --- passing through -------------------------------------------------------------------------------------

TUTTI_CLONES static void multiply(const float *x, const float *factors, int64_t n, float *y) {
  TUTTI_INDEPENDENT
  for (int64_t i = 0; i < n; i++) y[i] = x[i] * factors[i];
}

/** y = factor x + shift, or `dropped` if the factor is 0. */
TUTTI_CLONES static void multiply_or_drop(const float *restrict x, const float *restrict factors, int64_t n,
                                          float shift, float dropped, float *restrict y) {
  for (int64_t i = 0; i < n; i++) {
    const float kept = factors[i] * x[i] + shift;
    y[i] = factors[i] != 0 ? kept : dropped;
  }
}

/** Klambauer et al. (arXiv 1706.02515): dropped elements become the lower limit of selu, and y = a v + b keeps mean and
 * variance. */
static void alpha_dropout(const chunk *c, const float *x, float *y) {
  const double rate = c->layer->spec.rate, low = -TUTTI_SELU_SCALE * TUTTI_SELU_ALPHA;
  const double a = 1 / sqrt((1 - rate) * (1 + rate * low * low)), b = -a * low * rate;
  draw_kept(c, a);
  multiply_or_drop(x, c->layer->kept + c->at, c->n, (float)b, (float)(a * low + b), y);
}

// --- the layers ------------------------------------------------------------------------------------------

/** With no noise to make, the output is the input. */
static bool is_off(const tutti_layer *layer, const tutti_batch_pass *batch) {
  return !batch->pass->training || (layer->spec.rate == 0 && layer->spec.stddev == 0);
}

/** @param[in] x  [n] of the chunk; so are factors and y */
static void forward_chunk(const chunk *c, const float *x) {
  const double rate = c->layer->spec.rate;
  float *y = c->layer->y + c->at;
  switch (c->layer->spec.kind) {
  case TUTTI_LAYER_GAUSSIAN_NOISE:
    draw_normal(c, 0, c->layer->spec.stddev, y);
    tutti_layer_add(x, c->n, y);
    break;
  case TUTTI_LAYER_ALPHA_DROPOUT:
    alpha_dropout(c, x, y);
    break;
  case TUTTI_LAYER_GAUSSIAN_DROPOUT: // factors of mean 1 and the variance that dropout has
    draw_normal(c, 1, sqrt(rate / (1 - rate)), c->layer->kept + c->at);
    multiply(x, c->layer->kept + c->at, c->n, y);
    break;
  default: // dropout: Srivastava et al. (2014), with the scale in training, so that evaluation needs none
    draw_kept(c, 1 / (1 - rate));
    multiply(x, c->layer->kept + c->at, c->n, y);
  }
}

/** A micro-batch whose elements the threads share. */
typedef struct {
  tutti_layer *layer;
  const tutti_batch_pass *batch; // in forward
  const float *x;                // in forward
  const float *dy;               // in backward, as is dx, which may be dy
  float *dx;
} elements;

static void some_forward(void *context, int64_t begin, int64_t end) {
  const elements *e = context;
  for (int64_t at = begin; at < end; at += CHUNK) {
    const chunk c = {e->layer, e->batch, at, end - at < CHUNK ? end - at : CHUNK};
    forward_chunk(&c, e->x + at);
  }
}

static tutti_status forward(tutti_layer *layer, const tutti_batch_pass *batch, const float *x) {
  static const double ns = 0.5; // of an element, for its random number
  if (is_off(layer, batch))
    layer->out = x;
  else
    tutti_linalg_parallel(n_elements(layer, batch), CHUNK, ns, some_forward,
                          &(elements){.layer = layer, .batch = batch, .x = x});
  return TUTTI_OK;
}

static void some_backward(void *context, int64_t begin, int64_t end) {
  const elements *e = context;
  multiply(e->dy + begin, e->layer->kept + begin, end - begin, e->dx + begin);
}

/** The noise of gaussian_noise is added, so that dx is dy; the others have factors. */
static tutti_status backward(tutti_layer *layer, const tutti_batch_pass *batch, const float *x, float *dy,
                             float *dx) {
  (void)x;
  static const double ns = 0.07; // of an element
  if (dx && layer->kept && !is_off(layer, batch))
    tutti_linalg_parallel(n_elements(layer, batch), CHUNK, ns, some_backward,
                          &(elements){.layer = layer, .dy = dy, .dx = dx});
  return TUTTI_OK;
}

/** In evaluation it is an identity. */
static bool keeps_range(const tutti_layer_spec *spec) {
  (void)spec;
  return true;
}

static void tangent_forward(const tutti_tangent_pass *pass) {
  pass->tangent->out = pass->tx;
}

static void tangent_backward(const tutti_tangent_pass *pass) {
  (void)pass;
}

#define DROPOUT_OPS(keras_type, word)                                                                        \
  {                                                                                                          \
    .type = keras_type, .name = #word, .example = #word " 0.3",                                              \
    .fields = {{NULL, "RATE", TUTTI_WORD_REAL, true, TUTTI_AT(rate), 0, TUTTI_BELOW_ONE,                     \
                "a number >= 0 and < 1"}},                                                                   \
    .in_place = true, .keeps_range = keeps_range, .keeps_values = true, .forward = forward,                  \
    .backward = backward, .tangent_forward = tangent_forward, .tangent_backward = tangent_backward           \
  }

const tutti_layer_ops tutti_layer_dropout_ops = DROPOUT_OPS("Dropout", dropout),
                      tutti_layer_gaussian_dropout_ops = DROPOUT_OPS("GaussianDropout", gaussian_dropout),
                      tutti_layer_alpha_dropout_ops = DROPOUT_OPS("AlphaDropout", alpha_dropout);

const tutti_layer_ops tutti_layer_gaussian_noise_ops = {
    .type = "GaussianNoise",
    .name = "gaussian_noise",
    .example = "gaussian_noise 0.4",
    .fields = {{NULL, "STDDEV", TUTTI_WORD_REAL, true, TUTTI_AT(stddev), 0, TUTTI_ANY, "a number >= 0"}},
    .in_place = true,
    .keeps_range = keeps_range,
    .forward = forward,
    .backward = backward,
    .tangent_forward = tangent_forward,
    .tangent_backward = tangent_backward,
};
