#include "par/barrier.h"

#include <sched.h>
#include <stdatomic.h>

/** Two cache lines: those who wait read one while those who come write the other. */
typedef struct {
  _Alignas(64) _Atomic uint32_t n_here;
  _Alignas(64) _Atomic uint32_t round;
} shared_state;
_Static_assert(sizeof(shared_state) == TUTTI_BARRIER_BYTES, "the memory that callers set aside");
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "a lock of one process does not hold for another");

/** Where ranks are not more than cores, the others come in a moment or are still busy; where they are more,
 * spinning takes the core from the rank that is waited for.  A few microseconds serve both. */
enum { N_SPINS = 50 };

static inline void pause_core(void) {
#if defined(__x86_64__) && defined(__GNUC__)
  __builtin_ia32_pause();
#endif
}

/** A message to another node may still be on its way out, and leave only when MPI is called.  Somebody there may
 * wait for it whom somebody here waits for. */
static tutti_status let_messages_out(const tutti_comm *comm) {
  int found = 0;
  if (comm->n_nodes > 1)
    TUTTI_MPI(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, comm->node, &found, MPI_STATUS_IGNORE));
  return TUTTI_OK;
}

static bool is_over(shared_state *state, uint32_t round) {
  return atomic_load_explicit(&state->round, memory_order_acquire) == round;
}

tutti_node_barrier tutti_node_barrier_make(const tutti_comm *comm, void *shared) {
  return (tutti_node_barrier){.comm = comm, .shared = shared};
}

tutti_status tutti_node_barrier_wait(tutti_node_barrier *barrier) {
  shared_state *state = barrier->shared;
  const uint32_t size = (uint32_t)barrier->comm->node_size, round = ++barrier->round;
  if (size == 1) return TUTTI_OK;
  // The last one to come knows what all wrote, and tells it on to those who wait for the round.
  if (atomic_fetch_add_explicit(&state->n_here, 1, memory_order_acq_rel) + 1 == size) {
    atomic_store_explicit(&state->n_here, 0, memory_order_relaxed);
    atomic_store_explicit(&state->round, round, memory_order_release);
    return TUTTI_OK;
  }
  for (int i = 0; i < N_SPINS; i++) {
    if (is_over(state, round)) return TUTTI_OK;
    pause_core();
  }
  while (!is_over(state, round)) {
    TUTTI_TRY(let_messages_out(barrier->comm));
    sched_yield();
  }
  return TUTTI_OK;
}
