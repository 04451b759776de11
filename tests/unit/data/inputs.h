#pragma once
/** Small files to import, and a look at what became of them.  A failure fails the test. */
#include "support/check.h"
#include "support/folder.h"
#include "tutti/io.h"

/** FOLDER/NAME with this content, as it is or packed by gzip; the path is that of folder_path. */
const char *put_text(void *const *state, const char *name, const char *text);
const char *put_gzip(void *const *state, const char *name, const void *data, size_t n);

/** The whole array as doubles, to be freed with tutti_free. */
double *read_array(const char *path, const char *array, int64_t *n);

/** The array has exactly these values. */
void check_array(const char *path, const char *array, const double *expected, int64_t n);
#define CHECK_ARRAY(path, array, ...)                                                                        \
  check_array((path), (array), (const double[]){__VA_ARGS__},                                                \
              (int64_t)(sizeof((const double[]){__VA_ARGS__}) / sizeof(double)))

/** The attribute is this list of texts, joined by '|'. */
void check_texts(const char *path, const char *object, const char *attribute, const char *expected);

/** No file of that name. */
void check_absent(const char *path);
