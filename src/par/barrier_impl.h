#pragma once
/** A barrier for the ranks of a node in their shared memory.  It takes a small fraction of the time of MPI_Barrier,
 * which matters if a step takes less than a millisecond. */
#include "par/par_impl.h"

/** Bytes of shared memory that it needs, zeroed and 64-byte aligned. */
enum { TUTTI_BARRIER_BYTES = 128 };

typedef struct {
  const tutti_comm *comm; // borrowed
  void *shared;           // borrowed
  uint32_t round;         // barriers passed so far
} tutti_node_barrier;

/** Local.
 * @param[in] shared  [TUTTI_BARRIER_BYTES] the same memory on all ranks of the node */
tutti_node_barrier tutti_par_node_barrier_make(const tutti_comm *comm, void *shared);

/** Collective over the node.  All ranks of the node see after it what any of them wrote before it. */
TUTTI_NODISCARD
tutti_status tutti_par_node_barrier_wait(tutti_node_barrier *barrier);
