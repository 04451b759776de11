#pragma once
/** The config of a command: the file that its first argument names, and the keys among its options. */
#include "cli/options.h"
#include "tutti/par.h"

/** Collective.  Rank 0 reads, and every rank parses the same bytes; a rank that finds another file by that path, with
 * another key in it, refuses.  The caller owns the config; and
 * of tutti_read_config_text *text, the file's, NULL where there is none.
 * @return (agreed) as tutti_config_parse; ERR_USAGE a data set in the place of the config; ERR_MISSING,
 * ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_read_config_text(const tutti_comm *comm, const tutti_arguments *arguments, char **text,
                                    tutti_config *config);
TUTTI_NODISCARD
tutti_status tutti_read_config(const tutti_comm *comm, const tutti_arguments *arguments,
                               tutti_config *config);
