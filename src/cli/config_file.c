/** The config of a command.  Rank 0 reads the file; the others refuse another file at the same path, for example an old
 * copy on another node.  Called by the commands that take a config. */
#include "cli/options_impl.h"

#include <string.h>

#include "tutti/io.h"

/** Read the file.  Local.  Many users once name the data set in the place of the config. */
static tutti_status read_text(const char *path, char **text) {
  const char *dot = strrchr(path, '.');
  TUTTI_CHECK(
      !dot || strcmp(dot, ".h5") != 0, TUTTI_ERR_USAGE,
      "%s is not a config (YAML); name a data set in the config, as data.file, or with --data.file=%s", path,
      path);
  return tutti_io_read_text(path, text);
}

/** Compare the file that this rank finds at the path with the one of rank 0.  Local.  There may be none, since rank 0
 * alone needs it.
 * @param[in] arguments  with the text of rank 0's file
 * @param[in] root       config of rank 0 */
static tutti_status check_own_file(const char *path, const tutti_cli_arguments *arguments,
                                   const tutti_config *root) {
  char *text = NULL;
  tutti_config own = {0};
  tutti_difference one = {0};
  tutti_status status = TUTTI_OK;
  if (tutti_io_read_text(path, &text) != TUTTI_OK) return TUTTI_OK;
  if (strcmp(text, arguments->text) == 0) goto done;
  TUTTI_TRY_GOTO(done, tutti_config_parse(text, path, arguments->overrides, arguments->n_overrides, &own));
  TUTTI_CHECK_GOTO(
      done, !tutti_config_any_difference(&own, root, &one), TUTTI_ERR_CONFIG,
      "%s: %s is '%s' here and '%s' for rank 0: this file differs between nodes or folders; give "
      "all ranks the same file",
      path, one.key, one.then, one.now);
done:
  tutti_config_clear(&own);
  tutti_free(text);
  return status;
}

/** Each part is agreed on before the next one, so that no rank waits for the text of a rank that has failed. */
tutti_status tutti_cli_read_config(const tutti_comm *comm, tutti_cli_arguments *arguments,
                                   tutti_config *config) {
  const char *path = arguments->n_positional > 0 ? arguments->positional[0] : NULL;
  if (path) {
    const tutti_status local = tutti_comm_rank(comm) == 0 ? read_text(path, &arguments->text) : TUTTI_OK;
    TUTTI_TRY(tutti_comm_agree_from(comm, 0, local));
    TUTTI_TRY(tutti_comm_bcast_text(comm, 0, &arguments->text));
  }
  tutti_status status =
      tutti_config_parse(arguments->text, path, arguments->overrides, arguments->n_overrides, config);
  TUTTI_TRY(tutti_comm_agree(comm, status));
  if (!path) return TUTTI_OK;
  if (tutti_comm_rank(comm) > 0) status = check_own_file(path, arguments, config);
  return tutti_comm_agree(comm, status);
}

tutti_status tutti_cli_read_config_alone(tutti_cli_arguments *arguments, tutti_config *config) {
  const char *path = arguments->n_positional > 0 ? arguments->positional[0] : NULL;
  if (path) TUTTI_TRY(read_text(path, &arguments->text));
  return tutti_config_parse(arguments->text, path, arguments->overrides, arguments->n_overrides, config);
}
