/** Initial weights as Keras draws them: uniform, or normal and cut at two deviations, with a variance that depends
 * on the numbers of inputs and outputs (Glorot and Bengio 2010; He et al. 2015; LeCun et al. 1998).  Each number is
 * a function of (seed, array, element), so that no rank has to send weights.  The training calls it once. */
#include <math.h>

#include "base/random.h"
#include "model/model_impl.h"

const char *const tutti_model_initializer_names[TUTTI_N_INITIALIZERS] = {
#define X(code, name) name,
    TUTTI_INITIALIZER_LIST(X)
#undef X
};

// The standard deviation of a standard normal that is cut at 2; Keras divides the wanted deviation by it.
#define TRUNCATED_DEVIATION 0.87962566103423978

enum { CHUNK = 1024 }; // words on the stack

static bool is_normal(tutti_initializer initializer) {
  return initializer == TUTTI_INIT_GLOROT_NORMAL || initializer == TUTTI_INIT_HE_NORMAL ||
         initializer == TUTTI_INIT_LECUN_NORMAL;
}

/** The variance of the weights. */
static double variance(tutti_initializer initializer, double fan_in, double fan_out) {
  switch (initializer) {
  case TUTTI_INIT_GLOROT_UNIFORM:
  case TUTTI_INIT_GLOROT_NORMAL:
    return 2 / (fan_in + fan_out);
  case TUTTI_INIT_HE_UNIFORM:
  case TUTTI_INIT_HE_NORMAL:
    return 2 / fan_in;
  default:
    return 1 / fan_in;
  }
}

/** weights[n] in [-limit, limit). */
static void fill_uniform(tutti_stream stream, double limit, int64_t n, float *weights) {
  uint32_t words[CHUNK];
  for (int64_t done = 0; done < n; done += CHUNK) {
    const int64_t part = n - done < CHUNK ? n - done : CHUNK;
    tutti_random_fill(stream, (uint64_t)done, part, words);
    for (int64_t i = 0; i < part; i++)
      weights[done + i] = (float)(limit * (2 * tutti_random_uniform(words[i]) - 1));
  }
}

/** A standard normal within 2 deviations: drawn until one is, where each attempt is a function of its number. */
static double truncated_normal(tutti_stream stream, uint64_t element) {
  for (stream.epoch = 0;; stream.epoch++) {
    uint32_t words[4];
    tutti_random_words(stream, element, words);
    for (int i = 0; i < 4; i += 2) {
      double pair[2];
      tutti_random_normal(words[i], words[i + 1], pair);
      if (fabs(pair[0]) <= 2) return pair[0];
      if (fabs(pair[1]) <= 2) return pair[1];
    }
  }
}

/** weights[n] with the given deviation before the cut. */
static void fill_normal(tutti_stream stream, double deviation, int64_t n, float *weights) {
  for (int64_t i = 0; i < n; i++) weights[i] = (float)(deviation * truncated_normal(stream, (uint64_t)i));
}

/** The number of the array is its part of the stream, so that other arrays do not change its weights. */
static void fill_array(const tutti_array *array, uint64_t seed, float *weights) {
  const tutti_model_array *view = &array->view;
  if (!array->random) {
    for (int64_t k = 0; k < view->n; k++) weights[k] = array->fill;
    return;
  }
  const tutti_stream stream = {.seed = seed, .kind = TUTTI_STREAM_WEIGHTS, .part = array->part};
  const double v = variance(array->initializer, (double)view->rows, (double)view->cols);
  if (is_normal(array->initializer))
    fill_normal(stream, sqrt(v) / TRUNCATED_DEVIATION, view->n, weights);
  else
    fill_uniform(stream, sqrt(3 * v), view->n, weights);
}

/** Frozen weights start as if they were trained. */
void tutti_model_init(tutti_model *model, uint64_t seed, float *params) {
  for (int i = 0; i < model->n_trained; i++)
    fill_array(&model->trained[i], seed, params + model->trained[i].view.offset);
  for (int i = 0; i < model->n_states; i++)
    fill_array(&model->states[i], seed, model->state + model->states[i].view.offset);
  for (int64_t k = 0; k < model->n_moving; k++) model->moving[k] = 0;
}
