#pragma once
/** Whether the limits of this process leave the address space that the libraries take for themselves. */
#include "tutti/base.h"

/** Local.  Check that MPI and the BLAS library can start; to be called before MPI starts, which crashes if it cannot.
 * @return ERR_MEMORY with the limit that is too small */
TUTTI_NODISCARD
tutti_status tutti_machine_check_room(void);
