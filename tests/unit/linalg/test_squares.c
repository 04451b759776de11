#include <math.h>
#include <stdlib.h>

#include "linalg/squares.h"
#include "support/check.h"
#include "support/numbers.h"
#include "tutti/linalg.h"

enum { MAX = 5000 };

static double expected(const float *x, const float *y, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += pow((double)x[i] - (y ? y[i] : 0), 2);
  return sum;
}

/** Lengths around the lanes, and around the blocks that are added in double. */
static void sums_of_any_length_keep_the_digits_of_a_float(void **state) {
  (void)state;
  static float x[MAX], y[MAX];
  const int64_t lengths[] = {0, 1, 15, 63, 64, 65, 1023, 1024, 1025, MAX};
  numbers_fill(1, -1, 1, MAX, x);
  numbers_fill(2, -1, 1, MAX, y);
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    const int64_t n = lengths[i];
    CHECK_CLOSE(tutti_linalg_squares(x, n), expected(x, NULL, n), 3e-7, 0);
    CHECK_CLOSE(tutti_linalg_squares_of_difference(x, y, n), expected(x, y, n), 3e-7, 0);
  }
}

/** Also where nothing may be read behind the last row. */
static void each_row_has_its_sum(void **state) {
  (void)state;
  enum { ROWS = 7 };
  const int64_t widths[] = {0, 1, 3, 10, 15, 16, 17, 50, 255, 256, 700};
  double squares[ROWS];
  for (size_t k = 0; k < sizeof widths / sizeof *widths; k++) {
    const int64_t n = widths[k];
    float *x = malloc(sizeof *x * (size_t)(ROWS * n) + 1);
    numbers_fill(3, -2, 2, ROWS * n, x);
    tutti_linalg_row_squares(x, ROWS, n, squares);
    for (int i = 0; i < ROWS; i++) CHECK_CLOSE(squares[i], expected(x + i * n, NULL, n), 3e-7, 0);
    tutti_linalg_row_squares(x, 0, n, NULL);
    free(x);
  }
}

static void threads_give_the_same_bits(void **state) {
  (void)state;
  enum { ROWS = 3000, N = 700 };
  float *x = malloc(sizeof *x * ROWS * N);
  double *squares = malloc(sizeof *squares * 2 * ROWS);
  numbers_fill(4, -2, 2, ROWS * N, x);
  for (int threads = 1; threads <= 3; threads += 2) {
    tutti_linalg_set_threads(threads);
    tutti_linalg_row_squares(x, ROWS, N, squares + (threads > 1 ? ROWS : 0));
  }
  tutti_linalg_set_threads(1);
  for (int i = 0; i < ROWS; i++) assert_true(squares[i] > 0 && squares[i] == squares[ROWS + i]);
  free(x);
  free(squares);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sums_of_any_length_keep_the_digits_of_a_float),
      cmocka_unit_test(each_row_has_its_sum),
      cmocka_unit_test(threads_give_the_same_bits),
  };
  return cmocka_run_group_tests_name("linalg.squares", tests, NULL, check_no_leak);
}
