#pragma once
/** A small checkpoint all of whose numbers are its step: mixed content shows. */
#include "tutti/checkpoint.h"

enum { FIXTURE_VIEWS = 5, FIXTURE_WEIGHTS = 2, FIXTURE_NUMBERS = 64 };

/** The history's records. */
typedef struct {
  int64_t step;
  double loss;
} fixture_row;

typedef struct {
  float numbers[FIXTURE_VIEWS][FIXTURE_NUMBERS];
  tutti_view views[FIXTURE_VIEWS]; // the first FIXTURE_WEIGHTS are the model's
} fixture;

extern const tutti_table_layout fixture_layout;

/** Views of a model and an optimizer slot, and of the input's scaling; all numbers are `value`. */
void fixture_fill(fixture *f, float value);

/** Save at `path` as after `step` updates, with `step` rows of history. */
TUTTI_NODISCARD
tutti_status fixture_save(const char *path, int64_t step, int64_t keep);

/** Load all of `path` and fail the test unless everything in it is of one step, which is returned. */
int64_t fixture_load(const char *path);

/** fixture_load of what tutti_checkpoint_find finds in a folder; -1: nothing. */
int64_t fixture_find(const char *folder);
