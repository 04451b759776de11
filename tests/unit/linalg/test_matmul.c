#include <float.h>
#include <math.h>

#include "linalg/matmul.h"
#include "support/check.h"
#include "support/linalg_twin.h"
#include "support/numbers.h"

enum { MAX_ROWS = 33, MAX_IN = 70, MAX_OUT = 64 };

typedef struct {
  int rows, n_in, n_out;
} shape;

static const shape shapes[] = {{1, 1, 1},  {1, 7, 3},    {3, 1, 5},    {5, 16, 1},
                               {8, 17, 9}, {33, 70, 41}, {16, 64, 32}, {9, 70, 64}};
enum { N_SHAPES = sizeof shapes / sizeof shapes[0] };

static struct {
  float x[MAX_ROWS * MAX_IN], w[MAX_IN * MAX_OUT], bias[MAX_OUT], z[MAX_ROWS * MAX_OUT],
      out[MAX_IN * MAX_OUT];
  double wide_x[MAX_ROWS * MAX_IN], wide_w[MAX_IN * MAX_OUT], wide_bias[MAX_OUT], wide_z[MAX_ROWS * MAX_OUT];
  double expected[MAX_IN * MAX_OUT];
} m;

static void fill(shape s) {
  numbers_fill(1, -1, 1, s.rows * s.n_in, m.x);
  numbers_fill(2, -1, 1, s.n_in * s.n_out, m.w);
  numbers_fill(3, -1, 1, s.n_out, m.bias);
  numbers_fill(4, -1, 1, s.rows * s.n_out, m.z);
  numbers_widen(m.x, s.rows * s.n_in, m.wide_x);
  numbers_widen(m.w, s.n_in * s.n_out, m.wide_w);
  numbers_widen(m.bias, s.n_out, m.wide_bias);
  numbers_widen(m.z, s.rows * s.n_out, m.wide_z);
}

/** A sum of `terms` products of numbers below 1 is off by at most terms (terms + 1) eps / 2, and far less in
 * practice. */
static void check_all(const float *values, const double *expected, int64_t n, int terms) {
  for (int64_t i = 0; i < n; i++) CHECK_NEAR(values[i], expected[i], (float)(terms + 1) * FLT_EPSILON);
}

static void forward_is_x_times_w_plus_bias(void **state) {
  const tutti_matmul_by by = *(tutti_matmul_by *)*state;
  for (int i = 0; i < N_SHAPES; i++) {
    const shape s = shapes[i];
    for (int with_bias = 0; with_bias < 2; with_bias++) {
      fill(s);
      tutti_matmul_forward(by, m.x, m.w, with_bias ? m.bias : NULL, s.rows, s.n_in, s.n_out, m.out);
      tutti_linalg_reference_forward(m.wide_x, m.wide_w, with_bias ? m.wide_bias : NULL, s.rows, s.n_in,
                                     s.n_out, m.expected);
      check_all(m.out, m.expected, s.rows * s.n_out, s.n_in + 1);
    }
  }
}

static void weight_gradient_is_written_or_added(void **state) {
  const tutti_matmul_by by = *(tutti_matmul_by *)*state;
  for (int i = 0; i < N_SHAPES; i++) {
    const shape s = shapes[i];
    for (int accumulate = 0; accumulate < 2; accumulate++) {
      fill(s);
      for (int k = 0; k < s.n_in * s.n_out; k++) {
        m.out[k] = accumulate ? 0.5f : NAN; // what is written does not depend on what was there
        m.expected[k] = accumulate ? 0.5 : 0;
      }
      tutti_matmul_weight_gradient(by, m.x, m.z, s.rows, s.n_in, s.n_out, accumulate, m.out);
      tutti_linalg_reference_weight_gradient(m.wide_x, m.wide_z, s.rows, s.n_in, s.n_out, m.expected);
      check_all(m.out, m.expected, s.n_in * s.n_out, s.rows + 1);
    }
  }
}

static void input_gradient_is_dz_times_w_transposed(void **state) {
  const tutti_matmul_by by = *(tutti_matmul_by *)*state;
  for (int i = 0; i < N_SHAPES; i++) {
    const shape s = shapes[i];
    fill(s);
    for (int k = 0; k < s.rows * s.n_in; k++) m.out[k] = NAN;
    tutti_matmul_input_gradient(by, m.z, m.w, s.rows, s.n_in, s.n_out, m.out);
    tutti_linalg_reference_input_gradient(m.wide_z, m.wide_w, s.rows, s.n_in, s.n_out, m.expected);
    check_all(m.out, m.expected, s.rows * s.n_in, s.n_out);
  }
}

static void no_rows_give_no_gradient(void **state) {
  const tutti_matmul_by by = *(tutti_matmul_by *)*state;
  fill(shapes[1]);
  m.out[0] = 3;
  tutti_matmul_forward(by, m.x, m.w, m.bias, 0, 7, 3, m.out);
  tutti_matmul_input_gradient(by, m.z, m.w, 0, 7, 3, m.out);
  tutti_matmul_weight_gradient(by, m.x, m.z, 0, 7, 3, true, m.out);
  assert_true(m.out[0] == 3);
  for (int k = 0; k < 21; k++) m.out[k] = NAN;
  tutti_matmul_weight_gradient(by, m.x, m.z, 0, 7, 3, false, m.out);
  for (int k = 0; k < 21; k++) assert_true(m.out[k] == 0);
}

int main(void) {
  static tutti_matmul_by any = {.order = TUTTI_SUM_ANY}, in_order = {.order = TUTTI_SUM_IN_ORDER};
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_prestate(forward_is_x_times_w_plus_bias, &any),
      cmocka_unit_test_prestate(forward_is_x_times_w_plus_bias, &in_order),
      cmocka_unit_test_prestate(weight_gradient_is_written_or_added, &any),
      cmocka_unit_test_prestate(weight_gradient_is_written_or_added, &in_order),
      cmocka_unit_test_prestate(input_gradient_is_dz_times_w_transposed, &any),
      cmocka_unit_test_prestate(input_gradient_is_dz_times_w_transposed, &in_order),
      cmocka_unit_test_prestate(no_rows_give_no_gradient, &any),
      cmocka_unit_test_prestate(no_rows_give_no_gradient, &in_order),
  };
  return cmocka_run_group_tests_name("linalg.matmul", tests, NULL, check_no_leak);
}
