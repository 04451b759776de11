/** The slow twins: loops over doubles, straight from the definitions.  The tests and the benchmarks compare the fast loops
 * with them. */
#include "support/linalg_twin.h"

#include <math.h>

#include "linalg/constants.h"

void tutti_linalg_reference_forward(const double *x, const double *w, const double *bias, int64_t rows,
                                    int64_t n_in, int64_t n_out, double *z) {
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t o = 0; o < n_out; o++) {
      double sum = bias ? bias[o] : 0;
      for (int64_t k = 0; k < n_in; k++) sum += x[i * n_in + k] * w[k * n_out + o];
      z[i * n_out + o] = sum;
    }
  }
}

void tutti_linalg_reference_weight_gradient(const double *x, const double *dz, int64_t rows, int64_t n_in,
                                            int64_t n_out, double *dw) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t k = 0; k < n_in; k++)
      for (int64_t o = 0; o < n_out; o++) dw[k * n_out + o] += x[i * n_in + k] * dz[i * n_out + o];
}

void tutti_linalg_reference_input_gradient(const double *dz, const double *w, int64_t rows, int64_t n_in,
                                           int64_t n_out, double *dx) {
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t k = 0; k < n_in; k++) {
      double sum = 0;
      for (int64_t o = 0; o < n_out; o++) sum += dz[i * n_out + o] * w[k * n_out + o];
      dx[i * n_in + k] = sum;
    }
  }
}

void tutti_linalg_reference_column_sums(const float *x, const float *dy, int64_t rows, int64_t n,
                                        double *sums) {
  for (int64_t j = 0; j < n; j++) {
    sums[j] = 0;
    for (int64_t k = j; k < rows * n; k += n) {
      const double v = x[k];
      sums[j] += !dy ? v : v > 0 ? 0 : v * dy[k];
    }
  }
}

/** ACTIVATION rows: of one input. */
static double one_activation(tutti_activation kind, double z) {
  switch (kind) {
#define ACTIVATION(code, word, from, f, slope, curvature, twin, kink)                                        \
  case TUTTI_##code:                                                                                         \
    return twin;
#define ROW_ACTIVATION(code, word)
#include "tutti/activations.def"
  default:
    return NAN;
  }
}

static void softmax(const double *z, int64_t n, double *y) {
  double top = z[0], sum = 0;
  for (int64_t j = 1; j < n; j++) top = fmax(top, z[j]);
  for (int64_t j = 0; j < n; j++) sum += y[j] = exp(z[j] - top);
  for (int64_t j = 0; j < n; j++) y[j] /= sum;
}

void tutti_linalg_reference_activation(tutti_activation kind, const double *z, int64_t rows, int64_t n,
                                       double *y) {
  for (int64_t i = 0; i < rows; i++, z += n, y += n) {
    switch (kind) {
#define ACTIVATION(code, ...)
#define ROW_ACTIVATION(code, word)                                                                           \
  case TUTTI_##code:                                                                                         \
    word(z, n, y);                                                                                           \
    break;
#include "tutti/activations.def"
    default:
      for (int64_t j = 0; j < n; j++) y[j] = one_activation(kind, z[j]);
    }
  }
}

double tutti_linalg_reference_activation_kink(tutti_activation kind, double z) {
  switch (kind) {
#define ACTIVATION(code, word, from, f, slope, curvature, twin, kink)                                        \
  case TUTTI_##code:                                                                                         \
    return kink;
#define ROW_ACTIVATION(code, word)
#include "tutti/activations.def"
  default:
    return INFINITY;
  }
}

static double target_at(tutti_targets targets, int64_t i, int64_t j, int64_t n) {
  if (targets.values) return targets.values[i * n + j];
  return n == 1 ? targets.classes[i] : targets.classes[i] == j;
}

/** The target of an output after smoothing. */
static double smoothed(tutti_loss loss, tutti_targets targets, int64_t i, int64_t j, int64_t n) {
  const double t = target_at(targets, i, j, n), a = targets.smoothing;
  if (a == 0) return t;
  switch (loss) {
#define LOSS(code, word, last, metric, sides, ...)                                                           \
  case TUTTI_##code:                                                                                         \
    return t * (1 - a) + a / (double)(sides);
#define ROW_LOSS(code, word, last, sides, ...)                                                               \
  case TUTTI_##code:                                                                                         \
    return t * (1 - a) + a / (double)(sides);
#include "tutti/losses.def"
  default:
    return NAN;
  }
}

/** What output y adds to the loss of its sample. */
static double one_loss(tutti_loss loss, double y, double t, double n) {
  switch (loss) {
#define LOSS(code, word, last, metric, sides, f, slope, curvature, twin, kink)                               \
  case TUTTI_##code:                                                                                         \
    return (twin) / n;
#define ROW_LOSS(code, word, last, sides, twin, kink)                                                        \
  case TUTTI_##code:                                                                                         \
    return twin;
#include "tutti/losses.def"
  default:
    return NAN;
  }
}

double tutti_linalg_reference_loss_kink(tutti_loss loss, double y, double t) {
  switch (loss) {
#define LOSS(code, word, last, metric, sides, f, slope, curvature, twin, kink)                               \
  case TUTTI_##code:                                                                                         \
    return kink;
#define ROW_LOSS(code, word, last, sides, twin, kink)                                                        \
  case TUTTI_##code:                                                                                         \
    return kink;
#include "tutti/losses.def"
  default:
    return INFINITY;
  }
}

double tutti_linalg_reference_loss(tutti_loss loss, const double *y, tutti_targets targets, int64_t rows,
                                   int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < n; j++)
      sum += one_loss(loss, y[i * n + j], smoothed(loss, targets, i, j, n), (double)n);
  return sum;
}

/** What output y adds to the metric of its sample, for the losses that look at each output by itself. */
static double one_metric(tutti_loss loss, double y, double t) {
  switch (loss) {
#define ERROR           fabs(y - t)
#define SIDE(threshold) ((y > (threshold)) == (t > (threshold)))
#define LOSS(code, word, last, metric, ...)                                                                  \
  case TUTTI_##code:                                                                                         \
    return metric;
#define ROW_LOSS(code, ...)
#include "tutti/losses.def"
  default:
    return NAN;
  }
}

static bool is_row_loss(tutti_loss loss) {
  switch (loss) {
#define LOSS(code, ...)
#define ROW_LOSS(code, ...) case TUTTI_##code:
#include "tutti/losses.def"
    return true;
  default:
    return false;
  }
}

double tutti_linalg_reference_metric(tutti_loss loss, const double *y, tutti_targets targets, int64_t rows,
                                     int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < rows; i++) {
    int64_t best_y = 0, best_t = 0;
    for (int64_t j = 0; j < n; j++) {
      const double v = y[i * n + j], t = target_at(targets, i, j, n);
      if (v > y[i * n + best_y]) best_y = j;
      if (t > target_at(targets, i, best_t, n)) best_t = j;
      if (!is_row_loss(loss)) sum += one_metric(loss, v, t) / (double)n;
    }
    if (is_row_loss(loss)) sum += best_y == best_t;
  }
  return sum;
}
