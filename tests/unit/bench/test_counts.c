#include "bench/model_impl.h"
#include "bench/repeat_impl.h"
#include "support/check.h"

static void counts_are_ascending_and_each_once(void **state) {
  (void)state;
  static const int64_t expected[] = {1, 2, 3, 4, 8, 9};
  tutti_bench_counts counts = tutti_bench_counts_powers(8);
  tutti_bench_counts_add(&counts, 9);
  tutti_bench_counts_add(&counts, 3);
  tutti_bench_counts_add(&counts, 3);
  tutti_bench_counts_add(&counts, 1);
  assert_int_equal(counts.n, 6);
  for (int i = 0; i < 6; i++) assert_int_equal(counts.values[i], expected[i]);
}

static void what_does_not_fit_is_left_out(void **state) {
  (void)state;
  tutti_bench_counts counts = {.n = 0};
  for (int i = 0; i < TUTTI_BENCH_MAX_COUNTS + 5; i++) tutti_bench_counts_add(&counts, i);
  assert_int_equal(counts.n, TUTTI_BENCH_MAX_COUNTS);
  assert_int_equal(counts.values[TUTTI_BENCH_MAX_COUNTS - 1], TUTTI_BENCH_MAX_COUNTS - 1);
}

static void the_median_is_one_of_the_values(void **state) {
  (void)state;
  const double values[] = {5, 1, 4, 1, 3, 2};
  assert_int_equal(tutti_bench_repeat_median(values, 1), 0);
  assert_int_equal(tutti_bench_repeat_median(values, 2), 1); // the lower one
  assert_int_equal(tutti_bench_repeat_median(values, 3), 2);
  assert_int_equal(tutti_bench_repeat_median(values, 5), 4);
  assert_int_equal(tutti_bench_repeat_median(values, 6), 5);
  assert_int_equal(tutti_bench_repeat_least(values, 6), 1);
  const double equal[] = {7, 7, 7};
  assert_int_equal(tutti_bench_repeat_median(equal, 3), 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counts_are_ascending_and_each_once),
      cmocka_unit_test(what_does_not_fit_is_left_out),
      cmocka_unit_test(the_median_is_one_of_the_values),
  };
  return cmocka_run_group_tests_name("bench.counts", tests, NULL, check_no_leak);
}
