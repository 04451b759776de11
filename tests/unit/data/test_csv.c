#include <string.h>

#include "base/text.h"
#include "data/import_impl.h"
#include "inputs.h"

/** All records of a file, each "LINE:field|field", joined by '/'. */
static tutti_status join(const char *path, char text[512]) {
  tutti_data_csv *csv = NULL;
  tutti_status status = TUTTI_OK;
  bool there = true;
  text[0] = '\0';
  TUTTI_TRY_GOTO(done, tutti_data_csv_open(path, &csv));
  while (there) {
    tutti_text_append(text, 512, "%s%lld:", text[0] ? "/" : "", (long long)tutti_data_csv_line(csv));
    for (int64_t i = 0; i < tutti_data_csv_n_fields(csv); i++)
      tutti_text_append(text, 512, "%s%s", i ? "|" : "", tutti_data_csv_field(csv, i));
    TUTTI_TRY_GOTO(done, tutti_data_csv_next(csv, &there));
  }
done:
  tutti_data_csv_close(&csv);
  return status;
}

static void check_records(void **state, const char *text, const char *expected) {
  char joined[512];
  CHECK_OK(join(put_text(state, "t.csv", text), joined));
  assert_string_equal(joined, expected);
}

static void quoted_fields_follow_rfc_4180(void **state) {
  check_records(state, "a,\"b,c\",\"d\"\"e\"\n1,\"\",\n", "1:a|b,c|d\"e/2:1||");
  check_records(state, "a,b\r\n\"1\r\n2\",3\r\n4,5\r\n", "1:a|b/2:1\n2|3/4:4|5");
  check_records(state, "a , b\n 1 ,\" 2 \"\n", "1:a|b/2:1| 2 ");
  check_records(state, "a,b\n5\" pipe,x", "1:a|b/2:5\" pipe|x");
}

static void blank_lines_are_passed_over(void **state) {
  check_records(state, "\n\na,b\n\n1,2\n  \n\n", "3:a|b/5:1|2");
}

static void header_tells_the_separator(void **state) {
  check_records(state, "a;b\n1,5;2\n", "1:a|b/2:1,5|2");
  check_records(state, "a\tb c\n1\t\n", "1:a|b c/2:1|");
  check_records(state, "\"a;b;c\",d\n1,2\n", "1:a;b;c|d/2:1|2");
  check_records(state, "\xef\xbb\xbfid,x\n1,2\n", "1:id|x/2:1|2");
}

static void bad_quoting_names_its_line(void **state) {
  char joined[512];
  CHECK_FAILS(join(put_text(state, "q.csv", "a,b\n1,\"2\n3\n4\n"), joined), TUTTI_ERR_DATA,
              "q.csv:2: field 2 opens a quote that is never closed");
  CHECK_FAILS(join(put_text(state, "q.csv", "a,b\n1,2\n\"x\"y,2\n"), joined), TUTTI_ERR_DATA,
              "q.csv:3: field 1 continues after its closing quote");
}

static void line_ends_without_a_newline_are_an_error(void **state) {
  char joined[512];
  CHECK_FAILS(join(put_text(state, "mac.csv", "a,b\r1,2\r3,4\r"), joined), TUTTI_ERR_DATA,
              "mac.csv:1: a carriage return without a newline");
  CHECK_FAILS(join(put_text(state, "m.csv", "a,b\n1,2\n3,4\r5,6\n"), joined), TUTTI_ERR_DATA,
              "m.csv:3: a carriage");
  CHECK_FAILS(join(put_text(state, "m.csv", "a,b\n1,\"2\"\r3,4\n"), joined), TUTTI_ERR_DATA,
              "m.csv:2: a carriage");
  CHECK_FAILS(join(put_text(state, "m.csv", "a,b\r\r\n1,2\r\r\n"), joined), TUTTI_ERR_DATA,
              "m.csv:1: a carriage");
  check_records(state, "a,b\n1,\"2\r3\"\n", "1:a|b/2:1|2\r3");
}

static void empty_file_is_an_error(void **state) {
  char joined[512];
  CHECK_FAILS(join(put_text(state, "e.csv", ""), joined), TUTTI_ERR_DATA, "e.csv: is empty");
  CHECK_FAILS(join(put_text(state, "e.csv", "\n \n"), joined), TUTTI_ERR_DATA, "e.csv: is empty");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(quoted_fields_follow_rfc_4180, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(blank_lines_are_passed_over, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(header_tells_the_separator, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(bad_quoting_names_its_line, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(line_ends_without_a_newline_are_an_error, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(empty_file_is_an_error, folder_make, folder_remove),
  };
  return cmocka_run_group_tests_name("data.csv", tests, NULL, check_no_leak);
}
