/* Warnings before a training: the default scaling does not suit the features, or float32 does not suit the targets.
 * The set-up of a training calls it. */
#include <math.h>
#include <string.h>

#include "base/log.h"
#include "data/dataset_impl.h"

/** A warning names two features if their ranges differ by this factor. */
enum { FAR_APART = 500 };

/** Find the features with the smallest and the largest range.  A constant feature has no range and is skipped.
 * @param[in]  range         [n]
 * @param[out] narrow, wide  -1: all features are constant */
static void find_extremes(const double *range, int64_t n, int64_t *narrow, int64_t *wide) {
  *narrow = *wide = -1;
  for (int64_t j = 0; j < n; j++) {
    if (range[j] <= 0) continue;
    if (*narrow < 0 || range[j] < range[*narrow]) *narrow = j;
    if (*wide < 0 || range[j] > range[*wide]) *wide = j;
  }
}

/** Warn if ranges differ so much that the large features dominate the first layer. */
static tutti_status advise_ranges(const tutti_dataset *d) {
  const int64_t n = d->layout.n_features;
  int64_t narrow = 0, wide = 0;
  double *min = NULL;
  TUTTI_TRY(TUTTI_NEW(min, 3 * n));
  double *const range = min + n;
  tutti_dataset_train_ranges(d, min, range, min + 2 * n);
  for (int64_t j = 0; j < n; j++) range[j] -= min[j];
  find_extremes(range, n, &narrow, &wide);
  if (narrow >= 0 && range[wide] >= FAR_APART * range[narrow])
    tutti_log(
        TUTTI_LOG_WARNING,
        "%s: the features of array '%s' have very different ranges (column %lld, from 0, spans %g, column "
        "%lld spans %g) and data.scale auto does not scale them: data.scale: standardize_features does, and "
        "none says that the ranges are intended",
        d->file, d->x_name[TUTTI_ROWS_TRAIN], (long long)wide, range[wide], (long long)narrow, range[narrow]);
  tutti_free(min);
  return TUTTI_OK;
}

/** Warn about what data.scale auto does to this kind of numbers.  Numbers of other kinds are fine. */
static tutti_status advise(const tutti_dataset *d) {
  const char *name = d->x_name[TUTTI_ROWS_TRAIN];
  switch (d->layout.parts[TUTTI_ROWS_TRAIN].features) {
  case TUTTI_FEATURES_BYTE_BITS:
    tutti_log(TUTTI_LOG_WARNING,
              "%s: array '%s' contains bytes that are all 0 or 1, and data.scale auto divides bytes by 255: "
              "data.scale: "
              "none leaves them 0 and 1",
              d->file, name);
    return TUTTI_OK;
  case TUTTI_FEATURES_WHOLE:
    tutti_log(
        TUTTI_LOG_WARNING,
        "%s: array '%s' contains whole numbers from 0 to 255 in another type than bytes, which data.scale "
        "auto does "
        "not scale: data.scale: unit scales them to 0 to 1, and none says that they are intended",
        d->file, name);
    return TUTTI_OK;
  case TUTTI_FEATURES_NUMBERS:
    return advise_ranges(d);
  default:
    return TUTTI_OK;
  }
}

/** Find the smallest and the largest target of each column, in the order of the file, so that memory is read in
 * order. */
static void find_target_ranges(const tutti_dataset *d, float *least, float *most) {
  const int64_t width = d->layout.n_targets;
  const float *y = tutti_dataset_y(d, TUTTI_ROWS_TRAIN);
  memcpy(least, y, (size_t)width * sizeof *least);
  memcpy(most, y, (size_t)width * sizeof *most);
  for (int64_t i = 1; i < d->layout.parts[TUTTI_ROWS_TRAIN].n; i++)
    for (int64_t k = 0; k < width; k++) {
      least[k] = fminf(least[k], y[i * width + k]);
      most[k] = fmaxf(most[k], y[i * width + k]);
    }
}

/** The number of float32 values between the two; NaN if all targets are one value that float32 represents exactly. */
static double steps_between(float least, float most) {
  enum { WHOLE = 1 << 24 }; // above it, not every whole number is a float
  const float size = fmaxf(fabsf(least), fabsf(most));
  if (most == least && size < WHOLE) return NAN;
  return ((double)most - (double)least) / ((double)nextafterf(size, INFINITY) - (double)size);
}

/** Training uses targets in float32, and an offset that is large compared to their spread costs digits. */
static tutti_status advise_targets(const tutti_dataset *d) {
  enum { FEW = 1000 };
  const int64_t width = d->layout.n_targets;
  const tutti_part *part = &d->layout.parts[TUTTI_ROWS_TRAIN];
  float *ranges = NULL;
  int64_t k = 0;
  if (part->n < 2 || part->y_is_x || width == 0) return TUTTI_OK;
  TUTTI_TRY(TUTTI_NEW(ranges, 2 * width));
  find_target_ranges(d, ranges, ranges + width);
  while (k < width && !(steps_between(ranges[k], ranges[width + k]) < FEW)) k++;
  if (k < width)
    tutti_log(
        TUTTI_LOG_WARNING,
        "%s: the targets of array '%s', column %lld from 0, lie so far from 0 that float32, in which they "
        "are "
        "trained on, has %.0f steps from the least to the largest: subtract an offset from them in the file",
        d->file, d->y_name[TUTTI_ROWS_TRAIN], (long long)k, steps_between(ranges[k], ranges[width + k]));
  tutti_free(ranges);
  return TUTTI_OK;
}

tutti_status tutti_dataset_advise(const tutti_comm *comm, const tutti_dataset *d, tutti_scale scale) {
  const bool speaks = tutti_comm_rank(comm) == 0;
  tutti_dataset_warn_features(d, d->layout.parts[TUTTI_ROWS_TRAIN].features);
  tutti_status local = speaks ? advise_targets(d) : TUTTI_OK;
  if (local == TUTTI_OK && speaks && scale == TUTTI_SCALE_AUTO) local = advise(d);
  return tutti_comm_agree_from(comm, 0, local);
}
