#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "data/import_impl.h"
#include "inputs.h"
#include "tutti/data.h"

static tutti_status import(void *const *state, const char *text, const char *label) {
  tutti_import_result result;
  const tutti_import_csv_options options = {
      .file = put_text(state, "t.csv", text), .label = label, .output = folder_path(state, "out.h5")};
  return tutti_import_csv(&options, &result);
}

#define CHECK_REFUSED(code, text, part)                                                                      \
  do {                                                                                                       \
    CHECK_FAILS(import(state, text, "y"), code, part);                                                       \
    check_absent(folder_path(state, "out.h5"));                                                              \
  } while (0)

static void text_labels_become_classes(void **state) {
  const char *output = folder_path(state, "out.h5");
  CHECK_OK(import(state, "a,kind,\"b, wide\"\r\n1,pear,-2.5\r\n3,apple,1e-3\r\n\r\n5,pear,+7\r\n", "kind"));
  CHECK_ARRAY(output, "x_train", 1, -2.5, 3, (double)1e-3f, 5, 7);
  CHECK_ARRAY(output, "y_train", 1, 0, 1);
  check_texts(output, "y_train", "classes", "apple|pear");
  check_texts(output, "x_train", "columns", "a|b, wide");
  tutti_file *file = NULL;
  char *label = NULL;
  CHECK_OK(tutti_file_open(output, &file));
  CHECK_OK(tutti_file_get_text(file, "y_train", "label", &label));
  assert_string_equal(label, "kind");
  assert_false(tutti_file_has(file, "x_test"));
  tutti_free(label);
  tutti_file_close(&file);
}

static void codes_that_are_no_decimal_numbers_are_texts(void **state) {
  CHECK_OK(import(state, "x,y\n1,0x1F\n2,0x0A\n3,0x1F\n", "y"));
  CHECK_ARRAY(folder_path(state, "out.h5"), "y_train", 1, 0, 1);
  check_texts(folder_path(state, "out.h5"), "y_train", "classes", "0x0A|0x1F");
}

static void label_column_by_name_or_number(void **state) {
  const char *output = folder_path(state, "out.h5"), *text = "3;1;y\n0.5;0;4\n1.5;1;5\n";
  CHECK_OK(import(state, text, "1")); // a name goes before a number
  check_texts(output, "x_train", "columns", "3|y");
  CHECK_OK(import(state, text, "2"));
  check_texts(output, "x_train", "columns", "3|y");
  CHECK_OK(import(state, text, "y"));
  check_texts(output, "y_train", "classes", "4|5");
  CHECK_FAILS(import(state, "alpha,beta,gamma\n1,2,3\n", "bata"), TUTTI_ERR_USAGE,
              "no column 'bata' for the labels (did you mean beta?); expected a number from 1 to 3 or one of "
              "the names: "
              "alpha, beta, gamma");
  CHECK_FAILS(import(state, "alpha,beta\n1,2\n", "3"), TUTTI_ERR_USAGE,
              "from 1 to 2 or one of the names: alpha, beta");
  CHECK_FAILS(import(state, "alpha,beta\n1,2\n", "0"), TUTTI_ERR_USAGE,
              "from 1 to 2 or one of the names: alpha, beta");
}

static void regression_keeps_the_numbers(void **state) {
  const char *output = folder_path(state, "out.h5");
  CHECK_OK(import(state, "x\ty\n1\t0.25\n2\t4\n", "y"));
  CHECK_ARRAY(output, "y_train", 0.25, 4);
  tutti_file *file = NULL;
  CHECK_OK(tutti_file_open(output, &file));
  assert_false(tutti_file_has_attribute(file, "y_train", "classes"));
  tutti_file_close(&file);
}

