/** Softmax and cross-entropy together: of the logits z and targets t, which need not add up to 1,
 * loss = sum of t (log(sum of exp(z - top)) - (z - top)), and its slope is (sum of t) softmax - t. */
#include "base/clones.h"
#include "linalg/loss_impl.h"
#include "linalg/softmax_impl.h"
#include "linalg/vector_math.h"

enum { ROWS = 64 };

/** Of some rows. */
typedef struct {
  float tops[ROWS];
  double logs[ROWS]; // of the sums of exp(z - top)
} row_facts;

TUTTI_CLONES static void logarithms(int64_t n, double *x) {
  for (int64_t i = 0; i < n; i++) x[i] = tutti_log_from_1(x[i]);
}

/** Whether z[right] is the first of the largest. */
TUTTI_INLINE int is_first(const float *z, int32_t n, float top, int32_t right) {
  int32_t earlier = 0; // counted to the end: the loop has no jump to be guessed wrong
  for (int32_t j = 0; j < n; j++) earlier += z[j] == top && j < right;
  return z[right] == top && earlier == 0;
}

/** A row's targets after smoothing: `spread` for each class, and `kept` of what it had. */
typedef struct {
  double kept, spread;
} shares;

TUTTI_INLINE double sum_below(const float *z, int64_t n, float top) {
  double sum = 0;
  for (int64_t j = 0; j < n; j++) sum += (double)z[j] - top;
  return sum;
}

TUTTI_CLONES static void score_class_rows(const float *z, const int32_t *classes, int64_t rows, int64_t n,
                                          const row_facts *facts, shares share, double *losses,
                                          double *metrics) {
  for (int64_t i = 0; i < rows; i++) {
    const float *z_row = z + i * n;
    const int32_t right = classes[i];
    TUTTI_ASSERT(right >= 0 && right < n);
    double below = (double)z_row[right] - facts->tops[i]; // mean over the targets
    if (share.spread > 0) below = share.kept * below + share.spread * sum_below(z_row, n, facts->tops[i]);
    losses[i] = facts->logs[i] - below;
    metrics[i] = is_first(z_row, (int32_t)n, facts->tops[i], right);
  }
}

static void slope_class_rows(const int32_t *classes, int64_t rows, int64_t n, shares share, double scale,
                             float *dz) {
  const float kept = (float)(scale * share.kept), spread = (float)(scale * share.spread);
  for (int64_t k = 0; spread > 0 && k < rows * n; k++) dz[k] -= spread;
  for (int64_t i = 0; i < rows; i++) dz[i * n + classes[i]] -= kept;
}

static void add_value_row(const float *z, const float *target, int64_t n, float top, double log_sum,
                          shares share, double scale, double *loss_sum, double *metric_sum, float *dz) {
  double mass = 0;
  for (int64_t j = 0; j < n; j++) {
    const double t = share.kept * target[j] + share.spread;
    if (t != 0) *loss_sum += t * (log_sum - ((double)z[j] - top)); // 0 * infinity is 0 here
    mass += t;
  }
  *metric_sum += tutti_loss_largest(z, n) == tutti_loss_largest(target, n);
  if (!dz) return;
  const float factor = (float)mass;
  for (int64_t j = 0; j < n; j++) {
    const double t = share.kept * target[j] + share.spread;
    dz[j] = factor * dz[j] - (float)(scale * t);
  }
}

/** A batch with its slopes, which are NULL if they are not wanted. */
typedef struct {
  const float *z;
  tutti_targets targets;
  int64_t n;
  shares share;
  double scale;
  float *dz;
} batch;

/** The slopes of rows [first, first + count), at most ROWS of them, but for the targets' part.  @return them */
static float *softmax_rows(const batch *b, int64_t first, int64_t count, row_facts *facts) {
  float *slopes = b->dz ? b->dz + first * b->n : NULL;
  tutti_linalg_softmax_scaled(b->z + first * b->n, count, b->n, b->scale, slopes, facts->tops, facts->logs);
  logarithms(count, facts->logs);
  return slopes;
}

static void some_class_rows(const void *context, int64_t begin, int64_t end, double *losses,
                            double *metrics) {
  const batch *b = context;
  row_facts facts; // of ROWS rows at a time, so that their logarithms fill the vectors
  for (int64_t first = begin; first < end; first += ROWS) {
    const int64_t count = end - first < ROWS ? end - first : ROWS;
    const int32_t *classes = b->targets.classes + first;
    float *slopes = softmax_rows(b, first, count, &facts);
    score_class_rows(b->z + first * b->n, classes, count, b->n, &facts, b->share, losses + (first - begin),
                     metrics + (first - begin));
    if (slopes) slope_class_rows(classes, count, b->n, b->share, b->scale, slopes);
  }
}

/** By this thread alone: the loss is a sum over all elements in their order. */
static void add_value_rows(const batch *b, int64_t rows, double *loss_sum, double *metric_sum) {
  row_facts facts;
  for (int64_t first = 0; first < rows; first += ROWS) {
    const int64_t count = rows - first < ROWS ? rows - first : ROWS;
    float *slopes = softmax_rows(b, first, count, &facts);
    for (int64_t i = 0; i < count; i++) {
      const int64_t at = (first + i) * b->n;
      add_value_row(b->z + at, b->targets.values + at, b->n, facts.tops[i], facts.logs[i], b->share, b->scale,
                    loss_sum, metric_sum, slopes ? slopes + i * b->n : NULL);
    }
  }
}

void tutti_loss_categorical_crossentropy(const float *z, tutti_targets targets, int64_t rows, int64_t n,
                                         double scale, double *loss_sum, double *metric_sum, float *dz) {
  static const double row_ns = 20, ns = 0.5; // of a row, and of each of its elements
  const shares share = {.kept = 1 - targets.smoothing, .spread = targets.smoothing / (double)n};
  const batch b = {z, targets, n, share, scale, dz};
  if (targets.values)
    add_value_rows(&b, rows, loss_sum, metric_sum);
  else
    tutti_loss_add_parts(rows, ROWS, row_ns + ns * (double)n, some_class_rows, &b, loss_sum, metric_sum);
}

/** mass (diag p - p p') tz with p = softmax z; the mass is the sum of the targets after smoothing. */
void tutti_loss_categorical_crossentropy_curvature(const float *z, tutti_targets targets, int64_t rows,
                                                   int64_t n, double scale, const float *tz, float *out) {
  tutti_linalg_softmax_forward(z, rows, n, out);
  for (int64_t i = 0; i < rows; i++, tz += n, out += n) {
    double mean = 0, mass = targets.values ? targets.smoothing : 1;
    for (int64_t j = 0; j < n; j++) {
      mean += (double)out[j] * tz[j];
      if (targets.values) mass += (1 - targets.smoothing) * targets.values[i * n + j];
    }
    for (int64_t j = 0; j < n; j++) out[j] = (float)(scale * mass * out[j] * (tz[j] - mean));
  }
}
