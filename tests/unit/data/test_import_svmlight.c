#include "data/import_impl.h"
#include "inputs.h"
#include "tutti/data.h"

static tutti_status import(void *const *state, const char *train, const char *test,
                           tutti_import_result *result) {
  const tutti_import_svmlight_options options = {.train = put_text(state, "train.txt", train),
                                                 .test = test ? put_text(state, "test.txt", test) : NULL,
                                                 .output = folder_path(state, "out.h5")};
  return tutti_import_svmlight(&options, result);
}

#define CHECK_REFUSED(text, part)                                                                            \
  do {                                                                                                       \
    CHECK_FAILS(import(state, text, NULL, &(tutti_import_result){0}), TUTTI_ERR_DATA, part);                 \
    check_absent(folder_path(state, "out.h5"));                                                              \
  } while (0)

static void rows_are_filled_up_with_zeros(void **state) {
  const char *output = folder_path(state, "out.h5");
  tutti_import_result result;
  CHECK_OK(import(state, "# a comment\n-1 1:0.5 3:2 # the first\n+1  2:-1e1\t\n\n-1\n", "+1 qid:7 4:1\r\n",
                  &result));
  assert_int_equal(result.n_train, 3);
  assert_int_equal(result.n_test, 1);
  assert_int_equal(result.n_features, 4);
  assert_int_equal(result.n_classes, 2);
  CHECK_ARRAY(output, "x_train", 0.5, 0, 2, 0, 0, -10, 0, 0, 0, 0, 0, 0);
  CHECK_ARRAY(output, "y_train", 0, 1, 0);
  CHECK_ARRAY(output, "x_test", 0, 0, 0, 1);
  CHECK_ARRAY(output, "y_test", 1);
  check_texts(output, "y_train", "classes", "-1|1");
}

static void an_index_0_in_either_file_moves_both(void **state) {
  const char *output = folder_path(state, "out.h5");
  tutti_import_result result;
  CHECK_OK(import(state, "3 1:5\n7 2:6\n", "7 0:4\n", &result));
  assert_int_equal(result.n_features, 3);
  CHECK_ARRAY(output, "x_train", 0, 5, 0, 0, 0, 6);
  CHECK_ARRAY(output, "x_test", 4, 0, 0);
  CHECK_ARRAY(output, "y_test", 1);
}

/** Feature 0 of new data may never occur, nor their last one. */
static void base_and_width_can_be_given(void **state) {
  const char *output = folder_path(state, "out.h5");
  tutti_import_svmlight_options options = {.train = put_text(state, "t", "1 1:5\n0 2:6\n")};
  tutti_import_result result;
  options.output = output;
  CHECK_OK(tutti_import_svmlight(&options, &result));
  assert_int_equal(result.index_base, TUTTI_INDEX_FROM_1);
  assert_int_equal(result.n_features, 2);
  options.index_base = TUTTI_INDEX_FROM_0;
  options.n_features = 4;
  CHECK_OK(tutti_import_svmlight(&options, &result));
  assert_int_equal(result.index_base, TUTTI_INDEX_FROM_0);
  assert_int_equal(result.n_features, 4);
  CHECK_ARRAY(output, "x_train", 0, 5, 0, 0, 0, 0, 6, 0);
  options.n_features = 2;
  CHECK_FAILS(tutti_import_svmlight(&options, &result), TUTTI_ERR_DATA,
              "t:2: index 2, but the last of 2 features has index 1, counted from 0");
  options.index_base = TUTTI_INDEX_FROM_1;
  CHECK_OK(tutti_import_svmlight(&options, &result));
  options.train = put_text(state, "t", "1 1:5\n0 0:6\n");
  CHECK_FAILS(tutti_import_svmlight(&options, &result), TUTTI_ERR_DATA,
              "t:2: index 0, but the indices begin at 1");
  options.n_features = 1 << 30;
  CHECK_FAILS(tutti_import_svmlight(&options, &result), TUTTI_ERR_USAGE, "1073741824 features");
}

