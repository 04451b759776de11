#pragma once
/** The commands of the program, and its help.
 *
 * Each command is one table in cmd_<name>.c and one line in commands.def.  MPI starts and ends in main.c; a command is
 * a function that all ranks call. */
#include <stdbool.h>
#include <stddef.h>

#include "tutti/base.h"
#include "tutti/config.h"
#include "tutti/par.h"

/** Exit status of a command whose network has diverged, and of one that has saved and ended before its end, so that it
 * can be started again (EX_TEMPFAIL of sysexits.h). */
enum { TUTTI_EXIT_DIVERGED = 79, TUTTI_EXIT_INTERRUPTED = 75 };

/** One thing that a help explains: an option, or some columns of a table. */
typedef struct {
  const char *names; // "--seconds=S", "step_s, step_min_s"
  const char *text;  // one or more sentences; help.c breaks the lines
} tutti_help_row;

/** What the value of an option is read into. */
typedef enum {
  TUTTI_CLI_TEXT,     // const char *, borrowed from argv
  TUTTI_CLI_SWITCH,   // bool: yes or no
  TUTTI_CLI_EARLY,    // nothing: it has no value, and main has looked for it before
  TUTTI_CLI_WHOLE,    // int64_t, a whole number from `min` to `max`
  TUTTI_CLI_INT,      // int, the same
  TUTTI_CLI_POSITIVE, // double, a number above 0
  TUTTI_CLI_CHOICE    // enum: `min` for the first of the names, and so on
} tutti_cli_type;

/** An option that a command takes besides the keys of a config. */
typedef struct {
  const char *name;
  tutti_cli_type type;
  size_t offset;            // of its value in the values of the command; unchanged if the option is not given
  int64_t min, max;         // INT64_MAX: there is no largest number
  const char *const *names; // [n_names] of a choice
  int n_names;
} tutti_cli_option;

/** An option and its row of the help.  A row without an option only explains; an option without help is not shown; a
 * row without both ends a list. */
typedef struct {
  tutti_help_row help;
  tutti_cli_option option;
} tutti_cli_option_row;

/** Rows under one title.  The last row has no names. */
typedef struct {
  const char *title;
  const tutti_help_row *rows;
} tutti_help_table;

typedef struct tutti_cli_arguments tutti_cli_arguments; // options_impl.h

typedef struct {
  const char *name;
  const char *arguments;               // as in the usage line
  const char *summary;                 // one line of `tutti --help`
  const char *details;                 // of `tutti COMMAND --help`; an empty line separates paragraphs
  const tutti_cli_option_row *options; // NULL: none
  bool takes_keys;                     // all keys of a config are options too
  int min_positional, max_positional;
  void (*print_more)(void); // what follows from another list; NULL: nothing
  const char *examples;     // command lines, each with its indent; NULL: none
  const tutti_help_table
      *tables;             // what the command prints, ended by a table without a title; NULL: not explained
  bool shows_keys;         // the help lists the keys of a config
  const char *own_section; // the section whose keys come first; NULL: none
  bool trains;             // starting it alone in a job of several tasks is a mistake
  bool only_warns;         // it warns of a wrong launcher and continues; the others fail

  /** Run the command.  Collective.
   * @param[in]  argv         [argc] its arguments; argv[0] is its name
   * @param[out] exit_status  set only if it is not the one of the returned status */
  tutti_status (*run)(const tutti_comm *comm, int argc, char **argv, int *exit_status);

  /** Do what --check asks for: check config and data, and print what was found.  Local, and without MPI.  NULL: the
   * command does not take --check.
   * @param[in] arguments  with the text of the config
   * @param[in] n_ranks    of the job; 0: unknown */
  tutti_status (*check)(const tutti_cli_arguments *arguments, tutti_config *config, int n_ranks);
} tutti_command;

enum {
#define X(code, word) TUTTI_COMMAND_##code,
#include "cli/commands.def"
  TUTTI_N_COMMANDS
};

#define X(code, word) extern const tutti_command tutti_command_##word;
#include "cli/commands.def"

/** All commands, in the order of commands.def. */
extern const tutti_command *const tutti_cli_commands[TUTTI_N_COMMANDS];

/** Find a command.  Local.  @return NULL if no command has this name */
const tutti_command *tutti_command_find(const char *name);

// --- help (help.c) -------------------------------------------------------------------------------

/** Print `tutti --help`, or `tutti COMMAND --help`, to standard output.  Local. */
void tutti_cli_print_help(void);
void tutti_cli_print_command_help(const tutti_command *command);