static void broken_tables_are_errors_with_their_place(void **state) {
  CHECK_REFUSED(TUTTI_ERR_DATA, "", "t.csv: is empty");
  CHECK_REFUSED(TUTTI_ERR_DATA, "x,y\n", "t.csv: has a header line and no rows");
  CHECK_REFUSED(TUTTI_ERR_DATA, "1,2\n3,4\n", "the first line has only numbers");
  CHECK_REFUSED(TUTTI_ERR_DATA, "y\n1\n", "single column 'y'");
  CHECK_REFUSED(TUTTI_ERR_DATA, "x,y,x\n1,2,3\n", "two columns have the name 'x'");
  CHECK_REFUSED(TUTTI_ERR_DATA, ",x,y\n0,1,2\n", "column 1 has no name");
  CHECK_REFUSED(TUTTI_ERR_DATA, "x,y\n1,2\n\n3\n", "t.csv:4: 1 fields, expected 2");
  CHECK_REFUSED(TUTTI_ERR_DATA, "x,y\n1,2\n3,4,5\n", "t.csv:3: 3 fields, expected 2");
  CHECK_REFUSED(TUTTI_ERR_DATA, "x,y\n1,2\nred,4\n", "t.csv:3: column 'x': 'red' is not a finite number");
  CHECK_REFUSED(TUTTI_ERR_DATA, "x,y\ninf,2\n", "t.csv:2: column 'x': 'inf' is not a finite number");
  CHECK_REFUSED(TUTTI_ERR_DATA, "x,y\n1,2\n0x1F,2\n", "t.csv:3: column 'x': '0x1F' is not a finite number");
  CHECK_REFUSED(TUTTI_ERR_DATA, "x,y\n1e39,2\n", "1e39 does not fit into float32");
  CHECK_REFUSED(TUTTI_ERR_DATA, "x,y\n1,2\n,4\n", "t.csv:3: column 'x' is empty: a value is missing");
  CHECK_REFUSED(TUTTI_ERR_DATA, "x,y\n1,2\nNA,4\n", "t.csv:3: column 'x' is NA: a value is missing");
  CHECK_REFUSED(TUTTI_ERR_DATA, "x,y\n1,2\n3,nan\n", "t.csv:3: column 'y' is nan: a value is missing");
  CHECK_REFUSED(TUTTI_ERR_DATA, "x,y\n1,a\n2,a\n", "column 'y': every row has the same label");
  CHECK_REFUSED(TUTTI_ERR_DATA, "x,y\n1,.5\n2,b\n",
                "t.csv, column 'y', line 3: the label 'b' is not a number");
}

/** A table of n rows like those of flowers, which begins with a row. */
static const char *rows_of_flowers(void *const *state, int n) {
  char text[8000] = "";
  for (int i = 0; i < n; i++)
    tutti_text_append(text, sizeof text, "%d.%d,3,1.%d,0.2,Iris-%c\n", 4 + i % 3, i % 10, i % 7, 'a' + i % 3);
  return put_text(state, "t.csv", text);
}

static void a_table_without_names_loses_no_row(void **state) {
  tutti_import_csv_options options = {.file = rows_of_flowers(state, 150), .label = "5"};
  tutti_import_result result;
  options.output = folder_path(state, "out.h5");
  CHECK_FAILS(tutti_import_csv(&options, &result), TUTTI_ERR_DATA,
              "t.csv:1: the first line looks like a row");
  check_absent(options.output);
  options.header = TUTTI_HEADER_YES; // 3,3: two columns of one name
  options.file = put_text(state, "named.csv", "3,3,5\n1,2,3\n");
  CHECK_FAILS(tutti_import_csv(&options, &result), TUTTI_ERR_DATA,
              "two columns have the name '3'; give each column a name of its own");
  options.file = rows_of_flowers(state, 150);
  options.header = TUTTI_HEADER_NO;
  CHECK_OK(tutti_import_csv(&options, &result));
  assert_int_equal(result.n_train, 150);
  assert_int_equal(result.n_classes, 3);
  check_texts(options.output, "x_train", "columns", "1|2|3|4");
}

static void a_row_as_the_first_line_is_told_how_to_be_read(void **state) {
  CHECK_FAILS(import(state, "0.02,0.0371,0.02,R\n0.0453,0.0523,0.01,M\n", "4"), TUTTI_ERR_DATA,
              "two columns have the name '0.02'; say --header=no if the first line is a row");
  CHECK_FAILS(
      import(state, "0.02,,0.03,R\n0.0453,0.0523,0.01,M\n", "4"), TUTTI_ERR_DATA,
      "column 2 has no name in the header line (a row number that was saved along?); say --header=no");
  CHECK_FAILS(import(state, "5,?,3,R\n4,2,1,R\n", "4"), TUTTI_ERR_DATA,
              "t.csv:2: the label 'R' is in the first");
  CHECK_FAILS(import(state, "0.5,NA,3,R\n4,2,1,M\n", "4"), TUTTI_ERR_DATA,
              "column 1 is 0.5; say --header=no");
  CHECK_FAILS(import(state, "AAT,0.49,0.29,cp\nACE,0.07,0.4,cp\n", "4"), TUTTI_ERR_DATA,
              "t.csv:2: column 'AAT': 'ACE' is not a finite number");
}

