#include <float.h>
#include <math.h>

#include "linalg/loss.h"
#include "linalg/parallel.h"
#include "support/check.h"
#include "support/linalg_twin.h"
#include "support/numbers.h"
#include "tutti/linalg.h"

enum { ROWS = 12, N = 5, SIZE = ROWS * N };

/** Rows of targets that suit the loss. */
static void fill_values(tutti_loss loss, float *values) {
  numbers_fill(3, 0, 1, SIZE, values);
  for (int i = 0; i < SIZE; i++) {
    if (!tutti_loss_is_classification(loss))
      values[i] *= 4; // on both sides of the bends of huber
    else if (tutti_loss_n_decisions(loss, 2) == 2)
      values[i] = values[i] > 0.5f;
  }
}

static void fill_classes(int32_t *classes, int32_t n) {
  for (int i = 0; i < ROWS; i++) classes[i] = i * 7 % n;
}

/** In double: loss of the outputs that z gives. */
static double reference(tutti_loss loss, const double *z, tutti_targets targets, int64_t rows, int64_t n,
                        double *metric) {
  double y[SIZE];
  tutti_linalg_reference_activation(tutti_loss_activation(loss), z, rows, n, y);
  if (metric) *metric = tutti_linalg_reference_metric(loss, y, targets, rows, n);
  return tutti_linalg_reference_loss(loss, y, targets, rows, n);
}

static void check_against_reference(tutti_loss loss, tutti_targets targets, int64_t n) {
  const double scale = 0.25, h = 1e-6;
  float z[SIZE], dz[SIZE];
  double wide[SIZE], sum = 1, metric_sum = 2, metric;
  const int64_t rows = SIZE / N;
  numbers_fill(1, -3, 3, rows * n, z);
  numbers_widen(z, rows * n, wide);
  tutti_loss_rows(loss, z, targets, rows, n, scale, &sum, &metric_sum, dz);
  const double expected = reference(loss, wide, targets, rows, n, &metric);
  CHECK_NEAR(sum - 1, expected, (double)rows * FLT_EPSILON * 4);
  CHECK_NEAR(metric_sum - 2, metric, (double)rows * FLT_EPSILON * 4);
  for (int64_t i = 0; i < rows * n; i++) {
    const double middle = wide[i];
    wide[i] = middle + h;
    const double above = reference(loss, wide, targets, rows, n, NULL);
    wide[i] = middle - h;
    const double below = reference(loss, wide, targets, rows, n, NULL);
    wide[i] = middle;
    CHECK_NEAR(dz[i], scale * (above - below) / (2 * h), 8 * FLT_EPSILON + 1e-8);
  }
  double again = 0, ignored = 0;
  tutti_loss_rows(loss, z, targets, rows, n, scale, &again, &ignored, NULL);
  assert_true(again + 1 == sum ||
              fabs(again + 1 - sum) < 1e-12 * sum); // without a gradient the loss is the same
}

/** The change of the gradient's element j along tz, by central differences of the twin, for one row. */
static double curvature(tutti_loss loss, const double *row, tutti_targets targets, const float *tz, int j) {
  const double h = 1e-4;
  double moved[N], sum = 0;
  for (int corner = 0; corner < 4; corner++) {
    const double along = corner & 1 ? h : -h, in_j = corner & 2 ? h : -h;
    for (int k = 0; k < N; k++) moved[k] = row[k] + along * tz[k] + (k == j ? in_j : 0);
    sum += (along * in_j > 0 ? 1 : -1) * reference(loss, moved, targets, 1, N, NULL) / (4 * h * h);
  }
  return sum;
}

