#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/elementwise.h"
#include "linalg/activation.h"
#include "linalg/loss.h"
#include "linalg/reduce.h"
#include "support/linalg_twin.h"
#include "support/numbers.h"

/** The matrices of a layer at work, [rows, n] each. */
typedef struct {
  int64_t rows, n;
  tutti_activation kind;
  float *z, *y, *dy, *dz, *sums;
  int32_t *classes; // [rows]
  double *wide, *low, *expected, *totals;
} layer;

static tutti_status allocate(layer *a) {
  const int64_t n = a->rows * a->n;
  TUTTI_TRY(TUTTI_NEW(a->z, n));
  TUTTI_TRY(TUTTI_NEW(a->y, n));
  TUTTI_TRY(TUTTI_NEW(a->dy, n));
  TUTTI_TRY(TUTTI_NEW(a->dz, n));
  TUTTI_TRY(TUTTI_NEW(a->sums, a->n));
  TUTTI_TRY(TUTTI_NEW(a->totals, a->n));
  TUTTI_TRY(TUTTI_NEW(a->classes, a->rows));
  TUTTI_TRY(TUTTI_NEW(a->wide, n));
  TUTTI_TRY(TUTTI_NEW(a->low, n));
  TUTTI_TRY(TUTTI_NEW(a->expected, n));
  numbers_fill(1, -4, 4, n, a->z);
  numbers_fill(2, -1, 1, n, a->dy);
  for (int64_t i = 0; i < n; i++) // away from -3, 0 and 3, which have no slope
    for (int kink = -3; kink <= 3; kink += 3)
      if (fabsf(a->z[i] - (float)kink) < 1e-3f) a->z[i] = (float)kink + 0.01f;
  for (int64_t i = 0; i < a->rows; i++) a->classes[i] = (int32_t)(i * 7 % a->n);
  numbers_widen(a->z, n, a->wide);
  return TUTTI_OK;
}

static void release(layer *a) {
  float *const floats[] = {a->z, a->y, a->dy, a->dz, a->sums};
  double *const doubles[] = {a->wide, a->low, a->expected, a->totals};
  for (int i = 0; i < 5; i++) tutti_free(floats[i]);
  for (int i = 0; i < 4; i++) tutti_free(doubles[i]);
  tutti_free(a->classes);
}

// --- activations

static tutti_status forward(void *context) {
  const layer *a = context;
  tutti_activation_forward(a->kind, a->z, a->rows, a->n, a->y);
  return TUTTI_OK;
}

static tutti_status check_forward(void *context, double *checksum) {
  const layer *a = context;
  const int64_t n = a->rows * a->n;
  TUTTI_TRY(forward(context));
  tutti_linalg_reference_activation(a->kind, a->wide, a->rows, a->n, a->expected);
  double largest = 1;
  for (int64_t i = 0; i < n; i++) largest = fmax(largest, fabs(a->expected[i]));
  // exp(v) turns the rounding of v, |v| <= 4, into that much of its value; gelu has exp(-v^2 / 2).
  TUTTI_TRY(bench_near(tutti_activation_names[a->kind], a->y, a->expected, n, 24 * FLT_EPSILON * largest));
  *checksum = bench_checksum(a->y, n);
  return TUTTI_OK;
}

static tutti_status backward(void *context) {
  const layer *a = context;
  tutti_activation_backward(a->kind, a->z, a->y, a->dy, a->rows, a->n, a->dz);
  return TUTTI_OK;
}

/** expected = dy * slope of y, by central differences in double; softmax, whose outputs depend on each other, by its
 * formula.  Gives the largest of them. */
static double slopes(const layer *a) {
  const int64_t n = a->rows * a->n;
  const double h = 1e-6;
  double largest = 1;
  if (a->kind == TUTTI_SOFTMAX) {
    tutti_linalg_reference_activation(a->kind, a->wide, a->rows, a->n, a->expected);
    for (int64_t r = 0; r < a->rows; r++) {
      double *y = a->expected + r * a->n, sum = 0;
      const float *dy = a->dy + r * a->n;
      for (int64_t i = 0; i < a->n; i++) sum += y[i] * dy[i];
      for (int64_t i = 0; i < a->n; i++) y[i] *= dy[i] - sum;
    }
    return largest;
  }
  for (int64_t i = 0; i < n; i++) a->low[i] = a->wide[i] - h;
  for (int64_t i = 0; i < n; i++) a->expected[i] = a->wide[i] + h;
  tutti_linalg_reference_activation(a->kind, a->low, a->rows, a->n, a->low);
  tutti_linalg_reference_activation(a->kind, a->expected, a->rows, a->n, a->expected);
  for (int64_t i = 0; i < n; i++) {
    a->expected[i] = a->dy[i] * (a->expected[i] - a->low[i]) / (2 * h);
    largest = fmax(largest, fabs(a->expected[i]));
  }
  return largest;
}

static tutti_status check_backward(void *context, double *checksum) {
  const layer *a = context;
  const int64_t n = a->rows * a->n;
  TUTTI_TRY(forward(context));
  TUTTI_TRY(backward(context));
  // From outputs near 1 the slopes 1 - y, 1 - y^2 keep an absolute accuracy.
  const double bound = (32 * FLT_EPSILON + 1e-8) * slopes(a);
  TUTTI_TRY(bench_near(tutti_activation_names[a->kind], a->dz, a->expected, n, bound));
  *checksum = bench_checksum(a->dz, n);
  return TUTTI_OK;
}

