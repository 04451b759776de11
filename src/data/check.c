#include <float.h>
#include <math.h>

#include "data/dataset_impl.h"

/** Index of the first value that no float32 holds, or n.  Whole blocks are looked at first: that
 * vectorises. */
#define DEFINE_FIRST_BAD(NAME, TYPE)                                                                         \
  static int64_t NAME(const TYPE *values, int64_t n) {                                                       \
    enum { BLOCK = 1024 };                                                                                   \
    for (int64_t at = 0; at < n; at += BLOCK) {                                                              \
      const int64_t end = at + BLOCK < n ? at + BLOCK : n;                                                   \
      int bad = 0;                                                                                           \
      for (int64_t i = at; i < end; i++) bad |= !(values[i] >= -FLT_MAX && values[i] <= FLT_MAX);            \
      for (int64_t i = at; bad && i < end; i++)                                                              \
        if (!(values[i] >= -FLT_MAX && values[i] <= FLT_MAX)) return i;                                      \
    }                                                                                                        \
    return n;                                                                                                \
  }
DEFINE_FIRST_BAD(first_bad_f32, float)
DEFINE_FIRST_BAD(first_bad_f64, double)

tutti_status tutti_check_finite(const char *path, const char *name, tutti_type type, const void *values,
                                int64_t first, int64_t n, int64_t width) {
  const int64_t count = n * width;
  int64_t at = count;
  double value = 0;
  if (type == TUTTI_F32) {
    at = first_bad_f32(values, count);
    if (at < count) value = (double)((const float *)values)[at];
  } else if (type == TUTTI_F64) {
    at = first_bad_f64(values, count);
    if (at < count) value = ((const double *)values)[at];
  }
  TUTTI_CHECK(at == count, TUTTI_ERR_DATA,
              "%s: array '%s', row %lld, column %lld (both from 0) is %g, expected a finite number in the "
              "range of float32",
              path, name, (long long)(first + at / width), (long long)(at % width), value);
  return TUTTI_OK;
}

static tutti_status check_ids(const tutti_dataset *d, tutti_rows which, int64_t n_classes) {
  const float *y = tutti_dataset_y(d, which);
  for (int64_t i = 0; i < d->layout.parts[which].n; i++)
    TUTTI_CHECK(y[i] >= 0 && y[i] < (float)n_classes && y[i] == floorf(y[i]), TUTTI_ERR_DATA,
                "%s: array '%s', row %lld (from 0) is %g, expected a class from 0 to %lld (%lld classes)",
                d->file, d->y_name[which], (long long)i, (double)y[i], (long long)n_classes - 1,
                (long long)n_classes);
  return TUTTI_OK;
}

static bool is_bit(float value) {
  return value == 0 || value == 1;
}

static tutti_status check_rows(const tutti_dataset *d, tutti_rows which, bool (*fits)(float),
                               const char *expected) {
  const float *y = tutti_dataset_y(d, which);
  const int64_t width = d->layout.n_targets;
  for (int64_t i = 0; i < d->layout.parts[which].n * width; i++)
    TUTTI_CHECK(fits(y[i]), TUTTI_ERR_DATA,
                "%s: array '%s', row %lld, column %lld (both from 0) is %g, expected %s", d->file,
                d->y_name[which], (long long)(i / width), (long long)(i % width), (double)y[i], expected);
  return TUTTI_OK;
}

static tutti_status check_one_hot(const tutti_dataset *d, tutti_rows which) {
  TUTTI_TRY(check_rows(d, which, is_bit, "0 or 1: rows of several columns are one-hot"));
  const float *y = tutti_dataset_y(d, which);
  const int64_t width = d->layout.n_targets;
  for (int64_t i = 0; i < d->layout.parts[which].n; i++) {
    int64_t ones = 0;
    for (int64_t k = 0; k < width; k++) ones += y[i * width + k] == 1;
    TUTTI_CHECK(ones == 1, TUTTI_ERR_DATA,
                "%s: array '%s', row %lld (from 0) has %lld ones, expected one-hot rows: a single 1 and %lld "
                "zeros",
                d->file, d->y_name[which], (long long)i, (long long)ones, (long long)width - 1);
  }
  return TUTTI_OK;
}

tutti_status tutti_dataset_check_classes(const tutti_dataset *d, int64_t n_classes) {
  const int64_t width = d->layout.n_targets;
  for (tutti_rows which = 0; which < TUTTI_N_ROWS; which++) {
    if (d->layout.parts[which].n == 0 || width == 0) continue;
    TUTTI_CHECK(
        width == 1 || width == n_classes, TUTTI_ERR_DATA,
        "%s: array '%s' has %lld columns, expected one class id a row, or one-hot rows of %lld classes",
        d->file, d->y_name[which], (long long)width, (long long)n_classes);
    TUTTI_TRY(width == 1 ? check_ids(d, which, n_classes) : check_one_hot(d, which));
  }
  return TUTTI_OK;
}

tutti_status tutti_dataset_check_targets(const tutti_dataset *d, bool (*fits)(float), const char *expected) {
  for (tutti_rows which = 0; which < TUTTI_N_ROWS; which++)
    if (d->layout.n_targets > 0) TUTTI_TRY(check_rows(d, which, fits, expected));
  return TUTTI_OK;
}