static void curvature_is_the_slope_of_the_slope(void **state) {
  (void)state;
  const double scale = 0.25;
  float z[SIZE], tz[SIZE], values[SIZE], out[SIZE];
  double wide[SIZE];
  numbers_fill(1, -3, 3, SIZE, z);
  numbers_fill(2, -1, 1, SIZE, tz);
  numbers_widen(z, SIZE, wide);
  for (tutti_loss loss = TUTTI_LOSS_AUTO + 1; loss < TUTTI_N_LOSSES; loss++) {
    fill_values(loss, values);
    tutti_loss_curvature(loss, z, (tutti_targets){.values = values}, ROWS, N, scale, tz, out);
    for (int i = 0; i < SIZE; i++) {
      const int row = i / N * N;
      if (tutti_linalg_reference_loss_kink(loss, wide[i], values[i]) < 1e-3) continue;
      const double expected =
          scale * curvature(loss, wide + row, (tutti_targets){.values = values + row}, tz + row, i % N);
      if (fabs(out[i] - expected) > 1e-6) print_error("%s at %g\n", tutti_loss_names[loss], wide[i]);
      CHECK_NEAR(out[i], expected, 1e-6);
    }
  }
}

static void each_loss_is_its_definition_and_has_its_slope(void **state) {
  (void)state;
  for (int loss = TUTTI_CATEGORICAL_CROSSENTROPY; loss < TUTTI_N_LOSSES; loss++) {
    float values[SIZE];
    int32_t classes[ROWS], binary[ROWS];
    fill_values((tutti_loss)loss, values);
    fill_classes(classes, N);
    fill_classes(binary, 2);
    check_against_reference((tutti_loss)loss, (tutti_targets){.values = values}, N);
    check_against_reference((tutti_loss)loss, (tutti_targets){.classes = classes}, N);
    if (loss != TUTTI_CATEGORICAL_CROSSENTROPY)
      check_against_reference((tutti_loss)loss, (tutti_targets){.classes = binary}, 1);
  }
}

static void auto_is_the_loss_that_contains_the_last_activation(void **state) {
  (void)state;
  assert_int_equal(tutti_loss_for(TUTTI_SOFTMAX), TUTTI_CATEGORICAL_CROSSENTROPY);
  assert_int_equal(tutti_loss_for(TUTTI_SIGMOID), TUTTI_BINARY_CROSSENTROPY);
  assert_int_equal(tutti_loss_for(TUTTI_LINEAR), TUTTI_MEAN_SQUARED_ERROR);
  assert_int_equal(tutti_loss_for(TUTTI_RELU), TUTTI_MEAN_SQUARED_ERROR);
}

/** Integer labels, one-hot rows and probabilities. */
static void smoothed_losses_are_their_definition_and_have_its_slope(void **state) {
  (void)state;
  for (tutti_loss loss = TUTTI_LOSS_AUTO + 1; loss < TUTTI_N_LOSSES; loss++) {
    if (!tutti_loss_takes_smoothing(loss)) continue;
    for (double smoothing = 0.1; smoothing < 1; smoothing += 0.4) {
      float probabilities[SIZE], one_hot[SIZE];
      int32_t classes[ROWS], binary[ROWS];
      numbers_fill(3, 0, 1, SIZE, probabilities);
      fill_classes(classes, N);
      fill_classes(binary, 2);
      for (int i = 0; i < SIZE; i++) one_hot[i] = classes[i / N] == i % N;
      check_against_reference(loss, (tutti_targets){.values = probabilities, .smoothing = smoothing}, N);
      check_against_reference(loss, (tutti_targets){.values = one_hot, .smoothing = smoothing}, N);
      check_against_reference(loss, (tutti_targets){.classes = classes, .smoothing = smoothing}, N);
      if (tutti_loss_n_decisions(loss, 2) == 2)
        check_against_reference(loss, (tutti_targets){.classes = binary, .smoothing = smoothing}, 1);
    }
  }
}

