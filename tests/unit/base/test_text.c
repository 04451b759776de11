#include "base/text.h"

#include <math.h>
#include <string.h>

#include "support/check.h"

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

static void a_quote_is_short_and_tame(void **state) {
  (void)state;
  char quoted[TUTTI_QUOTE_BYTES], word[200];
  assert_string_equal(tutti_quote("a\x1b[31m b", quoted), "'a?[31m b'");
  // 87 letters and then two bytes of one letter: the cut is before that letter.
  memset(word, 'a', sizeof word);
  memcpy(word + 87, "\xc3\xb6", 2);
  word[sizeof word - 1] = '\0';
  tutti_quote(word, quoted);
  assert_int_equal(strlen(quoted), 1 + 87 + 4);
  assert_string_equal(quoted + 1 + 87, "...'");
}

static void words_are_found_between_blanks(void **state) {
  (void)state;
  char line[] = "  one two   3 ", *rest = line;
  assert_string_equal(tutti_text_word(&rest), "one");
  assert_string_equal(tutti_text_word(&rest), "two");
  assert_string_equal(tutti_text_word(&rest), "3");
  assert_null(tutti_text_word(&rest));
  assert_null(tutti_text_word(&rest));
}

static void integers_have_a_range(void **state) {
  (void)state;
  int value = 7;
  assert_true(tutti_text_int("3", 1, 3, &value) && value == 3);
  static const char *const others[] = {"4", "0", "-3", "x", "", "99999999999", NULL};
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
    assert_false(tutti_text_int(others[i], 1, 3, &value));
  assert_int_equal(value, 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(words_are_found_between_blanks),
      cmocka_unit_test(integers_have_a_range),
      cmocka_unit_test(numbers_are_whole_tokens),
      cmocka_unit_test(printed_numbers_are_short_and_read_back),
      cmocka_unit_test(a_list_is_cut_not_overrun),
      cmocka_unit_test(control_characters_are_tamed),
      cmocka_unit_test(a_quote_is_short_and_tame),
  };
  return cmocka_run_group_tests_name("base.text", tests, NULL, check_no_leak);
}