static void numbers_that_float32_would_merge_stay_apart(void **state) {
  const char *output = folder_path(state, "out.h5");
  tutti_import_result result;
  CHECK_OK(import(state, "1 1:0.1 3:1600000000.25\n0 2:0.3 3:1600000000.75\n", "1 3:1600000001\n", &result));
  CHECK_ARRAY(output, "x_train", 0.1, 0, 1600000000.25, 0, 0.3, 1600000000.75);
  CHECK_ARRAY(output, "x_test", 0, 0, 1600000001);
  CHECK_OK(import(state, "1 1:0.1 3:0.7\n0 2:0.3 3:0.1\n", NULL, &result));
  CHECK_ARRAY(output, "x_train", (double)0.1f, 0, (double)0.7f, 0, (double)0.3f, (double)0.1f);
}

static void real_labels_are_a_regression(void **state) {
  tutti_import_result result;
  CHECK_OK(import(state, "1.5 1:1\n2 1:2\n", NULL, &result));
  assert_int_equal(result.n_classes, 0);
  CHECK_ARRAY(folder_path(state, "out.h5"), "y_train", 1.5, 2);
}

static void broken_lines_are_errors_with_their_place(void **state) {
  CHECK_REFUSED("", "train.txt: has no rows");
  CHECK_REFUSED("# nothing\n", "train.txt: has no rows");
  CHECK_REFUSED("1\n-1\n", "no row has a feature");
  CHECK_REFUSED("1 1:1\n1,2 1:1\n", "train.txt:2: the label '1,2' is not a number");
  CHECK_REFUSED("1 1:1\n1 2\n", "train.txt:2: '2' is not of the form index:value");
  CHECK_REFUSED("1 a:1\n", "train.txt:1: 'a' is not an index");
  CHECK_REFUSED("1 -2:1\n", "train.txt:1: '-2' is not an index");
  CHECK_REFUSED("1 99999999999:1\n", "'99999999999' is not an index");
  CHECK_REFUSED("1 2:1 2:3\n", "train.txt:1: index 2 comes after 2");
  CHECK_REFUSED("1 3:1 2:3\n", "train.txt:1: index 2 comes after 3");
  CHECK_REFUSED("1 1:nan\n", "train.txt:1: feature 1: 'nan' is not a finite number");
  CHECK_REFUSED("1 1:1e40\n", "feature 1: '1e40'");
  CHECK_REFUSED("1 1:\n", "feature 1: ''");
  CHECK_REFUSED("1 1:0x1F\n", "feature 1: '0x1F'");
  CHECK_REFUSED("1 1:1 # mac\r2 1:2\r", "train.txt:1: a carriage return without a newline");
  CHECK_REFUSED("1 1:1\n1 1:2\n", "same label");
}

static void options_are_checked(void **state) {
  tutti_import_result result;
  tutti_import_svmlight_options options = {.output = folder_path(state, "out.h5")};
  CHECK_FAILS(tutti_import_svmlight(&options, &result), TUTTI_ERR_USAGE, "no training file");
  options.train = put_text(state, "t", "1 1:1\n2 1:1\n");
  options.test = options.output = put_text(state, "u", "1 1:1\n");
  CHECK_FAILS(tutti_import_svmlight(&options, &result), TUTTI_ERR_USAGE, "is both input and output");
  options.output = folder_path(state, "out.h5");
  options.test = folder_path(state, "none");
  CHECK_FAILS(tutti_import_svmlight(&options, &result), TUTTI_ERR_MISSING, "none");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(rows_are_filled_up_with_zeros, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(an_index_0_in_either_file_moves_both, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(base_and_width_can_be_given, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(numbers_that_float32_would_merge_stay_apart, folder_make,
                                      folder_remove),
      cmocka_unit_test_setup_teardown(real_labels_are_a_regression, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(broken_lines_are_errors_with_their_place, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(options_are_checked, folder_make, folder_remove),
  };
  return cmocka_run_group_tests_name("data.import_svmlight", tests, NULL, check_no_leak);
}
