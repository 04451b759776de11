/** Forward, backward and second derivative of each activation: three functions that expand the rows of activations.def
 * into one loop per activation.  A switch chooses the loop, so that no element costs a call; TUTTI_CLONES compiles the
 * loops for each kind of vector unit.  The layers of the room model call them. */
#include "linalg/activation.h"

#include <math.h>
#include <string.h>

#include "base/clones.h"
#include "base/loops.h"
#include "linalg/constants.h"
#include "linalg/softmax_impl.h"
#include "linalg/vector_math.h"

const char *const tutti_activation_names[TUTTI_N_ACTIVATIONS] = {
#define ACTIVATION(code, word, ...) #word,
#define ROW_ACTIVATION(code, word)  #word,
#include "tutti/activations.def"
};

bool tutti_activation_needs_input(tutti_activation kind) {
  enum { INPUT = true, OUTPUT = false };
  static const bool needs[TUTTI_N_ACTIVATIONS] = {
#define ACTIVATION(code, word, from, ...) from,
#define ROW_ACTIVATION(code, word)        OUTPUT,
#include "tutti/activations.def"
  };
  return needs[kind];
}

// --- helpers of the rows: constants in float, and expressions with a step between

#define SELU_SCALE       ((float)TUTTI_SELU_SCALE)
#define SELU_SCALE_ALPHA ((float)(TUTTI_SELU_SCALE * TUTTI_SELU_ALPHA))

TUTTI_INLINE float gelu(float z) {
  float density;
  return z * tutti_normal_cdf(z, &density);
}

TUTTI_INLINE float gelu_slope(float z) {
  float density;
  const float cdf = tutti_normal_cdf(z, &density);
  return cdf + z * density;
}

TUTTI_INLINE float gelu_curvature(float z) {
  float density;
  (void)tutti_normal_cdf(z, &density);
  return density > 0 ? density * (2 - z * z) : 0; // 0 times infinity would be NaN
}

TUTTI_INLINE float silu_slope(float z) {
  const float s = tutti_sigmoid(z);
  return s * (1 + z * (1 - s));
}

TUTTI_INLINE float silu_curvature(float z) {
  const float s = tutti_sigmoid(z), slope = s * tutti_sigmoid(-z);
  return slope > 0 ? slope * (2 + z * (1 - 2 * s)) : 0;
}

// --- loops

/** Run `statement` for each element.  It sees the input and the output of the activation as z and y, which both are
 * `given`: a row names the one that it is given. */
#define EACH(given, statement)                                                                               \
  do {                                                                                                       \
    TUTTI_INDEPENDENT                                                                                        \
    for (int64_t i = 0; i < size; i++) {                                                                     \
      const float z = (given), y = z;                                                                        \
      (void)y;                                                                                               \
      statement;                                                                                             \
    }                                                                                                        \
  } while (0)

TUTTI_CLONES void tutti_activation_forward(tutti_activation kind, const float *in, int64_t rows, int64_t n,
                                           float *out) {
  const int64_t size = rows * n;
  // The loop of `linear` would copy; in place, nothing is to be done.
  if (kind == TUTTI_LINEAR && in == out) return;
  switch (kind) {
#define ACTIVATION(code, word, from, f, ...)                                                                 \
  case TUTTI_##code:                                                                                         \
    EACH(in[i], out[i] = (f));                                                                               \
    break;
#define ROW_ACTIVATION(code, word)                                                                           \
  case TUTTI_##code:                                                                                         \
    tutti_linalg_##word##_forward(in, rows, n, out);                                                         \
    break;
#include "tutti/activations.def"
  case TUTTI_N_ACTIVATIONS:
    TUTTI_ASSERT(false);
  }
}

TUTTI_CLONES void tutti_activation_backward(tutti_activation kind, const float *in, const float *out,
                                            const float *dy, int64_t rows, int64_t n, float *dz) {
  const int64_t size = rows * n;
  const float *from = tutti_activation_needs_input(kind) ? in : out;
  if (kind == TUTTI_LINEAR) {
    if (dz != dy) memcpy(dz, dy, (size_t)size * sizeof *dz);
    return;
  }
  switch (kind) {
#define ACTIVATION(code, word, given, f, slope, ...)                                                         \
  case TUTTI_##code:                                                                                         \
    EACH(from[i], dz[i] = dy[i] * (slope));                                                                  \
    break;
#define ROW_ACTIVATION(code, word)                                                                           \
  case TUTTI_##code:                                                                                         \
    tutti_linalg_##word##_backward(out, dy, rows, n, dz);                                                    \
    break;
#include "tutti/activations.def"
  case TUTTI_N_ACTIVATIONS:
    TUTTI_ASSERT(false);
  }
}

TUTTI_CLONES void tutti_activation_curvature(tutti_activation kind, const float *in, const float *out,
                                             const float *tz, const float *ty, const float *dy, int64_t rows,
                                             int64_t n, float *dz) {
  const int64_t size = rows * n;
  const float *from = tutti_activation_needs_input(kind) ? in : out;
  switch (kind) {
#define STRAIGHT           // adds nothing
#define CURVED(expression) EACH(from[i], dz[i] += (expression)*tz[i] * dy[i])
#define ACTIVATION(code, word, given, f, slope, curvature, twin, kink)                                       \
  case TUTTI_##code:                                                                                         \
    curvature;                                                                                               \
    break;
#define ROW_ACTIVATION(code, word)                                                                           \
  case TUTTI_##code:                                                                                         \
    tutti_linalg_##word##_curvature(out, ty, dy, rows, n, dz);                                               \
    break;
#include "tutti/activations.def"
  case TUTTI_N_ACTIVATIONS:
    TUTTI_ASSERT(false);
  }
}
