#include "linalg/loss.h"

#include <math.h>
#include <string.h>

#include "base/clones.h"
#include "linalg/loss_impl.h"
#include "linalg/vector_math.h"

tutti_activation tutti_loss_activation(tutti_loss loss) {
  switch (loss) {
  case TUTTI_CATEGORICAL_CROSSENTROPY:
    return TUTTI_SOFTMAX;
  case TUTTI_BINARY_CROSSENTROPY:
    return TUTTI_SIGMOID;
  default:
    return TUTTI_LINEAR;
  }
}

bool tutti_loss_is_classification(tutti_loss loss) {
  return loss == TUTTI_CATEGORICAL_CROSSENTROPY || loss == TUTTI_BINARY_CROSSENTROPY || loss == TUTTI_HINGE;
}

bool tutti_loss_takes_smoothing(tutti_loss loss) {
  return loss == TUTTI_CATEGORICAL_CROSSENTROPY || loss == TUTTI_BINARY_CROSSENTROPY;
}

static double surprise(double probability, double times) {
  return probability > 0 ? -times * probability * log(probability) : 0;
}

double tutti_loss_least(tutti_loss loss, int64_t n, double smoothing) {
  if (!tutti_loss_takes_smoothing(loss)) return 0;
  const double n_sides = loss == TUTTI_BINARY_CROSSENTROPY ? 2 : (double)n, spread = smoothing / n_sides;
  return surprise(1 - smoothing + spread, 1) + surprise(spread, n_sides - 1);
}

int64_t tutti_loss_largest(const float *values, int64_t n) {
  int64_t best = 0;
  for (int64_t j = 1; j < n; j++)
    if (values[j] > values[best]) best = j;
  return best;
}

/** Of a label of its own: the side of the threshold, which is 0 for logits and for margins. */
static inline bool says_one(float output) {
  return output > 0;
}

int64_t tutti_loss_n_decisions(tutti_loss loss, int64_t n) {
  return loss == TUTTI_CATEGORICAL_CROSSENTROPY ? 1 : n;
}

void tutti_loss_decide(tutti_loss loss, const float *z, int64_t rows, int64_t n, int32_t *classes) {
  TUTTI_ASSERT(tutti_loss_is_classification(loss));
  if (loss == TUTTI_CATEGORICAL_CROSSENTROPY)
    for (int64_t i = 0; i < rows; i++) classes[i] = (int32_t)tutti_loss_largest(z + i * n, n);
  else
    for (int64_t i = 0; i < rows * n; i++) classes[i] = says_one(z[i]);
}

// --- losses that are sums over the outputs -----------------------------------------------------------------

enum {
  BLOCK = 256,
  LANES = 8
}; // elements on the stack; lanes of a sum, in whose order nothing else has a say

/** Of one output. */
typedef struct {
  double loss, metric, slope;
} score;

/** -t log p - (1 - t) log(1 - p) with p = 1 / (1 + exp(-y)).  The exponential of -|y| gives the probability of the
 * side y is not on, whose digits the slope p - t needs where it is small. */
TUTTI_INLINE score binary_crossentropy(float y, float t, double smoothing) {
  const float e = tutti_exp(-fabsf(y)), unlikely = e / (1 + e);
  const double smooth = t * (1 - smoothing) + smoothing / 2;
  const double base = (double)(y < 0 ? 0 : y) - y * smooth; // NaN stays
  const double slope = y > 0 ? (1 - smooth) - unlikely : unlikely - smooth;
  return (score){base + (double)tutti_log1p_unit(e), says_one(y) == (t > 0.5f), slope};
}

TUTTI_INLINE score huber(double error, double size) {
  const double slope = error > 1 ? 1 : (error < -1 ? -1 : error);
  return (score){size > 1 ? size - 0.5 : 0.5 * error * error, size, slope};
}

TUTTI_INLINE score hinge(float y, float t) {
  const double sign = t == 0 ? -1 : t, margin = 1 - sign * y;
  return (score){margin < 0 ? 0 : margin, says_one(y) == (t > 0), (margin > 0) * -sign};
}

/** Output y against its target t; `loss` is a constant where this is inlined. */
TUTTI_INLINE score one_output(tutti_loss loss, float y, float t, double smoothing) {
  const double error = (double)y - t, size = fabs(error);
  switch (loss) {
  case TUTTI_BINARY_CROSSENTROPY:
    return binary_crossentropy(y, t, smoothing);
  case TUTTI_MEAN_SQUARED_ERROR:
    return (score){error * error, size, 2 * error};
  case TUTTI_MEAN_ABSOLUTE_ERROR:
    return (score){size, size, (error > 0) - (error < 0)};
  case TUTTI_HUBER:
    return huber(error, size);
  case TUTTI_HINGE:
    return hinge(y, t);
  default:
    TUTTI_ASSERT(false);
    return (score){0, 0, 0};
  }
}

