/* The scaling of the features: x = (raw - shift) * factor, with numbers from the training rows or from a checkpoint.
 * The set-up of a training computes it, a checkpoint keeps it, and gather.c applies it. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/clones.h"
#include "data/dataset_impl.h"

const char *const tutti_data_scale_names[TUTTI_N_SCALES] = {"auto", "none", "unit", "standardize",
                                                            "standardize_features"};

/** Statistics of each feature over the training rows; [n_features] each, one allocation. */
typedef struct {
  double *min, *max, *mean, *variance;
} statistics;

/** Whether a row is used.
 * @param[in] marks  a bit for each row; NULL: all rows are used */
TUTTI_INLINE bool is_marked(const uint64_t *marks, int64_t row) {
  return !marks || (marks[row / 64] >> (row % 64) & 1);
}

/** Update the minimum, maximum and sum of each feature with all rows. */
#define DEFINE_ADD(NAME, RAW)                                                                                \
  TUTTI_CLONES static void NAME(const RAW *restrict x, int64_t n_rows, int64_t width,                        \
                                const uint64_t *restrict marks, double *restrict min, double *restrict max,  \
                                double *restrict sum) {                                                      \
    for (int64_t row = 0; row < n_rows; row++, x += width) {                                                 \
      if (!is_marked(marks, row)) continue;                                                                  \
      for (int64_t j = 0; j < width; j++) {                                                                  \
        const double value = (double)x[j];                                                                   \
        min[j] = value < min[j] ? value : min[j];                                                            \
        max[j] = value > max[j] ? value : max[j];                                                            \
        sum[j] += value;                                                                                     \
      }                                                                                                      \
    }                                                                                                        \
  }
DEFINE_ADD(add_u8, uint8_t)
DEFINE_ADD(add_f32, float)
DEFINE_ADD(add_f64, double)

/** Add the squared distances to the mean of each feature over all rows. */
#define DEFINE_SPREAD(NAME, RAW)                                                                             \
  TUTTI_CLONES static void NAME(const RAW *restrict x, int64_t n_rows, int64_t width,                        \
                                const uint64_t *restrict marks, const double *restrict mean,                 \
                                double *restrict sum) {                                                      \
    for (int64_t row = 0; row < n_rows; row++, x += width) {                                                 \
      if (!is_marked(marks, row)) continue;                                                                  \
      for (int64_t j = 0; j < width; j++) {                                                                  \
        const double distance = (double)x[j] - mean[j];                                                      \
        sum[j] += distance * distance;                                                                       \
      }                                                                                                      \
    }                                                                                                        \
  }
DEFINE_SPREAD(spread_u8, uint8_t)
DEFINE_SPREAD(spread_f32, float)
DEFINE_SPREAD(spread_f64, double)

/** Sums of many rows in float32 would lose digits, so all statistics are double. */
static void find_ranges(const tutti_dataset *d, const uint64_t *marks, const statistics *s) {
  const tutti_part *part = &d->layout.parts[TUTTI_ROWS_TRAIN];
  const void *x = tutti_dataset_x(d, TUTTI_ROWS_TRAIN);
  for (int64_t j = 0; j < d->layout.n_features; j++) {
    s->min[j] = DBL_MAX;
    s->max[j] = -DBL_MAX;
  }
  TUTTI_CALL_FOR_TYPE(part->type, add, x, part->n, d->layout.n_features, marks, s->min, s->max, s->mean);
}

void tutti_dataset_train_ranges(const tutti_dataset *d, double *min, double *max, double *sum) {
  find_ranges(d, NULL, &(statistics){.min = min, .max = max, .mean = sum});
}

/** Two passes, so that no digits cancel, in the order of the file, so that memory is read in order and the sums do not
 * depend on the order of rows_at.
 * @param[in] varies  the second pass is needed; else the variance stays 0 */
static void measure(const tutti_dataset *d, const uint64_t *marks, int64_t n, bool varies,
                    const statistics *s) {
  const tutti_part *part = &d->layout.parts[TUTTI_ROWS_TRAIN];
  const void *x = tutti_dataset_x(d, TUTTI_ROWS_TRAIN);
  const int64_t width = d->layout.n_features;
  find_ranges(d, marks, s);
  for (int64_t j = 0; j < width; j++) s->mean[j] /= (double)n;
  if (!varies) return;
  TUTTI_CALL_FOR_TYPE(part->type, spread, x, part->n, width, marks, s->mean, s->variance);
  for (int64_t j = 0; j < width; j++) s->variance[j] /= (double)n;
}

/** Mark the n rows.
 * @param[out] marks  a bit for each row, owned by the caller; NULL: all rows are marked */
static tutti_status mark(const tutti_dataset *d, tutti_rows_at rows_at, const void *context, int64_t n,
                         uint64_t **marks) {
  enum { MANY = 512 }; // rows per call of rows_at
  const int64_t n_rows = d->layout.parts[TUTTI_ROWS_TRAIN].n;
  *marks = NULL;
  if (n == n_rows) return TUTTI_OK;
  TUTTI_TRY(TUTTI_NEW(*marks, n_rows / 64 + 1));
  for (int64_t first = 0; first < n; first += MANY) {
    int64_t rows[MANY];
    const int64_t now = n - first < MANY ? n - first : MANY;
    for (int64_t i = 0; i < now; i++) rows[i] = first + i;
    rows_at(context, now, rows);
    for (int64_t i = 0; i < now; i++) (*marks)[rows[i] / 64] |= UINT64_C(1) << (rows[i] % 64);
  }
  return TUTTI_OK;
}

