#pragma once
/** What will make a training slow, told before it begins. */
#include "machine/threads.h"

/** Collective over all ranks of the job, once: sets the threads as tutti_machine_set_threads does, and rank 0 logs a
 * warning, with what to do, for each of these that there is: ranks that share cores, more threads than cores, a
 * CPU quota, BLAS kernels that do not suit the processor.
 * @param[out] threads  of this rank */
TUTTI_NODISCARD
tutti_status tutti_machine_preflight(const tutti_comm *comm, int64_t wanted, tutti_machine_threads *threads);