/** At the best outputs, whose probabilities are the smoothed targets, and at no others. */
static void smoothing_leaves_a_loss(void **state) {
  (void)state;
  const int32_t class_1 = 1, yes = 1;
  for (double smoothing = 0.1; smoothing < 1; smoothing += 0.4) {
    const double p = 1 - smoothing + smoothing / 3, q = smoothing / 3;
    for (double by = -0.1; by < 0.2; by += 0.1) {
      const float z[] = {0, (float)(log(p / q) + by), 0},
                  logit = (float)(log((2 - smoothing) / smoothing) + by);
      double several = 0, one = 0, unused = 0;
      tutti_loss_rows(TUTTI_CATEGORICAL_CROSSENTROPY, z,
                      (tutti_targets){.classes = &class_1, .smoothing = smoothing}, 1, 3, 1, &several,
                      &unused, NULL);
      tutti_loss_rows(TUTTI_BINARY_CROSSENTROPY, &logit,
                      (tutti_targets){.classes = &yes, .smoothing = smoothing}, 1, 1, 1, &one, &unused, NULL);
      const double above = several - tutti_loss_least(TUTTI_CATEGORICAL_CROSSENTROPY, 3, smoothing),
                   above_one = one - tutti_loss_least(TUTTI_BINARY_CROSSENTROPY, 1, smoothing);
      const bool at_best = fabs(by) < 0.05;
      if (at_best ? fabs(above) > 1e-6 || fabs(above_one) > 1e-6 : above < 1e-5 || above_one < 1e-5)
        fail_msg("smoothing %g, %g beside the best: %g and %g above the least loss", smoothing, by, above,
                 above_one);
    }
  }
  assert_true(tutti_loss_least(TUTTI_CATEGORICAL_CROSSENTROPY, 10, 0) == 0);
  assert_true(tutti_loss_least(TUTTI_MEAN_SQUARED_ERROR, 10, 0) == 0);
}

/** Keras: CategoricalCrossentropy(label_smoothing=0.2) and BinaryCrossentropy(label_smoothing=0.2), by hand from
 * t = (0.9, 0.1). */
static void smoothing_on_paper(void **state) {
  (void)state;
  const float z[2] = {2, -1};
  const int32_t first = 0;
  const float one_hot[2] = {1, 0};
  const double p = 1 / (1 + exp(-3.0)), s0 = 1 / (1 + exp(-2.0)), s1 = 1 / (1 + exp(1.0));
  float dz[2];
  double loss = 0, metric = 0;
  tutti_loss_rows(TUTTI_CATEGORICAL_CROSSENTROPY, z, (tutti_targets){.classes = &first, .smoothing = 0.2}, 1,
                  2, 1, &loss, &metric, dz);
  CHECK_NEAR(loss, -0.9 * log(p) - 0.1 * log(1 - p), 1e-6);
  CHECK_NEAR(dz[0], p - 0.9, 1e-6);
  CHECK_NEAR(dz[1], 1 - p - 0.1, 1e-6);
  loss = 0;
  tutti_loss_rows(TUTTI_BINARY_CROSSENTROPY, z, (tutti_targets){.values = one_hot, .smoothing = 0.2}, 1, 2, 1,
                  &loss, &metric, dz);
  CHECK_NEAR(loss, (-0.9 * log(s0) - 0.1 * log(1 - s0) - 0.1 * log(s1) - 0.9 * log(1 - s1)) / 2, 1e-6);
  CHECK_NEAR(dz[0], (s0 - 0.9) / 2, 1e-6);
  CHECK_NEAR(dz[1], (s1 - 0.1) / 2, 1e-6);
  assert_true(metric == 2);
}

/** Nor by how a smoothed probability is rounded. */
static void the_metric_is_not_smoothed(void **state) {
  (void)state;
  const float z[3] = {1, 1, 2}, t[3] = {0.5000001f, 0.5000002f, 0.5f};
  double loss = 0, plain[2] = {0, 0}, smooth[2] = {0, 0};
  for (int k = 0; k < 2; k++) {
    const tutti_loss kind = k == 0 ? TUTTI_CATEGORICAL_CROSSENTROPY : TUTTI_BINARY_CROSSENTROPY;
    tutti_loss_rows(kind, z, (tutti_targets){.values = t}, 1, 3, 1, &loss, &plain[k], NULL);
    tutti_loss_rows(kind, z, (tutti_targets){.values = t, .smoothing = 0.999999}, 1, 3, 1, &loss, &smooth[k],
                    NULL);
    assert_true(plain[k] == smooth[k]);
  }
  CHECK_NEAR(plain[1], 2.0 / 3, 1e-12);
}

