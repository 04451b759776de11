#include <float.h>
#include <math.h>
#include <string.h>

#include "linalg/activation.h"
#include "linalg/softmax_impl.h"
#include "support/check.h"
#include "support/linalg_twin.h"
#include "support/numbers.h"

enum { ROWS = 40, N = 9, SIZE = ROWS * N };

/** Arguments small and large, none within 1e-3 of a kink. */
static void arguments(int kind, float *z) {
  numbers_fill(1, -1, 1, SIZE, z);
  for (int i = 0; i < SIZE; i++) {
    z[i] *= (float)(1 << i % 5);
    if (tutti_linalg_reference_activation_kink((tutti_activation)kind, z[i]) < 1e-3) z[i] += 0.01f;
  }
}

static void forward_is_the_definition(void **state) {
  (void)state;
  float z[SIZE], y[SIZE];
  double wide[SIZE], expected[SIZE];
  for (int kind = 0; kind < TUTTI_N_ACTIVATIONS; kind++) {
    arguments(kind, z);
    numbers_widen(z, SIZE, wide);
    tutti_activation_forward((tutti_activation)kind, z, ROWS, N, y);
    tutti_linalg_reference_activation((tutti_activation)kind, wide, ROWS, N, expected);
    for (int i = 0; i < SIZE; i++) {
      // exp(v) turns the rounding of v, v eps / 2, into that much of its value; gelu has exp(-z^2 / 2).
      const double exponent = kind == TUTTI_GELU ? wide[i] * wide[i] : fabs(wide[i]);
      const double tolerance = (exponent + 8) * FLT_EPSILON * fabs(expected[i]) + FLT_MIN;
      if (fabs(y[i] - expected[i]) > tolerance)
        print_error("%s at %g\n", tutti_activation_names[kind], wide[i]);
      CHECK_NEAR(y[i], expected[i], tolerance);
    }
  }
}

static void forward_works_in_place(void **state) {
  (void)state;
  float z[SIZE], y[SIZE];
  for (int kind = 0; kind < TUTTI_N_ACTIVATIONS; kind++) {
    arguments(kind, z);
    tutti_activation_forward((tutti_activation)kind, z, ROWS, N, y);
    tutti_activation_forward((tutti_activation)kind, z, ROWS, N, z);
    assert_memory_equal(z, y, sizeof z);
  }
}

/** sum of dy y(z), by central differences in each z of the row. */
static double slope(tutti_activation kind, double *row, const float *dy, int j) {
  const double h = 1e-6, middle = row[j];
  double y[2][N], sum = 0;
  for (int side = 0; side < 2; side++) {
    row[j] = middle + (side ? h : -h);
    tutti_linalg_reference_activation(kind, row, 1, N, y[side]);
  }
  row[j] = middle;
  for (int k = 0; k < N; k++) sum += dy[k] * (y[1][k] - y[0][k]) / (2 * h);
  return sum;
}

static void backward_is_the_slope(void **state) {
  (void)state;
  float z[SIZE], y[SIZE], dy[SIZE], dz[SIZE];
  double wide[SIZE];
  numbers_fill(2, -1, 1, SIZE, dy);
  for (int kind = 0; kind < TUTTI_N_ACTIVATIONS; kind++) {
    arguments(kind, z);
    numbers_widen(z, SIZE, wide);
    const bool needs_input = tutti_activation_needs_input((tutti_activation)kind);
    tutti_activation_forward((tutti_activation)kind, z, ROWS, N, y);
    tutti_activation_backward((tutti_activation)kind, needs_input ? z : NULL, needs_input ? NULL : y, dy,
                              ROWS, N, dz);
    for (int i = 0; i < SIZE; i++) {
      const double expected = slope((tutti_activation)kind, wide + i / N * N, dy + i / N * N, i % N);
      // From outputs near 1 the slopes 1 - y, 1 - y^2 keep an absolute accuracy.
      const double tolerance = 32 * FLT_EPSILON * fmax(1, fabs(expected)) + 1e-8 * fmax(1, fabs(y[i]));
      if (fabs(dz[i] - expected) > tolerance)
        print_error("%s at %g\n", tutti_activation_names[kind], wide[i]);
      CHECK_NEAR(dz[i], expected, tolerance);
    }
  }
}

/** The derivative of slope(j) along tz, by central differences of the twin. */
static double curvature(tutti_activation kind, const double *row, const float *dy, const float *tz, int j) {
  const double h = 1e-4;
  double moved[N], y[4][N], sum = 0;
  for (int corner = 0; corner < 4; corner++) {
    for (int k = 0; k < N; k++)
      moved[k] = row[k] + (corner & 1 ? h : -h) * tz[k] + (k != j ? 0 : corner & 2 ? h : -h);
    tutti_linalg_reference_activation(kind, moved, 1, N, y[corner]);
  }
  for (int k = 0; k < N; k++) sum += dy[k] * ((y[3][k] - y[2][k]) - (y[1][k] - y[0][k])) / (4 * h * h);
  return sum;
}

