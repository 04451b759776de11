/* The data sets of the folder data/ hold what their sources hold, to the last bit. */
#define _POSIX_C_SOURCE 200809L // popen
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inputs.h"

enum { DIGEST_LETTERS = 64 };

/** The bytes of an array as the file stores them, after `n_head` bytes, through the tool sha256sum. */
static void digest(void **state, const char *file_name, const char *array, tutti_type type, const void *head,
                   size_t n_head, char hex[DIGEST_LETTERS + 1]) {
  char path[512], command[1400];
  tutti_file *file = NULL;
  tutti_array_shape shape;
  snprintf(path, sizeof path, DATA_FOLDER "/%s", file_name);
  CHECK_OK(tutti_file_open(path, &file));
  CHECK_OK(tutti_file_shape(file, array, &shape));
  assert_int_equal(shape.type_bytes, tutti_io_type_bytes(type));
  int64_t n = 1;
  for (int i = 0; i < shape.n_dims; i++) n *= shape.dims[i];
  void *data = tutti_calloc(n, tutti_io_type_bytes(type));
  assert_non_null(data);
  CHECK_OK(tutti_file_read_rows(file, array, type, 0, shape.dims[0], data));
  tutti_file_close(&file);

  snprintf(command, sizeof command, "sha256sum > '%s'", folder_path(state, "sum"));
  FILE *pipe = popen(command, "w");
  assert_non_null(pipe);
  assert_int_equal(fwrite(head, 1, n_head, pipe), n_head);
  assert_int_equal(fwrite(data, tutti_io_type_bytes(type), (size_t)n, pipe), n);
  assert_int_equal(pclose(pipe), 0);
  tutti_free(data);

  size_t n_letters = 0;
  unsigned char *text = folder_bytes(folder_path(state, "sum"), &n_letters);
  assert_true(n_letters > DIGEST_LETTERS);
  memcpy(hex, text, DIGEST_LETTERS);
  hex[DIGEST_LETTERS] = '\0';
  tutti_free(text);
}

static void need_tool(void) {
  if (system("sha256sum < /dev/null > /dev/null 2>&1") != 0) skip();
}

/** With the header put back before it, each array is the original IDX file, whose SHA-256 is published. */
static void mnist_is_the_original(void **state) {
  static const struct {
    const char *array;
    uint8_t head[16];
    size_t n_head;
    const char *expected;
  } originals[] = {
      {"x_train",
       {0, 0, 8, 3, 0, 0, 0xea, 0x60, 0, 0, 0, 28, 0, 0, 0, 28},
       16,
       "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
      {"y_train",
       {0, 0, 8, 1, 0, 0, 0xea, 0x60},
       8,
       "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
      {"x_test",
       {0, 0, 8, 3, 0, 0, 0x27, 0x10, 0, 0, 0, 28, 0, 0, 0, 28},
       16,
       "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
      {"y_test",
       {0, 0, 8, 1, 0, 0, 0x27, 0x10},
       8,
       "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"},
  };
  need_tool();
  for (size_t i = 0; i < sizeof originals / sizeof *originals; i++) {
    char hex[DIGEST_LETTERS + 1];
    digest(state, "mnist.h5", originals[i].array, TUTTI_U8, originals[i].head, originals[i].n_head, hex);
    assert_string_equal(hex, originals[i].expected);
  }
}

/** data/README.md lists these. */
static void arrays_are_as_documented(void **state) {
  static const struct {
    const char *file, *array;
    tutti_type type;
    const char *expected;
  } arrays[] = {
      {"digits.h5", "x_train", TUTTI_U8, "0ba894814602284c92e32b1186cb6736e470c9106fb002e5d91742b602f1c48b"},
      {"digits.h5", "y_train", TUTTI_U8, "ce97b3c6159b41b9feecdaa5d687bd363fa19d3ba06cf97c3ec6f133bbed8e91"},
      {"digits.h5", "x_test", TUTTI_U8, "d231d9730423b12661ef91e4442d815e36bad4eaaeeedd077519450d46a3f62a"},
      {"digits.h5", "y_test", TUTTI_U8, "c7622fd1f1067a030038b3856e024b4bcd5f3dabe638be2087e98a7d57f1f8d9"},
      {"breast_cancer.h5", "x_train", TUTTI_F32,
       "d88e2c86c59bb33b8a9f5848a25c7a41606c047143f2a0d10171bc2597859444"},
      {"breast_cancer.h5", "y_train", TUTTI_U8,
       "7aed0ac785f609d65af98cbc333dbffdd77d40490c637beed825cf967d65919c"},
      {"breast_cancer.h5", "x_test", TUTTI_F32,
       "4bf1d6d75aa69258e6725487c712553b795fdaaeca4e573697c5aa0da9fc5aa2"},
      {"breast_cancer.h5", "y_test", TUTTI_U8,
       "db86f2314931b5db4859d660be498ba4b80036f71c04e722c87aa7a465237d8b"},
      {"diabetes.h5", "x_train", TUTTI_F32,
       "95968f7f1cc95978c8f669e91822be8a794cfd097260c391f31d9ef6d558bf6c"},
      {"diabetes.h5", "y_train", TUTTI_F32,
       "40b4bef5ab324b361964ae754b575308074deac0d170b30643fcf45e7c73b0bc"},
      {"diabetes.h5", "x_test", TUTTI_F32,
       "e4c61f0593ff6f574f6c30df967ec36e60735788e5d96bdf411d74bee3d5d94b"},
      {"diabetes.h5", "y_test", TUTTI_F32,
       "c2b54fd0f8b659a9402ba5c6f25912bcabdc3fbf58846476184eb766ec622924"},
  };
  need_tool();
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
    char hex[DIGEST_LETTERS + 1];
    digest(state, arrays[i].file, arrays[i].array, arrays[i].type, "", 0, hex);
    if (strcmp(hex, arrays[i].expected) != 0) fail_msg("%s, %s: %s", arrays[i].file, arrays[i].array, hex);
  }
}

static void classes_have_their_names(void **state) {
  (void)state;
  check_texts(DATA_FOLDER "/digits.h5", "y_train", "classes", "0|1|2|3|4|5|6|7|8|9");
  check_texts(DATA_FOLDER "/breast_cancer.h5", "y_train", "classes", "benign|malignant");
  check_texts(DATA_FOLDER "/diabetes.h5", "x_train", "columns", "age|sex|bmi|bp|s1|s2|s3|s4|s5|s6");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(mnist_is_the_original, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(arrays_are_as_documented, folder_make, folder_remove),
      cmocka_unit_test(classes_have_their_names),
  };
  return cmocka_run_group_tests_name("data.shipped", tests, NULL, check_no_leak);
}
