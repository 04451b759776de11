#include <hdf5.h>
#include <stdio.h>
#include <string.h>

#include "support/check.h"
#include "support/folder.h"
#include "tutti/io.h"

/** Change one bit of the file: that of `text` which makes `damaged` of it. */
static void flip_bit(const char *path, const char *text, const char *damaged) {
  enum { MOST = 1 << 20 };
  char *bytes = tutti_calloc(MOST, 1);
  FILE *stream = fopen(path, "r+b");
  assert_non_null(bytes);
  assert_non_null(stream);
  const size_t n = fread(bytes, 1, MOST, stream), length = strlen(text);
  int n_found = 0;
  for (size_t at = 0; at + length <= n; at++) {
    if (memcmp(bytes + at, text, length) != 0) continue;
    n_found++;
    assert_int_equal(fseek(stream, (long)at, SEEK_SET), 0);
    assert_int_equal(fwrite(damaged, 1, length, stream), length);
  }
  assert_int_equal(n_found, 1);
  assert_int_equal(fclose(stream), 0);
  tutti_free(bytes);
}

static void a_damaged_text_is_told(void **state) {
  const char *path = folder_path(state, "x.h5");
  const char *const names[] = {"loss", "val_loss"};
  char *text = NULL;
  tutti_texts texts = {0};
  for (int open = 0; open < 2; open++) {
    tutti_file *file = NULL;
    CHECK_OK(tutti_file_create(path, &file));
    if (open) tutti_file_leave_texts_open(file);
    CHECK_OK(tutti_file_set_text(file, "/", "config", "layers: [dense 3 relu]"));
    CHECK_OK(tutti_file_set_texts(file, "/", "names", names, 2));
    CHECK_OK(tutti_file_commit(&file));
    flip_bit(path, "dense 3 relu", "dense 3 pelu");
    flip_bit(path, "val_loss", "val_lo3s");
    CHECK_OK(tutti_file_open(path, &file));
    if (open) { // as in files of earlier versions and of other programs
      CHECK_OK(tutti_file_get_text(file, "/", "config", &text));
      assert_string_equal(text, "layers: [dense 3 pelu]");
      tutti_free(text);
    } else {
      CHECK_FAILS(tutti_file_get_text(file, "/", "config", &text), TUTTI_ERR_DATA,
                  "the text of attribute 'config' of '/' is not the one that was written");
      CHECK_FAILS(tutti_file_get_texts(file, "/", "names", &texts), TUTTI_ERR_DATA, "the file is damaged");
    }
    tutti_file_close(&file);
  }
}

static void attributes_come_back(void **state) {
  const char *path = folder_path(state, "x.h5");
  enum { LONG = 200000 }; // more than an object header takes
  char *config = tutti_calloc(LONG + 1, 1), *text = NULL;
  assert_non_null(config);
  memset(config, 'c', LONG);
  const char *const hosts[] = {"node1", "",
                               ("n\xc3\xb6"
                                "de")};
  const int64_t n = 1;
  const float x = 1;
  tutti_file *file = NULL;
  CHECK_OK(tutti_file_create(path, &file));
  CHECK_OK(tutti_file_write(file, "g/x", TUTTI_F32, 1, &n, 0, &x));
  CHECK_OK(tutti_file_set_text(file, "/", "config", config));
  CHECK_OK(tutti_file_set_text(file, "/", "empty", ""));
  CHECK_OK(tutti_file_set_integer(file, "/", "seed", INT64_MIN));
  CHECK_OK(tutti_file_set_real(file, "/g", "lr", 0.1));
  CHECK_OK(tutti_file_set_texts(file, "g/x", "hosts", hosts, 3));
  CHECK_OK(tutti_file_set_texts(file, "/", "none", NULL, 0));
  CHECK_OK(tutti_file_set_real(file, "/", "changed", 1));
  CHECK_OK(tutti_file_set_text(file, "/", "changed", "to a text"));
  CHECK_OK(tutti_file_commit(&file));

  int64_t seed = 0;
  double lr = 0;
  tutti_texts texts = {0};
  CHECK_OK(tutti_file_open(path, &file));
  CHECK_OK(tutti_file_get_text(file, "/", "config", &text));
  assert_string_equal(text, config);
  tutti_free(text);
  CHECK_OK(tutti_file_get_text(file, "/", "empty", &text));
  assert_string_equal(text, "");
  tutti_free(text);
  CHECK_OK(tutti_file_get_text(file, "/", "changed", &text));
  assert_string_equal(text, "to a text");
  tutti_free(text);
  CHECK_OK(tutti_file_get_integer(file, "/", "seed", &seed));
  assert_true(seed == INT64_MIN);
  CHECK_OK(tutti_file_get_real(file, "/g", "lr", &lr));
  assert_true(lr == 0.1);
  CHECK_OK(tutti_file_get_texts(file, "/g/x", "hosts", &texts));
  assert_int_equal(texts.n, 3);
  for (int i = 0; i < 3; i++) assert_string_equal(texts.list[i], hosts[i]);
  tutti_texts_clear(&texts);
  CHECK_OK(tutti_file_get_texts(file, "/", "none", &texts));
  assert_int_equal(texts.n, 0);
  tutti_texts_clear(&texts);
  tutti_file_close(&file);
  tutti_free(config);
}

