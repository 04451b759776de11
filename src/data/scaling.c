#include <float.h>
#include <math.h>
#include <string.h>

#include "data/dataset_impl.h"

const char *const tutti_scale_names[TUTTI_N_SCALES] = {"auto", "none", "unit", "standardize",
                                                       "standardize_features"};

/** What the training rows say about each feature; [n_features] each, one allocation. */
typedef struct {
  double *min, *max, *mean, *variance;
} statistics;

/** One row into the running minimum, maximum and sum. */
#define DEFINE_ADD(NAME, RAW)                                                                                \
  static void NAME(const RAW *restrict row, int64_t width, double *restrict min, double *restrict max,       \
                   double *restrict sum) {                                                                   \
    for (int64_t j = 0; j < width; j++) {                                                                    \
      const double value = (double)row[j];                                                                   \
      min[j] = value < min[j] ? value : min[j];                                                              \
      max[j] = value > max[j] ? value : max[j];                                                              \
      sum[j] += value;                                                                                       \
    }                                                                                                        \
  }
DEFINE_ADD(add_u8, uint8_t)
DEFINE_ADD(add_f32, float)
DEFINE_ADD(add_f64, double)

/** One row into the running sum of squared distances to the mean. */
#define DEFINE_SPREAD(NAME, RAW)                                                                             \
  static void NAME(const RAW *restrict row, int64_t width, const double *restrict mean,                      \
                   double *restrict sum) {                                                                   \
    for (int64_t j = 0; j < width; j++) {                                                                    \
      const double distance = (double)row[j] - mean[j];                                                      \
      sum[j] += distance * distance;                                                                         \
    }                                                                                                        \
  }
DEFINE_SPREAD(spread_u8, uint8_t)
DEFINE_SPREAD(spread_f32, float)
DEFINE_SPREAD(spread_f64, double)

static void add_row(const tutti_dataset *d, int64_t row, const statistics *s) {
  const void *x = tutti_dataset_x(d, TUTTI_ROWS_TRAIN);
  const int64_t width = d->layout.n_features;
  switch (d->layout.parts[TUTTI_ROWS_TRAIN].type) {
  case TUTTI_U8:
    add_u8((const uint8_t *)x + row * width, width, s->min, s->max, s->mean);
    break;
  case TUTTI_F32:
    add_f32((const float *)x + row * width, width, s->min, s->max, s->mean);
    break;
  default:
    add_f64((const double *)x + row * width, width, s->min, s->max, s->mean);
    break;
  }
}

static void spread_row(const tutti_dataset *d, int64_t row, const statistics *s) {
  const void *x = tutti_dataset_x(d, TUTTI_ROWS_TRAIN);
  const int64_t width = d->layout.n_features;
  switch (d->layout.parts[TUTTI_ROWS_TRAIN].type) {
  case TUTTI_U8:
    spread_u8((const uint8_t *)x + row * width, width, s->mean, s->variance);
    break;
  case TUTTI_F32:
    spread_f32((const float *)x + row * width, width, s->mean, s->variance);
    break;
  default:
    spread_f64((const double *)x + row * width, width, s->mean, s->variance);
    break;
  }
}

/** Two passes, row after row in the order of row_at: no cancellation, and the same sums wherever it runs. */
static void measure(const tutti_dataset *d, tutti_row_at row_at, const void *context, int64_t n,
                    const statistics *s) {
  const int64_t width = d->layout.n_features;
  for (int64_t j = 0; j < width; j++) {
    s->min[j] = DBL_MAX;
    s->max[j] = -DBL_MAX;
  }
  for (int64_t i = 0; i < n; i++) add_row(d, row_at(context, i), s);
  for (int64_t j = 0; j < width; j++) s->mean[j] /= (double)n;
  for (int64_t i = 0; i < n; i++) spread_row(d, row_at(context, i), s);
  for (int64_t j = 0; j < width; j++) s->variance[j] /= (double)n;
}

/** The features as one population: its variance is the mean of the variances plus the variance of the means.
 */
