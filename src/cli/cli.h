#pragma once
/** Commands of the program.  MPI starts and ends in main.c alone; here each command is a function that all
 * ranks call. */
#include "tutti/base.h"
#include "tutti/par.h"

typedef struct {
  const char *name;
  const char *arguments;     // as in the usage line
  const char *summary;       // one line
  const char *details;       // for COMMAND --help
  const char *const *tables; // after that: what their columns hold, a text each, then NULL; may be NULL
  void (*print_more)(void);  // after the details, what follows from a list; may be NULL
  bool shows_keys;           // --help lists the keys of a config
  const char *own_section;   // that section's before the others; may be NULL
  /** Collective.  argv[0] is the command's name.  *exit_status is set where it is not the status's own. */
  tutti_status (*run)(const tutti_comm *comm, int argc, char **argv, int *exit_status);
} tutti_command;

extern const tutti_command tutti_command_train, tutti_command_eval, tutti_command_predict,
    tutti_command_study, tutti_command_import, tutti_command_info, tutti_command_sharpness,
    tutti_command_bench, tutti_command_doctor;

/** Local.  All commands, NULL at the end. */
extern const tutti_command *const tutti_commands[];

/** Local.  NULL where no command is called so. */
const tutti_command *tutti_command_find(const char *name);

/** Local.  `tutti --help`, and `tutti COMMAND --help`. */
void tutti_help_print(void);
void tutti_help_print_command(const tutti_command *command);
