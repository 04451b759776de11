#include <math.h>

#include "linalg/cholesky.h"
#include "support/check.h"

/** a = L L' with L = (2 . .; 1 3 .; -1 2 1). */
static void a_system_is_solved(void **state) {
  double a[] = {4, 99, 99, 2, 10, 99, -2, 5, 6},
         b[] = {4 + 4 - 6, 2 + 20 + 15, -2 + 10 + 18}; // of x = 1, 2, 3
  const double factor[] = {2, 99, 99, 1, 3, 99, -1, 2, 1};
  double half[3] = {b[0], b[1], b[2]}, sum = 0;
  (void)state;
  assert_true(tutti_linalg_cholesky_factor(3, TUTTI_CHOLESKY_LEAST_PART, a));
  for (int i = 0; i < 9; i++) CHECK_NEAR(a[i], factor[i], 1e-14);
  tutti_linalg_cholesky_forward(3, a, half);
  for (int i = 0; i < 3; i++) sum += half[i] * half[i];
  CHECK_NEAR(sum, b[0] + 2 * b[1] + 3 * b[2], 1e-12); // b' a^-1 b = b' x
  tutti_linalg_cholesky_solve(3, a, b);
  for (int i = 0; i < 3; i++) CHECK_NEAR(b[i], i + 1, 1e-13);
}

static void what_is_singular_is_told(void **state) {
  double singular[] = {1, 0, 1, 1}, negative[] = {-1}, nothing[] = {0}, unknown[] = {NAN};
  (void)state;
  assert_false(tutti_linalg_cholesky_factor(2, TUTTI_CHOLESKY_LEAST_PART, singular));
  assert_false(tutti_linalg_cholesky_factor(1, TUTTI_CHOLESKY_LEAST_PART, negative));
  assert_false(tutti_linalg_cholesky_factor(1, TUTTI_CHOLESKY_LEAST_PART, nothing));
  assert_false(tutti_linalg_cholesky_factor(1, TUTTI_CHOLESKY_LEAST_PART, unknown));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_system_is_solved),
                                     cmocka_unit_test(what_is_singular_is_told)};
  return cmocka_run_group_tests_name("linalg.cholesky", tests, NULL, check_no_leak);
}
