#include <string.h>

#include "inputs.h"
#include "tutti/data.h"

// Three samples of 2 x 2 and their labels; two for testing.
static const unsigned char x3[] = {0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0,  0,
                                   0, 2, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255};
static const unsigned char y3[] = {0, 0, 8, 1, 0, 0, 0, 3, 2, 0, 1};
static const unsigned char x2[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 9, 8, 7, 6, 5, 4, 3, 2};
static const unsigned char y2[] = {0, 0, 8, 1, 0, 0, 0, 2, 4, 1};

static const char *put(void *const *state, const char *name, const void *data, size_t n) {
  const char *path = folder_path(state, name);
  folder_put(path, data, n);
  return path;
}

enum { X_TRAIN, Y_TRAIN, X_TEST, Y_TEST };

static tutti_status import_idx(const tutti_import_request *request, tutti_import_result *result) {
  return tutti_format_of(TUTTI_FORMAT_IDX)->import(request, result);
}

/** Import x [n_x bytes] and y [n_y bytes] as the training part. */
static tutti_status import(void *const *state, const void *x, size_t n_x, const void *y, size_t n_y) {
  tutti_import_result result;
  const tutti_import_request request = {.values[X_TRAIN] = put(state, "x", x, n_x),
                                        .values[Y_TRAIN] = put(state, "y", y, n_y),
                                        .output = folder_path(state, "out.h5")};
  return import_idx(&request, &result);
}

static void bytes_and_shapes_stay_as_they_are(void **state) {
  const char *output = folder_path(state, "new/out.h5");
  const tutti_import_request request = {.values[X_TRAIN] = put_gzip(state, "x3.gz", x3, sizeof x3),
                                        .values[Y_TRAIN] = put(state, "y3", y3, sizeof y3),
                                        .values[X_TEST] = put(state, "x2", x2, sizeof x2),
                                        .values[Y_TEST] = put_gzip(state, "y2.gz", y2, sizeof y2),
                                        .output = output};
  tutti_import_result result;
  CHECK_OK(import_idx(&request, &result));
  assert_int_equal(result.n_train, 3);
  assert_int_equal(result.n_test, 2);
  assert_int_equal(result.n_features, 4);
  assert_int_equal(result.n_classes, 5);
  CHECK_ARRAY(output, "x_train", 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255);
  CHECK_ARRAY(output, "y_train", 2, 0, 1);
  CHECK_ARRAY(output, "x_test", 9, 8, 7, 6, 5, 4, 3, 2);
  CHECK_ARRAY(output, "y_test", 4, 1);
  tutti_file *file = NULL;
  tutti_array_shape shape;
  CHECK_OK(tutti_file_open(output, &file));
  CHECK_OK(tutti_file_shape(file, "x_train", &shape));
  assert_int_equal(shape.n_dims, 3);
  assert_int_equal(shape.dims[2], 2);
  assert_true(shape.type_class == TUTTI_CLASS_INTEGER && shape.type_bytes == 1 && !shape.type_signed);
  tutti_file_close(&file);
}

