#pragma once
/** How the ranks of this job were started: by which launcher, and whether all in the same way. */
#include "cli/command_impl.h"

// --- the launcher (launcher.c) -------------------------------------------------------------------

/** What a launcher leaves in the environment of a rank. */
typedef struct {
  const char *variable; // NULL: no launcher has left anything
  long ranks;           // at least this many ranks in the job; 0: unknown
} tutti_cli_launcher;

/** Local.  Read a number from the environment; 0 if the variable is not set or is no number. */
long tutti_cli_number_in(const char *variable);

/** Read the environment.  To be called before MPI starts, which may change it. */
tutti_cli_launcher tutti_cli_find_launcher(void);

/** Local.  Return the number of this process among those of its job on this host, as far as the environment tells; else
 * 0.  For messages before MPI starts. */
long tutti_cli_local_rank(void);

/** Check that a process which is alone in MPI was meant to be alone.  Local.  A command that only warns gets a warning
 * instead of the error.
 * @return ERR_SYSTEM a launcher started several processes, but MPI knows of one */
TUTTI_NODISCARD
tutti_status tutti_cli_check_launcher(const tutti_cli_launcher *by, const tutti_comm *comm,
                                      const tutti_command *command);

// --- crashes (crash.c) ---------------------------------------------------------------------------

/** From now on, a crash inside HDF5 is told as damage of the file that it read.  If the command needs MPI, to be called
 * after MPI has started, which has handlers of its own.
 * @param[in] comm  kept, to tell the watchdogs of the other ranks; NULL: there is none */
void tutti_cli_tell_crashes(const tutti_comm *comm);

// --- the ranks (alike.c) -------------------------------------------------------------------------

/** Check that all ranks run the same program with the same arguments.  Collective; to be called before any other
 * collective: a rank with another command would train something else, or wait in a collective that the others never
 * call.
 * @return ERR_USAGE with the rank and the first word that differs */
TUTTI_NODISCARD
tutti_status tutti_cli_check_alike(const tutti_comm *comm, int argc, char **argv);
