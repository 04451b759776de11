/* The state of a training as attributes of the root, by one list of the members for writing and reading.  save.c and
 * info.c call it.  Reading checks each value, because a file may be damaged without a checksum that says so. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "checkpoint/checkpoint_impl.h"

/** No training counts that far, so a larger number is damage. */
#define MAX_COUNT (INT64_C(1) << 60)

#define DAMAGED "the file is damaged; continue from another checkpoint, or start a new run"

/** One member of the state; writing and reading share the list.  The seeds are apart, because they may exceed an
 * int64. */
typedef struct {
  const char *name;
  size_t offset;
  bool any;       // any value is possible; else it is a count or a time, which is at least 0
  int64_t max;    // of a count
  bool later;     // files of earlier versions lack it
  int64_t absent; // the value of an integer that the file lacks; a real number is then 0
} member;

#define AT(member)       .name = #member, .offset = offsetof(tutti_checkpoint_state, member)
#define IN(sums, member) .name = #sums "_" #member, .offset = offsetof(tutti_checkpoint_state, sums.member)
#define LENGTH(array)    (sizeof(array) / sizeof(array)[0])

static const member integers[] = {{AT(step), .max = MAX_COUNT},
                                  {AT(epoch), .max = MAX_COUNT},
                                  {AT(step_in_epoch), .max = MAX_COUNT},
                                  {AT(samples), .max = INT64_MAX},
                                  {AT(place), .max = INT64_MAX, .later = true, .absent = -1},
                                  {AT(returned_to), .max = INT64_MAX, .later = true},
                                  {AT(rule_from), .max = INT64_MAX, .later = true},
                                  {AT(from_step), .max = INT64_MAX, .later = true},
                                  {AT(from_place), .max = INT64_MAX, .later = true},
                                  {AT(from_samples), .max = INT64_MAX, .later = true},
                                  {AT(evaluations_since_best), .max = MAX_COUNT},
                                  {AT(data), .any = true},
                                  {AT(data_hash), .max = INT64_MAX, .later = true, .absent = -1},
                                  {AT(rollbacks), .max = MAX_COUNT, .later = true},
                                  {AT(weights_hash), .any = true, .later = true}};

static const member reals[] = {{AT(learning_rate), .later = true},
                               {AT(warmup_from), .any = true, .later = true},
                               {AT(rate_factor), .later = true},
                               {AT(seconds)},
                               {AT(best), .any = true},
                               {AT(plateau_best), .any = true, .later = true},
                               {AT(plateau_waited), .later = true},
                               {AT(plateau_cooling), .later = true},
                               {AT(plateau_drops), .later = true},
                               {AT(gained), .later = true},
                               {IN(gain_variance, sum), .later = true},
                               {IN(gain_variance, weight), .later = true},
                               {IN(gain_square, sum), .later = true},
                               {IN(gain_square, weight), .later = true},
                               {IN(in_epoch, samples)},
                               {IN(in_epoch, loss), .any = true},
                               {IN(in_epoch, metric), .any = true},
                               {IN(in_epoch, seconds)},
                               {IN(in_row, samples)},
                               {IN(in_row, loss), .any = true},
                               {IN(in_row, metric), .any = true},
                               {IN(in_row, seconds)}};

static const char split_seed[] = "split_seed";

/** HDF5 readers have signed integers, so a large seed is written as text. */
static tutti_status write_seed(tutti_file *file, const char *name, uint64_t seed) {
  char text[24];
  if (seed <= INT64_MAX) return tutti_file_set_integer(file, "/", name, (int64_t)seed);
  snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
  return tutti_file_set_text(file, "/", name, text);
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
  for (const member *one = integers; one < integers + LENGTH(integers); one++)
    TUTTI_TRY(tutti_file_set_integer(file, "/", one->name, *(const int64_t *)(base + one->offset)));
  for (const member *one = reals; one < reals + LENGTH(reals); one++)
    TUTTI_TRY(tutti_file_set_real(file, "/", one->name, *(const double *)(base + one->offset)));
  TUTTI_TRY(write_seed(file, "seed", state->seed));
  return write_seed(file, split_seed, state->split_seed);
}

static tutti_status read_integer(const tutti_file *file, const member *one, int64_t *value) {
  *value = one->absent;
  if (one->later && !tutti_file_has_attribute(file, "/", one->name)) return TUTTI_OK;
  TUTTI_TRY(tutti_file_get_integer(file, "/", one->name, value));
  TUTTI_CHECK(one->any || (*value >= 0 && *value <= one->max), TUTTI_ERR_DATA,
              "%s: the attribute '%s' is %" PRId64 ", expected a count from 0 to %" PRId64 ": " DAMAGED,
              tutti_file_path(file), one->name, *value, one->max);
  return TUTTI_OK;
}

static tutti_status read_real(const tutti_file *file, const member *one, double *value) {
  *value = 0;
  if (one->later && !tutti_file_has_attribute(file, "/", one->name)) return TUTTI_OK;
  TUTTI_TRY(tutti_file_get_real(file, "/", one->name, value));
  TUTTI_CHECK(one->any || (*value >= 0 && isfinite(*value)), TUTTI_ERR_DATA,
              "%s: the attribute '%s' is %g, expected a finite number that is at least 0: " DAMAGED,
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
                "%s: the attribute '%s' is %.0f and '%s' %.0f, expected no more than that: " DAMAGED,
                tutti_file_path(file), relations[i].part, relations[i].a, relations[i].whole, relations[i].b);
  return TUTTI_OK;
}

tutti_status tutti_checkpoint_read_state(const tutti_file *file, tutti_checkpoint_state *state) {
  char *base = (char *)state;
  for (const member *one = integers; one < integers + LENGTH(integers); one++)
    TUTTI_TRY(read_integer(file, one, (int64_t *)(base + one->offset)));
  for (const member *one = reals; one < reals + LENGTH(reals); one++)
    TUTTI_TRY(read_real(file, one, (double *)(base + one->offset)));
  TUTTI_TRY(read_seed(file, "seed", &state->seed));
  state->split_seed = state->seed;
  if (tutti_file_has_attribute(file, "/", split_seed))
    TUTTI_TRY(read_seed(file, split_seed, &state->split_seed));
  return check_relations(file, state);
}
