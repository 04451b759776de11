#include <float.h>
#include <math.h>
#include <string.h>

#include "linalg/matmul.h"
#include "linalg/product_impl.h"
#include "support/check.h"
#include "support/numbers.h"

// No multiple of a tile, a panel, a vector or a pair in any direction, and more than a block of terms.
enum { ROWS = 141, N_IN = 1117, N_OUT = 203, MOST = N_IN * ROWS, MAX_THREADS = 5 };

static struct {
  float x[ROWS * N_IN], w[N_IN * N_OUT], bias[N_OUT], dz[ROWS * N_OUT];
  float out[N_IN * N_OUT], first[N_IN * N_OUT], scratch[(ROWS + N_OUT + N_IN) * (N_IN + 1)];
} t;

static int fill(void **state) {
  (void)state;
  numbers_fill(1, -1, 1, ROWS * N_IN, t.x);
  numbers_fill(2, -1, 1, N_IN * N_OUT, t.w);
  numbers_fill(3, -1, 1, N_OUT, t.bias);
  numbers_fill(4, -1, 1, ROWS * N_OUT, t.dz);
  return 0;
}

static const tutti_matmul_by by = {.compute = TUTTI_COMPUTE_BFLOAT16, .scratch = t.scratch};

/** The nearest bfloat16, ties to even: the slow twin of the conversion. */
static float rounded(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  bits += 0x7fff + (bits >> 16 & 1);
  bits &= 0xffff0000;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static void check_sum(float value, double sum, double size, int terms) {
  // Terms are exact; each of the additions rounds.
  CHECK_NEAR(value, sum, (double)(terms + 1) * FLT_EPSILON * (1 + size));
}

static void check_forward(int rows, int n_in, int n_out, bool with_bias) {
  tutti_matmul_forward(by, t.x, t.w, with_bias ? t.bias : NULL, rows, n_in, n_out, t.out);
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < n_out; j++) {
      double sum = with_bias ? t.bias[j] : 0, size = 0;
      for (int k = 0; k < n_in; k++) {
        const double term = (double)rounded(t.x[i * n_in + k]) * rounded(t.w[k * n_out + j]);
        sum += term;
        size = fmax(size, fabs(sum));
      }
      check_sum(t.out[i * n_out + j], sum, size, n_in);
    }
}

static void check_weight_gradient(int rows, int n_in, int n_out, bool accumulate) {
  for (int i = 0; i < n_in * n_out; i++) t.out[i] = accumulate ? 0.5F : NAN;
  tutti_matmul_weight_gradient(by, t.x, t.dz, rows, n_in, n_out, accumulate, t.out);
  for (int i = 0; i < n_in; i++)
    for (int j = 0; j < n_out; j++) {
      double sum = accumulate ? 0.5 : 0, size = 0;
      for (int k = 0; k < rows; k++) {
        sum += (double)rounded(t.x[k * n_in + i]) * rounded(t.dz[k * n_out + j]);
        size = fmax(size, fabs(sum));
      }
      check_sum(t.out[i * n_out + j], sum, size, rows);
    }
}

static void check_input_gradient(int rows, int n_in, int n_out) {
  tutti_matmul_input_gradient(by, t.dz, t.w, rows, n_in, n_out, t.out);
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < n_in; j++) {
      double sum = 0, size = 0;
      for (int k = 0; k < n_out; k++) {
        sum += (double)rounded(t.dz[i * n_out + k]) * rounded(t.w[j * n_out + k]);
        size = fmax(size, fabs(sum));
      }
      check_sum(t.out[i * n_in + j], sum, size, n_out);
    }
}

static const struct {
  int rows, n_in, n_out;
} shapes[] = {{1, 1, 1},      {2, 3, 5},     {7, 16, 33},     {ROWS, 64, 10},
              {5, N_IN, 128}, {33, 100, 64}, {ROWS, 512, 18}, {ROWS, N_IN, N_OUT}};
enum { N_SHAPES = sizeof shapes / sizeof shapes[0] };

static void products_are_those_of_rounded_numbers(void **state) {
  (void)state;
  if (!tutti_matmul_has_bfloat16()) skip();
  for (int i = 0; i < N_SHAPES; i++) {
    const int rows = shapes[i].rows, n_in = shapes[i].n_in, n_out = shapes[i].n_out;
    assert_in_range(tutti_matmul_scratch(rows, n_in, n_out), 1, sizeof t.scratch / sizeof(float));
    for (int form = 0; form < 2; form++) {
      check_forward(rows, n_in, n_out, form == 1);
      check_weight_gradient(rows, n_in, n_out, form == 1);
    }
    check_input_gradient(rows, n_in, n_out);
  }
}

/** An element depends on its own factors alone: the first rows of a product are a product. */
static void rows_and_threads_do_not_change_a_bit(void **state) {
  (void)state;
  if (!tutti_matmul_has_bfloat16()) skip();
  for (int n_threads = 1; n_threads <= MAX_THREADS; n_threads++) {
    tutti_linalg_set_threads(n_threads);
    for (int rows = ROWS; rows > 0; rows = rows * 2 / 3) {
      tutti_matmul_forward(by, t.x, t.w, t.bias, rows, N_IN, N_OUT, t.out);
      if (n_threads == 1 && rows == ROWS) memcpy(t.first, t.out, sizeof t.first);
      assert_memory_equal(t.out, t.first, (size_t)rows * N_OUT * sizeof(float));
    }
  }
  tutti_linalg_set_threads(1);
}

/** Whether the loops read B where it lies, or turn C, is a matter of shape; the chain stays. */
static void forms_of_a_product_agree(void **state) {
  (void)state;
  if (!tutti_matmul_has_bfloat16()) skip();
  // z = x w, and the input gradient of a layer whose kernel is w'.
  for (int k = 0; k < N_IN; k++)
    for (int j = 0; j < N_OUT; j++) t.first[j * N_IN + k] = t.w[k * N_OUT + j];
  static float z[ROWS * N_OUT];
  tutti_matmul_forward(by, t.x, t.w, NULL, ROWS, N_IN, N_OUT, z);
  tutti_matmul_input_gradient(by, t.x, t.first, ROWS, N_OUT, N_IN, t.out);
  assert_memory_equal(t.out, z, sizeof z);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(products_are_those_of_rounded_numbers),
      cmocka_unit_test(rows_and_threads_do_not_change_a_bit),
      cmocka_unit_test(forms_of_a_product_agree),
  };
  return cmocka_run_group_tests(tests, fill, check_no_leak);
}
