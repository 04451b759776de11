/* Gathers the samples of a micro-batch: x = (raw - shift) * factor for features, plain copies for labels and
 * weights.  It runs in every step of a training, so it prefetches and vectorises. */
#include "base/clones.h"
#include "data/dataset_impl.h"
#include "linalg/parallel.h"

/** A processor cannot guess where the next row of a shuffled batch is.  So each row is prefetched while earlier rows
 * are scaled, about AHEAD bytes ahead, but for at most as many rows as a core can have cache lines on their way.  The
 * beginning of a long row is enough, because the rest is in order. */
enum { AHEAD = 2048, MOST_ROWS = 16, BEGINNING = 1024, CACHE_LINE = 64 };

/** At least one row ahead, also if a single row is longer than AHEAD. */
static int64_t rows_ahead(int64_t row_bytes) {
  const int64_t rows = 1 + AHEAD / row_bytes;
  return rows < MOST_ROWS ? rows : MOST_ROWS;
}

TUTTI_INLINE void ask_for(const void *row, int64_t row_bytes) {
#if defined(__GNUC__)
  const int64_t bytes = row_bytes < BEGINNING ? row_bytes : BEGINNING;
  for (int64_t at = 0; at < bytes; at += CACHE_LINE) __builtin_prefetch((const char *)row + at);
  __builtin_prefetch((const char *)row + bytes - 1);
#else
  (void)row, (void)row_bytes;
#endif
}

/** Scale rows of one storage type.  WIDE is the type of the arithmetic: data that are far from 0 keep their digits
 * until the shift is subtracted, and so does the shift.  Bytes are never far from 0, and a float without a shift is
 * rounded once in either type.  One range over all features and one per feature are two loops, and the compiler
 * vectorises both. */
#define DEFINE_GATHER(NAME, RAW, WIDE)                                                                       \
  TUTTI_CLONES static void NAME(const RAW *restrict raw, int64_t width, tutti_scaling_values s,              \
                                const int64_t *restrict rows, int64_t n, float *restrict x) {                \
    const WIDE shift = (WIDE)s.shift[0], factor = (WIDE)s.factor[0];                                         \
    const double *restrict shifts = s.shift, *restrict factors = s.factor;                                   \
    const int64_t row_bytes = width * (int64_t)sizeof(RAW), ahead = rows_ahead(row_bytes);                   \
    for (int64_t i = 0; i < n; i++) {                                                                        \
      const RAW *restrict from = raw + rows[i] * width;                                                      \
      float *restrict to = x + i * width;                                                                    \
      if (i + ahead < n) ask_for(raw + rows[i + ahead] * width, row_bytes);                                  \
      if (s.n == 1) {                                                                                        \
        for (int64_t j = 0; j < width; j++) to[j] = (float)(((WIDE)from[j] - shift) * factor);               \
      } else {                                                                                               \
        for (int64_t j = 0; j < width; j++)                                                                  \
          to[j] = (float)(((WIDE)from[j] - (WIDE)shifts[j]) * (WIDE)factors[j]);                             \
      }                                                                                                      \
    }                                                                                                        \
  }
DEFINE_GATHER(gather_u8, uint8_t, float)
DEFINE_GATHER(gather_f32, float, float)
DEFINE_GATHER(gather_f32_shifted, float, double)
DEFINE_GATHER(gather_f64, double, double)

/** Rows of another kind than the training rows have a scaling of their own; see features.c. */
static tutti_scaling_values scaling_of(const tutti_dataset *d, tutti_rows which) {
  tutti_scaling_values s = tutti_dataset_scaling(d);
  if (!d->own_scaling[which]) return s;
  s.shift = d->own_scaling[which];
  s.factor = s.shift + d->layout.n_features;
  return s;
}

/** Sample rows whose parts the threads of this rank gather. */
typedef struct {
  const tutti_dataset *dataset;
  tutti_rows which;
  const int64_t *rows;
  float *x;
} gather_loop;

static void gather_some(void *context, int64_t begin, int64_t end) {
  const gather_loop *l = context;
  const tutti_dataset *d = l->dataset;
  const tutti_scaling_values scaling = scaling_of(d, l->which);
  const void *raw = tutti_dataset_x(d, l->which);
  const int64_t width = d->layout.n_features, *rows = l->rows + begin, n = end - begin;
  float *x = l->x + begin * width;
  switch (d->layout.parts[l->which].type) {
  case TUTTI_U8:
    gather_u8(raw, width, scaling, rows, n, x);
    break;
  case TUTTI_F32:
    if (scaling.n == 1 && scaling.shift[0] == 0)
      gather_f32(raw, width, scaling, rows, n, x);
    else
      gather_f32_shifted(raw, width, scaling, rows, n, x);
    break;
  default:
    gather_f64(raw, width, scaling, rows, n, x);
    break;
  }
}

void tutti_dataset_gather(const tutti_dataset *d, tutti_rows which, const int64_t *rows, int64_t n,
                          float *x) {
  static const double row_ns = 100, ns = 0.3; // of a row that is in no cache, and of an element
  tutti_linalg_parallel(n, 1, row_ns + ns * (double)d->layout.n_features, gather_some,
                        &(gather_loop){d, which, rows, x});
}

static int64_t bytes_of_row(const tutti_dataset *d, tutti_rows which) {
  return d->layout.n_features * (int64_t)tutti_io_type_bytes(d->layout.parts[which].type);
}

int64_t tutti_dataset_n_prefetched(const tutti_dataset *d, tutti_rows which) {
#if defined(__GNUC__)
  enum { MOST = 1 << 18 }; // bytes
  return MOST / bytes_of_row(d, which);
#else
  (void)d, (void)which;
  return 0;
#endif
}

/** Into the caches behind the nearest one, which has other work until then. */
void tutti_dataset_prefetch(const tutti_dataset *d, tutti_rows which, const int64_t *rows, int64_t n) {
#if defined(__GNUC__)
  enum { SOON = 2 }; // a hint of the compiler: to the second cache
  const char *raw = tutti_dataset_x(d, which);
  const int64_t row_bytes = bytes_of_row(d, which);
  for (int64_t i = 0; i < n; i++)
    for (int64_t at = 0; at < row_bytes; at += CACHE_LINE)
      __builtin_prefetch(raw + rows[i] * row_bytes + at, 0, SOON);
#else
  (void)d, (void)which, (void)rows, (void)n;
#endif
}

/** Labels are floats in the window, and each class id below 2^24 is exact. */
void tutti_dataset_gather_classes(const tutti_dataset *d, tutti_rows which, const int64_t *rows, int64_t n,
                                  int32_t *classes) {
  const float *y = tutti_dataset_y(d, which);
  TUTTI_ASSERT(d->layout.n_targets == 1);
  for (int64_t i = 0; i < n; i++) classes[i] = (int32_t)y[rows[i]];
}

void tutti_dataset_gather_values(const tutti_dataset *d, tutti_rows which, const int64_t *rows, int64_t n,
                                 float *values) {
  const float *y = tutti_dataset_y(d, which);
  const int64_t width = d->layout.n_targets;
  for (int64_t i = 0; i < n; i++)
    for (int64_t k = 0; k < width; k++) values[i * width + k] = y[rows[i] * width + k];
}

void tutti_dataset_gather_weights(const tutti_dataset *d, const int64_t *rows, int64_t n, float *weights) {
  const float *w = tutti_dataset_weights(d);
  for (int64_t i = 0; i < n; i++) weights[i] = w[rows[i]];
}
