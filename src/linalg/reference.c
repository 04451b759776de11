#include "linalg/reference.h"

#include <math.h>

#include "linalg/constants.h"

void tutti_reference_forward(const double *x, const double *w, const double *bias, int64_t rows, int64_t n_in,
                             int64_t n_out, double *z) {
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t o = 0; o < n_out; o++) {
      double sum = bias ? bias[o] : 0;
      for (int64_t k = 0; k < n_in; k++) sum += x[i * n_in + k] * w[k * n_out + o];
      z[i * n_out + o] = sum;
    }
  }
}

void tutti_reference_weight_gradient(const double *x, const double *dz, int64_t rows, int64_t n_in,
                                     int64_t n_out, double *dw) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t k = 0; k < n_in; k++)
      for (int64_t o = 0; o < n_out; o++) dw[k * n_out + o] += x[i * n_in + k] * dz[i * n_out + o];
}

void tutti_reference_input_gradient(const double *dz, const double *w, int64_t rows, int64_t n_in,
                                    int64_t n_out, double *dx) {
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t k = 0; k < n_in; k++) {
      double sum = 0;
      for (int64_t o = 0; o < n_out; o++) sum += dz[i * n_out + o] * w[k * n_out + o];
      dx[i * n_in + k] = sum;
    }
  }
}

void tutti_reference_column_sums(const float *x, const float *dy, int64_t rows, int64_t n, double *sums) {
  for (int64_t j = 0; j < n; j++) {
    sums[j] = 0;
    for (int64_t k = j; k < rows * n; k += n) {
      const double v = x[k];
      sums[j] += !dy ? v : v > 0 ? 0 : v * dy[k];
    }
  }
}

static double one_activation(tutti_activation kind, double z) {
  switch (kind) {
  case TUTTI_RELU:
    return fmax(z, 0);
  case TUTTI_SIGMOID:
    return 1 / (1 + exp(-z));
  case TUTTI_TANH:
    return tanh(z);
  case TUTTI_SOFTPLUS:
    return z > 30 ? z + exp(-z) : log1p(exp(z));
  case TUTTI_SOFTSIGN:
    return z / (1 + fabs(z));
  case TUTTI_ELU:
    return z > 0 ? z : expm1(z);
  case TUTTI_SELU:
    return TUTTI_SELU_SCALE * (z > 0 ? z : TUTTI_SELU_ALPHA * expm1(z));
  case TUTTI_LEAKY_RELU:
    return z > 0 ? z : TUTTI_LEAKY_SLOPE * z;
  case TUTTI_GELU:
    return z / 2 * erfc(-z * TUTTI_SQRT_HALF);
  case TUTTI_SILU:
    return z / (1 + exp(-z));
  case TUTTI_HARD_SIGMOID:
    return fmin(fmax(z + 3, 0), 6) / 6;
  case TUTTI_EXPONENTIAL:
    return exp(z);
  default:
    return z;
  }
}

static void softmax(const double *z, int64_t n, double *y) {
  double top = z[0], sum = 0;
  for (int64_t j = 1; j < n; j++) top = fmax(top, z[j]);
  for (int64_t j = 0; j < n; j++) sum += y[j] = exp(z[j] - top);
  for (int64_t j = 0; j < n; j++) y[j] /= sum;
}

void tutti_reference_activation(tutti_activation kind, const double *z, int64_t rows, int64_t n, double *y) {
  for (int64_t i = 0; i < rows; i++) {
    if (kind == TUTTI_SOFTMAX)
      softmax(z + i * n, n, y + i * n);
    else
      for (int64_t j = i * n; j < (i + 1) * n; j++) y[j] = one_activation(kind, z[j]);
  }
}

static double target_at(tutti_targets targets, int64_t i, int64_t j, int64_t n) {
  if (targets.values) return targets.values[i * n + j];
  return n == 1 ? targets.classes[i] : targets.classes[i] == j;
}

static double smoothed(tutti_loss loss, tutti_targets targets, int64_t i, int64_t j, int64_t n) {
  const double t = target_at(targets, i, j, n), a = targets.smoothing;
  if (a == 0) return t;
  return t * (1 - a) + a / (loss == TUTTI_CATEGORICAL_CROSSENTROPY ? (double)n : 2.0);
}

static double one_loss(tutti_loss loss, double y, double t, double n) {
  switch (loss) {
  case TUTTI_CATEGORICAL_CROSSENTROPY:
    return t == 0 ? 0 : -t * log(y);
  case TUTTI_BINARY_CROSSENTROPY:
    return -(t * log(y) + (1 - t) * log1p(-y)) / n;
  case TUTTI_MEAN_SQUARED_ERROR:
    return (y - t) * (y - t) / n;
  case TUTTI_MEAN_ABSOLUTE_ERROR:
    return fabs(y - t) / n;
  case TUTTI_HUBER:
    return (fabs(y - t) <= 1 ? (y - t) * (y - t) / 2 : fabs(y - t) - 0.5) / n;
  case TUTTI_HINGE:
    return fmax(1 - (t == 0 ? -1 : t) * y, 0) / n;
  default:
    return NAN;
  }
}

double tutti_reference_loss(tutti_loss loss, const double *y, tutti_targets targets, int64_t rows,
                            int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < n; j++)
      sum += one_loss(loss, y[i * n + j], smoothed(loss, targets, i, j, n), (double)n);
  return sum;
}

double tutti_reference_metric(tutti_loss loss, const double *y, tutti_targets targets, int64_t rows,
                              int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < rows; i++) {
    int64_t best_y = 0, best_t = 0;
    for (int64_t j = 0; j < n; j++) {
      const double v = y[i * n + j], t = target_at(targets, i, j, n);
      if (v > y[i * n + best_y]) best_y = j;
      if (t > target_at(targets, i, best_t, n)) best_t = j;
      if (loss == TUTTI_BINARY_CROSSENTROPY)
        sum += ((v > 0.5) == (t > 0.5)) / (double)n;
      else if (loss == TUTTI_HINGE)
        sum += ((v > 0) == (t > 0)) / (double)n;
      else if (loss != TUTTI_CATEGORICAL_CROSSENTROPY)
        sum += fabs(v - t) / (double)n;
    }
    if (loss == TUTTI_CATEGORICAL_CROSSENTROPY) sum += best_y == best_t;
  }
  return sum;
}
