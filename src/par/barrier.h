#pragma once
/** A barrier for the ranks of a node in their shared memory: a small fraction of MPI_Barrier's time, which
 * counts where a step takes less than a millisecond. */
#include "par/par_impl.h"

/** Bytes of shared memory that it needs, zeroed and 64-byte aligned. */
enum { TUTTI_BARRIER_BYTES = 128 };

typedef struct {
  const tutti_comm *comm; // borrowed
  void *shared;           // borrowed
  uint32_t round;         // barriers passed so far
} tutti_node_barrier;

/** Local.  `shared` is the same memory on all ranks of the node, and at first use all have set it up. */
tutti_node_barrier tutti_node_barrier_make(const tutti_comm *comm, void *shared);

/** Collective over the node: what any rank of it wrote before is seen by all its ranks after. */
TUTTI_NODISCARD
tutti_status tutti_node_barrier_wait(tutti_node_barrier *barrier);
