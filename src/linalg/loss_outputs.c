/** The losses that are means over the outputs of a sample: the rows LOSS of losses.def, each expanded into a loop
 * for losses, metrics and slopes and one for second derivatives.  A switch chooses the loop, so that no element
 * costs a call, and TUTTI_CLONES compiles the loops for each kind of vector unit.  Only loss.c calls it. */
#include <math.h>
#include <string.h>

#include "base/arithmetic.h"
#include "base/clones.h"
#include "linalg/loss_impl.h"
#include "linalg/vector_math.h"

enum {
  BLOCK = 256, // elements whose scores are kept on the stack
  LANES = 8    // of a sum, whose order depends on nothing else
};

/** Losses, metrics and slopes of n outputs, in double. */
typedef struct {
  double loss[BLOCK], metric[BLOCK], slope[BLOCK];
} scores;

// --- helpers of the rows

/** The target after smoothing. */
TUTTI_INLINE double smoothed(float t, double smoothing) {
  return t * (1 - smoothing) + smoothing / 2;
}

/** -t log p - (1 - t) log(1 - p) with p = 1 / (1 + exp(-y)), without overflow. */
TUTTI_INLINE double binary_loss(float y, float t, double smoothing) {
  const double above = (double)(y < 0 ? 0 : y) - y * smoothed(t, smoothing);
  return above + (double)tutti_log1p_unit(tutti_exp(-fabsf(y)));
}

/** p - t.  The exponential of -|y| gives the probability of the side y is not on, whose digits the slope needs if it is
 * small. */
TUTTI_INLINE double binary_slope(float y, float t, double smoothing) {
  const float e = tutti_exp(-fabsf(y)), unlikely = e / (1 + e);
  const double smooth = smoothed(t, smoothing);
  return y > 0 ? (1 - smooth) - unlikely : unlikely - smooth;
}

/** p (1 - p), whatever the target. */
TUTTI_INLINE float binary_curvature(float y) {
  const float e = tutti_exp(-fabsf(y)), rest = 1 / (1 + e);
  return e * rest * rest;
}

TUTTI_INLINE double hinge_sign(float t) {
  return t == 0 ? -1 : t;
}

TUTTI_INLINE double hinge_margin(float y, float t) {
  return 1 - hinge_sign(t) * y;
}

// --- loops

/** Run the statements for each of n outputs, with the names that the rows of losses.def use. */
#define EACH(statements)                                                                                     \
  for (int64_t i = 0; i < n; i++) {                                                                          \
    const float y = outputs[i], t = targets[i];                                                              \
    const double error = (double)y - t, size = fabs(error);                                                  \
    (void)size;                                                                                              \
    statements;                                                                                              \
  }

TUTTI_CLONES static void score_outputs(tutti_loss loss, int64_t n, const float *restrict outputs,
                                       const float *restrict targets, double smoothing,
                                       scores *restrict out) {
  switch (loss) {
#define ERROR           size
#define SIDE(threshold) (tutti_loss_says_one(y) == (t > (threshold)))
#define LOSS(code, word, last, measure, sides, f, slope_of_f, ...)                                           \
  case TUTTI_##code:                                                                                         \
    EACH(out->loss[i] = (f); out->metric[i] = measure; out->slope[i] = (slope_of_f));                        \
    break;
#define ROW_LOSS(code, ...)
#include "tutti/losses.def"
  default:
    TUTTI_ASSERT(false);
  }
}

/** out[n] = scale f'' tz. */
TUTTI_CLONES static void curve_outputs(tutti_loss loss, int64_t n, const float *restrict outputs,
                                       const float *restrict targets, double scale, const float *restrict tz,
                                       float *restrict out) {
  switch (loss) {
#define STRAIGHT           memset(out, 0, (size_t)n * sizeof *out)
#define CURVED(expression) EACH(out[i] = (float)(scale * (expression)*tz[i]))
#define LOSS(code, word, last, measure, sides, f, slope_of_f, curvature, twin, kink)                         \
  case TUTTI_##code:                                                                                         \
    curvature;                                                                                               \
    break;
#define ROW_LOSS(code, ...)
#include "tutti/losses.def"
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

// --- rows

/** The targets of elements [at, at + count) of the matrix of outputs, in float.  For one output a class is its
 * value; for several it is the column of the 1.
 * @param[out] room  [count] memory for them, if `targets` has classes
 * @return them, in `room` or in targets.values */
static const float *targets_at(tutti_targets targets, int64_t at, int64_t count, int64_t n, float *room) {
  if (targets.values) return targets.values + at;
  if (n == 1) {
    for (int64_t i = 0; i < count; i++) room[i] = (float)targets.classes[at + i];
    return room;
  }
  memset(room, 0, (size_t)count * sizeof *room);
  for (int64_t row = at / n; row * n < at + count; row++) {
    const int64_t i = row * n + targets.classes[row] - at;
    if (i >= 0 && i < count) room[i] = 1;
  }
  return room;
}

/** The rows whose largest output is the one with the largest target. */
static double count_right(const float *z, const float *t, int64_t rows, int64_t n) {
  int64_t right = 0;
  for (int64_t i = 0; i < rows; i++)
    right += tutti_loss_largest(z + i * n, n) == tutti_loss_largest(t + i * n, n);
  return (double)right;
}

/** A batch of n_elements outputs with their slopes, which are NULL if they are not wanted. */
typedef struct {
  tutti_loss loss;
  const float *z;
  tutti_targets targets;
  int64_t n_elements, n;
  double scale;
  float *dz;
} batch;

/** Blocks [begin, end) of BLOCK elements. */
static void some_blocks(const void *context, int64_t begin, int64_t end, double *losses, double *metrics) {
  const batch *b = context;
  const double n = (double)b->n;
  scores s;
  float room[BLOCK];
  for (int64_t block = begin; block < end; block++) {
    const int64_t at = block * BLOCK, left = b->n_elements - at, count = left < BLOCK ? left : BLOCK;
    score_outputs(b->loss, count, b->z + at, targets_at(b->targets, at, count, b->n, room),
                  b->targets.smoothing, &s);
    losses[block - begin] = sum_of(count, s.loss) / n;
    metrics[block - begin] = b->targets.one_hot ? 0 : sum_of(count, s.metric) / n;
    if (b->dz) scale_slopes(count, s.slope, b->scale / n, b->dz + at);
  }
}

void tutti_loss_outputs(tutti_loss loss, const float *z, tutti_targets targets, int64_t rows, int64_t n,
                        double scale, double *loss_sum, double *metric_sum, float *dz) {
  static const double ns = 1; // of an element
  const batch b = {loss, z, targets, rows * n, n, scale, dz};
  tutti_loss_add_parts(tutti_ceil_div(rows * n, BLOCK), 1, ns * BLOCK, some_blocks, &b, loss_sum, metric_sum);
  if (targets.one_hot) *metric_sum += count_right(z, targets.values, rows, n);
}

void tutti_loss_outputs_curvature(tutti_loss loss, const float *z, tutti_targets targets, int64_t rows,
                                  int64_t n, double scale, const float *tz, float *out) {
  float room[BLOCK];
  for (int64_t at = 0; at < rows * n; at += BLOCK) {
    const int64_t left = rows * n - at, count = left < BLOCK ? left : BLOCK;
    curve_outputs(loss, count, z + at, targets_at(targets, at, count, n, room), scale / (double)n, tz + at,
                  out + at);
  }
}