static void missing_and_other_types_are_told_apart(void **state) {
  const char *path = folder_path(state, "x.h5");
  const char *const two[] = {"a", "b"};
  tutti_file *file = NULL;
  CHECK_OK(tutti_file_create(path, &file));
  CHECK_OK(tutti_file_set_text(file, "/", "text", "t"));
  CHECK_OK(tutti_file_set_real(file, "/", "real", 2.5));
  CHECK_OK(tutti_file_set_integer(file, "/", "integer", 3));
  CHECK_OK(tutti_file_set_texts(file, "/", "two", two, 2));
  CHECK_FAILS(tutti_file_set_real(file, "/none", "x", 1), TUTTI_ERR_INTERNAL, "attribute 'x' of '/none'");

  assert_true(tutti_file_has_attribute(file, "/", "real"));
  assert_false(tutti_file_has_attribute(file, "/", "none"));
  assert_false(tutti_file_has_attribute(file, "/none", "real"));
  int64_t k = 0;
  double x = 0;
  char *text = NULL;
  tutti_texts texts = {0};
  CHECK_FAILS(tutti_file_get_text(file, "/", "none", &text), TUTTI_ERR_DATA,
              "x.h5: '/' has no attribute 'none'");
  CHECK_FAILS(tutti_file_get_text(file, "/none", "text", &text), TUTTI_ERR_DATA, "'/none' has no attribute");
  CHECK_FAILS(tutti_file_get_text(file, "/", "real", &text), TUTTI_ERR_DATA, "is not a text");
  CHECK_FAILS(tutti_file_get_text(file, "/", "two", &text), TUTTI_ERR_DATA, "has 2 texts, expected one");
  CHECK_FAILS(tutti_file_get_texts(file, "/", "real", &texts), TUTTI_ERR_DATA, "is not a text");
  CHECK_FAILS(tutti_file_get_integer(file, "/", "real", &k), TUTTI_ERR_DATA, "is not one integer");
  CHECK_FAILS(tutti_file_get_integer(file, "/", "text", &k), TUTTI_ERR_DATA, "is not one integer");
  CHECK_FAILS(tutti_file_get_real(file, "/", "text", &x), TUTTI_ERR_DATA, "is not one number");
  CHECK_OK(tutti_file_get_real(file, "/", "integer", &x));
  assert_true(x == 3);
  assert_null(text);
  tutti_file_close(&file);
}

static void put_foreign(hid_t file, const char *name, hid_t type, hid_t space, const void *data) {
  const hid_t id = H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(H5Awrite(id, type, data) >= 0);
  H5Aclose(id);
}

/** Texts of fixed length, as NumPy's bytes and Fortran write them, and arrays of one number. */
static void foreign_attributes_are_read(void **state) {
  const char *path = folder_path(state, "x.h5");
  const hid_t id = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t type = H5Tcopy(H5T_C_S1), scalar = H5Screate(H5S_SCALAR);
  const hsize_t two = 2, one = 1;
  const hid_t pair = H5Screate_simple(1, &two, NULL), single = H5Screate_simple(1, &one, NULL);
  const float x = 1.5f;
  H5Tset_size(type, 4);
  put_foreign(id, "terminated", type, scalar, "ab\0\0");
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  put_foreign(id, "padded", type, pair, "kernbia\0");
  H5Tset_strpad(type, H5T_STR_SPACEPAD);
  put_foreign(id, "spaces", type, scalar, "ab  ");
  put_foreign(id, "array", H5T_NATIVE_FLOAT, single, &x);
  H5Sclose(single);
  H5Sclose(pair);
  H5Sclose(scalar);
  H5Tclose(type);
  H5Fclose(id);

  tutti_file *file = NULL;
  char *text = NULL;
  tutti_texts texts = {0};
  double real = 0;
  CHECK_OK(tutti_file_open(path, &file));
  CHECK_OK(tutti_file_get_text(file, "/", "terminated", &text));
  assert_string_equal(text, "ab");
  tutti_free(text);
  CHECK_OK(tutti_file_get_text(file, "/", "spaces", &text));
  assert_string_equal(text, "ab");
  tutti_free(text);
  CHECK_OK(tutti_file_get_texts(file, "/", "padded", &texts));
  assert_int_equal(texts.n, 2);
  assert_string_equal(texts.list[0], "kern");
  assert_string_equal(texts.list[1], "bia");
  tutti_texts_clear(&texts);
  CHECK_OK(tutti_file_get_real(file, "/", "array", &real));
  assert_true(real == 1.5);
  tutti_file_close(&file);
}

int main(void) {
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)
  const struct CMUnitTest tests[] = {
      IN_FOLDER(a_damaged_text_is_told),
      IN_FOLDER(attributes_come_back),
      IN_FOLDER(missing_and_other_types_are_told_apart),
      IN_FOLDER(foreign_attributes_are_read),
  };
  return cmocka_run_group_tests_name("io.attribute", tests, NULL, check_no_leak);
}
