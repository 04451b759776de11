#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "linalg/reduce.h"
#include "support/check.h"
#include "support/linalg_twin.h"
#include "support/numbers.h"

enum { ROWS = 29, N = 13 };

static void column_sums_are_added(void **state) {
  (void)state;
  float x[ROWS * N], dy[ROWS * N];
  double sums[N], below[N], expected[N], expected_below[N];
  numbers_fill(1, -1, 1, ROWS * N, x);
  numbers_fill(2, -1, 1, ROWS * N, dy);
  for (int rows = 0; rows <= ROWS; rows++) {
    for (int j = 0; j < N; j++) sums[j] = below[j] = 2;
    tutti_linalg_column_sums(x, rows, N, sums);
    tutti_linalg_column_sums_below(x, dy, rows, N, below);
    tutti_linalg_reference_column_sums(x, NULL, rows, N, expected);
    tutti_linalg_reference_column_sums(x, dy, rows, N, expected_below);
    for (int j = 0; j < N; j++) {
      CHECK_NEAR(sums[j], 2 + expected[j], 1e-13);
      CHECK_NEAR(below[j], 2 + expected_below[j], ROWS * FLT_EPSILON);
    }
  }
}

enum { MANY = 1 << 20 };

/** In single precision they are some 1e-3 off. */
static void sums_of_many_like_rows_keep_their_digits(void **state) {
  (void)state;
  float *x = malloc(MANY * sizeof *x);
  double sum = 0, below = 0, expected = 0, expected_below = 0;
  assert_non_null(x);
  numbers_fill(1, -0.11, -0.1, MANY, x);
  tutti_linalg_column_sums(x, MANY, 1, &sum);
  tutti_linalg_column_sums_below(x, x, MANY, 1, &below);
  tutti_linalg_reference_column_sums(x, NULL, MANY, 1, &expected);
  tutti_linalg_reference_column_sums(x, x, MANY, 1, &expected_below);
  CHECK_NEAR(sum, expected, 1e-12 * -expected);
  CHECK_NEAR(below, expected_below, 1e-7 * expected_below);
  free(x);
}

/** What is summed by parts has the bits of the whole. */
static void parts_of_the_rows_give_the_same_bits(void **state) {
  (void)state;
  float x[ROWS * N];
  numbers_fill(1, -1, 1, ROWS * N, x);
  for (int cut = 0; cut <= ROWS; cut++) {
    double whole[N] = {0}, parts[N] = {0};
    tutti_linalg_column_sums(x, ROWS, N, whole);
    tutti_linalg_column_sums(x, cut, N, parts);
    tutti_linalg_column_sums(x + cut * N, ROWS - cut, N, parts);
    assert_memory_equal(parts, whole, sizeof whole);
  }
}

static void moments_keep_the_digits_of_double(void **state) {
  (void)state;
  float x[ROWS * N];
  double sums[N], squares[N];
  numbers_fill(1, 1000, 1001, ROWS * N, x);
  for (int j = 0; j < N; j++) sums[j] = squares[j] = 1;
  tutti_linalg_column_moments(x, ROWS, N, sums, squares);
  for (int j = 0; j < N; j++) {
    double mean = 0, variance = 0;
    for (int i = 0; i < ROWS; i++) mean += (double)x[i * N + j] / ROWS;
    for (int i = 0; i < ROWS; i++) variance += pow(x[i * N + j] - mean, 2) / ROWS;
    const double found = (sums[j] - 1) / ROWS;
    CHECK_NEAR(found, mean, 1e-12 * mean);
    CHECK_NEAR((squares[j] - 1) / ROWS - found * found, variance,
               1e-8); // of 1e6 in single precision nothing were left
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(column_sums_are_added),
      cmocka_unit_test(sums_of_many_like_rows_keep_their_digits),
      cmocka_unit_test(parts_of_the_rows_give_the_same_bits),
      cmocka_unit_test(moments_keep_the_digits_of_double),
  };
  return cmocka_run_group_tests_name("linalg.reduce", tests, NULL, check_no_leak);
}
