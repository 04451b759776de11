#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "checkpoint/checkpoint_impl.h"

/** A rename that was interrupted leaves one number free, a user who tidies up perhaps another. */
enum { MAX_GAP = 2 };

// --- is it whole?

static tutti_status read_table(const tutti_file *file, const char *name, int64_t n) {
  // A checksum is of a piece of whole records: one column reads and checks them all.
  const tutti_column column = {TUTTI_HISTORY_COLUMN, TUTTI_F64, 0};
  double *values = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(values, n));
  TUTTI_TRY_GOTO(done, tutti_table_read(file, name, &column, 1, sizeof *values, 0, n, values));
done:
  tutti_free(values);
  return status;
}

static tutti_status read_array(const tutti_file *file, const char *name, const tutti_array_shape *shape) {
  float *values = NULL;
  int64_t n = 1;
  tutti_status status = TUTTI_OK;
  for (int i = 0; i < shape->n_dims; i++) n *= shape->dims[i];
  TUTTI_TRY_GOTO(done, TUTTI_NEW(values, n));
  TUTTI_TRY_GOTO(
      done, tutti_file_read_rows(file, name, TUTTI_F32, 0, shape->n_dims > 0 ? shape->dims[0] : 1, values));
done:
  tutti_free(values);
  return status;
}

static tutti_status read_texts(const tutti_file *file, const char *name, const char *attribute) {
  char **texts = NULL;
  int n = 0;
  if (!tutti_file_has_attribute(file, name, attribute)) return TUTTI_OK;
  TUTTI_TRY(tutti_file_get_texts(file, name, attribute, &texts, &n));
  tutti_file_list_free(&texts, n);
  return TUTTI_OK;
}

static tutti_status read_whole(const tutti_file *file, const char *name, const tutti_array_shape *shape,
                               void *context) {
  (void)context;
  TUTTI_TRY(tutti_file_check_stored(file, name));
  TUTTI_TRY(read_texts(file, name, "names"));
  TUTTI_TRY(read_texts(file, name, "unit"));
  if (shape->type_class == TUTTI_CLASS_OTHER)
    TUTTI_TRY(read_table(file, name, shape->dims[0]));
  else
    TUTTI_TRY(read_array(file, name, shape));
  return TUTTI_OK;
}

/** Every byte that a resume will want is read once.  A file of ours is complete when it has its name, but a
 * disk may lose parts of it later, and better it is found out now, with the one before still there, than in
 * the middle of loading.  It costs one read of the file, which then is in the system's cache for the load
 * that follows. */
static tutti_status check_whole(const char *path) {
  tutti_checkpoint_info info;
  tutti_file *file = NULL;
  TUTTI_TRY(tutti_checkpoint_read_info(path, &info));
  const bool has_config = info.config[0];
  tutti_checkpoint_info_clear(&info);
  TUTTI_CHECK(has_config, TUTTI_ERR_DATA,
              "%s: the text of attribute 'config' is empty, expected the training's keys", path);
  TUTTI_TRY(tutti_checkpoint_open(path, &file));
  const tutti_status status = tutti_checkpoint_walk(file, "/", read_whole, NULL);
  tutti_file_close(&file);
  TUTTI_TRY(status);
  return TUTTI_OK;
}

// --- candidates

/** Newest first: checkpoint.h5, the one held while it is replaced, checkpoint.prev.h5, checkpoint.prev2.h5,
 * ... */
static bool candidate(const char *newest, int64_t i, tutti_path name) {
  return i == 1 ? tutti_held_name(newest, name) : tutti_rotated_name(newest, i > 1 ? i - 1 : 0, name);
}

typedef struct {
  int n;             // files that are there but not whole
  char reason[1024]; // of the newest of them
} damage;

static void note_damage(damage *found, const char *path) {
  if (found->n++ == 0) snprintf(found->reason, sizeof found->reason, "%s", tutti_fail_text());
  tutti_log(TUTTI_LOG_WARNING, "checkpoint %s is not whole (%s); looking for the one before it", path,
            tutti_fail_text());
}

/** *path stays NULL where there is none. */
static tutti_status find_whole(const char *newest, char **path, damage *found) {
  tutti_path name;
  for (int64_t i = 0, gap = 0; gap <= MAX_GAP; i++) {
    TUTTI_CHECK(candidate(newest, i, name), TUTTI_ERR_IO, "%s: the path is too long", newest);
    const tutti_status status = check_whole(name);
    if (status == TUTTI_OK) {
      *path = tutti_strdup(name);
      return *path ? TUTTI_OK : TUTTI_ERR_MEMORY;
    }
    // What the system keeps back may be whole: to go on from an older one would lose the newer for good.
    // What is missing may also be another file, which this one takes numbers from.
    const bool damaged = status == TUTTI_ERR_DATA || (status == TUTTI_ERR_MISSING && access(name, F_OK) == 0);
    if (damaged) note_damage(found, name);
    if (!damaged && status != TUTTI_ERR_MISSING) TUTTI_TRY(status);
    gap = damaged ? 0 : gap + 1;
  }
  return TUTTI_OK;
}

static tutti_status newest_name(const char *directory, tutti_path name) {
  const int length = snprintf(name, sizeof(tutti_path), "%s/checkpoint.h5", directory);
  TUTTI_CHECK(length < (int)sizeof(tutti_path), TUTTI_ERR_IO, "%s: the path is too long", directory);
  return TUTTI_OK;
}

tutti_status tutti_checkpoint_find(const char *directory, char **path) {
  tutti_path newest;
  damage found = {0, ""};
  *path = NULL;
  TUTTI_TRY(newest_name(directory, newest));
  TUTTI_TRY(find_whole(newest, path, &found));
  TUTTI_CHECK(*path || found.n == 0, TUTTI_ERR_DATA,
              "%s: of %d checkpoints none is whole; the newest: %s; to begin anew, move them away", directory,
              found.n, found.reason);
  return TUTTI_OK;
}
