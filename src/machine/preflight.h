#pragma once
/** Warnings before a training about what will make it slow. */
#include "machine/threads.h"

/** Collective over all ranks of the job, once.  Set the threads as tutti_machine_set_threads does.  Then rank 0 logs a
 * warning, with what to do, about ranks that share cores, more threads than cores, a CPU quota, and BLAS kernels that
 * do not suit the processor.
 * @param[in]  wanted   parallel.threads; 0: choose
 * @param[out] threads  of this rank
 * @return (agreed) ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_machine_preflight(const tutti_comm *comm, int64_t wanted, tutti_machine_threads *threads);
