/* Finds the newest complete checkpoint of a run directory.  A damaged one is skipped with a warning, and so is one that
 * the caller cannot use.  One that the system cannot read, or that a newer program has written, ends the search, because
 * the run would otherwise lose it.
 * Resume calls it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "checkpoint/checkpoint_impl.h"

/** An interrupted rename leaves one number unused, and a user who tidies up perhaps another. */
enum { MAX_GAP = 2 };

// --- whether a file is complete

static tutti_status read_table(const tutti_file *file, const char *name, int64_t n) {
  // A checksum covers whole records, so reading one column, which every history has, checks all of them.
  const tutti_column column = {"step", TUTTI_F64, 0};
  double *values = NULL;
  TUTTI_TRY(TUTTI_NEW(values, n));
  const tutti_status status = tutti_table_read(file, name, &column, 1, sizeof *values, 0, n, values);
  tutti_free(values);
  return status;
}

static tutti_status read_array(const tutti_file *file, const char *name, const tutti_array_shape *shape) {
  const int64_t rows = shape->n_dims > 0 ? shape->dims[0] : 1;
  float *values = NULL;
  int64_t n = 1;
  for (int i = 0; i < shape->n_dims; i++) n *= shape->dims[i];
  TUTTI_TRY(TUTTI_NEW(values, n));
  const tutti_status status = tutti_file_read_rows(file, name, TUTTI_F32, 0, rows, values);
  tutti_free(values);
  return status;
}

/** Reading a text compares its checksum. */
static tutti_status read_texts(const tutti_file *file, const char *name, const char *attribute) {
  tutti_texts texts;
  if (!tutti_file_has_attribute(file, name, attribute)) return TUTTI_OK;
  TUTTI_TRY(tutti_file_get_texts(file, name, attribute, &texts));
  tutti_texts_clear(&texts);
  return TUTTI_OK;
}

/** Read one array or table with its texts; any damage is a failure. */
static tutti_status read_whole(const tutti_file *file, const char *name, const tutti_array_shape *shape,
                               void *context) {
  (void)context;
  TUTTI_TRY(tutti_file_check_stored(file, name));
  TUTTI_TRY(read_texts(file, name, "names"));
  TUTTI_TRY(read_texts(file, name, "unit"));
  const bool is_table = shape->type_class == TUTTI_CLASS_OTHER;
  return is_table ? read_table(file, name, shape->dims[0]) : read_array(file, name, shape);
}

/** Read every byte that a resume needs.  A checkpoint is complete when it gets its name, but a disk may lose parts of
 * it later.  It is better to find this out now, while the checkpoint before it is still there, than in the middle of
 * loading.  The cost is one read of the file, which is then in the system's cache for the load. */
static tutti_status check_whole(const char *path) {
  tutti_checkpoint_info info;
  tutti_file *file = NULL;
  TUTTI_TRY(tutti_checkpoint_read_info(path, &info));
  const bool has_config = info.config[0];
  tutti_checkpoint_info_clear(&info);
  TUTTI_CHECK(has_config, TUTTI_ERR_DATA,
              "%s: the text of attribute 'config' is empty, expected the training's keys", path);
  TUTTI_TRY(tutti_checkpoint_open(path, &file));
  return tutti_checkpoint_close(&file, tutti_checkpoint_walk(file, "/", read_whole, NULL));
}

// --- candidates

/** Names from the newest to the oldest: checkpoint.h5, the one that is held while a new one replaces it,
 * checkpoint.prev.h5, checkpoint.prev2.h5, ... */
static bool candidate(const char *newest, int64_t i, tutti_path name) {
  return i == 1 ? tutti_checkpoint_held_name(newest, name)
                : tutti_checkpoint_rotated_name(newest, i > 1 ? i - 1 : 0, name);
}

typedef struct {
  int n;             // files that exist but are not complete
  char reason[1024]; // of the newest of them
} damage;

static void note_damage(damage *found, const char *path) {
  if (found->n++ == 0) snprintf(found->reason, sizeof found->reason, "%s", tutti_fail_text());
  tutti_log(TUTTI_LOG_WARNING, "checkpoint %s is not complete (%s); looking for the one before it", path,
            tutti_fail_text());
}

/** What the caller thinks of a complete checkpoint. */
typedef struct {
  tutti_checkpoint_judge function; // NULL: each will do
  void *context;
} criterion;

static tutti_status check(const criterion *judge, const char *path) {
  TUTTI_TRY(check_whole(path));
  return judge->function ? judge->function(judge->context, path) : TUTTI_OK;
}

/** Whether a file that failed its check is to be passed over.  The missing file may also be another one, from which this
 * one takes numbers. */
static bool is_damaged(const char *path, tutti_status status) {
  return status == TUTTI_ERR_DATA || (status == TUTTI_ERR_MISSING && access(path, F_OK) == 0);
}

/** @param[in,out] path  stays NULL if there is none */
static tutti_status find_whole(const char *newest, const criterion *judge, char **path, damage *found) {
  tutti_path name;
  for (int64_t i = 0, gap = 0; gap <= MAX_GAP; i++) {
    TUTTI_CHECK(candidate(newest, i, name), TUTTI_ERR_IO, "%s: the path is too long", newest);
    const tutti_status status = check(judge, name);
    if (status == TUTTI_OK) {
      *path = tutti_strdup(name);
      return *path ? TUTTI_OK : TUTTI_ERR_MEMORY;
    }
    const bool damaged = is_damaged(name, status);
    if (damaged) note_damage(found, name);
    if (!damaged && status != TUTTI_ERR_MISSING) TUTTI_TRY(status);
    gap = damaged ? 0 : gap + 1;
  }
  return TUTTI_OK;
}

tutti_status tutti_checkpoint_find(const char *directory, char **path) {
  return tutti_checkpoint_find_usable(directory, NULL, NULL, path);
}

tutti_status tutti_checkpoint_find_usable(const char *directory, tutti_checkpoint_judge function,
                                          void *context, char **path) {
  tutti_path newest;
  damage found = {0, ""};
  *path = NULL;
  const int length = snprintf(newest, sizeof newest, "%s/checkpoint.h5", directory);
  TUTTI_CHECK(length < (int)sizeof newest, TUTTI_ERR_IO, "%s: the path is too long", directory);
  TUTTI_TRY(find_whole(newest, &(criterion){function, context}, path, &found));
  TUTTI_CHECK(
      *path || found.n == 0, TUTTI_ERR_DATA,
      "%s: none of the %d checkpoints is complete; the newest: %s; to start a new run, move them away",
      directory, found.n, found.reason);
  return TUTTI_OK;
}
