#pragma once
/** Arguments of a command: positional ones, options `--name=value`, and the config that they name. */
#include "cli/command_impl.h"
#include "tutti/config.h"
#include "tutti/train.h"

// --- the command line (options.c) ----------------------------------------------------------------

struct tutti_cli_arguments {
  const char *const *positional; // [n_positional] borrowed from argv
  int n_positional;
  tutti_override *overrides; // [n_overrides] keys given as --section.key=VALUE, in their order; owned
  int n_overrides;
  char *key_names; // the names of the overrides point into it; owned
  char *text;      // of the config file; NULL if none is named, or not read yet; owned
};

/** Parse the command line with getopt_long.  Local.
 * @param[in]  argv       [argc] argv[0] is the name of the command
 * @param[out] values     what the offsets of the command's options are in; NULL: none of them has a value
 * @param[out] arguments  the caller's: tutti_cli_arguments_clear; empty after a failure
 * @return ERR_USAGE an unknown option (with the nearest known one), an option without its value, too few or too many
 *         positional arguments, or a value that its option does not allow */
TUTTI_NODISCARD
tutti_status tutti_cli_parse(int argc, char **argv, const tutti_command *command, void *values,
                             tutti_cli_arguments *arguments);
void tutti_cli_arguments_clear(tutti_cli_arguments *arguments);

/** Collective.  The same for a command without keys, which needs nothing but its options and positional arguments.
 * @param[out] positional  borrowed from argv */
TUTTI_NODISCARD
tutti_status tutti_cli_parse_arguments(const tutti_comm *comm, int argc, char **argv,
                                       const tutti_command *command, void *values,
                                       const char *const **positional);

// --- values of options (option_values.c) ---------------------------------------------------------

/** Read the value of --NAME=TEXT.  Local.  @return ERR_USAGE with what was expected */
TUTTI_NODISCARD
tutti_status tutti_cli_option_read(const tutti_cli_option *option, const char *text, void *values);

enum { TUTTI_CLI_ITEM_BYTES = 64 };

/** Copy the first item of a list "A,B,C"; *list then points to the second one, and is NULL after the last one.
 * @return false if the item is too long */
bool tutti_cli_next_item(const char **list, char item[TUTTI_CLI_ITEM_BYTES]);

/** Rows of options that several commands have; `offset` is that of their value. */
#define TUTTI_OPTION_CHECK                                                                                   \
  {                                                                                                          \
    {"--check",                                                                                              \
     "only check config, data and layers, and start nothing; works without mpirun, for example on a login "  \
     "node before sbatch"},                                                                                  \
    {                                                                                                        \
      "check", TUTTI_CLI_EARLY, 0, .min = 0                                                                  \
    }                                                                                                        \
  }
#define TUTTI_OPTION_DATA_FILE(offset)                                                                       \
  {                                                                                                          \
    {"--data.file=FILE", "data set to read [the data set of the training]"}, {                               \
      "data.file", TUTTI_CLI_TEXT, offset, .min = 0                                                          \
    }                                                                                                        \
  }
#define TUTTI_OPTION_EXTERNAL(offset)                                                                        \
  {                                                                                                          \
    {"--data.external=yes", "allow the data file to refer to files outside of its own folder [no]"}, {       \
      "data.external", TUTTI_CLI_SWITCH, offset, .min = 0                                                    \
    }                                                                                                        \
  }
#define TUTTI_OPTION_PLUGINS(offset)                                                                         \
  {                                                                                                          \
    {"--data.plugins=yes",                                                                                   \
     "let HDF5 load the filters that the data file names, from the folders of HDF5_PLUGIN_PATH [no]"},       \
    {                                                                                                        \
      "data.plugins", TUTTI_CLI_SWITCH, offset, .min = 0                                                     \
    }                                                                                                        \
  }
#define TUTTI_OPTION_WEIGHTS(offset)                                                                         \
  {                                                                                                          \
    {"--weights=last|average",                                                                               \
     "weights to use: the last ones, or the average that optimizer.ema_momentum keeps [last; average in a "  \
     "best.h5 that was selected by a metric ema_...]"},                                                      \
    {                                                                                                        \
      "weights", TUTTI_CLI_CHOICE, offset, TUTTI_WEIGHTS_LAST, .names = tutti_cli_weights_names,             \
                                                               .n_names = 2                                  \
    }                                                                                                        \
  }
extern const char *const tutti_cli_weights_names[2];

// --- --check (check.c) ---------------------------------------------------------------------------

/** Whether the command line asks for --check.  Local. */
bool tutti_cli_asks_for_check(int argc, char **argv);

/** Read the config and call the `check` of the command.  Local, and without MPI.
 * @param[in] argv     [argc] argv[0] is the name of the command
 * @param[in] n_ranks  of the job; 0: as many as SLURM_NTASKS says, or unknown
 * @return as tutti_cli_parse and tutti_cli_read_config_alone; what the check finds */
TUTTI_NODISCARD
tutti_status tutti_cli_check(const tutti_command *command, int argc, char **argv, int n_ranks);

// --- the config (config_file.c) ------------------------------------------------------------------

/** Read the config that the first argument names, and the keys among the options.  Collective.
 *
 * Rank 0 reads the file, and every rank parses the same bytes.  A rank that finds another file at this path, with
 * another value of a key, refuses it.
 * @param[in,out] arguments  their text is set
 * @param[out]    config     the caller's: tutti_config_clear
 * @return (agreed) as tutti_config_parse; ERR_USAGE a data set in the place of the config; ERR_MISSING, ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_cli_read_config(const tutti_comm *comm, tutti_cli_arguments *arguments,
                                   tutti_config *config);

/** Read the config for a check without MPI.  Local; otherwise the same. */
TUTTI_NODISCARD
tutti_status tutti_cli_read_config_alone(tutti_cli_arguments *arguments, tutti_config *config);
