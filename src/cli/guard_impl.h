#pragma once
/** The watchdog and the signals of a command. */
#include "tutti/config.h"
#include "tutti/par.h"

/** Collective.  Watch the ranks of a job, unless rank 0 has TUTTI_WATCHDOG=no in its environment.
 * @return (agreed) ERR_USAGE the variable is not a limit; ERR_MPI */
TUTTI_NODISCARD
tutti_status tutti_cli_watch(tutti_comm *comm);

/** Local.  Take the limit of the watchdog and the further signal from the config.  TUTTI_WATCHDOG comes before the
 * key. */
void tutti_cli_guard(const tutti_comm *comm, const tutti_config *config);

/** Local.  From now on the process ends within some seconds, with this exit status, whatever it waits for.  A job that has
 * failed has nothing to lose, and MPI may not come to an end, for example if there is no memory for that. */
void tutti_cli_end_soon(int exit_status);