/** Sigmoids and margins for one-hot rows: the sample is right where its largest output is, however many outputs are. */
static void one_hot_rows_are_counted_as_classes(void **state) {
  (void)state;
  enum { SAMPLES = 300 };
  static const tutti_loss losses[] = {TUTTI_BINARY_CROSSENTROPY, TUTTI_HINGE};
  static float z[SAMPLES][3], t[SAMPLES][3];
  for (int i = 0; i < SAMPLES; i++)
    for (int j = 0; j < 3; j++) {
      z[i][j] = j == i % 3 ? -1 : -2; // no output says yes
      t[i][j] = j == (i < 200 ? i % 3 : (i + 1) % 3);
    }
  for (int k = 0; k < 2; k++) {
    double loss[2] = {0}, each = 0, sample = 0;
    tutti_loss_rows(losses[k], z[0], (tutti_targets){.values = t[0]}, SAMPLES, 3, 1, &loss[0], &each, NULL);
    tutti_loss_rows(losses[k], z[0], (tutti_targets){.values = t[0], .one_hot = true}, SAMPLES, 3, 1,
                    &loss[1], &sample, NULL);
    CHECK_NEAR(each, 200, 1e-9); // 2 of 3 outputs
    CHECK_NEAR(sample, 200, 0);
    CHECK_NEAR(loss[1], loss[0], 0);
  }
}

/** Values that one can compute on paper. */
static void known_values(void **state) {
  (void)state;
  const float outputs[2] = {3, 0.5f}, targets[2] = {1, 0};
  const struct {
    tutti_loss loss;
    double value, metric;
  } known[] = {{TUTTI_MEAN_SQUARED_ERROR, (4 + 0.25) / 2, 1.25},
               {TUTTI_MEAN_ABSOLUTE_ERROR, 1.25, 1.25},
               {TUTTI_HUBER, (1.5 + 0.125) / 2, 1.25},
               {TUTTI_HINGE, (0 + 1.5) / 2, 0.5},
               {TUTTI_CATEGORICAL_CROSSENTROPY, 0.07889, 1},
               {TUTTI_BINARY_CROSSENTROPY, (0.04859 + 0.97408) / 2, 0.5}};
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    double loss = 0, metric = 0;
    tutti_loss_rows(known[i].loss, outputs, (tutti_targets){.values = targets}, 1, 2, 1, &loss, &metric,
                    NULL);
    CHECK_NEAR(loss, known[i].value, 1e-5);
    CHECK_NEAR(metric, known[i].metric, 1e-12);
  }
}

static void certain_and_wrong_costs_a_finite_loss(void **state) {
  (void)state;
  const float z[2] = {500, -500};
  const int32_t wrong = 1;
  float dz[2];
  double loss = 0, metric = 0;
  tutti_loss_rows(TUTTI_CATEGORICAL_CROSSENTROPY, z, (tutti_targets){.classes = &wrong}, 1, 2, 1, &loss,
                  &metric, dz);
  CHECK_NEAR(loss, 1000, 1e-9);
  assert_true(dz[0] == 1 && dz[1] == -1 && metric == 0);
  loss = 0;
  tutti_loss_rows(TUTTI_BINARY_CROSSENTROPY, z + 1, (tutti_targets){.classes = &wrong}, 1, 1, 1, &loss,
                  &metric, dz);
  CHECK_NEAR(loss, 500, 1e-9);
  assert_true(dz[0] == -1);
}

static void small_losses_keep_their_digits(void **state) {
  (void)state;
  const float z[2] = {30, 0};
  const int32_t right = 0;
  double loss = 0, metric = 0;
  tutti_loss_rows(TUTTI_CATEGORICAL_CROSSENTROPY, z, (tutti_targets){.classes = &right}, 1, 2, 1, &loss,
                  &metric, NULL);
  CHECK_CLOSE(loss, log1p(exp(-30)), 1e-2, 0); // single precision would give 0
}

