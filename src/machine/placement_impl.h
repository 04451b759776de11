#pragma once
/** Whether ranks and their threads have the cores they want.  Local, no state. */
#include <stdint.h>

#include "machine/cpu.h"

/** One rank. */
typedef struct {
  int32_t node, threads;
  int64_t n_barred;                            // processors of the node that it may not run on
  double quota;                                // cores' worth of CPU time that its node has; 0: no limit
  uint64_t cores[TUTTI_MACHINE_MAX_CPUS / 64]; // a bit for each core it may run on
} tutti_machine_placement;

typedef enum {
  TUTTI_PLACED_WELL,
  TUTTI_PLACED_SHARING,  // more ranks than cores
  TUTTI_PLACED_NARROW,   // a rank with more threads than cores
  TUTTI_PLACED_CROWDED,  // each rank has cores enough for its threads, but not all of them together
  TUTTI_PLACED_THROTTLED // more threads than the CPU quota has cores
} tutti_machine_fault_kind;

/** What is wrong with the cores of one rank, where something is.  `ranks` is the number of ranks that may run on
 * these cores and on no others (for a quota: all of the node), `threads` theirs in all. */
typedef struct {
  tutti_machine_fault_kind kind;
  int rank, n_ranks, n_threads;
  int n_cores, cores[TUTTI_MACHINE_MAX_CPUS];
} tutti_machine_fault;

/** The faults of each kind at the lowest rank that has it, at most one of a kind; a rank has one at most, the
 * first in the order above.
 * @return their number */
int tutti_machine_check_placement(const tutti_machine_placement *ranks, int n, tutti_machine_fault faults[4]);
