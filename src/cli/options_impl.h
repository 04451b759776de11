#pragma once
/** Arguments of a command: positional ones, options `--name=value`, and the config that they name. */
#include "tutti/config.h"
#include "tutti/par.h"
#include "tutti/train.h"

// --- the command line (options.c) ----------------------------------------------------------------

/** What the value of an option is read into. */
typedef enum {
  TUTTI_CLI_TEXT,     // const char *, borrowed from argv
  TUTTI_CLI_SWITCH,   // bool: yes or no
  TUTTI_CLI_WHOLE,    // int64_t, a whole number from `min` to `max`
  TUTTI_CLI_INT,      // int, the same
  TUTTI_CLI_POSITIVE, // double, a number above 0
  TUTTI_CLI_CHOICE    // enum: `min` for the first of the names, and so on
} tutti_cli_type;

/** An option that a command takes besides the keys of a config. */
typedef struct {
  const char *name;
  tutti_cli_type type;
  void *value;              // unchanged if the option is not given
  int64_t min, max;         // INT64_MAX: there is no largest number
  const char *const *names; // [n_names] of a choice
  int n_names;
} tutti_cli_option;

/** What a command accepts. */
typedef struct {
  const char *usage; // its arguments, for messages: "CHECKPOINT.h5 [--split=...]"
  const tutti_cli_option *options;
  int n_options;
  const char *prefix; // keys of the config that are options too: "" all, "data." one section, NULL none
  int min_positional, max_positional;
} tutti_cli_syntax;

typedef struct {
  const char *const *positional; // [n_positional] borrowed from argv
  int n_positional;
  tutti_override *overrides; // [n_overrides] keys given as --section.key=VALUE, in their order; owned
  int n_overrides;
  char *key_names; // the names of the overrides point into it; owned
  char *text;      // of the config file; NULL if none is named, or not read yet; owned
} tutti_cli_arguments;

/** Parse the command line with getopt_long.  Local.
 * @param[in]  argv       [argc] argv[0] is the name of the command
 * @param[out] arguments  the caller's: tutti_cli_arguments_clear; empty after a failure
 * @return ERR_USAGE an unknown option (with the nearest known one), an option without its value, too few or too many
 *         positional arguments, or a value that its option does not allow */
TUTTI_NODISCARD
tutti_status tutti_cli_parse(int argc, char **argv, const tutti_cli_syntax *syntax,
                             tutti_cli_arguments *arguments);
void tutti_cli_arguments_clear(tutti_cli_arguments *arguments);

// --- values of options (option_values.c) ---------------------------------------------------------

/** Read the value of --NAME=TEXT.  Local.  @return ERR_USAGE with what was expected */
TUTTI_NODISCARD
tutti_status tutti_cli_option_read(const tutti_cli_option *option, const char *text);

/** The option --weights, which chooses the weights of a checkpoint. */
tutti_cli_option tutti_cli_weights_option(tutti_weights *weights);

enum { TUTTI_CLI_ITEM_BYTES = 64 };

/** Copy the first item of a list "A,B,C"; *list then points to the second one, and is NULL after the last one.
 * @return false if the item is too long */
bool tutti_cli_next_item(const char **list, char item[TUTTI_CLI_ITEM_BYTES]);

/** What the help says about options that several commands have. */
#define TUTTI_HELP_DATA_FILE                                                                                 \
  { "--data.file=FILE", "data set to read [the data set of the training]" }
#define TUTTI_HELP_EXTERNAL                                                                                  \
  { "--data.external=yes", "allow the data file to refer to files outside of its own folder [no]" }
#define TUTTI_HELP_WEIGHTS                                                                                   \
  {                                                                                                          \
    "--weights=last|average",                                                                                \
        "weights to use: the last ones, or the average that optimizer.ema_momentum keeps [last; average in " \
        "a best.h5 that was selected by a metric ema_...]"                                                   \
  }

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
