/** What is known of each loss, from the rows of losses.def, and the choice of the loops that compute it.  The room
 * model calls it for each micro-batch. */
#include "linalg/loss.h"

#include <math.h>

#include "linalg/loss_impl.h"

const char *const tutti_loss_names[TUTTI_N_LOSSES] = {
    "auto",
#define LOSS(code, word, ...)     #word,
#define ROW_LOSS(code, word, ...) #word,
#include "tutti/losses.def"
};

/** What the rows say beside their expressions. */
typedef struct {
  tutti_activation activation;
  bool is_accuracy; // the metric is
  bool is_row;      // a ROW_LOSS, whose outputs compete for one class
  int64_t sides;    // values over which smoothing spreads one target; 0: the loss does not take smoothing
} facts;

/** @param[in] n  outputs; 1 if the sides are not wanted */
static facts facts_of(tutti_loss loss, int64_t n) {
#define ERROR           false
#define SIDE(threshold) true
  const facts all[TUTTI_N_LOSSES] = {
#define LOSS(code, word, last, metric, sides, ...) [TUTTI_##code] = {TUTTI_##last, metric, false, sides},
#define ROW_LOSS(code, word, last, sides, ...)     [TUTTI_##code] = {TUTTI_##last, true, true, sides},
#include "tutti/losses.def"
  };
#undef ERROR
#undef SIDE
  return all[loss];
}

tutti_activation tutti_loss_activation(tutti_loss loss) {
  return facts_of(loss, 1).activation;
}

tutti_loss tutti_loss_for(tutti_activation last) {
  for (tutti_loss loss = TUTTI_LOSS_AUTO + 1; last != TUTTI_LINEAR && loss < TUTTI_N_LOSSES; loss++)
    if (tutti_loss_activation(loss) == last) return loss;
  return TUTTI_MEAN_SQUARED_ERROR;
}

bool tutti_loss_is_classification(tutti_loss loss) {
  return facts_of(loss, 1).is_accuracy;
}

bool tutti_loss_takes_smoothing(tutti_loss loss) {
  return facts_of(loss, 1).sides > 0;
}

static double surprise(double probability, double times) {
  return probability > 0 ? -times * probability * log(probability) : 0;
}

double tutti_loss_least(tutti_loss loss, int64_t n, double smoothing) {
  if (!tutti_loss_takes_smoothing(loss)) return 0;
  const double n_sides = (double)facts_of(loss, n).sides, spread = smoothing / n_sides;
  return surprise(1 - smoothing + spread, 1) + surprise(spread, n_sides - 1);
}

int64_t tutti_loss_n_decisions(tutti_loss loss, int64_t n) {
  return facts_of(loss, 1).is_row ? 1 : n;
}

void tutti_loss_decide(tutti_loss loss, const float *z, int64_t rows, int64_t n, int32_t *classes) {
  TUTTI_ASSERT(tutti_loss_is_classification(loss));
  if (facts_of(loss, 1).is_row)
    for (int64_t i = 0; i < rows; i++) classes[i] = (int32_t)tutti_loss_largest(z + i * n, n);
  else
    for (int64_t i = 0; i < rows * n; i++) classes[i] = tutti_loss_says_one(z[i]);
}

// --- rows

/** The targets of row i alone, without its weight. */
static tutti_targets targets_of_row(tutti_targets targets, int64_t i, int64_t n) {
  if (targets.classes) targets.classes += i;
  if (targets.values) targets.values += i * n;
  targets.weights = NULL;
  return targets;
}

/** A batch whose rows have weights. */
typedef struct {
  tutti_loss loss;
  const float *z;
  tutti_targets targets;
  int64_t n;
  double scale;
  float *dz;
} weighted_batch;

/** Row by row, because a weight changes the scale of the row's gradient. */
static void some_weighted_rows(const void *context, int64_t begin, int64_t end, double *losses,
                               double *metrics) {
  const weighted_batch *b = context;
  for (int64_t i = begin; i < end; i++) {
    const double weight = b->targets.weights[i];
    double one = 0, metric = 0;
    tutti_loss_rows(b->loss, b->z + i * b->n, targets_of_row(b->targets, i, b->n), 1, b->n, b->scale * weight,
                    &one, &metric, b->dz ? b->dz + i * b->n : NULL);
    losses[i - begin] = weight * one;
    metrics[i - begin] = metric;
  }
}

void tutti_loss_rows(tutti_loss loss, const float *z, tutti_targets targets, int64_t rows, int64_t n,
                     double scale, double *loss_sum, double *metric_sum, float *dz) {
  static const double row_ns = 50, ns = 1; // of a row that has a weight, and of each of its elements
  TUTTI_ASSERT(rows == 0 || !targets.classes != !targets.values);
  TUTTI_ASSERT(!targets.one_hot || targets.values);
  TUTTI_ASSERT(targets.smoothing == 0 || tutti_loss_takes_smoothing(loss));
  if (targets.weights) {
    const weighted_batch b = {loss, z, targets, n, scale, dz};
    tutti_loss_add_parts(rows, 1, row_ns + ns * (double)n, some_weighted_rows, &b, loss_sum, metric_sum);
    return;
  }
  switch (loss) {
#define LOSS(code, ...)
#define ROW_LOSS(code, word, ...)                                                                            \
  case TUTTI_##code:                                                                                         \
    tutti_loss_##word(z, targets, rows, n, scale, loss_sum, metric_sum, dz);                                 \
    break;
#include "tutti/losses.def"
  default:
    tutti_loss_outputs(loss, z, targets, rows, n, scale, loss_sum, metric_sum, dz);
  }
}

void tutti_loss_curvature(tutti_loss loss, const float *z, tutti_targets targets, int64_t rows, int64_t n,
                          double scale, const float *tz, float *out) {
  for (int64_t i = 0; targets.weights && i < rows; i++)
    tutti_loss_curvature(loss, z + i * n, targets_of_row(targets, i, n), 1, n,
                         scale * (double)targets.weights[i], tz + i * n, out + i * n);
  if (targets.weights) return;
  switch (loss) {
#define LOSS(code, ...)
#define ROW_LOSS(code, word, ...)                                                                            \
  case TUTTI_##code:                                                                                         \
    tutti_loss_##word##_curvature(z, targets, rows, n, scale, tz, out);                                      \
    break;
#include "tutti/losses.def"
  default:
    tutti_loss_outputs_curvature(loss, z, targets, rows, n, scale, tz, out);
  }
}
