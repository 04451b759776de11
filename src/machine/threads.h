#pragma once
/** How many threads a rank has. */
#include "tutti/par.h"

/** Where the threads of a rank come from. */
typedef struct {
  int n;        // threads of this rank
  char why[64]; // who decided: "parallel.threads", "OMP_NUM_THREADS", "8 cores, 4 ranks"
} tutti_machine_threads;

/** Collective over all ranks of the job (a part of them would use the cores of the others).  Set the number of threads
 * of this rank's products and loops to `wanted`.  If that is 0, the number is
 *
 * 1. the first number in OPENBLAS_NUM_THREADS, MKL_NUM_THREADS, BLIS_NUM_THREADS and OMP_NUM_THREADS; or else
 * 2. this rank's share of the cores that it may run on: a core is divided among the ranks of the node that may run on
 * it,
 *    and hardware threads of one core count once; but at most
 * 3. the number of processors that Slurm allocated, if the rank may run on the whole node: SLURM_CPUS_PER_TASK, or its
 *    share of SLURM_CPUS_ON_NODE; and at most
 * 4. the rank's share of the CPU quota of the node (cgroup).
 *
 * @param[in]  wanted   parallel.threads; 0: choose as above
 * @param[out] threads  number and reason; may be NULL
 * @return (agreed) ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_machine_set_threads(const tutti_comm *comm, int64_t wanted,
                                       tutti_machine_threads *threads);
