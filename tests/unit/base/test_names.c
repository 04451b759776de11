#include "base/names.h"

#include <string.h>

#include "support/check.h"

static void nearest_name_is_the_one_meant(void **state) {
  (void)state;
  const char *const names[] = {"sgd", "adam", "adamw", "adamax", "rmsprop", "learning_rate", "batch_size"};
  assert_string_equal(tutti_name_nearest("rmspop", names, 7), "rmsprop");
  assert_string_equal(tutti_name_nearest("adma", names, 7), "adam");
  assert_string_equal(tutti_name_nearest("learningrate", names, 7), "learning_rate");
  assert_string_equal(tutti_name_nearest("bacth_size", names, 7), "batch_size");
  assert_null(tutti_name_nearest("zzzzzzzz", names, 7));
  assert_string_equal(tutti_name_nearest("lr", names, 7), "learning_rate");
  assert_string_equal(tutti_name_nearest("bs", names, 7), "batch_size");
  assert_null(tutti_name_nearest("l", names, 7));
  assert_null(tutti_name_nearest("lrx", names, 7));
  const char *const short_names[] = {"a", "y"};
  assert_string_equal(tutti_name_nearest("Y", short_names, 2), "y");
}

static const char *const colours[] = {"red", "green", "blue"};
static const tutti_choice choice = {"a colour", colours, 3};

static void a_name_is_found_by_all_of_its_letters(void **state) {
  (void)state;
  int index = -1;
  assert_int_equal(tutti_name_find("blue", colours, 3), 2);
  assert_int_equal(tutti_name_find("blu", colours, 3), -1);
  CHECK_OK(tutti_name_choose(&choice, "green", TUTTI_ERR_CONFIG, "", &index));
  assert_int_equal(index, 1);
}

static void a_misspelt_name_is_answered_with_the_nearest_and_all(void **state) {
  (void)state;
  int index = 0;
  assert_int_equal(tutti_name_choose(&choice, "gren", TUTTI_ERR_CONFIG, "run.yaml:3", &index),
                   TUTTI_ERR_CONFIG);
  assert_int_equal(index, -1);
  assert_string_equal(tutti_fail_text(),
                      "run.yaml:3: 'gren' is not a colour (did you mean green?); expected one of: "
                      "red, green, blue");
}

static void a_strange_name_is_answered_with_all(void **state) {
  (void)state;
  int index = 0;
  assert_int_equal(tutti_name_choose(&choice, "\x1b[31mviolet", TUTTI_ERR_USAGE, "", &index),
                   TUTTI_ERR_USAGE);
  assert_string_equal(tutti_fail_text(), "'?[31mviolet' is not a colour; expected one of: red, green, blue");
}

static void a_long_name_does_not_overrun(void **state) {
  (void)state;
  char given[5000], hint[TUTTI_HINT_BYTES];
  int index = 0;
  memset(given, 'x', sizeof given);
  given[sizeof given - 1] = '\0';
  assert_int_equal(tutti_name_choose(&choice, given, TUTTI_ERR_CONFIG, "", &index), TUTTI_ERR_CONFIG);
  assert_in_range(strlen(tutti_name_hint(given, hint)), 100, TUTTI_HINT_BYTES - 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nearest_name_is_the_one_meant),
      cmocka_unit_test(a_name_is_found_by_all_of_its_letters),
      cmocka_unit_test(a_misspelt_name_is_answered_with_the_nearest_and_all),
      cmocka_unit_test(a_strange_name_is_answered_with_all),
      cmocka_unit_test(a_long_name_does_not_overrun),
  };
  return cmocka_run_group_tests_name("base.names", tests, NULL, check_no_leak);
}