/** Take all features as one population.  Its variance is the mean of the variances plus the variance of the means. */
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

/** x = (raw - shift) / width.  If all values are equal, the width is zero up to rounding.  Then the shift is that
 * value, and the factor 1, so that x is exactly 0. */
static void put(tutti_dataset *d, int64_t j, double shift, double width, const statistics *s) {
  const float factor = (float)(1 / width);
  const bool constant = s->min[j] == s->max[j] || !isfinite(factor);
  d->shift[j] = constant ? s->min[j] : shift;
  d->factor[j] = constant ? 1 : (double)factor;
}

/** Compute shift and factor from the marked rows. */
static tutti_status fit(tutti_dataset *d, tutti_scale scale, tutti_rows_at rows_at, const void *context,
                        int64_t n) {
  const int64_t width = d->layout.n_features;
  double *all = NULL;
  uint64_t *marks = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_CHECK(n > 0, TUTTI_ERR_DATA,
              "%s: there are no training rows, from which the scaling '%s' is computed", d->file,
              tutti_data_scale_names[scale]);
  TUTTI_TRY_GOTO(done, TUTTI_NEW(all, 4 * width));
  TUTTI_TRY_GOTO(done, mark(d, rows_at, context, n, &marks));
  const statistics s = {all, all + width, all + 2 * width, all + 3 * width};
  measure(d, marks, n, scale != TUTTI_SCALE_UNIT, &s);
  if (scale != TUTTI_SCALE_STANDARDIZE_FEATURES) pool(&s, width);
  const int64_t n_values = scale == TUTTI_SCALE_STANDARDIZE_FEATURES ? width : 1;
  for (int64_t j = 0; j < n_values; j++) {
    if (scale == TUTTI_SCALE_UNIT)
      put(d, j, s.min[j], s.max[j] - s.min[j], &s);
    else
      put(d, j, s.mean[j], sqrt(s.variance[j]), &s);
  }
done:
  tutti_free(marks);
  tutti_free(all);
  return status;
}

/** Set a scaling that does not depend on the rows. */
static void set_fixed(tutti_dataset *d, bool bytes) {
  d->n_scaling = 1;
  d->shift[0] = 0;
  d->factor[0] = bytes ? (double)(1.0f / UINT8_MAX) : 1;
}

/** One rank computes for all, because sums on nodes with different processors may differ in the last bit. */
static tutti_status fit_on_root(const tutti_comm *comm, tutti_dataset *d, tutti_scale scale,
                                tutti_rows_at rows_at, const void *context, int64_t n) {
  const tutti_status local = tutti_comm_rank(comm) == 0 ? fit(d, scale, rows_at, context, n) : TUTTI_OK;
  TUTTI_TRY(tutti_comm_agree_from(comm, 0, local));
  d->n_scaling = scale == TUTTI_SCALE_STANDARDIZE_FEATURES ? d->layout.n_features : 1;
  TUTTI_TRY(tutti_comm_bcast(comm, 0, d->shift, d->n_scaling * (int64_t)sizeof *d->shift));
  return tutti_comm_bcast(comm, 0, d->factor, d->n_scaling * (int64_t)sizeof *d->factor);
}

tutti_status tutti_dataset_fit_scaling(const tutti_comm *comm, tutti_dataset *d, tutti_scale scale,
                                       tutti_rows_at rows_at, const void *context, int64_t n) {
  const tutti_part *train = &d->layout.parts[TUTTI_ROWS_TRAIN];
  const tutti_part *part = train->n > 0 ? train : &d->layout.parts[TUTTI_ROWS_TEST];
  d->trained_on = part->features;
  if (scale == TUTTI_SCALE_AUTO || scale == TUTTI_SCALE_NONE)
    set_fixed(d, scale == TUTTI_SCALE_AUTO && part->type == TUTTI_U8);
  else
    TUTTI_TRY(fit_on_root(comm, d, scale, rows_at, context, n));
  return tutti_comm_agree(comm, tutti_dataset_adapt_scaling(d));
}

/** The values may be those of this data set itself, so memory may overlap. */
tutti_status tutti_dataset_set_scaling(tutti_dataset *d, tutti_scaling_values values) {
  TUTTI_CHECK(values.n == 1 || values.n == d->layout.n_features, TUTTI_ERR_DATA,
              "%s: has %lld features, but the scaling is for %lld", d->file, (long long)d->layout.n_features,
              (long long)values.n);
  memmove(d->shift, values.shift, (size_t)values.n * sizeof *d->shift);
  memmove(d->factor, values.factor, (size_t)values.n * sizeof *d->factor);
  d->n_scaling = values.n;
  d->trained_on = values.features;
  tutti_dataset_warn_features(d, d->trained_on);
  return tutti_dataset_adapt_scaling(d);
}
