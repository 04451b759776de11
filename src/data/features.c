/* The kinds of numbers that features are (bytes, bytes / 255, whole numbers, others), and the scaling of rows of
 * another kind than the training rows: the same picture, stored as bytes or as bytes / 255, gives the same input of
 * the network.  Opening and scaling call it. */
#include <math.h>

#include "base/clones.h"
#include "base/log.h"
#include "data/dataset_impl.h"

const char *const tutti_data_features_names[TUTTI_N_FEATURES] = {
    "unknown",         "numbers",    "bytes", "bytes 0 and 1", "whole numbers 0 to 255",
    "numbers 0 and 1", "bytes / 255"};

// --- finding the kind

enum { BLOCK = 1024 }; // values to look at before a verdict may end the search

/** Whether all values so far are 0 or 1 (bits), whole numbers from 0 to 255 (whole), or whole numbers / 255 (parts). */
typedef struct {
  int bits, whole, parts;
} verdict;

/** Tolerance of 255 * part, for parts that were rounded to a float. */
#define PART_TOLERANCE 1e-3

/** The nearest whole number, if it is below 2^51: no digit behind the point fits beside 2^52.  The loop below then has
 * no branches and no limits, so the compiler vectorises it. */
#define ROUNDED(x) ((x) + 0x1.8p52 - 0x1.8p52)

#define DEFINE_LOOK(NAME, RAW)                                                                               \
  TUTTI_CLONES static void NAME(const void *from, int64_t n, verdict *v) {                                   \
    const RAW *restrict x = from;                                                                            \
    int bits = 1, whole = 1, parts = 1, bytes = 1, below = 1;                                                \
    for (int64_t i = 0; i < n; i++) {                                                                        \
      const double value = (double)x[i], part = 255 * value;                                                 \
      bits &= value == 0 || value == 1;                                                                      \
      whole &= value == ROUNDED(value);                                                                      \
      parts &= fabs(part - ROUNDED(part)) <= PART_TOLERANCE;                                                 \
      bytes &= value >= 0 && value <= 255;                                                                   \
      below &= value <= 1;                                                                                   \
    }                                                                                                        \
    v->bits &= bits;                                                                                         \
    v->whole &= whole & bytes;                                                                               \
    v->parts &= parts & bytes & below;                                                                       \
  }
DEFINE_LOOK(look_u8, uint8_t)
DEFINE_LOOK(look_f32, float)
DEFINE_LOOK(look_f64, double)

/** Look at the numbers of one part.  Most data need one block, because the search ends when no kind is left. */
static tutti_features features_of(const tutti_dataset *d, tutti_rows which) {
  const tutti_part *part = &d->layout.parts[which];
  const int64_t n = part->n * d->layout.n_features;
  const bool bytes = part->type == TUTTI_U8;
  const char *x = tutti_dataset_x(d, which);
  const int64_t unit = (int64_t)tutti_io_type_bytes(part->type);
  verdict v = {1, 1, 1};
  if (n == 0) return TUTTI_FEATURES_UNKNOWN;
  for (int64_t at = 0; at < n && (bytes ? v.bits : v.whole || v.parts); at += BLOCK)
    TUTTI_CALL_FOR_TYPE(part->type, look, x + at * unit, n - at < BLOCK ? n - at : BLOCK, &v);
  if (bytes) return v.bits ? TUTTI_FEATURES_BYTE_BITS : TUTTI_FEATURES_BYTES;
  if (v.bits) return TUTTI_FEATURES_BITS;
  if (v.whole) return TUTTI_FEATURES_WHOLE;
  return v.parts ? TUTTI_FEATURES_PARTS : TUTTI_FEATURES_NUMBERS;
}

/** Rank 0 decides for all, so that no rank scales its rows in another way. */
tutti_status tutti_dataset_find_features(tutti_dataset *d) {
  tutti_features found[TUTTI_N_ROWS] = {0};
  for (tutti_rows which = 0; tutti_comm_rank(d->comm) == 0 && which < TUTTI_N_ROWS; which++)
    found[which] = features_of(d, which);
  TUTTI_TRY(tutti_comm_bcast(d->comm, 0, found, sizeof found));
  for (tutti_rows which = 0; which < TUTTI_N_ROWS; which++) d->layout.parts[which].features = found[which];
  return TUTTI_OK;
}

