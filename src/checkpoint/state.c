#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint/checkpoint_impl.h"

/** One list for both directions.  The seed goes its own way: it may exceed an int64. */
typedef struct {
  const char *name;
  size_t offset;
} member;

#define MEMBER(name)                                                                                         \
  { #name, offsetof(tutti_checkpoint_state, name) }
#define SUM(sums, name)                                                                                      \
  { #sums "_" #name, offsetof(tutti_checkpoint_state, sums.name) }
#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static const member integers[] = {
    MEMBER(step), MEMBER(epoch), MEMBER(step_in_epoch), MEMBER(samples), MEMBER(evaluations_since_best),
    MEMBER(data)};

static const member reals[] = {MEMBER(seconds),      MEMBER(best),          SUM(in_epoch, samples),
                               SUM(in_epoch, loss),  SUM(in_epoch, metric), SUM(in_epoch, seconds),
                               SUM(in_row, samples), SUM(in_row, loss),     SUM(in_row, metric),
                               SUM(in_row, seconds)};

static tutti_status write_seed(tutti_file *file, uint64_t seed) {
  char text[24];
  if (seed <= INT64_MAX) {
    TUTTI_TRY(tutti_file_set_integer(file, "/", "seed", (int64_t)seed));
  } else {
    snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
    TUTTI_TRY(tutti_file_set_text(file, "/", "seed", text));
  }
  return TUTTI_OK;
}

static tutti_status parse_seed(const tutti_file *file, const char *text, uint64_t *seed) {
  char *end = NULL;
  errno = 0;
  *seed = strtoull(text, &end, 10);
  TUTTI_CHECK(end != text && *end == '\0' && errno == 0, TUTTI_ERR_DATA,
              "%s: the attribute 'seed' is '%s', expected a whole number below 2^64", tutti_file_path(file),
              text);
  return TUTTI_OK;
}

static tutti_status read_seed(const tutti_file *file, uint64_t *seed) {
  int64_t integer = 0;
  if (tutti_file_get_integer(file, "/", "seed", &integer) == TUTTI_OK) {
    *seed = (uint64_t)integer;
    return TUTTI_OK;
  }
  char *text = NULL;
  TUTTI_TRY(tutti_file_get_text(file, "/", "seed", &text));
  const tutti_status status = parse_seed(file, text, seed);
  tutti_free(text);
  TUTTI_TRY(status);
  return TUTTI_OK;
}

tutti_status tutti_state_write(tutti_file *file, const tutti_checkpoint_state *state) {
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
  TUTTI_TRY(write_seed(file, state->seed));
  return TUTTI_OK;
}

tutti_status tutti_state_read(const tutti_file *file, tutti_checkpoint_state *state) {
  char *base = (char *)state;
  for (size_t i = 0; i < LENGTH(integers); i++) {
    int64_t value = 0;
    TUTTI_TRY(tutti_file_get_integer(file, "/", integers[i].name, &value));
    memcpy(base + integers[i].offset, &value, sizeof value);
  }
  for (size_t i = 0; i < LENGTH(reals); i++) {
    double value = 0;
    TUTTI_TRY(tutti_file_get_real(file, "/", reals[i].name, &value));
    memcpy(base + reals[i].offset, &value, sizeof value);
  }
  TUTTI_TRY(read_seed(file, &state->seed));
  return TUTTI_OK;
}
