#include "linalg/matmul.h"

#include <float.h>
#include <math.h>

#include "support/check.h"
#include "support/linalg_twin.h"
#include "support/numbers.h"
#include "tutti/linalg.h"

// Products that are worth several threads: C with more rows, with more columns, narrow, and with few rows.
typedef struct {
  int rows, n_in, n_out;
} shape;
static const shape shapes[] = {{131, 127, 96}, {96, 150, 131}, {300, 350, 10}, {5, 500, 419}, {1, 2, 3}};
static const tutti_matmul_by by_blas = {.order = TUTTI_SUM_BY_BLAS};
enum { N_SHAPES = sizeof shapes / sizeof shapes[0], MOST = 500 * 419, MAX_THREADS = 7 };

static struct {
  float x[MOST], w[MOST], bias[MOST], z[MOST], out[MOST];
  double wide_x[MOST], wide_w[MOST], wide_bias[MOST], wide_z[MOST], expected[MOST];
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

static void forget(int64_t n) {
  for (int64_t i = 0; i < n; i++) m.out[i] = NAN;
}

static void check_all(int64_t n, int terms) {
  for (int64_t i = 0; i < n; i++) CHECK_NEAR(m.out[i], m.expected[i], (float)(terms + 1) * FLT_EPSILON);
}

static void forward_at_any_number_of_threads(void **state) {
  (void)state;
  for (int i = 0; i < N_SHAPES; i++) {
    const shape s = shapes[i];
    fill(s);
    tutti_linalg_reference_forward(m.wide_x, m.wide_w, m.wide_bias, s.rows, s.n_in, s.n_out, m.expected);
    for (int n_threads = 1; n_threads <= MAX_THREADS; n_threads += 2) {
      tutti_linalg_set_threads(n_threads);
      forget(s.rows * s.n_out);
      tutti_matmul_forward(by_blas, m.x, m.w, m.bias, s.rows, s.n_in, s.n_out, m.out);
      check_all(s.rows * s.n_out, s.n_in + 1);
    }
  }
}

static void weight_gradient_at_any_number_of_threads(void **state) {
  (void)state;
  for (int i = 0; i < N_SHAPES; i++) {
    const shape s = shapes[i];
    fill(s);
    for (int k = 0; k < s.n_in * s.n_out; k++) m.expected[k] = 0;
    tutti_linalg_reference_weight_gradient(m.wide_x, m.wide_z, s.rows, s.n_in, s.n_out, m.expected);
    for (int n_threads = 1; n_threads <= MAX_THREADS; n_threads += 2) {
      tutti_linalg_set_threads(n_threads);
      forget(s.n_in * s.n_out);
      tutti_matmul_weight_gradient(by_blas, m.x, m.z, s.rows, s.n_in, s.n_out, false, m.out);
      check_all(s.n_in * s.n_out, s.rows + 1);
      for (int k = 0; k < s.n_in * s.n_out; k++) m.out[k] = 0;
      tutti_matmul_weight_gradient(by_blas, m.x, m.z, s.rows, s.n_in, s.n_out, true, m.out);
      check_all(s.n_in * s.n_out, s.rows + 1);
    }
  }
}

static void input_gradient_at_any_number_of_threads(void **state) {
  (void)state;
  for (int i = 0; i < N_SHAPES; i++) {
    const shape s = shapes[i];
    fill(s);
    tutti_linalg_reference_input_gradient(m.wide_z, m.wide_w, s.rows, s.n_in, s.n_out, m.expected);
    for (int n_threads = 1; n_threads <= MAX_THREADS; n_threads += 2) {
      tutti_linalg_set_threads(n_threads);
      forget(s.rows * s.n_in);
      tutti_matmul_input_gradient(by_blas, m.z, m.w, s.rows, s.n_in, s.n_out, m.out);
      check_all(s.rows * s.n_in, s.n_out + 1);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(forward_at_any_number_of_threads),
      cmocka_unit_test(weight_gradient_at_any_number_of_threads),
      cmocka_unit_test(input_gradient_at_any_number_of_threads),
  };
  return cmocka_run_group_tests_name("linalg.matmul_blas", tests, NULL, check_no_leak);
}
