#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>

#include "support/check.h"

static void memory_is_zeroed_aligned_and_counted(void **state) {
  (void)state;
  float *x = NULL;
  CHECK_OK(TUTTI_NEW(x, 1001));
  assert_int_equal((uintptr_t)x % 64, 0);
  for (int i = 0; i < 1001; i++) assert_true(x[i] == 0);
  assert_int_equal(tutti_alloc_live(), 1);
  tutti_free(x);
  tutti_free(NULL);
  assert_int_equal(tutti_alloc_live(), 0);
}

static void overflow_is_refused(void **state) {
  (void)state;
  double *x = NULL;
  CHECK_FAILS(TUTTI_NEW(x, INT64_MAX), TUTTI_ERR_MEMORY, "no memory for 9223372036854775807 x 8 bytes");
  CHECK_FAILS(TUTTI_NEW(x, -1), TUTTI_ERR_MEMORY, NULL);
}

static void nth_allocation_can_be_made_to_fail(void **state) {
  (void)state;
  setenv("TUTTI_FAULT", "memory:0:2", 1);
  char *first = tutti_strdup("first"), *second = tutti_strdup("second"), *third = tutti_strdup("third");
  unsetenv("TUTTI_FAULT");
  assert_string_equal(first, "first");
  assert_null(second);
  assert_string_equal(third, "third");
  tutti_free(first);
  tutti_free(third);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(memory_is_zeroed_aligned_and_counted),
      cmocka_unit_test(overflow_is_refused),
      cmocka_unit_test(nth_allocation_can_be_made_to_fail),
  };
  return cmocka_run_group_tests_name("base.memory", tests, NULL, check_no_leak);
}
