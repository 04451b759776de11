#include "linalg/curvature.h"

#include <math.h>
#include <string.h>

#include "base/clones.h"
#include "base/loops.h"
#include "linalg/activation.h"
#include "linalg/loss_impl.h"
#include "linalg/softmax.h"
#include "linalg/vector_math.h"

// --- activations ---------------------------------------------------------------------------------------------

/** From the output v = log(1 + exp z): its slope is s = 1 - exp(-v), and that one's s (1 - s). */
TUTTI_INLINE float softplus_curvature(float v) {
  const float rest = tutti_exp(-v);
  return (1 - rest) * rest;
}

TUTTI_INLINE float softsign_curvature(float v) {
  const float rest = 1 - fabsf(v), size = 2 * rest * rest * rest;
  return v > 0 ? -size : (v < 0 ? size : 0);
}

TUTTI_INLINE float gelu_curvature(float z) {
  float density;
  (void)tutti_normal_cdf(z, &density);
  return density > 0 ? density * (2 - z * z) : 0; // 0 times infinity is none
}

TUTTI_INLINE float silu_curvature(float z) {
  const float s = tutti_sigmoid(z), slope = s * tutti_sigmoid(-z);
  return slope > 0 ? slope * (2 + z * (1 - 2 * s)) : 0;
}

/** With y = softmax z, S = diag y - y y' and u = S tz: (dS) dy = u (dy - y'dy) - y (u'dy). */
static void softmax_curvature(const float *y, const float *ty, const float *dy, int64_t rows, int64_t n,
                              float *dz) {
  for (int64_t i = 0; i < rows; i++, y += n, ty += n, dy += n, dz += n) {
    double mean = 0, change = 0;
    for (int64_t j = 0; j < n; j++) {
      mean += (double)y[j] * dy[j];
      change += (double)ty[j] * dy[j];
    }
    for (int64_t j = 0; j < n; j++) dz[j] += ty[j] * (dy[j] - (float)mean) - y[j] * (float)change;
  }
}

#define EACH(expression)                                                                                     \
  TUTTI_INDEPENDENT                                                                                          \
  for (int64_t i = 0; i < size; i++) {                                                                       \
    const float v = from[i];                                                                                 \
    dz[i] += (expression)*tz[i] * dy[i];                                                                     \
  }                                                                                                          \
  break

TUTTI_CLONES void tutti_activation_curvature(tutti_activation kind, const float *z, const float *y,
                                             const float *tz, const float *ty, const float *dy, int64_t rows,
                                             int64_t n, float *dz) {
  const int64_t size = rows * n;
  const float *from = tutti_activation_needs_input(kind) ? z : y;
  const float scale_alpha = (float)(TUTTI_SELU_SCALE * TUTTI_SELU_ALPHA);
  switch (kind) {
  case TUTTI_LINEAR:
  case TUTTI_RELU:
  case TUTTI_LEAKY_RELU:
  case TUTTI_HARD_SIGMOID:
    break;
  case TUTTI_SIGMOID:
    EACH(v * (1 - v) * (1 - 2 * v));
  case TUTTI_TANH:
    EACH(-2 * v * (1 - v * v));
  case TUTTI_SOFTMAX:
    softmax_curvature(y, ty, dy, rows, n, dz);
    break;
  case TUTTI_SOFTPLUS:
    EACH(softplus_curvature(v));
  case TUTTI_SOFTSIGN:
    EACH(softsign_curvature(v));
  case TUTTI_ELU:
    EACH(v > 0 ? 0 : v + 1);
  case TUTTI_SELU:
    EACH(v > 0 ? 0 : v + scale_alpha);
  case TUTTI_GELU:
    EACH(gelu_curvature(v));
  case TUTTI_SILU:
    EACH(silu_curvature(v));
  case TUTTI_EXPONENTIAL:
    EACH(v);
  case TUTTI_N_ACTIVATIONS:
    TUTTI_ASSERT(false);
  }
}

// --- losses --------------------------------------------------------------------------------------------------

/** mass (diag p - p p') tz with p = softmax z; the mass is the sum of the targets after smoothing. */
static void categorical(const float *z, tutti_targets targets, int64_t rows, int64_t n, double scale,
                        const float *tz, float *out) {
  tutti_softmax_forward(z, rows, n, out);
  for (int64_t i = 0; i < rows; i++, tz += n, out += n) {
    double mean = 0, mass = targets.values ? targets.smoothing : 1;
    for (int64_t j = 0; j < n; j++) {
      mean += (double)out[j] * tz[j];
      if (targets.values) mass += (1 - targets.smoothing) * targets.values[i * n + j];
    }
    for (int64_t j = 0; j < n; j++) out[j] = (float)(scale * mass * out[j] * (tz[j] - mean));
  }
}

/** p (1 - p) with p = 1 / (1 + exp(-y)), whatever the target. */
TUTTI_CLONES static void binary(const float *z, int64_t size, double scale, const float *tz, float *out) {
  TUTTI_INDEPENDENT
  for (int64_t i = 0; i < size; i++) {
    const float e = tutti_exp(-fabsf(z[i])), rest = 1 / (1 + e);
    out[i] = (float)scale * e * rest * rest * tz[i];
  }
}

static void squared(int64_t size, double scale, const float *tz, float *out) {
  for (int64_t i = 0; i < size; i++) out[i] = (float)(2 * scale * tz[i]);
}

static float target_at(tutti_targets targets, int64_t i, int64_t n) {
  if (targets.values) return targets.values[i];
  return (float)(n == 1 ? targets.classes[i] : targets.classes[i / n] == i % n);
}

static void huber(const float *z, tutti_targets targets, int64_t size, int64_t n, double scale,
                  const float *tz, float *out) {
  for (int64_t i = 0; i < size; i++) {
    const double error = fabs((double)z[i] - target_at(targets, i, n));
    out[i] = error > 1 ? 0 : (float)(scale * tz[i]);
  }
}

void tutti_loss_curvature(tutti_loss loss, const float *z, tutti_targets targets, int64_t rows, int64_t n,
                          double scale, const float *tz, float *out) {
  const int64_t size = rows * n;
  for (int64_t i = 0; targets.weights && i < rows; i++)
    tutti_loss_curvature(loss, z + i * n, tutti_targets_of_row(targets, i, n), 1, n,
                         scale * (double)targets.weights[i], tz + i * n, out + i * n);
  if (targets.weights) return;
  switch (loss) {
  case TUTTI_CATEGORICAL_CROSSENTROPY:
    categorical(z, targets, rows, n, scale, tz, out);
    break;
  case TUTTI_BINARY_CROSSENTROPY:
    binary(z, size, scale / (double)n, tz, out);
    break;
  case TUTTI_MEAN_SQUARED_ERROR:
    squared(size, scale / (double)n, tz, out);
    break;
  case TUTTI_HUBER:
    huber(z, targets, size, n, scale / (double)n, tz, out);
    break;
  default: // pieces of straight lines
    memset(out, 0, (size_t)size * sizeof *out);
  }
}
