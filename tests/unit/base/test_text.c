#include "base/text.h"

#include <math.h>

#include "support/check.h"

static void nearest_name_is_the_one_meant(void **state) {
  (void)state;
  const char *const names[] = {"sgd", "adam", "adamw", "adamax", "rmsprop", "learning_rate", "batch_size"};
  assert_string_equal(tutti_text_nearest("rmspop", names, 7), "rmsprop");
  assert_string_equal(tutti_text_nearest("adma", names, 7), "adam");
  assert_string_equal(tutti_text_nearest("learningrate", names, 7), "learning_rate");
  assert_string_equal(tutti_text_nearest("bacth_size", names, 7), "batch_size");
  assert_null(tutti_text_nearest("zzzzzzzz", names, 7));
  assert_string_equal(tutti_text_nearest("lr", names, 7), "learning_rate");
  assert_string_equal(tutti_text_nearest("bs", names, 7), "batch_size");
  assert_null(tutti_text_nearest("l", names, 7));
  assert_null(tutti_text_nearest("lrx", names, 7));
  const char *const short_names[] = {"a", "y"};
  assert_string_equal(tutti_text_nearest("Y", short_names, 2), "y");
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
  assert_true(tutti_text_real("+.5E+2", &x) && x == 50);
  static const char *const no_numbers[] = {"0x10", "0X1F",     "0x1p3", " 1",  "1 ",    "\t1",
                                           "\n1",  "infinity", "1e",    "--1", "1e5.5", "."};
  for (size_t i = 0; i < sizeof no_numbers / sizeof *no_numbers; i++) {
    assert_false(tutti_text_real(no_numbers[i], &x));
    assert_false(tutti_text_integer(no_numbers[i], &n));
  }
  assert_false(tutti_text_real("1e999", &x));
  assert_true(tutti_text_integer("+7", &n) && n == 7);
  assert_true(tutti_text_integer("-12", &n) && n == -12);
  assert_false(tutti_text_integer("1.5", &n));
  assert_false(tutti_text_integer("99999999999999999999", &n));
}

static void printed_numbers_are_short_and_read_back(void **state) {
  (void)state;
  char text[32];
  assert_string_equal(tutti_text_print_real(text, sizeof text, 0.1), "0.1");
  assert_string_equal(tutti_text_print_real(text, sizeof text, 32), "32");
  assert_string_equal(tutti_text_print_real(text, sizeof text, 1e-300), "1e-300");
  const double values[] = {1.0 / 3, 2.0 / 3, 1e22 / 7, -5e-324, 0x1.fffffffffffffp1023, 0};
  for (int i = 0; i < 6; i++) {
    double back = NAN;
    assert_true(tutti_text_real(tutti_text_print_real(text, sizeof text, values[i]), &back));
    assert_true(back == values[i]);
  }
}

static void a_list_is_cut_not_overrun(void **state) {
  (void)state;
  const char *const names[] = {"one", "two", "three"};
  char buffer[9];
  assert_string_equal(tutti_text_list(buffer, sizeof buffer, names, 3), "one, two");
}

static void control_characters_are_tamed(void **state) {
  (void)state;
  char hostile[] = "a\x1b[31m\x07\x7f\xc2\x9b"
                   "b",
       sound[] = "n\xc3\xb6\tde\n\xe2\x82\xac";
  assert_string_equal(tutti_text_tame(hostile), "a?[31m????b");
  assert_string_equal(tutti_text_tame(sound), "n\xc3\xb6\tde\n\xe2\x82\xac");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nearest_name_is_the_one_meant),
      cmocka_unit_test(numbers_are_whole_tokens),
      cmocka_unit_test(printed_numbers_are_short_and_read_back),
      cmocka_unit_test(a_list_is_cut_not_overrun),
      cmocka_unit_test(control_characters_are_tamed),
  };
  return cmocka_run_group_tests_name("base.text", tests, NULL, check_no_leak);
}
