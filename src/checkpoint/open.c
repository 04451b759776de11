/* Opens a checkpoint, visits its arrays, and reads one of them, for info.c, load.c and find.c. */
#include <stdio.h>
#include <string.h>

#include "checkpoint/checkpoint_impl.h"

/** A newer version may have changed the format, and then this program must not guess. */
static tutti_status check_format(const tutti_file *file) {
  const char *path = tutti_file_path(file);
  int64_t format = 0;
  TUTTI_CHECK(tutti_file_has_attribute(file, "/", "format") && tutti_file_has_attribute(file, "/", "step"),
              TUTTI_ERR_DATA,
              "%s: is not a checkpoint of tutti: its root has no attributes 'format' and 'step'", path);
  TUTTI_TRY(tutti_file_get_integer(file, "/", "format", &format));
  TUTTI_CHECK(format >= 1, TUTTI_ERR_DATA, "%s: is a checkpoint of format %lld, expected 1 or more", path,
              (long long)format);
  TUTTI_CHECK(format <= TUTTI_CHECKPOINT_FORMAT, TUTTI_ERR_NEWER,
              "%s: is a checkpoint of format %lld, tutti %s reads formats up to %d; use a newer tutti", path,
              (long long)format, TUTTI_VERSION, TUTTI_CHECKPOINT_FORMAT);
  return TUTTI_OK;
}

tutti_status tutti_checkpoint_open(const char *path, tutti_file **file) {
  TUTTI_TRY(tutti_file_open(path, file));
  const tutti_status status = check_format(*file);
  if (status != TUTTI_OK) tutti_file_close(file);
  return status;
}

tutti_status tutti_checkpoint_close(tutti_file **file, tutti_status status) {
  tutti_file_close(file);
  return status;
}

/** Only an array has a shape.  A member that is neither an array nor a group fails when its own members are listed. */
static tutti_status walk_member(const tutti_file *file, const char *name, tutti_checkpoint_visit visit,
                                void *context) {
  tutti_array_shape shape;
  return tutti_file_shape(file, name, &shape) == TUTTI_OK ? visit(file, name, &shape, context)
                                                          : tutti_checkpoint_walk(file, name, visit, context);
}

tutti_status tutti_checkpoint_walk(const tutti_file *file, const char *group, tutti_checkpoint_visit visit,
                                   void *context) {
  tutti_status status = TUTTI_OK;
  tutti_texts names = {0};
  const char *slash = strcmp(group, "/") == 0 ? "" : "/";
  TUTTI_TRY_GOTO(done, tutti_file_list(file, group, &names));
  for (int i = 0; i < names.n; i++) {
    char name[512];
    // Our own names are far shorter.  Groups that contain each other also end here.
    const int length = snprintf(name, sizeof name, "%s%s%s", group, slash, names.list[i]);
    TUTTI_CHECK_GOTO(done, length < (int)sizeof name, TUTTI_ERR_DATA,
                     "%s: the name %s... is too long for a checkpoint", tutti_file_path(file), name);
    TUTTI_TRY_GOTO(done, walk_member(file, name, visit, context));
  }
done:
  tutti_texts_clear(&names);
  return status;
}

/** Another program may have lost numbers of the file, and HDF5 reads these as zeros. */
tutti_status tutti_checkpoint_read_array(const tutti_file *file, const char *name, tutti_type type,
                                         int64_t rows, void *data) {
  TUTTI_TRY(tutti_file_check_stored(file, name));
  return tutti_file_read_rows(file, name, type, 0, rows, data);
}
