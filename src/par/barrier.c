/** A barrier of counters in the shared memory of a node: the last rank to come starts the next round.  node.c calls it
 * several times per step. */
#include "par/barrier_impl.h"

#include <sched.h>
#include <stdatomic.h>

/** Two cache lines: ranks that wait read one, ranks that arrive write the other. */
typedef struct {
  _Alignas(64) _Atomic uint32_t n_here;
  _Alignas(64) _Atomic uint32_t round;
} shared_state;
_Static_assert(sizeof(shared_state) == TUTTI_BARRIER_BYTES, "the memory that callers set aside");
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "a lock of one process does not hold for another");

/** If there are no more ranks than cores, the others arrive in a moment or are busy for longer.  If there are more,
 * spinning takes the core from the rank that is waited for.  A few microseconds of spinning suit both cases. */
enum { N_SPINS = 50 };

static inline void pause_core(void) {
#if defined(__x86_64__) && defined(__GNUC__)
  __builtin_ia32_pause();
#endif
}

/** Call MPI, because a message to another node may leave only then.  A rank there may wait for it, and a rank here for
 * that rank. */
static tutti_status advance_messages(const tutti_comm *comm) {
  int found = 0;
  if (comm->n_nodes > 1)
    TUTTI_MPI(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, comm->node, &found, MPI_STATUS_IGNORE));
  return TUTTI_OK;
}

static bool is_over(shared_state *state, uint32_t round) {
  return atomic_load_explicit(&state->round, memory_order_acquire) == round;
}

tutti_node_barrier tutti_par_node_barrier_make(const tutti_comm *comm, void *shared) {
  return (tutti_node_barrier){.comm = comm, .shared = shared};
}

tutti_status tutti_par_node_barrier_wait(tutti_node_barrier *barrier) {
  shared_state *state = barrier->shared;
  const uint32_t size = (uint32_t)barrier->comm->node_size, round = ++barrier->round;
  if (size == 1) return TUTTI_OK;
  // The last rank to arrive sees all writes, and its release makes them visible to the ranks that wait for the round.
  if (atomic_fetch_add_explicit(&state->n_here, 1, memory_order_acq_rel) + 1 == size) {
    atomic_store_explicit(&state->n_here, 0, memory_order_relaxed);
    atomic_store_explicit(&state->round, round, memory_order_release);
    return TUTTI_OK;
  }
  // After the spins other ranks of this core get their turn.
  for (int i = 0; i < N_SPINS; i++) {
    if (is_over(state, round)) return TUTTI_OK;
    pause_core();
  }
  while (!is_over(state, round)) {
    TUTTI_TRY(advance_messages(barrier->comm));
    sched_yield();
  }
  return TUTTI_OK;
}
