#pragma once
#include "tutti/par.h"

/** Collective.  Threads of each rank's products and loops from now on: `wanted`, or for 0 what OPENBLAS_NUM_THREADS,
 * MKL_NUM_THREADS, BLIS_NUM_THREADS or OMP_NUM_THREADS says, or else this rank's share of the cores that it
 * may run on: a core is divided among the ranks of the node that may run on it. */
TUTTI_NODISCARD
tutti_status tutti_threads_set(const tutti_comm *comm, int64_t wanted);
