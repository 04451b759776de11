#include "inputs.h"

#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/text.h"

const char *put_text(void *const *state, const char *name, const char *text) {
  const char *path = folder_path(state, name);
  folder_put(path, text, strlen(text));
  return path;
}

const char *put_gzip(void *const *state, const char *name, const void *data, size_t n) {
  const char *path = folder_path(state, name);
  gzFile gz = gzopen(path, "wb");
  assert_non_null(gz);
  assert_int_equal(gzwrite(gz, data, (unsigned)n), n);
  assert_int_equal(gzclose(gz), Z_OK);
  return path;
}

double *read_array(const char *path, const char *array, int64_t *n) {
  tutti_file *file = NULL;
  tutti_array_shape shape;
  CHECK_OK(tutti_file_open(path, &file));
  CHECK_OK(tutti_file_shape(file, array, &shape));
  *n = 1;
  for (int i = 0; i < shape.n_dims; i++) *n *= shape.dims[i];
  double *values = tutti_calloc(*n, sizeof *values);
  assert_non_null(values);
  CHECK_OK(tutti_file_read_rows(file, array, TUTTI_F64, 0, shape.dims[0], values));
  tutti_file_close(&file);
  return values;
}

void check_array(const char *path, const char *array, const double *expected, int64_t n) {
  int64_t n_read = 0;
  double *values = read_array(path, array, &n_read);
  assert_int_equal(n_read, n);
  for (int64_t i = 0; i < n; i++) CHECK_NEAR(values[i], expected[i], 0);
  tutti_free(values);
}

void check_texts(const char *path, const char *object, const char *attribute, const char *expected) {
  tutti_file *file = NULL;
  tutti_texts texts;
  char joined[256] = "";
  CHECK_OK(tutti_file_open(path, &file));
  CHECK_OK(tutti_file_get_texts(file, object, attribute, &texts));
  for (int i = 0; i < texts.n; i++)
    tutti_text_append(joined, sizeof joined, "%s%s", i ? "|" : "", texts.list[i]);
  assert_string_equal(joined, expected);
  tutti_texts_clear(&texts);
  tutti_file_close(&file);
}

void check_absent(const char *path) {
  assert_int_not_equal(access(path, F_OK), 0);
}
