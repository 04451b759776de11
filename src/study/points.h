#pragma once
/** The settings of the keys that a branch varies but train.batch_size, which every batch size is tried with.  Local. */
#include "study/axis_values.h"

enum { TUTTI_MAX_TRIALS = 999999 }; // the curve of a trial is named by six digits

typedef struct {
  tutti_axis_values *columns; // [n_columns]
  int n_columns;
  int64_t n;
  int64_t *indices; // [n, n_columns] of the columns' values
} tutti_points;

/** Is this the axis of the batch sizes, which is none of the settings? */
bool tutti_axis_is_batch_size(const tutti_axis *axis);

/** They depend on nothing of the other branches.  A branch that varies no key has one setting, whatever the search.
 * @param[in] branch  0 of a study without branches
 * @return ERR_CONFIG a grid of too many settings; more settings wanted than there are */
TUTTI_NODISCARD
tutti_status tutti_points_create(const tutti_study_options *study, int branch, uint64_t seed,
                                 tutti_points *points);

/** Frees what they own; zeroes them. */
void tutti_points_clear(tutti_points *points);