static void names_that_are_numbers_alone_are_taken_when_asked_for(void **state) {
  tutti_import_csv_options options = {
      .file = put_text(state, "t.csv", "0,1,2\n0.1257,-0.132,1.0\n-0.5356,0.3615,0.0\n"), .label = "2"};
  tutti_import_result result;
  options.output = folder_path(state, "out.h5");
  CHECK_FAILS(tutti_import_csv(&options, &result), TUTTI_ERR_DATA, "the first line has only numbers");
  options.header = TUTTI_HEADER_YES;
  CHECK_OK(tutti_import_csv(&options, &result));
  assert_int_equal(result.n_train, 2);
  check_texts(options.output, "x_train", "columns", "0|1");
}

static void bytes_are_stored_when_asked_for(void **state) {
  tutti_import_csv_options options = {
      .file = put_text(state, "t.csv", "a,b,y\n0,255,1\n16,3,0\n"), .label = "y", .bytes = true};
  tutti_import_result result;
  options.output = folder_path(state, "out.h5");
  CHECK_OK(tutti_import_csv(&options, &result));
  CHECK_ARRAY(options.output, "x_train", 0, 255, 16, 3);
  tutti_file *file = NULL;
  tutti_array_shape shape;
  CHECK_OK(tutti_file_open(options.output, &file));
  CHECK_OK(tutti_file_shape(file, "x_train", &shape));
  assert_true(shape.type_bytes == 1 && shape.type_class == TUTTI_CLASS_INTEGER);
  tutti_file_close(&file);
  options.file = put_text(state, "t.csv", "a,b,y\n0,256,1\n16,3,0\n");
  CHECK_FAILS(tutti_import_csv(&options, &result), TUTTI_ERR_DATA, "t.csv:2: column 'b': 256 is not a byte");
  options.file = put_text(state, "t.csv", "a,b,y\n0,2.5,1\n16,3,0\n");
  CHECK_FAILS(tutti_import_csv(&options, &result), TUTTI_ERR_DATA, "t.csv:2: column 'b': 2.5 is not a byte");
}

/** Row i has the feature i, so that rows can be told apart in either part. */
static void test_part_is_drawn_by_the_seed(void **state) {
  char text[2000] = "x,y\n";
  for (int i = 0; i < 50; i++) tutti_text_append(text, sizeof text, "%d,%s\n", i, i % 2 ? "odd" : "even");
  tutti_import_csv_options options = {
      .file = put_text(state, "t.csv", text), .label = "y", .test_fraction = 0.2, .seed = 7};
  options.output = folder_path(state, "a.h5");
  tutti_import_result result;
  CHECK_OK(tutti_import_csv(&options, &result));
  assert_int_equal(result.n_train, 40);
  assert_int_equal(result.n_test, 10);
  assert_int_equal(result.n_classes, 2);
  int seen[50] = {0};
  for (int part = 0; part < 2; part++) {
    int64_t n = 0;
    double *x = read_array(options.output, part ? "x_test" : "x_train", &n);
    double *y = read_array(options.output, part ? "y_test" : "y_train", &n);
    for (int64_t i = 0; i < n; i++) {
      seen[(int)x[i]]++;
      CHECK_NEAR(y[i], (int)x[i] % 2, 0);
      assert_true(i == 0 || x[i - 1] < x[i]);
    }
    tutti_free(x);
    tutti_free(y);
  }
  for (int i = 0; i < 50; i++) assert_int_equal(seen[i], 1);
  check_texts(options.output, "y_test", "classes", "even|odd");
  size_t n_a = 0, n_b = 0;
  unsigned char *a = folder_bytes(options.output, &n_a);
  options.output = folder_path(state, "b.h5");
  CHECK_OK(tutti_import_csv(&options, &result));
  unsigned char *b = folder_bytes(options.output, &n_b);
  assert_int_equal(n_a, n_b);
  assert_memory_equal(a, b, n_a);
  tutti_free(a);
  tutti_free(b);
}

static int bytes_of(const char *path, const char *array) {
  tutti_file *file = NULL;
  tutti_array_shape shape;
  CHECK_OK(tutti_file_open(path, &file));
  CHECK_OK(tutti_file_shape(file, array, &shape));
  tutti_file_close(&file);
  return shape.type_bytes;
}

