#include "par/sums_impl.h"

#include <string.h>

#include "support/check.h"
#include "support/numbers.h"

enum { MAX_SOURCES = 30, MAX_COUNT = 2500 };
static float values[MAX_SOURCES][MAX_COUNT], sum[MAX_COUNT + 1], expected[MAX_COUNT];
static const float *sources[MAX_SOURCES];

/** The order that the header promises, one element at a time. */
static void add_slowly(int n, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    expected[i] = values[n - 1][i];
    for (int k = n - 2; k >= 0; k--) expected[i] = values[k][i] + expected[i];
  }
}

static void fill(void) {
  for (int k = 0; k < MAX_SOURCES; k++) {
    numbers_fill((uint32_t)k, -1, 1, MAX_COUNT, values[k]);
    sources[k] = values[k];
  }
}

static void order_is_kept(void **state) {
  (void)state;
  const int64_t counts[] = {0, 1, 7, 64, 1023, 1024, 1025, MAX_COUNT};
  fill();
  for (int n = 1; n <= MAX_SOURCES; n++)
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
      add_slowly(n, counts[c]);
      sum[counts[c]] = 5;
      tutti_par_sum_sources(sources, n, 0, counts[c], sum);
      assert_memory_equal(sum, expected, (size_t)counts[c] * sizeof *sum);
      assert_true(sum[counts[c]] == 5);
    }
}

static void sum_may_take_the_place_of_a_source(void **state) {
  (void)state;
  static float kept[MAX_COUNT];
  fill();
  for (int n = 1; n <= MAX_SOURCES; n++)
    for (int place = 0; place < n; place += 3) {
      memcpy(kept, values[place], sizeof kept);
      add_slowly(n, MAX_COUNT);
      tutti_par_sum_sources(sources, n, 0, MAX_COUNT, values[place]);
      assert_memory_equal(values[place], expected, sizeof expected);
      memcpy(values[place], kept, sizeof kept);
    }
}

static void elements_of_the_middle_are_summed(void **state) {
  (void)state;
  enum { AT = 77, COUNT = MAX_COUNT - 2 * AT };
  fill();
  for (int n = 1; n <= MAX_SOURCES; n += 4) {
    add_slowly(n, MAX_COUNT);
    tutti_par_sum_sources(sources, n, AT, COUNT, sum);
    assert_memory_equal(sum, expected + AT, COUNT * sizeof *sum);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(order_is_kept),
      cmocka_unit_test(sum_may_take_the_place_of_a_source),
      cmocka_unit_test(elements_of_the_middle_are_summed),
  };
  return cmocka_run_group_tests_name("sums", tests, NULL, check_no_leak);
}
