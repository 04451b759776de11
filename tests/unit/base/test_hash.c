#include "base/hash.h"

#include <string.h>

#include "support/check.h"

/** Of the specification of xxHash: files that hold a fingerprint are read on any machine. */
static void it_is_the_published_function(void **state) {
  (void)state;
  assert_true(tutti_hash(0, "", 0) == UINT64_C(0xef46db3751d8e999));
  assert_true(tutti_hash(0, "a", 1) == UINT64_C(0xd24ec4f1a98c6e5b));
  assert_true(tutti_hash(0, "abc", 3) == UINT64_C(0x44bc2cf5ad770999));
}

/** Any two words of an array may have lost or won their signs. */
static void two_signs_do_not_cancel(void **state) {
  (void)state;
  enum { N = 64 };
  double values[N];
  for (int i = 0; i < N; i++) values[i] = 1 + i;
  const uint64_t whole = tutti_hash(0, values, sizeof values);
  for (int i = 0; i < N; i++)
    for (int k = i + 1; k < N; k++) {
      values[i] = -values[i];
      values[k] = -values[k];
      assert_true(tutti_hash(0, values, sizeof values) != whole);
      values[i] = -values[i];
      values[k] = -values[k];
    }
}

static void parts_have_an_order(void **state) {
  (void)state;
  const uint64_t ab = tutti_hash(tutti_hash(0, "a", 1), "b", 1);
  assert_true(ab == tutti_hash(tutti_hash(0, "a", 1), "b", 1));
  assert_true(ab != tutti_hash(tutti_hash(0, "b", 1), "a", 1));
  assert_true(ab != tutti_hash(0, "b", 1));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_is_the_published_function),
      cmocka_unit_test(two_signs_do_not_cancel),
      cmocka_unit_test(parts_have_an_order),
  };
  return cmocka_run_group_tests_name("base.hash", tests, NULL, check_no_leak);
}
