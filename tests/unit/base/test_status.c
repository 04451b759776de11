#include <string.h>

#include "support/check.h"

static tutti_status inner(int value) {
  TUTTI_CHECK(value > 0, TUTTI_ERR_DATA, "value %d, expected one above 0", value);
  return TUTTI_OK;
}

static tutti_status outer(int value) {
  TUTTI_TRY(inner(value));
  return TUTTI_OK;
}

static void failure_keeps_its_text_and_its_way_up(void **state) {
  (void)state;
  CHECK_OK(outer(1));
  CHECK_FAILS(outer(-3), TUTTI_ERR_DATA, "value -3, expected one above 0");
  assert_non_null(strstr(tutti_fail_trace(), "at inner"));
  assert_non_null(strstr(tutti_fail_trace(), "at outer"));
}

static void text_may_quote_the_failure_below(void **state) {
  (void)state;
  (void)inner(-1);
  const tutti_status status =
      tutti_fail(TUTTI_ERR_CONFIG, __func__, __FILE__, __LINE__, "line 3: %s", tutti_fail_text());
  check_status(status, TUTTI_ERR_CONFIG, "quote", __FILE__, __LINE__);
  assert_string_equal(tutti_fail_text(), "line 3: value -1, expected one above 0");
}

static void exit_statuses_are_those_of_sysexits(void **state) {
  (void)state;
  assert_int_equal(tutti_status_exit(TUTTI_OK), 0);
  assert_int_equal(tutti_status_exit(TUTTI_ERR_USAGE), 64);
  assert_int_equal(tutti_status_exit(TUTTI_ERR_DATA), 65);
  assert_int_equal(tutti_status_exit(TUTTI_ERR_MISSING), 66);
  assert_int_equal(tutti_status_exit(TUTTI_ERR_CREATE), 73);
  assert_int_equal(tutti_status_exit(TUTTI_ERR_IO), 74);
  assert_int_equal(tutti_status_exit(TUTTI_ERR_CONFIG), 78);
  assert_int_equal(tutti_status_exit(TUTTI_N_STATUS), 70);
}

static void narrowing_fails_loudly(void **state) {
  (void)state;
  int k = 0;
  CHECK_OK(tutti_to_int(2147483647, "rows", &k));
  assert_int_equal(k, 2147483647);
  CHECK_FAILS(tutti_to_int(2147483648, "rows", &k), TUTTI_ERR_INTERNAL, "rows is 2147483648");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(failure_keeps_its_text_and_its_way_up),
      cmocka_unit_test(text_may_quote_the_failure_below),
      cmocka_unit_test(exit_statuses_are_those_of_sysexits),
      cmocka_unit_test(narrowing_fails_loudly),
  };
  return cmocka_run_group_tests_name("base.status", tests, NULL, check_no_leak);
}