// --- the scale of the rows trained on

static bool are_bytes(tutti_features features) {
  return features == TUTTI_FEATURES_BYTES || features == TUTTI_FEATURES_BYTE_BITS;
}

/** The factor by which numbers of the kind `other`, which are not bytes, become the numbers of the kind `bytes`; 0: it
 * is not known. */
static double unit_of(tutti_features other, tutti_features bytes) {
  const bool bits = bytes == TUTTI_FEATURES_BYTE_BITS;
  if (other == TUTTI_FEATURES_WHOLE || (other == TUTTI_FEATURES_BITS && bits)) return 1;
  return other == TUTTI_FEATURES_PARTS && !bits ? UINT8_MAX : 0;
}

static tutti_status fail_types(const tutti_dataset *d, tutti_rows which) {
  const tutti_features own = d->layout.parts[which].features;
  TUTTI_FAIL(TUTTI_ERR_DATA,
             "%s: array '%s' contains %s, but the network is trained on rows of %s, and the relation between "
             "the two "
             "is not known; expected the type of the training rows, or for bytes also whole numbers 0 to "
             "255 or such numbers / 255: store both in one type",
             d->file, d->x_name[which], tutti_data_features_names[own],
             tutti_data_features_names[d->trained_on]);
}

/** Find the factor by which a number of the part becomes a number of the training rows.
 * @return ERR_DATA it is not known */
static tutti_status find_unit(const tutti_dataset *d, tutti_rows which, double *unit) {
  const tutti_features own = d->layout.parts[which].features, trained_on = d->trained_on;
  *unit = 1;
  if (own == TUTTI_FEATURES_UNKNOWN || trained_on == TUTTI_FEATURES_UNKNOWN) return TUTTI_OK;
  if (are_bytes(own) == are_bytes(trained_on)) return TUTTI_OK;
  const double found = are_bytes(own) ? unit_of(trained_on, own) : unit_of(own, trained_on);
  if (found == 0) return fail_types(d, which);
  *unit = are_bytes(own) ? 1 / found : found;
  return TUTTI_OK;
}

/** A part of another kind gets its own shift and factor: (unit * raw - shift) * factor, written for the raw numbers. */
static tutti_status adapt_part(tutti_dataset *d, tutti_rows which) {
  const int64_t n = d->layout.n_features;
  double unit = 1;
  tutti_free(d->own_scaling[which]);
  d->own_scaling[which] = NULL;
  TUTTI_TRY(find_unit(d, which, &unit));
  if (unit == 1) return TUTTI_OK;
  TUTTI_TRY(TUTTI_NEW(d->own_scaling[which], 2 * n));
  for (int64_t j = 0; j < d->n_scaling; j++) {
    d->own_scaling[which][j] = d->shift[j] / unit;
    d->own_scaling[which][n + j] = d->factor[j] * unit;
  }
  return TUTTI_OK;
}

tutti_status tutti_dataset_adapt_scaling(tutti_dataset *d) {
  for (tutti_rows which = 0; which < TUTTI_N_ROWS; which++) TUTTI_TRY(adapt_part(d, which));
  return TUTTI_OK;
}

/** Whether one is the other / 255. */
static bool are_far_apart(tutti_features a, tutti_features b) {
  return (a == TUTTI_FEATURES_WHOLE && b == TUTTI_FEATURES_PARTS) ||
         (a == TUTTI_FEATURES_PARTS && b == TUTTI_FEATURES_WHOLE);
}

/** The text appears once per job, because each trial of a study would repeat it. */
void tutti_dataset_warn_features(const tutti_dataset *d, tutti_features trained_on) {
  for (tutti_rows which = 0; which < TUTTI_N_ROWS; which++) {
    const tutti_features own = d->layout.parts[which].features;
    if (are_far_apart(own, trained_on))
      tutti_log_once(
          TUTTI_LOG_WARNING,
          "%s: array '%s' contains %s, but the network is trained on %s, and as neither are stored "
          "as bytes they "
          "are taken as they are: if both mean the same, store them in one scale",
          d->file, d->x_name[which], tutti_data_features_names[own], tutti_data_features_names[trained_on]);
  }
}