static void hinge_takes_zero_for_minus_one(void **state) {
  (void)state;
  const float y[2] = {0.3f, -0.3f}, zero[2] = {0, 0}, minus[2] = {-1, -1};
  double a[2] = {0, 0}, b[2] = {0, 0};
  tutti_loss_rows(TUTTI_HINGE, y, (tutti_targets){.values = zero}, 2, 1, 1, &a[0], &a[1], NULL);
  tutti_loss_rows(TUTTI_HINGE, y, (tutti_targets){.values = minus}, 2, 1, 1, &b[0], &b[1], NULL);
  CHECK_NEAR(a[0], 2, 1e-6);
  assert_true(a[0] == b[0] && a[1] == 1 && b[1] == 1);
}

/** Labels that say what was decided give the full metric, labels that say the contrary none. */
static void decisions_are_those_of_the_metric(void **state) {
  (void)state;
  const tutti_loss losses[] = {TUTTI_CATEGORICAL_CROSSENTROPY, TUTTI_BINARY_CROSSENTROPY, TUTTI_HINGE};
  for (int k = 0; k < 3; k++) {
    for (int64_t n = losses[k] == TUTTI_CATEGORICAL_CROSSENTROPY ? 2 : 1; n <= N; n++) {
      const int64_t each = tutti_loss_n_decisions(losses[k], n);
      float z[SIZE], values[SIZE];
      int32_t classes[SIZE];
      double loss = 0, metric = 0;
      numbers_fill(7, -1, 1, ROWS * n, z);
      z[0] = 1e-20f; // whose probability is 0.5 in float
      if (n > 1) z[1] = 0;
      tutti_loss_decide(losses[k], z, ROWS, n, classes);
      assert_int_equal(each, k == 0 ? 1 : n);
      if (n <= 2) assert_int_equal(classes[0], k == 0 ? 0 : 1);
      for (int64_t i = 0; i < ROWS * each; i++) values[i] = (float)classes[i];
      tutti_loss_rows(losses[k], z,
                      k == 0 ? (tutti_targets){.classes = classes} : (tutti_targets){.values = values}, ROWS,
                      n, 1, &loss, &metric, NULL);
      CHECK_NEAR(metric, ROWS, 1e-12);
      metric = 0;
      for (int64_t i = 0; i < ROWS * each; i++) {
        values[i] = 1 - values[i];
        classes[i] = (classes[i] + 1) % (int32_t)n;
      }
      tutti_loss_rows(losses[k], z,
                      k == 0 ? (tutti_targets){.classes = classes} : (tutti_targets){.values = values}, ROWS,
                      n, 1, &loss, &metric, NULL);
      assert_true(metric == 0);
    }
  }
}

static void nan_makes_the_loss_nan(void **state) {
  (void)state;
  for (int loss = TUTTI_CATEGORICAL_CROSSENTROPY; loss < TUTTI_N_LOSSES; loss++) {
    for (int place = 0; place < 3; place++) {
      float z[3] = {1, 2, 3};
      const float values[3] = {0, 1, 0};
      double sum = 0, metric = 0;
      z[place] = NAN;
      tutti_loss_rows((tutti_loss)loss, z, (tutti_targets){.values = values}, 1, 3, 1, &sum, &metric, NULL);
      assert_true(isnan(sum));
    }
  }
}

