/* The state of a training as attributes of the root, by one list of the members for writing and reading.  save.c and info.c call
 * it.  Reading checks each value, because a file may be damaged without a checksum that says so. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint/checkpoint_impl.h"

/** No training counts that far, so a larger number is damage. */
#define MAX_COUNT (INT64_C(1) << 60)

/** One member of the state; writing and reading share the list.  The seeds are apart, because they may exceed an int64. */
typedef struct {
  const char *name;
  size_t offset;
  bool any;    // any value is possible; else it is a count or a time, which is at least 0
  int64_t max; // of a count
  bool later;  // files of earlier versions lack it
} member;

#define COUNT(name, max)                                                                                     \
  { #name, offsetof(tutti_checkpoint_state, name), false, max, false }
#define MEMBER(name)                                                                                         \
  { #name, offsetof(tutti_checkpoint_state, name), true, 0, false }
#define TIME(name)                                                                                           \
  { #name, offsetof(tutti_checkpoint_state, name), false, 0, false }
#define LATER_COUNT(name)                                                                                    \
  { #name, offsetof(tutti_checkpoint_state, name), false, INT64_MAX, true }
#define LATER_TIME(name)                                                                                     \
  { #name, offsetof(tutti_checkpoint_state, name), false, 0, true }
#define LATER_MEMBER(name)                                                                                   \
  { #name, offsetof(tutti_checkpoint_state, name), true, 0, true }
#define PLATEAU(name, any)                                                                                   \
  { "plateau_" #name, offsetof(tutti_checkpoint_state, plateau_##name), any, 0, true }
#define SUM(sums, name, any)                                                                                 \
  { #sums "_" #name, offsetof(tutti_checkpoint_state, sums.name), any, 0, false }
#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static const member integers[] = {COUNT(step, MAX_COUNT),
                                  COUNT(epoch, MAX_COUNT),
                                  COUNT(step_in_epoch, MAX_COUNT),
                                  COUNT(samples, INT64_MAX),
                                  LATER_COUNT(place),
                                  LATER_COUNT(returned_to),
                                  LATER_COUNT(rule_from),
                                  LATER_COUNT(from_step),
                                  LATER_COUNT(from_place),
                                  LATER_COUNT(from_samples),
                                  COUNT(evaluations_since_best, MAX_COUNT),
                                  MEMBER(data),
                                  LATER_COUNT(data_hash),
                                  LATER_MEMBER(weights_hash)};

static const member reals[] = {LATER_TIME(learning_rate),
                               LATER_MEMBER(warmup_from),
                               TIME(seconds),
                               MEMBER(best),
                               PLATEAU(best, true),
                               PLATEAU(waited, false),
                               PLATEAU(cooling, false),
                               PLATEAU(drops, false),
                               LATER_TIME(gained),
                               LATER_TIME(gain_variance_sum),
                               LATER_TIME(gain_variance_weight),
                               LATER_TIME(gain_square_sum),
                               LATER_TIME(gain_square_weight),
                               SUM(in_epoch, samples, false),
                               SUM(in_epoch, loss, true),
                               SUM(in_epoch, metric, true),
                               SUM(in_epoch, seconds, false),
                               SUM(in_row, samples, false),
                               SUM(in_row, loss, true),
                               SUM(in_row, metric, true),
                               SUM(in_row, seconds, false)};

static const char split_seed[] = "split_seed";

/** HDF5 readers have signed integers, so a large seed is written as text. */
static tutti_status write_seed(tutti_file *file, const char *name, uint64_t seed) {
  char text[24];
  if (seed <= INT64_MAX) {
    TUTTI_TRY(tutti_file_set_integer(file, "/", name, (int64_t)seed));
  } else {
    snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
    TUTTI_TRY(tutti_file_set_text(file, "/", name, text));
  }
  return TUTTI_OK;
}

static tutti_status parse_seed(const tutti_file *file, const char *name, const char *text, uint64_t *seed) {
  char *end = NULL;
  errno = 0;
  *seed = strtoull(text, &end, 10);
  TUTTI_CHECK(end != text && *end == '\0' && errno == 0, TUTTI_ERR_DATA,
              "%s: the attribute '%s' is '%s', expected a whole number below 2^64", tutti_file_path(file),
              name, text);
  return TUTTI_OK;
}

/** A seed is an integer or a text, see write_seed. */
static tutti_status read_seed(const tutti_file *file, const char *name, uint64_t *seed) {
  int64_t integer = 0;
  if (tutti_file_get_integer(file, "/", name, &integer) == TUTTI_OK) {
    *seed = (uint64_t)integer;
    return TUTTI_OK;
  }
  char *text = NULL;
  TUTTI_TRY(tutti_file_get_text(file, "/", name, &text));
  const tutti_status status = parse_seed(file, name, text, seed);
  tutti_free(text);
  return status;
}

tutti_status tutti_checkpoint_write_state(tutti_file *file, const tutti_checkpoint_state *state) {
  const char *base = (const char *)state;
  for (size_t i = 0; i < LENGTH(integers); i++) {
    int64_t value;
    memcpy(&value, base + integers[i].offset, sizeof value);
    TUTTI_TRY(tutti_file_set_integer(file, "/", integers[i].name, value));
  }
  for (size_t i = 0; i < LENGTH(reals); i++) {
    double value;
    memcpy(&value, base + reals[i].offset, sizeof value);
    TUTTI_TRY(tutti_file_set_real(file, "/", reals[i].name, value));
  }
  TUTTI_TRY(write_seed(file, "seed", state->seed));
  return write_seed(file, split_seed, state->split_seed);
}

/** A member that the file lacks is 0, or -1 if it is a count that may be unknown. */
static tutti_status read_integer(const tutti_file *file, const member *one, int64_t *value) {
  *value = one->any ? 0 : -1;
  if (one->later && !tutti_file_has_attribute(file, "/", one->name)) return TUTTI_OK;
  TUTTI_TRY(tutti_file_get_integer(file, "/", one->name, value));
  TUTTI_CHECK(one->any || (*value >= 0 && *value <= one->max), TUTTI_ERR_DATA,
              "%s: the attribute '%s' is %" PRId64 ", expected a count from 0 to %" PRId64
              ": the file is damaged; continue from another checkpoint, or start a new run",
              tutti_file_path(file), one->name, *value, one->max);
  return TUTTI_OK;
}

static tutti_status read_real(const tutti_file *file, const member *one, double *value) {
  if (one->later && !tutti_file_has_attribute(file, "/", one->name)) return TUTTI_OK;
  TUTTI_TRY(tutti_file_get_real(file, "/", one->name, value));
  TUTTI_CHECK(one->any || (*value >= 0 && isfinite(*value)), TUTTI_ERR_DATA,
              "%s: the attribute '%s' is %g, expected a finite number that is at least 0: the file is "
              "damaged; continue from another checkpoint, or start a new run",
              tutti_file_path(file), one->name, *value);
  return TUTTI_OK;
}

/** Each step has at least one sample, and so has each epoch.  A part is not more than the whole. */
static tutti_status check_relations(const tutti_file *file, const tutti_checkpoint_state *state) {
  const double samples = (double)state->samples;
  const struct {
    const char *part, *whole;
    double a, b;
  } relations[] = {{"step_in_epoch", "step", (double)state->step_in_epoch, (double)state->step},
                   {"step", "samples", (double)state->step, samples},
                   {"rule_from", "step", (double)state->rule_from, (double)state->step},
                   {"from_step", "step", (double)state->from_step, (double)state->step},
                   {"from_samples", "samples", (double)state->from_samples, samples},
                   {"epoch", "samples", (double)state->epoch, samples},
                   {"in_epoch_samples", "samples", state->in_epoch.samples, samples},
                   {"in_row_samples", "samples", state->in_row.samples, samples}};
  for (size_t i = 0; i < LENGTH(relations); i++)
    TUTTI_CHECK(relations[i].a <= relations[i].b, TUTTI_ERR_DATA,
                "%s: the attribute '%s' is %.0f and '%s' %.0f, expected no more than that: the file is "
                "damaged; continue from another checkpoint, or start a new run",
                tutti_file_path(file), relations[i].part, relations[i].a, relations[i].whole, relations[i].b);
  return TUTTI_OK;
}

tutti_status tutti_checkpoint_read_state(const tutti_file *file, tutti_checkpoint_state *state) {
  char *base = (char *)state;
  for (size_t i = 0; i < LENGTH(integers); i++) {
    int64_t value = 0;
    TUTTI_TRY(read_integer(file, &integers[i], &value));
    memcpy(base + integers[i].offset, &value, sizeof value);
  }
  for (size_t i = 0; i < LENGTH(reals); i++) {
    double value = 0;
    TUTTI_TRY(read_real(file, &reals[i], &value));
    memcpy(base + reals[i].offset, &value, sizeof value);
  }
  TUTTI_TRY(read_seed(file, "seed", &state->seed));
  // Files of earlier versions lack these, which means 0.
  int64_t *const zero_if_absent[] = {&state->returned_to, &state->rule_from, &state->from_step,
                                     &state->from_place, &state->from_samples};
  for (size_t i = 0; i < LENGTH(zero_if_absent); i++)
    if (*zero_if_absent[i] < 0) *zero_if_absent[i] = 0;
  state->split_seed = state->seed;
  if (tutti_file_has_attribute(file, "/", split_seed))
    TUTTI_TRY(read_seed(file, split_seed, &state->split_seed));
  return check_relations(file, state);
}
