#pragma once
/** How many threads a rank has. */
#include "tutti/par.h"

/** Where the threads of a rank come from. */
typedef struct {
  int n;        // threads of this rank
  char why[64]; // who decided: "parallel.threads", "OMP_NUM_THREADS", "8 cores, 4 ranks"
} tutti_machine_threads;

/** Collective over all ranks of the job (a part of them would take the cores of the others).  Threads of this
 * rank's products and loops from now on: `wanted`, or for 0
 *
 * 1. what OPENBLAS_NUM_THREADS, MKL_NUM_THREADS, BLIS_NUM_THREADS or OMP_NUM_THREADS says, the first of them
 *    that is a number; or else
 * 2. this rank's share of the cores it may run on: a core is divided among the ranks of the node that may run
 *    on it, and hardware threads of one core count once; but no more than
 * 3. Slurm allocated, where the rank may run on all of the node: SLURM_CPUS_PER_TASK, or its share of
 *    SLURM_CPUS_ON_NODE; and
 * 4. the rank's share of the node's CPU quota (cgroup).
 *
 * @param[out] threads  what was decided; may be NULL */
TUTTI_NODISCARD
tutti_status tutti_machine_set_threads(const tutti_comm *comm, int64_t wanted,
                                       tutti_machine_threads *threads);
