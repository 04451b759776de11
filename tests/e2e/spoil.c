/** Files that announce more than they have, or what cannot be.
 *
 *   e2e_spoil config CHECKPOINT FROM TO     replaces a part of the config, with its checksum
 *   e2e_spoil integer FILE ATTRIBUTE VALUE  sets an attribute of the root
 *   e2e_spoil text FILE ATTRIBUTE VALUE     the same
 *   e2e_spoil rows FILE                     a data set of 2^31 rows that were never written */
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tutti/io.h"

static tutti_status replace(tutti_file *file, const char *from, const char *to) {
  char *text = NULL, changed[1 << 16];
  TUTTI_TRY(tutti_file_get_text(file, "/", "config", &text));
  const char *at = strstr(text, from);
  if (at) snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
  tutti_free(text);
  TUTTI_CHECK(at, TUTTI_ERR_DATA, "the config has no '%s'", from);
  return tutti_file_set_text(file, "/", "config", changed);
}

static tutti_status change(int argc, char **argv) {
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_CHECK(argc == 5, TUTTI_ERR_USAGE, "config, integer or text FILE A B");
  TUTTI_TRY_GOTO(done, tutti_file_update(argv[2], &file));
  if (strcmp(argv[1], "config") == 0)
    TUTTI_TRY_GOTO(done, replace(file, argv[3], argv[4]));
  else if (strcmp(argv[1], "text") == 0)
    TUTTI_TRY_GOTO(done, tutti_file_set_text(file, "/", argv[3], argv[4]));
  else
    TUTTI_TRY_GOTO(done, tutti_file_set_integer(file, "/", argv[3], strtoll(argv[4], NULL, 10)));
  TUTTI_TRY_GOTO(done, tutti_file_commit(&file));
done:
  tutti_file_close(&file);
  return status;
}

/** tutti_file_create_array does not write. */
static tutti_status make_rows(const char *path) {
  const int64_t dims[] = {INT64_C(1) << 31, 1};
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_file_create(path, &file));
  TUTTI_TRY_GOTO(done, tutti_file_create_array(file, "x_train", TUTTI_U8, 2, dims, 0));
  TUTTI_TRY_GOTO(done, tutti_file_create_array(file, "y_train", TUTTI_U8, 1, dims, 0));
  TUTTI_TRY_GOTO(done, tutti_file_commit(&file));
done:
  tutti_file_close(&file);
  return status;
}

int main(int argc, char **argv) {
  const tutti_status status =
      argc == 3 && strcmp(argv[1], "rows") == 0 ? make_rows(argv[2]) : change(argc, argv);
  if (status != TUTTI_OK) fprintf(stderr, "e2e_spoil: %s\n", tutti_fail_text());
  return tutti_status_exit(status);
}
