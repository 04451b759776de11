#include "base/text.h"
#include "support/check.h"

static void nearest_name_is_the_one_meant(void **state) {
  (void)state;
  const char *const names[] = {"sgd", "adam", "adamw", "adamax", "rmsprop", "learning_rate", "batch_size"};
  assert_string_equal(tutti_text_nearest("rmspop", names, 7), "rmsprop");
  assert_string_equal(tutti_text_nearest("adma", names, 7), "adam");
  assert_string_equal(tutti_text_nearest("learningrate", names, 7), "learning_rate");
  assert_string_equal(tutti_text_nearest("bacth_size", names, 7), "batch_size");
  assert_null(tutti_text_nearest("zzzzzzzz", names, 7));
}

static void numbers_are_whole_tokens(void **state) {
  (void)state;
  double x = 0;
  int64_t n = 0;
  assert_true(tutti_text_real("1e-3", &x) && x == 1e-3);
  assert_false(tutti_text_real("1e-3x", &x));
  assert_false(tutti_text_real("", &x));
  assert_false(tutti_text_real("nan", &x));
  assert_false(tutti_text_real("inf", &x));
  assert_true(tutti_text_integer("-12", &n) && n == -12);
  assert_false(tutti_text_integer("1.5", &n));
  assert_false(tutti_text_integer("99999999999999999999", &n));
}

static void a_list_is_cut_not_overrun(void **state) {
  (void)state;
  const char *const names[] = {"one", "two", "three"};
  char buffer[9];
  assert_string_equal(tutti_text_list(buffer, sizeof buffer, names, 3), "one, two");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nearest_name_is_the_one_meant),
      cmocka_unit_test(numbers_are_whole_tokens),
      cmocka_unit_test(a_list_is_cut_not_overrun),
  };
  return cmocka_run_group_tests_name("base.text", tests, NULL, check_no_leak);
}
