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

TUTTI_CLONES static void add_class_rows(const float *z, const int32_t *classes, int64_t rows, int64_t n,
                                        const row_facts *facts, shares share, double *loss_sum,
                                        double *metric_sum) {
  for (int64_t i = 0; i < rows; i++) {
    const float *z_row = z + i * n;
    const int32_t right = classes[i];
    TUTTI_ASSERT(right >= 0 && right < n);
    double below = (double)z_row[right] - facts->tops[i]; // mean over the targets
    if (share.spread > 0) below = share.kept * below + share.spread * sum_below(z_row, n, facts->tops[i]);
    *loss_sum += facts->logs[i] - below;
    *metric_sum += is_first(z_row, (int32_t)n, facts->tops[i], right);
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

void tutti_loss_categorical_crossentropy(const float *z, tutti_targets targets, int64_t rows, int64_t n,
                                         double scale, double *loss_sum, double *metric_sum, float *dz) {
  const shares share = {.kept = 1 - targets.smoothing, .spread = targets.smoothing / (double)n};
  row_facts facts; // of ROWS rows at a time, so that their logarithms fill the vectors
  for (int64_t first = 0; first < rows; first += ROWS) {
    const int64_t count = rows - first < ROWS ? rows - first : ROWS;
    const float *part = z + first * n;
    float *slopes = dz ? dz + first * n : NULL;
    tutti_linalg_softmax_scaled(part, count, n, scale, slopes, facts.tops, facts.logs);
    logarithms(count, facts.logs);
    if (targets.values) {
      for (int64_t i = 0; i < count; i++)
        add_value_row(part + i * n, targets.values + (first + i) * n, n, facts.tops[i], facts.logs[i], share,
                      scale, loss_sum, metric_sum, slopes ? slopes + i * n : NULL);
      continue;
    }
    const int32_t *classes = targets.classes + first;
    add_class_rows(part, classes, count, n, &facts, share, loss_sum, metric_sum);
    if (slopes) slope_class_rows(classes, count, n, share, scale, slopes);
  }
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
