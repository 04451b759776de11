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

/** The config that the file of this node says, against rank 0's. */
static tutti_status compare(const char *text, const char *path, const tutti_arguments *arguments,
                            const tutti_config *root) {
  tutti_config own;
  tutti_difference one = {0};
  TUTTI_TRY(tutti_config_parse(text, path, arguments->overrides, arguments->n_overrides, &own));
  const bool differs = tutti_config_any_difference(&own, root, &one);
  tutti_config_clear(&own);
  TUTTI_CHECK(
      !differs, TUTTI_ERR_CONFIG,
      "%s: %s is '%s' here and '%s' for rank 0: the file of that name differs between nodes or folders; "
      "give all ranks the same file",
      path, one.key, one.then, one.now);
  return TUTTI_OK;
}

/** Local.  The file may be one that rank 0 alone sees; where this rank finds one too, it was meant to be the same.
 * @param[in] text    rank 0's
 * @param[in] config  what it says */
static tutti_status check_own_file(const char *path, const char *text, const tutti_arguments *arguments,
                                   const tutti_config *config) {
  char *own = NULL;
  if (tutti_read_text(path, &own) != TUTTI_OK) return TUTTI_OK;
  const tutti_status status = strcmp(own, text) == 0 ? TUTTI_OK : compare(own, path, arguments, config);
  tutti_free(own);
  return status;
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
  tutti_status status = tutti_config_parse(*text, path, arguments->overrides, arguments->n_overrides, config);
  TUTTI_TRY(tutti_agree(comm, status));
  if (!path) return TUTTI_OK;
  if (tutti_comm_rank(comm) > 0) status = check_own_file(path, *text, arguments, config);
  return tutti_agree(comm, status);
}

tutti_status tutti_read_config(const tutti_comm *comm, const tutti_arguments *arguments,
                               tutti_config *config) {
  char *text = NULL;
  const tutti_status status = tutti_read_config_text(comm, arguments, &text, config);
  tutti_free(text);
  return status;
}