/** Losses, metrics and slopes of n outputs, in double. */
typedef struct {
  double loss[BLOCK], metric[BLOCK], slope[BLOCK];
} scores;

#define EACH(kind)                                                                                           \
  case kind:                                                                                                 \
    for (int64_t i = 0; i < n; i++) {                                                                        \
      const score s = one_output(kind, y[i], t[i], smoothing);                                               \
      out->loss[i] = s.loss;                                                                                 \
      out->metric[i] = s.metric;                                                                             \
      out->slope[i] = s.slope;                                                                               \
    }                                                                                                        \
    break

TUTTI_CLONES static void score_outputs(tutti_loss loss, int64_t n, const float *restrict y,
                                       const float *restrict t, double smoothing, scores *restrict out) {
  switch (loss) {
    EACH(TUTTI_BINARY_CROSSENTROPY);
    EACH(TUTTI_MEAN_SQUARED_ERROR);
    EACH(TUTTI_MEAN_ABSOLUTE_ERROR);
    EACH(TUTTI_HUBER);
    EACH(TUTTI_HINGE);
  default:
    TUTTI_ASSERT(false);
  }
}

TUTTI_CLONES static double sum_of(int64_t n, const double *x) {
  double s[LANES] = {0};
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int l = 0; l < LANES; l++) s[l] += x[i + l];
  for (int l = 0; i < n; i++, l++) s[l] += x[i];
  return ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7]));
}

TUTTI_CLONES static void scale_slopes(int64_t n, const double *restrict slope, double scale,
                                      float *restrict dz) {
  for (int64_t i = 0; i < n; i++) dz[i] = (float)(scale * slope[i]);
}

/** t[count] = the targets of elements [at, at + count) of the matrix of outputs, in float: a class is the value of
 * the one output, or the place of the 1 among several. */
static void fill_targets(const int32_t *classes, int64_t at, int64_t count, int64_t n, float *t) {
  if (n == 1) {
    for (int64_t i = 0; i < count; i++) t[i] = (float)classes[at + i];
    return;
  }
  memset(t, 0, (size_t)count * sizeof *t);
  for (int64_t row = at / n; row * n < at + count; row++) {
    const int64_t i = row * n + classes[row] - at;
    if (i >= 0 && i < count) t[i] = 1;
  }
}

/** Of outputs of which the largest ought to be the one with the largest target. */
static double count_largest(const float *z, const float *t, int64_t rows, int64_t n) {
  int64_t right = 0;
  for (int64_t i = 0; i < rows; i++)
    right += tutti_loss_largest(z + i * n, n) == tutti_loss_largest(t + i * n, n);
  return (double)right;
}

tutti_targets tutti_targets_of_row(tutti_targets targets, int64_t i, int64_t n) {
  if (targets.classes) targets.classes += i;
  if (targets.values) targets.values += i * n;
  targets.weights = NULL;
  return targets;
}

static void weighted_rows(tutti_loss loss, const float *z, tutti_targets targets, int64_t rows, int64_t n,
                          double scale, double *loss_sum, double *metric_sum, float *dz) {
  for (int64_t i = 0; i < rows; i++) {
    const double weight = targets.weights[i];
    double one = 0;
    tutti_loss_rows(loss, z + i * n, tutti_targets_of_row(targets, i, n), 1, n, scale * weight, &one,
                    metric_sum, dz ? dz + i * n : NULL);
    *loss_sum += weight * one;
  }
}

void tutti_loss_rows(tutti_loss loss, const float *z, tutti_targets targets, int64_t rows, int64_t n,
                     double scale, double *loss_sum, double *metric_sum, float *dz) {
  TUTTI_ASSERT(rows == 0 || !targets.classes != !targets.values);
  TUTTI_ASSERT(!targets.one_hot || targets.values);
  TUTTI_ASSERT(targets.smoothing == 0 || tutti_loss_takes_smoothing(loss));
  if (targets.weights) {
    weighted_rows(loss, z, targets, rows, n, scale, loss_sum, metric_sum, dz);
    return;
  }
  if (loss == TUTTI_CATEGORICAL_CROSSENTROPY) {
    tutti_loss_categorical(z, targets, rows, n, scale, loss_sum, metric_sum, dz);
    return;
  }
  scores s;
  float room[BLOCK];
  for (int64_t at = 0; at < rows * n; at += BLOCK) {
    const int64_t left = rows * n - at, count = left < BLOCK ? left : BLOCK;
    if (targets.classes) fill_targets(targets.classes, at, count, n, room);
    score_outputs(loss, count, z + at, targets.values ? targets.values + at : room, targets.smoothing, &s);
    *loss_sum += sum_of(count, s.loss) / (double)n;
    if (!targets.one_hot) *metric_sum += sum_of(count, s.metric) / (double)n;
    if (dz) scale_slopes(count, s.slope, scale / (double)n, dz + at);
  }
  if (targets.one_hot) *metric_sum += count_largest(z, targets.values, rows, n);
}
