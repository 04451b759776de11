#pragma once
/** Fault injection: TUTTI_FAULT=site:rank:nth in the environment makes the nth pass (from 1) of one site fail
 * on one rank, so that a test can show that no rank is left alone.  Local. */
#include <stdbool.h>

#include "tutti/base.h"

/** Let the checks (TUTTI_CHECK) of files, memory and the system be counted, if TUTTI_FAULT asks for that.  So the list
 * of places that can fail is complete by construction.  Checks of the command line, of the config and of MPI are not
 * counted: all ranks see the same config, and nobody can agree on a broken MPI.
 *   check:rank:nth  the nth of them fails
 *   kill:rank:nth   at the nth of them the process is killed, and says before in which phase (base/phase.h) */
void tutti_fault_arm(void);

/** Whether the chosen pass has come, since TUTTI_FAULT had another text. */
bool tutti_fault_has_come(void);

/** @return ERR_INTERNAL "fault injected at SITE" on the chosen pass, else OK */
TUTTI_NODISCARD
tutti_status tutti_fault(const char *site);