static void numbers_that_float32_would_merge_stay_apart(void **state) {
  const char *output = folder_path(state, "out.h5");
  CHECK_OK(import(state, "t,v,y\n1600000000.25,1,a\n1600000001.5,2,b\n1600000000.75,3,a\n", "y"));
  assert_int_equal(bytes_of(output, "x_train"), 8);
  CHECK_ARRAY(output, "x_train", 1600000000.25, 1, 1600000001.5, 2, 1600000000.75, 3);
  CHECK_OK(import(state, "id,v,y\n70000203,1,a\n70000405,2,b\n70000607,3,a\n", "y"));
  CHECK_ARRAY(output, "x_train", 70000203, 1, 70000405, 2, 70000607, 3);
  CHECK_OK(
      import(state, "t,v,y\n0,1,a\n1600000001.5,2,b\n1600000000.75,3,a\n", "y")); // the range does not tell
  assert_int_equal(bytes_of(output, "x_train"), 8);
  CHECK_OK(import(state, "id,v,y\n16777216,1,a\n-3e30,0.1,b\n0.1,0.30000000000000004,a\n", "y"));
  assert_int_equal(bytes_of(output, "x_train"), 4);
}

/** Numbers of many digits are ordinary: a few of thousands are equal in float32, by chance. */
static void many_digits_alone_are_stored_as_float32(void **state) {
  enum { N = 8000, BYTES = 32 * N };
  char *text = tutti_calloc(BYTES, 1), *at = text;
  uint64_t random = 1;
  at += sprintf(at, "x,y\n");
  for (int i = 0; i < N; i++) {
    random = random * 6364136223846793005U + 1442695040888963407U;
    at += sprintf(at, "%.15f,%d\n", 1 + (double)(random >> 11) / 9007199254740992.0, i % 2);
  }
  CHECK_OK(import(state, text, "y"));
  assert_int_equal(bytes_of(folder_path(state, "out.h5"), "x_train"), 4);
  tutti_free(text);
}

static void thousands_of_columns_are_read(void **state) {
  enum { N = 5000, BYTES = 64 * N };
  char *text = tutti_calloc(BYTES, 1), *at = text;
  for (int i = 0; i < N; i++) at += sprintf(at, "column%d,", i);
  at += sprintf(at, "y\n");
  for (int row = 0; row < 3; row++) {
    for (int i = 0; i < N; i++) at += sprintf(at, "%d,", i + row);
    at += sprintf(at, "%d\n", row);
  }
  CHECK_OK(import(state, text, "y"));
  int64_t n = 0;
  double *x = read_array(folder_path(state, "out.h5"), "x_train", &n);
  assert_int_equal(n, 3 * N);
  CHECK_NEAR(x[3 * N - 1], N + 1, 0);
  tutti_free(x);
  tutti_free(text);
}

static void options_are_checked(void **state) {
  tutti_import_csv_options options = {.label = "y"};
  tutti_import_result result;
  CHECK_FAILS(tutti_import_csv(&options, &result), TUTTI_ERR_USAGE, "no file is given");
  options.file = options.output = put_text(state, "t.csv", "x,y\n1,2\n3,4\n");
  CHECK_FAILS(tutti_import_csv(&options, &result), TUTTI_ERR_USAGE, "is both input and output");
  options.output = folder_path(state, "out.h5");
  options.test_fraction = 1.5;
  CHECK_FAILS(tutti_import_csv(&options, &result), TUTTI_ERR_USAGE, "test_fraction is 1.5");
  options.test_fraction = 0;
  options.label = NULL;
  CHECK_FAILS(tutti_import_csv(&options, &result), TUTTI_ERR_USAGE, "no label column");
  options.label = "y";
  options.file = folder_path(state, "none.csv");
  CHECK_FAILS(tutti_import_csv(&options, &result), TUTTI_ERR_MISSING, "none.csv");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(text_labels_become_classes, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(codes_that_are_no_decimal_numbers_are_texts, folder_make,
                                      folder_remove),
      cmocka_unit_test_setup_teardown(label_column_by_name_or_number, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(regression_keeps_the_numbers, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(broken_tables_are_errors_with_their_place, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(a_table_without_names_loses_no_row, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(a_row_as_the_first_line_is_told_how_to_be_read, folder_make,
                                      folder_remove),
      cmocka_unit_test_setup_teardown(names_that_are_numbers_alone_are_taken_when_asked_for, folder_make,
                                      folder_remove),
      cmocka_unit_test_setup_teardown(bytes_are_stored_when_asked_for, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(test_part_is_drawn_by_the_seed, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(numbers_that_float32_would_merge_stay_apart, folder_make,
                                      folder_remove),
      cmocka_unit_test_setup_teardown(many_digits_alone_are_stored_as_float32, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(thousands_of_columns_are_read, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(options_are_checked, folder_make, folder_remove),
  };
  return cmocka_run_group_tests_name("data.import_csv", tests, NULL, check_no_leak);
}
