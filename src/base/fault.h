#pragma once
/** Fault injection: TUTTI_FAULT=site:rank:nth in the environment makes the nth pass (from 1) of one site fail
 * on one rank, so that a test can show that no rank is left alone.  Local. */
#include <stdbool.h>

#include "tutti/base.h"

/** Let TUTTI_FAULT=check:rank:nth count the checks (TUTTI_CHECK) from now on: those of files, memory and the system, which may fail
 * on one rank alone.  Checks of the command line, of the config and of MPI are not counted: all ranks see the same config, and nobody
 * can agree on a broken MPI.  So the list of places that can fail is that of the checks themselves.  Without such a variable, no
 * check is counted. */
void tutti_fault_arm(void);

/** @return ERR_INTERNAL "fault injected at SITE" on the chosen pass, else OK */
TUTTI_NODISCARD
tutti_status tutti_fault(const char *site);
