/* Checks of the numbers in a data set: all are finite in float32, weights are at least 0, and labels are what the
 * loss expects.  Reading and imports call the first one, opening a data set the second, and the set-up of a
 * training the others.  Each message names array, row, column and value. */
#include <float.h>
#include <math.h>

#include "data/dataset_impl.h"

/** The index of the first value that is not finite in float32, or n.  Whole blocks are checked first, because the
 * compiler vectorises that loop. */
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

int64_t tutti_data_first_infinite(tutti_type type, const void *values, int64_t n) {
  if (type == TUTTI_F32) return first_bad_f32(values, n);
  return type == TUTTI_F64 ? first_bad_f64(values, n) : n; // integers are always finite
}

tutti_status tutti_data_check_finite(const char *path, const char *name, tutti_type type, const void *values,
                                     int64_t first, int64_t n, int64_t width) {
  const bool is_float = type == TUTTI_F32;
  const int64_t count = n * width, at = tutti_data_first_infinite(type, values, count);
  TUTTI_CHECK(at == count, TUTTI_ERR_DATA,
              "%s: array '%s', row %lld, column %lld (both from 0) is %g, expected a finite number in the "
              "range of float32",
              path, name, (long long)(first + at / width), (long long)(at % width),
              is_float ? (double)((const float *)values)[at] : ((const double *)values)[at]);
  return TUTTI_OK;
}

/** A weight below 0 would train away from its label, and without a weight above 0 there is nothing to learn. */
tutti_status tutti_dataset_check_weights(const tutti_dataset *d) {
  const int64_t n = d->layout.parts[TUTTI_ROWS_TRAIN].n;
  const float *w = tutti_dataset_weights(d);
  int64_t n_some = 0;
  for (int64_t i = 0; i < n; i++) {
    TUTTI_CHECK(w[i] >= 0, TUTTI_ERR_DATA,
                "%s: array '%s', row %lld (from 0) is %g, expected a weight that is at least 0", d->file,
                d->w_name, (long long)i, (double)w[i]);
    n_some += w[i] > 0;
  }
  TUTTI_CHECK(n_some > 0, TUTTI_ERR_DATA,
              "%s: array '%s' has the weight 0 for each training row, expected at least one above 0", d->file,
              d->w_name);
  return TUTTI_OK;
}

/** Targets y[n, n_targets] of rows first, first + 1, ... */
typedef struct {
  const tutti_dataset *d;
  tutti_rows which;
  int64_t first, n;
  const float *y;
} target_block;

typedef tutti_status (*check_block)(const target_block *block, const void *context);

/** Targets that are the features are scaled only when they are gathered, so scale some rows at a time. */
static tutti_status check_scaled(const tutti_dataset *d, tutti_rows which, check_block check,
                                 const void *context) {
  enum { AT_ONCE = 64 };
  const int64_t n = d->layout.parts[which].n;
  int64_t rows[AT_ONCE];
  float *y = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY(TUTTI_NEW(y, AT_ONCE * d->layout.n_features));
  for (int64_t first = 0; first < n && status == TUTTI_OK; first += AT_ONCE) {
    const int64_t now = n - first < AT_ONCE ? n - first : AT_ONCE;
    for (int64_t i = 0; i < now; i++) rows[i] = first + i;
    tutti_dataset_gather(d, which, rows, now, y);
    status = check(&(target_block){d, which, first, now, y}, context);
  }
  tutti_free(y);
  return status;
}

/** Check the targets of one part by the given rule.  A part without rows or without labels is always right. */
static tutti_status check_part(const tutti_dataset *d, tutti_rows which, check_block check,
                               const void *context) {
  const tutti_part *part = &d->layout.parts[which];
  if (part->n == 0 || d->layout.n_targets == 0) return TUTTI_OK;
  if (part->y_is_x) return check_scaled(d, which, check, context);
  return check(&(target_block){d, which, 0, part->n, tutti_dataset_y(d, which)}, context);
}

/** A label with one column is the id of a class. */
static tutti_status check_ids(const target_block *b, const void *context) {
  const int64_t n_classes = *(const int64_t *)context;
  for (int64_t i = 0; i < b->n; i++)
    TUTTI_CHECK(b->y[i] >= 0 && b->y[i] < (float)n_classes && b->y[i] == floorf(b->y[i]), TUTTI_ERR_DATA,
                "%s: array '%s', row %lld (from 0) is %g, expected a class from 0 to %lld (%lld classes)",
                b->d->file, b->d->y_name[b->which], (long long)(b->first + i), (double)b->y[i],
                (long long)n_classes - 1, (long long)n_classes);
  return TUTTI_OK;
}

/** The numbers that a target may be. */
typedef struct {
  bool (*fits)(float);
  const char *expected; // in words
} target_rule;

/** A hint if the targets have as many columns as the features: the user may want an autoencoder. */
static const char *advise_features(const target_block *b) {
  static const char advice[] =
      "; for an autoencoder name the features as targets, data.y_train: x_train, and both are scaled";
  const tutti_layout *layout = &b->d->layout;
  const bool alike = layout->n_targets > 1 && layout->n_targets == layout->n_features;
  return alike && !layout->parts[b->which].y_is_x ? advice : "";
}

