#include <math.h>
#include <string.h>

#include "support/check.h"
#include "tutti/fit.h"

enum { N = 10 };
static const double sizes[N] = {8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096};

static void curve(double s_min, double e_min, double steps[N]) {
  for (int i = 0; i < N; i++) steps[i] = s_min + e_min / sizes[i];
}

static void exact_data_give_their_numbers(void **state) {
  double steps[N];
  tutti_fit fit;
  (void)state;
  curve(100, 20000, steps);
  tutti_fit_make(sizes, steps, N, &fit);
  assert_string_equal(fit.refused, "");
  assert_int_equal(fit.n_sizes, N);
  CHECK_CLOSE(fit.value[TUTTI_FIT_S_MIN], 100, 1e-6, 0);
  CHECK_CLOSE(fit.value[TUTTI_FIT_E_MIN], 20000, 1e-6, 0);
  CHECK_CLOSE(fit.value[TUTTI_FIT_B_CRIT], 200, 1e-6, 0);
  CHECK_NEAR(fit.residual, 0, 1e-9);
  assert_true(isnan(fit.low[0]) && isnan(fit.high[0]));
}

/** Any order of the sizes; those that nothing reached, or that had arrived before the first step, are left out, and do
 * not count. */
static void order_and_gaps_do_not_matter(void **state) {
  const double batch[] = {1024, 64, 7, 128, 4096, 16, 2048},
               steps[] = {119.53125, 412.5, NAN, 256.25, 104.8828125, INFINITY, 0};
  tutti_fit fit;
  (void)state;
  tutti_fit_make(batch, steps, 7, &fit);
  assert_int_equal(fit.n_sizes, 4);
  CHECK_CLOSE(fit.value[TUTTI_FIT_B_CRIT], 200, 1e-6, 0);
  CHECK_NEAR(fit.perfect_scaling_end, 64, 0);
  CHECK_NEAR(fit.largest_useful_batch, 4096, 0);
}

/** The numbers are the least of the sum of squares: neither parameter can be moved without a loss. */
static void the_sum_of_squares_is_least(void **state) {
  double steps[N];
  tutti_fit fit;
  (void)state;
  curve(100, 20000, steps);
  for (int i = 0; i < N; i++) steps[i] *= 1 + 0.2 * sin(3.0 * i);
  tutti_fit_make(sizes, steps, N, &fit);
  for (int move = 0; move < 4; move++) {
    const double s = fit.value[TUTTI_FIT_S_MIN] * (move == 0 ? 1.001 : move == 1 ? 0.999 : 1);
    const double b = fit.value[TUTTI_FIT_B_CRIT] * (move == 2 ? 1.001 : move == 3 ? 0.999 : 1);
    double sum = 0;
    for (int i = 0; i < N; i++) sum += pow(log(steps[i]) - log(s) - log1p(b / sizes[i]), 2);
    assert_true(sqrt(sum / N) > fit.residual);
  }
  CHECK_CLOSE(fit.value[TUTTI_FIT_E_MIN], fit.value[TUTTI_FIT_S_MIN] * fit.value[TUTTI_FIT_B_CRIT], 1e-12, 0);
}

static void check_refused(const double *batch, const double *steps, int n, const char *part) {
  tutti_fit fit;
  tutti_fit_make(batch, steps, n, &fit);
  if (!strstr(fit.refused, part)) fail_msg("refused with '%s', expected '%s'", fit.refused, part);
  for (int k = 0; k < TUTTI_N_FIT_NUMBERS; k++) assert_true(isnan(fit.value[k]));
  assert_true(isnan(fit.residual));
}

static void what_cannot_be_told_is_refused(void **state) {
  double steps[N];
  (void)state;
  curve(100, 20000, steps);
  check_refused(sizes, steps, 3, "3 batch sizes have steps to the goal, a fit needs 4");
  check_refused(sizes, steps, 1, "1 batch size has steps to the goal, a fit needs 4");
  check_refused(sizes, steps, 0, "0 batch sizes");
  steps[1] = NAN;
  check_refused(sizes, steps, 4, "3 batch sizes");
  curve(0, 20000, steps);
  check_refused(sizes, steps, N, "all batch sizes are in perfect scaling");
  curve(100, 0, steps);
  check_refused(sizes, steps, N, "steps do not fall with the batch size");
  for (int i = 0; i < N; i++) steps[i] = sizes[i];
  check_refused(sizes, steps, N, "steps do not fall");
  for (int i = 0; i < N; i++) steps[i] = 1e9 / (sizes[i] * sizes[i]);
  check_refused(sizes, steps, N, "all batch sizes are in perfect scaling");
}

/** B_crit outside of the batch sizes is found as long as the curve bends. */
static void beyond_the_sizes_there_is_room(void **state) {
  const double crits[] = {1, 4, 8192, 32768};
  (void)state;
  for (int i = 0; i < 4; i++) {
    double steps[N];
    tutti_fit fit;
    curve(100, 100 * crits[i], steps);
    tutti_fit_make(sizes, steps, N, &fit);
    CHECK_CLOSE(fit.value[TUTTI_FIT_B_CRIT], crits[i], 1e-5, 0);
  }
}

static void cuts_of_the_curve(void **state) {
  double steps[N];
  tutti_fit fit;
  (void)state;
  // E = E_min + S_min B: 20800 at 8; 1.2 times that is 24960, so 32 (23200) and not 64 (26400).
  // S = 100 + 20000 / B: 104.9 at 4096; 1.05 times that is 110.1, so 2048 (109.8) and not 1024.
  curve(100, 20000, steps);
  tutti_fit_make(sizes, steps, N, &fit);
  CHECK_NEAR(fit.perfect_scaling_end, 32, 0);
  CHECK_NEAR(fit.largest_useful_batch, 2048, 0);
  // Just within, and just beyond.
  const double ones[] = {1, 2, 4}, samples[] = {1000, 1199 / 2.0, 1201 / 4.0}, flat[] = {1051, 1049, 1000};
  CHECK_NEAR(tutti_fit_perfect_scaling_end(ones, samples, 3), 2, 0);
  CHECK_NEAR(tutti_fit_largest_useful_batch(ones, flat, 3), 2, 0);
  // Also without a fit, and from the sizes that have steps.
  const double batch[] = {64, 1, 32}, few[] = {10, NAN, 21};
  tutti_fit_make(batch, few, 3, &fit);
  assert_true(fit.refused[0] != '\0');
  CHECK_NEAR(fit.perfect_scaling_end, 64, 0);
  CHECK_NEAR(fit.largest_useful_batch, 64, 0);
  tutti_fit_make(batch, few, 0, &fit);
  assert_true(isnan(fit.perfect_scaling_end) && isnan(fit.largest_useful_batch));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(exact_data_give_their_numbers),  cmocka_unit_test(order_and_gaps_do_not_matter),
      cmocka_unit_test(the_sum_of_squares_is_least),    cmocka_unit_test(what_cannot_be_told_is_refused),
      cmocka_unit_test(beyond_the_sizes_there_is_room), cmocka_unit_test(cuts_of_the_curve),
  };
  return cmocka_run_group_tests_name("fit.fit", tests, NULL, check_no_leak);
}
