#include <stdbool.h>
#include <string.h>

#include "data/import_impl.h"
#include "support/check.h"

static void check_split(int64_t n, double fraction, uint64_t seed, int64_t expected_test) {
  int64_t order[200], n_test = -1;
  int seen[200] = {0};
  CHECK_OK(tutti_import_split(n, fraction, seed, order, &n_test));
  assert_int_equal(n_test, expected_test);
  for (int64_t i = 0; i < n; i++) {
    seen[order[i]]++;
    const bool begins = i == 0 || i == n - n_test;
    if (!begins) assert_true(order[i - 1] < order[i]);
  }
  for (int64_t i = 0; i < n; i++) assert_int_equal(seen[i], 1);
}

static void each_row_is_in_one_part_in_order_of_the_file(void **state) {
  (void)state;
  check_split(200, 0.2, 0, 40);
  check_split(7, 0.5, 3, 4); // rounded: 3.5
  check_split(5, 0, 1, 0);
  check_split(1, 0.4, 1, 0);
}

static void parts_depend_on_the_seed(void **state) {
  (void)state;
  int64_t a[200], b[200], c[200], n_test = 0;
  CHECK_OK(tutti_import_split(200, 0.25, 1, a, &n_test));
  CHECK_OK(tutti_import_split(200, 0.25, 1, b, &n_test));
  CHECK_OK(tutti_import_split(200, 0.25, 2, c, &n_test));
  assert_memory_equal(a, b, sizeof a);
  assert_memory_not_equal(a, c, sizeof a);
}

/** A row's word does not depend on how many rows there are, so a larger fraction only adds to the test
 * part. */
static void test_parts_of_one_seed_are_nested(void **state) {
  (void)state;
  int64_t small[100], large[100], n_small = 0, n_large = 0;
  CHECK_OK(tutti_import_split(100, 0.1, 5, small, &n_small));
  CHECK_OK(tutti_import_split(100, 0.3, 5, large, &n_large));
  for (int64_t i = 100 - n_small; i < 100; i++) {
    bool found = false;
    for (int64_t k = 100 - n_large; k < 100; k++) found = found || large[k] == small[i];
    assert_true(found);
  }
}

static void impossible_fractions_are_refused(void **state) {
  (void)state;
  int64_t order[4], n_test = 0;
  CHECK_FAILS(tutti_import_split(4, 1, 0, order, &n_test), TUTTI_ERR_USAGE, "test_fraction is 1");
  CHECK_FAILS(tutti_import_split(4, -0.1, 0, order, &n_test), TUTTI_ERR_USAGE, "test_fraction is -0.1");
  CHECK_FAILS(tutti_import_split(4, 0.0 / 0.0, 0, order, &n_test), TUTTI_ERR_USAGE, "test_fraction is");
  CHECK_FAILS(tutti_import_split(2, 0.9, 0, order, &n_test), TUTTI_ERR_USAGE, "leaves none of the 2 rows");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_row_is_in_one_part_in_order_of_the_file),
      cmocka_unit_test(parts_depend_on_the_seed),
      cmocka_unit_test(test_parts_of_one_seed_are_nested),
      cmocka_unit_test(impossible_fractions_are_refused),
  };
  return cmocka_run_group_tests_name("data.split", tests, NULL, check_no_leak);
}
