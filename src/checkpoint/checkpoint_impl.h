#pragma once
/** What the files of this room share; nobody else includes it. */
#include <limits.h>

#include "tutti/checkpoint.h"

enum { TUTTI_CHECKPOINT_FORMAT = 1 };

/** An attribute of the root that says which weights the network has, and what it says. */
#define TUTTI_WEIGHTS_ATTRIBUTE "weights"
#define TUTTI_WEIGHTS_AVERAGE   "average"

/** A column that every history has. */
#define TUTTI_HISTORY_COLUMN "step"

// --- load.c

/** Open for reading, and make sure that it is a checkpoint of a format this program knows.
 * @return ERR_MISSING; ERR_DATA; ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_open(const char *path, tutti_file **file);

// --- state.c: the state as attributes of the root

TUTTI_NODISCARD
tutti_status tutti_state_write(tutti_file *file, const tutti_checkpoint_state *state);
TUTTI_NODISCARD
tutti_status tutti_state_read(const tutti_file *file, tutti_checkpoint_state *state);

// --- rotate.c: names of the files before, and how they move on

typedef char tutti_path[PATH_MAX];

/** The name of the file before `path` by `age` saves: 0 path itself, 1 X.prev.h5, 2 X.prev2.h5, ...
 * False with errno ENAMETOOLONG where it does not fit. */
bool tutti_rotated_name(const char *path, int64_t age, tutti_path name);

/** The name under which the checkpoint before is held while a new one takes its place. */
bool tutti_held_name(const char *path, tutti_path name);

/** Give the file at `path` a second name, so that a new one can be renamed over it.  False with errno. */
bool tutti_rotate_hold(const char *path);

/** Make the held file X.prev.h5 where a new one stands at `path`, else put it back.  From any state that a
 * kill can leave, and twice is as once.  False with errno. */
bool tutti_rotate_settle(const char *path, int64_t keep);

/** Remove what is older than the newest `keep`.  False with errno. */
bool tutti_rotate_drop(const char *path, int64_t keep);

// --- walk.c

typedef tutti_status (*tutti_visit)(const tutti_file *file, const char *name, const tutti_array_shape *shape,
                                    void *context);

/** Call `visit` for each array and table below `group`, which exists, in order of name.
 * @return what the first failing visit gave; ERR_DATA where a member is damaged */
TUTTI_NODISCARD
tutti_status tutti_checkpoint_walk(const tutti_file *file, const char *group, tutti_visit visit,
                                   void *context);

/** The type of the view's numbers, in memory and in the file. */
static inline tutti_type tutti_view_type(const tutti_view *view) {
  return view->is_double ? TUTTI_F64 : TUTTI_F32;
}
