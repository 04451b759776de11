#pragma once
/** Memory that the BLAS library takes for itself. */
#include "machine/buffers.h"

/** Local.  Check that the BLAS library can get its buffers, one for each thread.
 * @return ERR_MEMORY with the limit that is too small */
TUTTI_NODISCARD
tutti_status tutti_machine_check_buffers(int n_threads);
