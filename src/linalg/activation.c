#include "linalg/activation.h"

#include <math.h>
#include <string.h>

#include "base/clones.h"
#include "base/loops.h"
#include "linalg/constants.h"
#include "linalg/softmax.h"
#include "linalg/vector_math.h"

// Clamps are written so that a comparison with NaN lets NaN through.

TUTTI_INLINE float hard_sigmoid(float z) {
  const float shifted = z + 3;
  const float low = shifted < 0 ? 0 : shifted;
  return (low > 6 ? 6 : low) / 6;
}

TUTTI_INLINE float gelu(float z) {
  float density;
  return z * tutti_normal_cdf(z, &density);
}

TUTTI_INLINE float gelu_slope(float z) {
  float density;
  const float cdf = tutti_normal_cdf(z, &density);
  return cdf + z * density;
}

TUTTI_INLINE float silu_slope(float z) {
  const float s = tutti_sigmoid(z);
  return s * (1 + z * (1 - s));
}

bool tutti_activation_needs_input(tutti_activation kind) {
  return kind == TUTTI_GELU || kind == TUTTI_SILU;
}

#define EACH(expression)                                                                                     \
  TUTTI_INDEPENDENT                                                                                          \
  for (int64_t i = 0; i < size; i++) {                                                                       \
    const float v = z[i];                                                                                    \
    y[i] = (expression);                                                                                     \
  }                                                                                                          \
  break

TUTTI_CLONES void tutti_activation_forward(tutti_activation kind, const float *z, int64_t rows, int64_t n,
                                           float *y) {
  const int64_t size = rows * n;
  const float scale = (float)TUTTI_SELU_SCALE, scale_alpha = (float)(TUTTI_SELU_SCALE * TUTTI_SELU_ALPHA);
  switch (kind) {
  case TUTTI_LINEAR:
    if (y != z) memcpy(y, z, (size_t)size * sizeof *y);
    break;
  case TUTTI_RELU:
    EACH(v < 0 ? 0 : v);
  case TUTTI_SIGMOID:
    EACH(tutti_sigmoid(v));
  case TUTTI_TANH:
    EACH(tutti_tanh(v));
  case TUTTI_SOFTMAX:
    tutti_softmax_forward(z, rows, n, y);
    break;
  case TUTTI_SOFTPLUS:
    EACH(tutti_softplus(v));
  case TUTTI_SOFTSIGN:
    EACH(v / (1 + fabsf(v)));
  case TUTTI_ELU:
    EACH(v > 0 ? v : tutti_expm1(v));
  case TUTTI_SELU:
    EACH(v > 0 ? scale * v : scale_alpha * tutti_expm1(v));
  case TUTTI_LEAKY_RELU:
    EACH(v > 0 ? v : (float)TUTTI_LEAKY_SLOPE * v);
  case TUTTI_GELU:
    EACH(gelu(v));
  case TUTTI_SILU:
    EACH(v * tutti_sigmoid(v));
  case TUTTI_HARD_SIGMOID:
    EACH(hard_sigmoid(v));
  case TUTTI_EXPONENTIAL:
    EACH(tutti_exp(v));
  case TUTTI_N_ACTIVATIONS:
    TUTTI_ASSERT(false);
  }
}

#undef EACH
#define EACH(expression)                                                                                     \
  TUTTI_INDEPENDENT                                                                                          \
  for (int64_t i = 0; i < size; i++) {                                                                       \
    const float v = from[i];                                                                                 \
    dz[i] = dy[i] * (expression);                                                                            \
  }                                                                                                          \
  break

TUTTI_CLONES void tutti_activation_backward(tutti_activation kind, const float *z, const float *y,
                                            const float *dy, int64_t rows, int64_t n, float *dz) {
  const int64_t size = rows * n;
  const float *from = tutti_activation_needs_input(kind) ? z : y;
  const float scale = (float)TUTTI_SELU_SCALE, scale_alpha = (float)(TUTTI_SELU_SCALE * TUTTI_SELU_ALPHA);
  switch (kind) {
  case TUTTI_LINEAR:
    if (dz != dy) memcpy(dz, dy, (size_t)size * sizeof *dz);
    break;
  case TUTTI_RELU:
    EACH(v > 0 ? 1.0f : 0.0f);
  case TUTTI_SIGMOID:
    EACH(v * (1 - v));
  case TUTTI_TANH:
    EACH(1 - v * v);
  case TUTTI_SOFTMAX:
    tutti_softmax_backward(y, dy, rows, n, dz);
    break;
  case TUTTI_SOFTPLUS:
    EACH(-tutti_expm1(-v));
  case TUTTI_SOFTSIGN:
    EACH((1 - fabsf(v)) * (1 - fabsf(v)));
  case TUTTI_ELU:
    EACH(v > 0 ? 1 : v + 1);
  case TUTTI_SELU:
    EACH(v > 0 ? scale : v + scale_alpha);
  case TUTTI_LEAKY_RELU:
    EACH(v > 0 ? 1 : (float)TUTTI_LEAKY_SLOPE);
  case TUTTI_GELU:
    EACH(gelu_slope(v));
  case TUTTI_SILU:
    EACH(silu_slope(v));
  case TUTTI_HARD_SIGMOID:
    EACH(v > 0 && v < 1 ? 1 / 6.0f : 0);
  case TUTTI_EXPONENTIAL:
    EACH(v);
  case TUTTI_N_ACTIVATIONS:
    TUTTI_ASSERT(false);
  }
}