static void pool(const statistics *s, int64_t width) {
  double mean = 0, variance = 0;
  for (int64_t j = 0; j < width; j++) mean += s->mean[j] / (double)width;
  for (int64_t j = 0; j < width; j++) {
    const double distance = s->mean[j] - mean;
    variance += (s->variance[j] + distance * distance) / (double)width;
    if (s->min[j] < s->min[0]) s->min[0] = s->min[j];
    if (s->max[j] > s->max[0]) s->max[0] = s->max[j];
  }
  s->mean[0] = mean;
  s->variance[0] = variance;
}

/** x = (raw - shift) / width.  Where all values are equal the width is zero, or its rounding: then only the
 * shift is taken off, and it is that value, so that x is 0 exactly. */
static void put(tutti_dataset *d, int64_t j, double shift, double width, const statistics *s) {
  const float factor = (float)(1 / width);
  const bool constant = s->min[j] == s->max[j] || !isfinite(factor);
  d->shift[j] = (float)(constant ? s->min[j] : shift);
  d->factor[j] = constant ? 1 : factor;
}

static tutti_status fit(tutti_dataset *d, tutti_scale scale, tutti_row_at row_at, const void *context,
                        int64_t n) {
  const int64_t width = d->layout.n_features;
  double *all = NULL;
  TUTTI_CHECK(n > 0, TUTTI_ERR_DATA, "%s: no training rows to take the scaling '%s' from", d->file,
              tutti_scale_names[scale]);
  TUTTI_TRY(TUTTI_NEW(all, 4 * width));
  const statistics s = {all, all + width, all + 2 * width, all + 3 * width};
  measure(d, row_at, context, n, &s);
  if (scale != TUTTI_SCALE_STANDARDIZE_FEATURES) pool(&s, width);
  const int64_t n_values = scale == TUTTI_SCALE_STANDARDIZE_FEATURES ? width : 1;
  for (int64_t j = 0; j < n_values; j++) {
    if (scale == TUTTI_SCALE_UNIT)
      put(d, j, s.min[j], s.max[j] - s.min[j], &s);
    else
      put(d, j, s.mean[j], sqrt(s.variance[j]), &s);
  }
  tutti_free(all);
  return TUTTI_OK;
}

tutti_status tutti_dataset_fit_scaling(tutti_dataset *d, tutti_scale scale, tutti_row_at row_at,
                                       const void *context, int64_t n) {
  const tutti_part *train = &d->layout.parts[TUTTI_ROWS_TRAIN];
  const tutti_part *part = train->n > 0 ? train : &d->layout.parts[TUTTI_ROWS_TEST];
  d->n_scaling = 1;
  if (scale == TUTTI_SCALE_AUTO || scale == TUTTI_SCALE_NONE) {
    const bool bytes = scale == TUTTI_SCALE_AUTO && part->type == TUTTI_U8;
    d->shift[0] = 0;
    d->factor[0] = bytes ? 1.0f / UINT8_MAX : 1;
    return TUTTI_OK;
  }
  // One rank reckons for all: the sums of two nodes with different processors need not agree to the last bit.
  const tutti_status local = tutti_comm_rank(d->comm) == 0 ? fit(d, scale, row_at, context, n) : TUTTI_OK;
  TUTTI_TRY(tutti_agree_from(d->comm, 0, local));
  if (scale == TUTTI_SCALE_STANDARDIZE_FEATURES) d->n_scaling = d->layout.n_features;
  TUTTI_TRY(tutti_bcast(d->comm, 0, d->shift, d->n_scaling * (int64_t)sizeof *d->shift));
  return tutti_bcast(d->comm, 0, d->factor, d->n_scaling * (int64_t)sizeof *d->factor);
}

tutti_scaling_values tutti_dataset_scaling(const tutti_dataset *d) {
  return (tutti_scaling_values){d->n_scaling, d->shift, d->factor};
}

tutti_status tutti_dataset_set_scaling(tutti_dataset *d, tutti_scaling_values values) {
  TUTTI_CHECK(values.n == 1 || values.n == d->layout.n_features, TUTTI_ERR_DATA,
              "%s: has %lld features, the scaling is one for %lld", d->file, (long long)d->layout.n_features,
              (long long)values.n);
  memmove(d->shift, values.shift, (size_t)values.n * sizeof *d->shift);
  memmove(d->factor, values.factor, (size_t)values.n * sizeof *d->factor);
  d->n_scaling = values.n;
  return TUTTI_OK;
}
