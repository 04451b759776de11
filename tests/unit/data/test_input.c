#include <stdlib.h>
#include <string.h>

#include "data/import_impl.h"
#include "inputs.h"

/** The lines of a file joined by '|'. */
static void check_lines(const char *path, const char *expected) {
  tutti_data_input *input = NULL;
  char *line = NULL, joined[256] = "";
  int64_t length = 0, n = 0;
  CHECK_OK(tutti_data_input_open(path, &input));
  for (;;) {
    CHECK_OK(tutti_data_input_line(input, &line, &length));
    if (!line) break;
    assert_int_equal(length, strlen(line));
    assert_int_equal(tutti_data_input_line_number(input), ++n);
    strcat(strcat(joined, n > 1 ? "|" : ""), line);
  }
  assert_string_equal(joined, expected);
  tutti_data_input_close(&input);
}

static tutti_status read_all(const char *path, int64_t *n) {
  tutti_data_input *input = NULL;
  tutti_status status = TUTTI_OK;
  char data[1000];
  int64_t got = 0;
  *n = 0;
  TUTTI_TRY(tutti_data_input_open(path, &input));
  do {
    TUTTI_TRY_GOTO(done, tutti_data_input_read(input, data, sizeof data, &got));
    *n += got;
  } while (got == (int64_t)sizeof data);
done:
  tutti_data_input_close(&input);
  return status;
}

static void lines_end_in_any_way(void **state) {
  check_lines(put_text(state, "a", "one\ntwo\r\n\nfour"), "one|two||four");
  check_lines(put_text(state, "b", "one\n"), "one");
  check_lines(put_text(state, "c", "\xef\xbb\xbfone\n\xef\xbb\xbftwo\n"), "one|\xef\xbb\xbftwo");
  check_lines(put_text(state, "d", ""), "");
}

static void gzip_reads_as_the_plain_file(void **state) {
  const char text[] = "one\ntwo\n";
  check_lines(put_gzip(state, "a.gz", text, sizeof text - 1), "one|two");
}

static void a_line_may_be_longer_than_any_buffer(void **state) {
  enum { LONG = 3000000 };
  char *text = tutti_calloc(LONG + 4, 1), *line = NULL;
  memset(text, 'x', LONG);
  memcpy(text + LONG, "\nyz", 4);
  tutti_data_input *input = NULL;
  int64_t length = 0;
  CHECK_OK(tutti_data_input_open(put_text(state, "long", text), &input));
  CHECK_OK(tutti_data_input_line(input, &line, &length));
  assert_int_equal(length, LONG);
  assert_int_equal(line[LONG - 1], 'x');
  CHECK_OK(tutti_data_input_line(input, &line, &length));
  assert_string_equal(line, "yz");
  tutti_data_input_close(&input);
  tutti_free(text);
}

/** A file of noise, which gzip cannot shorten. */
static unsigned char *noise(size_t n) {
  unsigned char *data = tutti_calloc((int64_t)n, 1);
  uint32_t x = 1;
  for (size_t i = 0; i < n; i++) data[i] = (unsigned char)((x = x * 1664525 + 1013904223) >> 24);
  return data;
}

static void truncated_gzip_is_an_error_wherever_it_ends(void **state) {
  enum { N = 1000 };
  unsigned char *data = noise(N);
  size_t n_packed = 0;
  int64_t n = 0;
  unsigned char *packed = folder_bytes(put_gzip(state, "whole.gz", data, N), &n_packed);
  CHECK_OK(read_all(folder_path(state, "whole.gz"), &n));
  assert_int_equal(n, N);
  for (size_t cut = 2; cut < n_packed; cut += cut < 40 || cut + 20 > n_packed ? 1 : 97) {
    folder_put(folder_path(state, "cut.gz"), packed, cut);
    CHECK_FAILS(read_all(folder_path(state, "cut.gz"), &n), TUTTI_ERR_DATA, "truncated");
  }
  packed[n_packed / 2] ^= 0x10;
  folder_put(folder_path(state, "bad.gz"), packed, n_packed);
  CHECK_FAILS(read_all(folder_path(state, "bad.gz"), &n), TUTTI_ERR_DATA,
              "bad.gz: the gzip data are damaged");
  tutti_free(packed);
  tutti_free(data);
}

static void what_is_no_file_is_named(void **state) {
  int64_t n = 0;
  CHECK_FAILS(read_all(folder_path(state, "none"), &n), TUTTI_ERR_MISSING, "none: there is no such file");
  CHECK_FAILS(read_all(folder_path(state, "."), &n), TUTTI_ERR_DATA, "is a folder");
}

static void nul_byte_is_no_text(void **state) {
  const char *path = folder_path(state, "nul");
  tutti_data_input *input = NULL;
  char *line = NULL;
  int64_t length = 0;
  folder_put(path, "a\nb\0c\n", 6);
  CHECK_OK(tutti_data_input_open(path, &input));
  CHECK_OK(tutti_data_input_line(input, &line, &length));
  CHECK_FAILS(tutti_data_input_line(input, &line, &length), TUTTI_ERR_DATA, "nul:2: has a NUL byte");
  tutti_data_input_close(&input);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(lines_end_in_any_way, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(gzip_reads_as_the_plain_file, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(a_line_may_be_longer_than_any_buffer, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(truncated_gzip_is_an_error_wherever_it_ends, folder_make,
                                      folder_remove),
      cmocka_unit_test_setup_teardown(what_is_no_file_is_named, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(nul_byte_is_no_text, folder_make, folder_remove),
  };
  return cmocka_run_group_tests_name("data.input", tests, NULL, check_no_leak);
}
