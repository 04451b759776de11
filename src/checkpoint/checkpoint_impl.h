#pragma once
/** Declarations that the files of this room share.  Private to this room and its tests. */
#include <limits.h>

#include "tutti/checkpoint.h"

enum { TUTTI_CHECKPOINT_FORMAT = 1 };

#define TUTTI_CHECKPOINT_WEIGHTS   "/model/weights"
#define TUTTI_CHECKPOINT_OPTIMIZER "/optimizer"

/** The attribute of the root that says which weights the network has, and its value for the average. */
#define TUTTI_WEIGHTS_ATTRIBUTE "weights"
#define TUTTI_WEIGHTS_AVERAGE   "average"

/** The type of the view's numbers, in memory and in the file. */
static inline tutti_type tutti_view_type(const tutti_view *view) {
  return view->is_double ? TUTTI_F64 : TUTTI_F32;
}

// --- open.c

/** Open for reading, and check that it is a checkpoint of a format that this program knows.
 * @param[out] file  NULL after a failure
 * @return ERR_MISSING; ERR_DATA; ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_open(const char *path, tutti_file **file);

/** Close a file after an operation.  @return the status of the operation */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_close(tutti_file **file, tutti_status status);

typedef tutti_status (*tutti_checkpoint_visit)(const tutti_file *file, const char *name,
                                               const tutti_array_shape *shape, void *context);

/** Call `visit` for each array and table below `group`, which exists, in order of name.
 * @return the first failure of `visit`; ERR_DATA a member is damaged */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_walk(const tutti_file *file, const char *group, tutti_checkpoint_visit visit,
                                   void *context);

/** Read a whole array, after a check that all its numbers were stored.
 * @param[in]  rows  length of the first dimension; 1 for a single number
 * @param[out] data  of `type` */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_read_array(const tutti_file *file, const char *name, tutti_type type,
                                         int64_t rows, void *data);

// --- state.c: the state as attributes of the root

TUTTI_NODISCARD
tutti_status tutti_checkpoint_write_state(tutti_file *file, const tutti_checkpoint_state *state);

/** @return ERR_DATA an attribute is missing, or no training could have written its value */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_read_state(const tutti_file *file, tutti_checkpoint_state *state);

// --- rotate.c: names of earlier checkpoints.  All functions return false with errno after a failure.

typedef char tutti_path[PATH_MAX];

/** The name of the checkpoint that is `age` saves older than `path`: 0 path itself, 1 X.prev.h5, 2 X.prev2.h5, ... */
bool tutti_checkpoint_rotated_name(const char *path, int64_t age, tutti_path name);

/** The second name of the last checkpoint while a new one replaces it. */
bool tutti_checkpoint_held_name(const char *path, tutti_path name);

/** Give the file at `path` its second name, so that a new one can be renamed to `path`. */
bool tutti_checkpoint_hold(const char *path);

/** Rename the held file to X.prev.h5 if there is a new one at `path`, else back to `path`.  It works from any state in
 * which a killed process leaves the files, and doing it twice changes nothing. */
bool tutti_checkpoint_settle(const char *path, int64_t keep);

/** Remove all but the newest `keep`. */
bool tutti_checkpoint_drop(const char *path, int64_t keep);