/** More rows and wider ones than any part that is computed at a time. */
static void matrices_of_any_size(void **state) {
  (void)state;
  enum { MOST = 3000 };
  static float z[MOST], values[MOST], dz[MOST];
  static double wide[MOST];
  static int32_t classes[MOST];
  const int64_t widths[] = {1, 3, 10, 40, 600, 1300};
  for (int loss = TUTTI_CATEGORICAL_CROSSENTROPY; loss < TUTTI_N_LOSSES; loss++) {
    for (size_t k = 0; k < sizeof widths / sizeof widths[0]; k++) {
      const int64_t n = widths[k], rows = MOST / n;
      double sum = 0, metric = 0, sum_of_values = 0, metric_of_values = 0, expected_metric, slopes = 0;
      numbers_fill(5, -3, 3, rows * n, z);
      numbers_widen(z, rows * n, wide);
      for (int64_t i = 0; i < rows; i++) {
        classes[i] = n == 1 ? loss != TUTTI_CATEGORICAL_CROSSENTROPY && i % 3 == 0 : (int32_t)(i * 7 % n);
        for (int64_t j = 0; j < n; j++)
          values[i * n + j] =
              n == 1 && loss != TUTTI_CATEGORICAL_CROSSENTROPY ? (float)classes[i] : classes[i] == j;
      }
      const tutti_targets targets = {.classes = classes};
      tutti_linalg_reference_activation(tutti_loss_activation((tutti_loss)loss), wide, rows, n, wide);
      const double expected = tutti_linalg_reference_loss((tutti_loss)loss, wide, targets, rows, n);
      expected_metric = tutti_linalg_reference_metric((tutti_loss)loss, wide, targets, rows, n);
      tutti_loss_rows((tutti_loss)loss, z, targets, rows, n, 1, &sum, &metric, dz);
      CHECK_NEAR(sum, expected, 4 * FLT_EPSILON * (double)rows);
      CHECK_NEAR(metric, expected_metric, 4 * FLT_EPSILON * (double)rows);
      for (int64_t i = 0; i < rows * n; i++) slopes += dz[i];
      tutti_loss_rows((tutti_loss)loss, z, (tutti_targets){.values = values}, rows, n, 1, &sum_of_values,
                      &metric_of_values, dz);
      CHECK_NEAR(sum_of_values, sum, 1e-12 * fmax(1, sum));
      CHECK_NEAR(metric_of_values, metric, 1e-12 * (double)rows);
      for (int64_t i = 0; i < rows * n; i++) slopes -= dz[i];
      CHECK_NEAR(slopes, 0, FLT_EPSILON);
    }
  }
}

/** Of losses and slopes, and of second derivatives; the metric has none. */
static void weights_multiply_each_row(void **state) {
  (void)state;
  enum { WEIGHED = 3, WIDTH = 4, ALL = WEIGHED * WIDTH };
  const float weights[WEIGHED] = {0.5F, 0, 3};
  const int32_t classes[WEIGHED] = {2, 0, 3};
  float z[ALL], tz[ALL], values[ALL] = {0}, dz[ALL], one_dz[ALL], out[ALL], one_out[ALL];
  numbers_fill(3, -3, 3, ALL, z);
  numbers_fill(4, -1, 1, ALL, tz);
  for (int i = 0; i < WEIGHED; i++) values[i * WIDTH + classes[i]] = 1;
  for (int loss = TUTTI_CATEGORICAL_CROSSENTROPY; loss < TUTTI_N_LOSSES; loss++)
    for (int by_class = 0; by_class < 2; by_class++) {
      tutti_targets t = {.classes = by_class ? classes : NULL, .values = by_class ? NULL : values};
      double sum = 0, metric = 0, expected = 0, expected_metric = 0;
      for (int i = 0; i < WEIGHED; i++) {
        const tutti_targets row = {.classes = by_class ? classes + i : NULL,
                                   .values = by_class ? NULL : values + i * WIDTH};
        double one = 0;
        tutti_loss_rows((tutti_loss)loss, z + i * WIDTH, row, 1, WIDTH, 0.5, &one, &expected_metric,
                        one_dz + i * WIDTH);
        tutti_loss_curvature((tutti_loss)loss, z + i * WIDTH, row, 1, WIDTH, 0.5, tz + i * WIDTH,
                             one_out + i * WIDTH);
        expected += (double)weights[i] * one;
      }
      t.weights = weights;
      tutti_loss_rows((tutti_loss)loss, z, t, WEIGHED, WIDTH, 0.5, &sum, &metric, dz);
      tutti_loss_curvature((tutti_loss)loss, z, t, WEIGHED, WIDTH, 0.5, tz, out);
      CHECK_NEAR(sum, expected, 1e-12);
      CHECK_NEAR(metric, expected_metric, 0);
      for (int k = 0; k < ALL; k++) {
        CHECK_NEAR(dz[k], weights[k / WIDTH] * one_dz[k], 1e-6);
        CHECK_NEAR(out[k], weights[k / WIDTH] * one_out[k], 1e-6);
      }
    }
}