/** Added to what there is. */
static void curvature_is_the_slope_of_the_slope(void **state) {
  (void)state;
  float z[SIZE], y[SIZE], dy[SIZE], tz[SIZE], ty[SIZE], dz[SIZE];
  double wide[SIZE];
  numbers_fill(2, -1, 1, SIZE, dy);
  numbers_fill(3, -1, 1, SIZE, tz);
  for (int kind = 0; kind < TUTTI_N_ACTIVATIONS; kind++) {
    arguments(kind, z);
    numbers_widen(z, SIZE, wide);
    tutti_activation_forward((tutti_activation)kind, z, ROWS, N, y);
    tutti_activation_backward((tutti_activation)kind, z, y, tz, ROWS, N, ty);
    for (int i = 0; i < SIZE; i++) dz[i] = 1;
    tutti_activation_curvature((tutti_activation)kind, z, y, tz, ty, dy, ROWS, N, dz);
    for (int i = 0; i < SIZE; i++) {
      const int row = i / N * N;
      const double expected = curvature((tutti_activation)kind, wide + row, dy + row, tz + row, i % N);
      const double tolerance = 1e-5 * fmax(1, fmax(fabs(expected), fabs(y[i])));
      if (fabs(dz[i] - 1 - expected) > tolerance)
        print_error("%s at %g\n", tutti_activation_names[kind], wide[i]);
      CHECK_NEAR(dz[i] - 1, expected, tolerance);
    }
  }
}

static void large_arguments_saturate(void **state) {
  (void)state;
  const struct {
    tutti_activation kind;
    float z, y;
  } known[] = {{TUTTI_SIGMOID, 200, 1},      {TUTTI_SIGMOID, -200, 0},      {TUTTI_SOFTPLUS, 200, 200},
               {TUTTI_SOFTPLUS, -200, 0},    {TUTTI_TANH, 200, 1},          {TUTTI_ELU, -200, -1},
               {TUTTI_GELU, 200, 200},       {TUTTI_GELU, -200, 0},         {TUTTI_SILU, -200, 0},
               {TUTTI_HARD_SIGMOID, 200, 1}, {TUTTI_HARD_SIGMOID, -200, 0}, {TUTTI_EXPONENTIAL, -200, 0},
               {TUTTI_RELU, -200, 0},        {TUTTI_LEAKY_RELU, -200, -40}};
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    float y;
    tutti_activation_forward(known[i].kind, &known[i].z, 1, 1, &y);
    CHECK_NEAR(y, known[i].y, 2 * FLT_EPSILON * fabsf(known[i].y));
  }
}

static void nan_is_not_hidden(void **state) {
  (void)state;
  for (int kind = 0; kind < TUTTI_N_ACTIVATIONS; kind++) {
    const float z[3] = {1, NAN, -1};
    float y[3];
    tutti_activation_forward((tutti_activation)kind, z, 1, 3, y);
    if (!isnan(y[1])) print_error("%s\n", tutti_activation_names[kind]);
    assert_true(isnan(y[1]));
  }
}

static void softmax_neither_overflows_nor_loses_its_sum(void **state) {
  (void)state;
  const float z[4] = {1000, 999, -1000, 1000};
  float y[4], top;
  double sum;
  tutti_linalg_softmax_scaled(z, 1, 4, 1, NULL, &top, &sum);
  assert_true(sum >= 2 && top == 1000);
  tutti_linalg_softmax_forward(z, 1, 4, y);
  CHECK_NEAR((double)y[0] + y[1] + y[2] + y[3], 1, 4 * FLT_EPSILON);
  CHECK_NEAR(y[1] / y[0], exp(-1), 4 * FLT_EPSILON);
  assert_true(y[2] == 0 && y[0] == y[3]);
}

/** Widths on both sides of where rows are put together, cut, and filled up. */
static void softmax_of_rows_of_any_width(void **state) {
  (void)state;
  enum { MOST = 1200 };
  static float z[MOST], y[MOST], dy[MOST], dz[MOST];
  static double wide[MOST], expected[MOST];
  const int64_t widths[] = {1, 2, 7, 10, 31, 32, 33, 100, 512, 513, 1111};
  numbers_fill(3, -9, 9, MOST, z);
  numbers_fill(4, -1, 1, MOST, dy);
  numbers_widen(z, MOST, wide);
  for (size_t k = 0; k < sizeof widths / sizeof widths[0]; k++) {
    const int64_t n = widths[k], rows = MOST / n;
    tutti_linalg_softmax_forward(z, rows, n, y);
    tutti_linalg_reference_activation(TUTTI_SOFTMAX, wide, rows, n, expected);
    for (int64_t i = 0; i < rows * n; i++) CHECK_NEAR(y[i], expected[i], 24 * FLT_EPSILON * expected[i]);
    tutti_linalg_softmax_backward(y, dy, rows, n, dz);
    for (int64_t i = 0; i < rows; i++) {
      double mean = 0;
      for (int64_t j = i * n; j < (i + 1) * n; j++) mean += expected[j] * dy[j];
      for (int64_t j = i * n; j < (i + 1) * n; j++)
        CHECK_NEAR(dz[j], expected[j] * (dy[j] - mean), 32 * FLT_EPSILON * expected[j]);
    }
    memcpy(dz, z, sizeof z);
    dz[(rows - 1) * n] = NAN;
    tutti_linalg_softmax_forward(dz, rows, n, dz);
    for (int64_t i = 0; i < rows * n; i++) assert_true(isnan(dz[i]) == (i >= (rows - 1) * n));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(forward_is_the_definition),
      cmocka_unit_test(forward_works_in_place),
      cmocka_unit_test(backward_is_the_slope),
      cmocka_unit_test(curvature_is_the_slope_of_the_slope),
      cmocka_unit_test(large_arguments_saturate),
      cmocka_unit_test(nan_is_not_hidden),
      cmocka_unit_test(softmax_neither_overflows_nor_loses_its_sum),
      cmocka_unit_test(softmax_of_rows_of_any_width),
  };
  return cmocka_run_group_tests_name("linalg.activation", tests, NULL, check_no_leak);
}
