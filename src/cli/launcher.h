#pragma once
/** What started this process, and whether MPI knows of it.  Local. */
#include "cli/cli.h"

/** What launchers leave in the environment of a rank. */
typedef struct {
  const char *variable; // NULL: none of them tells anything
  long ranks;           // of the job, or at least so many; 0: not told
} tutti_launcher;

/** To be called before MPI starts, which may change the environment. */
tutti_launcher tutti_launcher_find(void);

/** Local.  A process that is alone in MPI was meant to be alone; `doctor` only warns where it was not.
 * @return ERR_SYSTEM where a launcher started several */
TUTTI_NODISCARD
tutti_status tutti_launcher_check(const tutti_launcher *by, const tutti_comm *comm,
                                  const tutti_command *command);