static void small_slopes_keep_their_digits(void **state) {
  (void)state;
  const float y[2] = {25, -25}, t[2] = {1, 0};
  float dz[2];
  double loss = 0, metric = 0;
  tutti_loss_rows(TUTTI_BINARY_CROSSENTROPY, y, (tutti_targets){.values = t}, 1, 2, 1, &loss, &metric, dz);
  CHECK_NEAR(loss, exp(-25), 1e-6 * exp(-25));
  CHECK_NEAR(dz[0], -exp(-25) / 2, 1e-6 * exp(-25));
  CHECK_NEAR(dz[1], exp(-25) / 2, 1e-6 * exp(-25));
}

enum { MANY = 4500, WIDE = 7 }; // more rows than the parts that are added at once

typedef struct {
  double loss, metric;
  float slopes[MANY * WIDE];
} batch_result;

static void compute_by(int threads, tutti_loss loss, const float *z, tutti_targets targets, batch_result *r) {
  r->loss = 0.1, r->metric = 0.1;
  tutti_linalg_set_threads(threads);
  tutti_linalg_parallel_start_ns = 0; // they share each loop
  tutti_loss_rows(loss, z, targets, MANY, WIDE, 0.3, &r->loss, &r->metric, r->slopes);
  tutti_linalg_set_threads(1);
}

static void threads_change_no_bit(void **state) {
  (void)state;
  static float z[MANY * WIDE], values[MANY * WIDE];
  static float weights[MANY];
  static int32_t classes[MANY];
  static batch_result one, three;
  numbers_fill(1, -3, 3, MANY * WIDE, z);
  for (int i = 0; i < MANY; i++) {
    classes[i] = i * 5 % WIDE;
    weights[i] = 0.5f + (float)(i % 3);
    for (int j = 0; j < WIDE; j++) values[i * WIDE + j] = j == classes[i];
  }
  const tutti_targets all[] = {{.values = values},
                               {.values = values, .weights = weights},
                               {.classes = classes},
                               {.classes = classes, .weights = weights}};
  for (tutti_loss loss = TUTTI_LOSS_AUTO + 1; loss < TUTTI_N_LOSSES; loss++)
    for (int i = 0; i < 4; i++) {
      compute_by(1, loss, z, all[i], &one);
      compute_by(3, loss, z, all[i], &three);
      assert_true(one.loss == three.loss && one.metric == three.metric);
      assert_memory_equal(one.slopes, three.slopes, sizeof one.slopes);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_loss_is_its_definition_and_has_its_slope),
      cmocka_unit_test(curvature_is_the_slope_of_the_slope),
      cmocka_unit_test(auto_is_the_loss_that_contains_the_last_activation),
      cmocka_unit_test(smoothed_losses_are_their_definition_and_have_its_slope),
      cmocka_unit_test(smoothing_leaves_a_loss),
      cmocka_unit_test(smoothing_on_paper),
      cmocka_unit_test(the_metric_is_not_smoothed),
      cmocka_unit_test(one_hot_rows_are_counted_as_classes),
      cmocka_unit_test(known_values),
      cmocka_unit_test(certain_and_wrong_costs_a_finite_loss),
      cmocka_unit_test(small_losses_keep_their_digits),
      cmocka_unit_test(small_slopes_keep_their_digits),
      cmocka_unit_test(matrices_of_any_size),
      cmocka_unit_test(weights_multiply_each_row),
      cmocka_unit_test(hinge_takes_zero_for_minus_one),
      cmocka_unit_test(decisions_are_those_of_the_metric),
      cmocka_unit_test(nan_makes_the_loss_nan),
      cmocka_unit_test(threads_change_no_bit),
  };
  return cmocka_run_group_tests_name("linalg.loss", tests, NULL, check_no_leak);
}
