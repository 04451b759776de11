#pragma once
/** Whether ranks and their threads have enough cores.  Local, no state. */
#include "machine/cpu.h"
#include "tutti/par.h"

/** Where one rank runs. */
typedef struct {
  int32_t node, threads;
  int64_t n_barred;                            // processors of the node that this rank may not run on
  double quota;                                // CPU time that its node has, in cores; 0: no limit
  uint64_t cores[TUTTI_MACHINE_MAX_CPUS / 64]; // a bit for each core it may run on
} tutti_machine_placement;

/** The placement of this rank, with so many threads. */
tutti_machine_placement tutti_machine_place(const tutti_comm *comm, int threads);

typedef enum {
  TUTTI_MACHINE_WELL,
  TUTTI_MACHINE_SHARING,  // more ranks than cores
  TUTTI_MACHINE_NARROW,   // a rank with more threads than cores
  TUTTI_MACHINE_CROWDED,  // each rank has enough cores for its threads, but all of them together do not
  TUTTI_MACHINE_THROTTLED // more threads than the CPU quota has cores
} tutti_machine_fault_kind;

/** A fault in the placement of one rank. */
typedef struct {
  tutti_machine_fault_kind kind;
  int rank;
  int n_ranks;   // ranks that can run only on these cores (for a quota: all ranks of the node)
  int n_threads; // of these ranks together
  int n_cores, cores[TUTTI_MACHINE_MAX_CPUS];
} tutti_machine_fault;

/** Find the faults, at most one of each kind, at the lowest rank that has it.  A rank has at most one fault, the first
 * in the order of the kinds.
 * @param[in] ranks  [n]
 * @return the number of faults */
int tutti_machine_check_placement(const tutti_machine_placement *ranks, int n, tutti_machine_fault faults[4]);
