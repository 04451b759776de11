#pragma once
/** Were all ranks started alike?  Local. */
#include "tutti/par.h"

/** Collective, to be called before any other: a rank with another program, command or option than rank 0 would train
 * something else, or wait in a collective that the others do not come to.
 * @return ERR_USAGE with the rank and the first word that differs */
TUTTI_NODISCARD
tutti_status tutti_check_alike(const tutti_comm *comm, int argc, char **argv);