static tutti_status run_activation(const bench *b, layer *a, const char *shape) {
  const char *name = tutti_activation_names[a->kind];
  const double n = (double)(a->rows * a->n), bytes = n * sizeof(float);
  TUTTI_TRY(
      elementwise_case(b, "activation", shape, n, 2 * bytes,
                       (bench_variant){.name = name, .run = forward, .check = check_forward, .context = a}));
  return elementwise_case(
      b, "activation_gradient", shape, n, 3 * bytes,
      (bench_variant){.name = name, .run = backward, .check = check_backward, .context = a});
}

// --- loss and sums

static tutti_status loss(void *context) {
  const layer *a = context;
  double loss_sum = 0, metric_sum = 0;
  tutti_loss_rows(TUTTI_CATEGORICAL_CROSSENTROPY, a->z, (tutti_targets){.classes = a->classes}, a->rows, a->n,
                  1, &loss_sum, &metric_sum, a->dz);
  a->sums[0] = (float)loss_sum;
  return TUTTI_OK;
}

/** The gradient is the probability, less 1 for the right class. */
static tutti_status check_loss(void *context, double *checksum) {
  const layer *a = context;
  const int64_t n = a->rows * a->n;
  TUTTI_TRY(loss(context));
  tutti_linalg_reference_activation(TUTTI_SOFTMAX, a->wide, a->rows, a->n, a->expected);
  const double sum = tutti_linalg_reference_loss(TUTTI_CATEGORICAL_CROSSENTROPY, a->expected,
                                                 (tutti_targets){.classes = a->classes}, a->rows, a->n);
  TUTTI_TRY(bench_near("loss", a->sums, &sum, 1, 8 * FLT_EPSILON * sum));
  for (int64_t r = 0; r < a->rows; r++) a->expected[r * a->n + a->classes[r]] -= 1;
  TUTTI_TRY(bench_near("gradient of the loss", a->dz, a->expected, n, 24 * FLT_EPSILON));
  *checksum = sum;
  return TUTTI_OK;
}

static tutti_status column_sums(void *context) {
  const layer *a = context;
  memset(a->totals, 0, (size_t)a->n * sizeof *a->totals);
  tutti_linalg_column_sums(a->z, a->rows, a->n, a->totals);
  for (int64_t i = 0; i < a->n; i++) a->sums[i] = (float)a->totals[i];
  return TUTTI_OK;
}

static tutti_status check_column_sums(void *context, double *checksum) {
  const layer *a = context;
  TUTTI_TRY(column_sums(context));
  for (int64_t i = 0; i < a->n; i++) {
    a->expected[i] = 0;
    for (int64_t r = 0; r < a->rows; r++) a->expected[i] += a->wide[r * a->n + i];
  }
  TUTTI_TRY(bench_near("sum", a->sums, a->expected, a->n, 4 * (double)a->rows * FLT_EPSILON));
  *checksum = bench_checksum(a->sums, a->n);
  return TUTTI_OK;
}

// --- cases

static tutti_status run_activations(const bench *b, layer *a, const char *shape) {
  for (int kind = 0; kind < TUTTI_N_ACTIVATIONS; kind++) {
    a->kind = (tutti_activation)kind;
    TUTTI_TRY(run_activation(b, a, shape));
  }
  return TUTTI_OK;
}

static tutti_status run_loss(const bench *b, layer *a, const char *shape) {
  const double n = (double)(a->rows * a->n), bytes = n * sizeof(float);
  return elementwise_case(b, "loss", shape, n, 2 * bytes,
                          (bench_variant){.name = "softmax", .run = loss, .check = check_loss, .context = a});
}

static tutti_status run_column_sums(const bench *b, layer *a, const char *shape) {
  const double n = (double)(a->rows * a->n), bytes = n * sizeof(float);
  return elementwise_case(
      b, "column_sums", shape, n, bytes,
      (bench_variant){.name = "column_sums", .run = column_sums, .check = check_column_sums, .context = a});
}

static tutti_status with_layer(const bench *b, int64_t rows, int64_t n,
                               tutti_status (*run)(const bench *b, layer *a, const char *shape)) {
  layer a = {.rows = rows, .n = n};
  char shape[64];
  snprintf(shape, sizeof shape, "%lldx%lld", (long long)rows, (long long)n);
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_comm_agree(b->comm, allocate(&a)));
  TUTTI_TRY_GOTO(done, run(b, &a, shape));
done:
  release(&a);
  return status;
}

tutti_status elementwise_layers(const bench *b) {
  const int64_t rows = b->is_short ? 7 : 128, widest = b->is_short ? 33 : 512;
  TUTTI_TRY(with_layer(b, rows, widest, run_activations));
  TUTTI_TRY(with_layer(b, b->is_short ? 1 : 16, 50, run_activations));
  for (int64_t n = 10; n <= 1000; n *= 10) TUTTI_TRY(with_layer(b, rows, n, run_loss));
  TUTTI_TRY(with_layer(b, rows, widest, run_column_sums));
  TUTTI_TRY(with_layer(b, rows, 10, run_column_sums));
  return TUTTI_OK;
}
