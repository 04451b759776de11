#include "cli/config_file.h"

#include <string.h>

#include "tutti/io.h"

/** Local.  A data set in the place of the config is a mistake that many make once. */
static tutti_status read_text(const char *path, char **text) {
  const char *dot = strrchr(path, '.');
  TUTTI_CHECK(!dot || strcmp(dot, ".h5") != 0, TUTTI_ERR_USAGE,
              "%s is no config (YAML); a data set is named by data.file in one, or given as --data.file=%s",
              path, path);
  return tutti_read_text(path, text);
}

tutti_status tutti_read_config_text(const tutti_comm *comm, const tutti_arguments *arguments, char **text,
                                    tutti_config *config) {
  const char *path = arguments->n_positional > 0 ? arguments->positional[0] : NULL;
  *text = NULL;
  if (path) {
    const tutti_status local = tutti_comm_rank(comm) == 0 ? read_text(path, text) : TUTTI_OK;
    TUTTI_TRY(tutti_agree_from(comm, 0, local));
    TUTTI_TRY(tutti_bcast_text(comm, 0, text));
  }
  return tutti_agree(comm,
                     tutti_config_parse(*text, path, arguments->overrides, arguments->n_overrides, config));
}

tutti_status tutti_read_config(const tutti_comm *comm, const tutti_arguments *arguments,
                               tutti_config *config) {
  char *text = NULL;
  const tutti_status status = tutti_read_config_text(comm, arguments, &text, config);
  tutti_free(text);
  return status;
}
