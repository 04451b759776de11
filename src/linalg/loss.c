#include "linalg/loss.h"

#include <math.h>

#include "linalg/softmax.h"

/** Of one sample, or of one output. */
typedef struct {
  double loss, metric;
} score;

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

static int64_t largest(const float *values, int64_t n) {
  int64_t best = 0;
  for (int64_t j = 1; j < n; j++)
    if (values[j] > values[best]) best = j;
  return best;
}

/** Of a label of its own: the side of the threshold, which is 0 for logits and for margins. */
static bool says_one(double output) {
  return output > 0;
}

int64_t tutti_loss_n_decisions(tutti_loss loss, int64_t n) {
  return loss == TUTTI_CATEGORICAL_CROSSENTROPY ? 1 : n;
}

void tutti_loss_decide(tutti_loss loss, const float *z, int64_t rows, int64_t n, int32_t *classes) {
  TUTTI_ASSERT(tutti_loss_is_classification(loss));
  if (loss == TUTTI_CATEGORICAL_CROSSENTROPY)
    for (int64_t i = 0; i < rows; i++) classes[i] = (int32_t)largest(z + i * n, n);
  else
    for (int64_t i = 0; i < rows * n; i++) classes[i] = says_one(z[i]);
}

/** dz turns from exponentials into scale * (mass p - target); mass is the sum of the targets, which is 1 for
 * labels. */
static void softmax_gradient(double sum, double mass, double scale, int64_t n, float *dz) {
  const float factor = (float)(scale * mass / sum);
  for (int64_t j = 0; j < n; j++) dz[j] *= factor;
}

/** -log p of the right class, as log(sum of exp(z - top)) - (z - top). */
static score categorical_class(const float *z, int32_t right, int64_t n, double scale, float *dz) {
  float top;
  TUTTI_ASSERT(right >= 0 && right < n);
  const double sum = tutti_softmax_exponentials(z, n, dz, &top);
  if (dz) {
    softmax_gradient(sum, 1, scale, n, dz);
    dz[right] -= (float)scale;
  }
  return (score){log(sum) - ((double)z[right] - top), largest(z, n) == right};
}

static score categorical_values(const float *z, const float *target, int64_t n, double scale, float *dz) {
  float top;
  const double sum = tutti_softmax_exponentials(z, n, dz, &top);
  double loss = 0, mass = 0;
  for (int64_t j = 0; j < n; j++) {
    if (target[j] != 0) loss += target[j] * (log(sum) - ((double)z[j] - top)); // 0 * infinity is 0 here
    mass += target[j];
  }
  if (dz) {
    softmax_gradient(sum, mass, scale, n, dz);
    for (int64_t j = 0; j < n; j++) dz[j] -= (float)(scale * target[j]);
  }
  return (score){loss, largest(z, n) == largest(target, n)};
}

/** Loss, metric and slope of one output y against its target t. */
static score one_output(tutti_loss loss, double y, double t, double *slope) {
  const double error = y - t, size = fabs(error);
  switch (loss) {
  case TUTTI_BINARY_CROSSENTROPY:
    // -t log p - (1 - t) log(1 - p) with p = 1 / (1 + exp(-y))
    *slope = 1 / (1 + exp(-y)) - t;
    return (score){fmax(y, 0) - y * t + log1p(exp(-fabs(y))), says_one(y) == (t > 0.5)};
  case TUTTI_MEAN_SQUARED_ERROR:
    *slope = 2 * error;
    return (score){error * error, size};
  case TUTTI_MEAN_ABSOLUTE_ERROR:
    *slope = (error > 0) - (error < 0);
    return (score){size, size};
  case TUTTI_HUBER:
    if (size > 1) {
      *slope = error > 0 ? 1 : -1;
      return (score){size - 0.5, size};
    }
    *slope = error;
    return (score){0.5 * error * error, size};
  case TUTTI_HINGE: {
    const double sign = t == 0 ? -1 : t, margin = 1 - sign * y;
    *slope = margin > 0 ? -sign : 0;
    return (score){margin < 0 ? 0 : margin, says_one(y) == (sign > 0)};
  }
  default:
    TUTTI_ASSERT(false);
    return (score){0, 0};
  }
}

/** The mean over the outputs of row i. */
static score mean_of_outputs(tutti_loss loss, const float *z, tutti_targets targets, int64_t i, int64_t n,
                             double scale, float *dz) {
  score mean = {0, 0};
  for (int64_t j = 0; j < n; j++) {
    double target, slope = 0;
    if (targets.values)
      target = targets.values[i * n + j];
    else
      target = n == 1 ? targets.classes[i] : targets.classes[i] == j;
    const score s = one_output(loss, z[j], target, &slope);
    mean.loss += s.loss / (double)n;
    mean.metric += s.metric / (double)n;
    if (dz) dz[j] = (float)(slope * scale / (double)n);
  }
  return mean;
}

void tutti_loss_rows(tutti_loss loss, const float *z, tutti_targets targets, int64_t rows, int64_t n,
                     double scale, double *loss_sum, double *metric_sum, float *dz) {
  TUTTI_ASSERT(rows == 0 || !targets.classes != !targets.values);
  for (int64_t i = 0; i < rows; i++) {
    const float *z_row = z + i * n;
    float *dz_row = dz ? dz + i * n : NULL;
    score s;
    if (loss != TUTTI_CATEGORICAL_CROSSENTROPY)
      s = mean_of_outputs(loss, z_row, targets, i, n, scale, dz_row);
    else if (targets.classes)
      s = categorical_class(z_row, targets.classes[i], n, scale, dz_row);
    else
      s = categorical_values(z_row, targets.values + i * n, n, scale, dz_row);
    *loss_sum += s.loss;
    *metric_sum += s.metric;
  }
}