static void damaged_files_are_errors_and_leave_nothing(void **state) {
  unsigned char bad[64];
  memcpy(bad, x3, sizeof x3);
  bad[0] = 0x89;
  CHECK_FAILS(import(state, bad, sizeof x3, y3, sizeof y3), TUTTI_ERR_DATA,
              "x: is not an IDX file: it begins with 89 00");
  memcpy(bad, x3, sizeof x3);
  bad[2] = 0x0d;
  CHECK_FAILS(import(state, bad, sizeof x3, y3, sizeof y3), TUTTI_ERR_DATA,
              "type 0x0d, expected bytes (0x08)");
  memcpy(bad, x3, sizeof x3);
  bad[3] = 9;
  CHECK_FAILS(import(state, bad, sizeof x3, y3, sizeof y3), TUTTI_ERR_DATA, "has 9 dimensions");
  memcpy(bad, x3, sizeof x3);
  memset(bad + 8, 0xff, 8);
  CHECK_FAILS(import(state, bad, sizeof x3, y3, sizeof y3), TUTTI_ERR_DATA, "one sample has more than");
  memcpy(bad, x3, sizeof x3);
  bad[11] = 0;
  CHECK_FAILS(import(state, bad, sizeof x3, y3, sizeof y3), TUTTI_ERR_DATA, "dimension 2 of 3 is 0");
  memcpy(bad, x3, sizeof x3);
  CHECK_FAILS(import(state, bad, sizeof x3 + 1, y3, sizeof y3), TUTTI_ERR_DATA,
              "x: continues after the last item");
  for (size_t cut = 1; cut < 4; cut++)
    CHECK_FAILS(import(state, x3, cut, y3, sizeof y3), TUTTI_ERR_DATA,
                "x: ends inside its IDX header: the file is truncated");
  for (size_t cut = 4; cut < sizeof x3; cut++)
    CHECK_FAILS(import(state, x3, cut, y3, sizeof y3), TUTTI_ERR_DATA, "x: ends inside its");
  CHECK_FAILS(import(state, x3, 0, y3, sizeof y3), TUTTI_ERR_DATA, "x: is empty");
  CHECK_FAILS(import(state, x3, sizeof x3, y3, sizeof y3 - 1), TUTTI_ERR_DATA, "y: ends inside its items");
  CHECK_FAILS(import(state, "<", 1, y3, sizeof y3), TUTTI_ERR_DATA, "x: ends inside its IDX header");
  CHECK_FAILS(import(state, "<html>", 6, y3, sizeof y3), TUTTI_ERR_DATA, "begins with 3c 68");
  assert_int_equal(folder_count(state), 2);
}

static void pairs_that_do_not_match_are_errors(void **state) {
  CHECK_FAILS(import(state, x3, sizeof x3, y2, sizeof y2), TUTTI_ERR_DATA, "has 3 samples, but");
  CHECK_FAILS(import(state, y3, sizeof y3, x3, sizeof x3), TUTTI_ERR_DATA, "are samples and labels swapped?");
  const unsigned char wide[] = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 1, 7, 8};
  const tutti_import_request request = {.values[X_TRAIN] = put(state, "a", x3, sizeof x3),
                                        .values[Y_TRAIN] = put(state, "b", y3, sizeof y3),
                                        .values[X_TEST] = put(state, "c", wide, sizeof wide),
                                        .values[Y_TEST] = put(state, "d", y2, sizeof y2),
                                        .output = folder_path(state, "out.h5")};
  tutti_import_result result;
  CHECK_FAILS(import_idx(&request, &result), TUTTI_ERR_DATA,
              "samples have 1 features, those for training have 4");
  check_absent(request.output);
}

static void options_are_checked_before_anything_is_read(void **state) {
  tutti_import_result result;
  const char *x = put(state, "x", x3, sizeof x3), *y = put(state, "y", y3, sizeof y3);
  tutti_import_request request = {.values[X_TRAIN] = x, .output = folder_path(state, "out.h5")};
  CHECK_FAILS(import_idx(&request, &result), TUTTI_ERR_USAGE, "both x_train and y_train");
  request.values[Y_TRAIN] = y;
  request.values[Y_TEST] = y;
  CHECK_FAILS(import_idx(&request, &result), TUTTI_ERR_USAGE, "y_test is given without x_test");
  request.values[Y_TEST] = NULL;
  request.output = NULL;
  CHECK_FAILS(import_idx(&request, &result), TUTTI_ERR_USAGE, "no output file");
  request.output = folder_path(state, "../");
  char same[1400];
  strcat(strcpy(same, request.output), strrchr((const char *)*state, '/') + 1);
  request.output = strcat(same, "/y");
  CHECK_FAILS(import_idx(&request, &result), TUTTI_ERR_USAGE, "is both input and output");
  request.output = folder_path(state, "out.h5");
  request.values[X_TRAIN] = folder_path(state, "none");
  CHECK_FAILS(import_idx(&request, &result), TUTTI_ERR_MISSING, "none: there is no such file");
  request.values[X_TRAIN] = x;
  request.output = folder_path(state, "y/out.h5");
  CHECK_FAILS(import_idx(&request, &result), TUTTI_ERR_CREATE, "y");
  assert_int_equal(folder_count(state), 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(bytes_and_shapes_stay_as_they_are, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(damaged_files_are_errors_and_leave_nothing, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(pairs_that_do_not_match_are_errors, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(options_are_checked_before_anything_is_read, folder_make,
                                      folder_remove),
  };
  return cmocka_run_group_tests_name("data.import_idx", tests, NULL, check_no_leak);
}
