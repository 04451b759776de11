#include <stdio.h>
#include <string.h>

#include "checkpoint/checkpoint_impl.h"

/** A group has no shape; what is neither a group nor an array fails at the list of its members. */
static tutti_status walk_member(const tutti_file *file, const char *name, tutti_visit visit, void *context) {
  tutti_array_shape shape;
  if (tutti_file_shape(file, name, &shape) == TUTTI_OK)
    TUTTI_TRY(visit(file, name, &shape, context));
  else
    TUTTI_TRY(tutti_checkpoint_walk(file, name, visit, context));
  return TUTTI_OK;
}

tutti_status tutti_checkpoint_walk(const tutti_file *file, const char *group, tutti_visit visit,
                                   void *context) {
  tutti_status status = TUTTI_OK;
  char **names = NULL;
  int n = 0;
  const char *slash = strcmp(group, "/") == 0 ? "" : "/";
  TUTTI_TRY_GOTO(done, tutti_file_list(file, group, &names, &n));
  for (int i = 0; i < n; i++) {
    char name[512];
    // Names of ours are far shorter; groups that hold each other end here, too.
    const int length = snprintf(name, sizeof name, "%s%s%s", group, slash, names[i]);
    TUTTI_CHECK_GOTO(done, length < (int)sizeof name, TUTTI_ERR_DATA,
                     "%s: the name %s... is too long for a checkpoint", tutti_file_path(file), name);
    TUTTI_TRY_GOTO(done, walk_member(file, name, visit, context));
  }
done:
  tutti_file_list_free(&names, n);
  return status;
}
