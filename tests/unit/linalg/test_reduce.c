#include <float.h>
#include <math.h>

#include "linalg/reduce.h"
#include "support/check.h"
#include "support/numbers.h"

enum { ROWS = 29, N = 13 };

static void column_sums_are_written_or_added(void **state) {
  (void)state;
  float x[ROWS * N], sums[N];
  numbers_fill(1, -1, 1, ROWS * N, x);
  for (int accumulate = 0; accumulate < 2; accumulate++) {
    for (int rows = 0; rows <= ROWS; rows += ROWS) {
      for (int j = 0; j < N; j++) sums[j] = accumulate ? 2 : NAN;
      tutti_column_sums(x, rows, N, accumulate, sums);
      for (int j = 0; j < N; j++) {
        double expected = accumulate ? 2 : 0;
        for (int i = 0; i < rows; i++) expected += x[i * N + j];
        CHECK_NEAR(sums[j], expected, 2 * ROWS * FLT_EPSILON);
      }
    }
  }
}

static void moments_keep_the_digits_of_double(void **state) {
  (void)state;
  float x[ROWS * N];
  double sums[N], squares[N];
  numbers_fill(1, 1000, 1001, ROWS * N, x);
  for (int j = 0; j < N; j++) sums[j] = squares[j] = 1;
  tutti_column_moments(x, ROWS, N, sums, squares);
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
      cmocka_unit_test(column_sums_are_written_or_added),
      cmocka_unit_test(moments_keep_the_digits_of_double),
  };
  return cmocka_run_group_tests_name("linalg.reduce", tests, NULL, check_no_leak);
}