/** Check each number by itself; the loss decides which numbers fit. */
static tutti_status check_numbers(const target_block *b, const void *context) {
  const target_rule *rule = context;
  const int64_t width = b->d->layout.n_targets;
  for (int64_t i = 0; i < b->n * width; i++)
    TUTTI_CHECK(rule->fits(b->y[i]), TUTTI_ERR_DATA,
                "%s: array '%s', row %lld, column %lld (both from 0) is %g%s, expected %s%s", b->d->file,
                b->d->y_name[b->which], (long long)(b->first + i / width), (long long)(i % width),
                (double)b->y[i], b->d->layout.parts[b->which].y_is_x ? " as it is scaled" : "",
                rule->expected, advise_features(b));
  return TUTTI_OK;
}

static bool is_probability(float value) {
  return value >= 0 && value <= 1;
}

/** The sum of probabilities may differ from 1 by this much, because they may have been rounded. */
#define SUM_TOLERANCE 1e-3

/** A row is one-hot only if this is 1, also for the hinge loss, whose other numbers may be -1. */
static int64_t count_ones(const float *row, int64_t width) {
  int64_t ones = 0;
  for (int64_t k = 0; k < width; k++) ones += row[k] == 1;
  return ones;
}

static bool is_one_hot(const float *row, int64_t width) {
  for (int64_t k = 0; k < width; k++)
    if (row[k] != 0 && row[k] != 1 && row[k] != -1) return false;
  return count_ones(row, width) == 1;
}

/** Targets that are the features are numbers to be predicted, even if they look like one-hot rows. */
bool tutti_dataset_is_one_hot(const tutti_dataset *d) {
  const int64_t width = d->layout.n_targets;
  if (width < 2 || tutti_dataset_targets_are_features(d)) return false;
  for (tutti_rows which = 0; which < TUTTI_N_ROWS; which++)
    for (int64_t i = 0; i < d->layout.parts[which].n; i++)
      if (!is_one_hot(tutti_dataset_y(d, which) + i * width, width)) return false;
  return true;
}

/** The first column that is neither 0 nor 1; `width` if there is none. */
static int64_t first_fraction(const float *row, int64_t width) {
  int64_t k = 0;
  while (k < width && (row[k] == 0 || row[k] == 1)) k++;
  return k;
}

/** Check a row of numbers from 0 to 1: it has a single 1 and zeros, or fractions and the sum 1. */
static tutti_status check_mixture(const target_block *b, int64_t i) {
  const int64_t width = b->d->layout.n_targets;
  const float *row = b->y + i * width;
  const char *name = b->d->y_name[b->which];
  const long long at = b->first + i;
  const int64_t k = first_fraction(row, width), ones = count_ones(row, width);
  double sum = 0;
  for (int64_t j = 0; j < width; j++) sum += (double)row[j];
  TUTTI_CHECK(k < width || ones == 1, TUTTI_ERR_DATA,
              "%s: array '%s', row %lld (from 0) has %lld ones, expected one-hot rows: a single 1 and %lld "
              "zeros, or probabilities that sum to 1",
              b->d->file, name, at, (long long)ones, (long long)width - 1);
  TUTTI_CHECK(
      k == width || fabs(sum - 1) <= SUM_TOLERANCE, TUTTI_ERR_DATA,
      "%s: array '%s', row %lld, column %lld (both from 0) is %g, expected 0 or 1 in one-hot rows, or "
      "probabilities that sum to 1, but these sum to %g: divide each row by its sum",
      b->d->file, name, at, (long long)k, (double)row[k], sum);
  return TUTTI_OK;
}

/** Check rows of several columns: each number first, then the sum of each row. */
static tutti_status check_mixtures(const target_block *b, const void *context) {
  (void)context;
  TUTTI_TRY(check_numbers(
      b,
      &(target_rule){is_probability, "0 or 1: rows of several columns are one-hot, or probabilities that sum "
                                     "to 1"}));
  for (int64_t i = 0; i < b->n; i++) TUTTI_TRY(check_mixture(b, i));
  return TUTTI_OK;
}

tutti_status tutti_dataset_check_classes(const tutti_dataset *d, int64_t n_classes) {
  const int64_t width = d->layout.n_targets;
  for (tutti_rows which = 0; which < TUTTI_N_ROWS; which++) {
    if (d->layout.parts[which].n == 0 || width == 0) continue;
    TUTTI_CHECK(width == 1 || width == n_classes, TUTTI_ERR_DATA,
                "%s: array '%s' has %lld columns, expected one class id per row, or rows of %lld "
                "classes: one-hot, or probabilities",
                d->file, d->y_name[which], (long long)width, (long long)n_classes);
    TUTTI_TRY(check_part(d, which, width == 1 ? check_ids : check_mixtures, &n_classes));
  }
  return TUTTI_OK;
}

tutti_status tutti_dataset_check_targets(const tutti_dataset *d, bool (*fits)(float), const char *expected) {
  const target_rule rule = {fits, expected};
  for (tutti_rows which = 0; which < TUTTI_N_ROWS; which++)
    TUTTI_TRY(check_part(d, which, check_numbers, &rule));
  return TUTTI_OK;
}
