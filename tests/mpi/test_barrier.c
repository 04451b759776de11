/** The barrier of a node, with and without messages between nodes, and in haste. */
#include <time.h>

#include "layouts.h"
#include "par/barrier_impl.h"
#include "support/mpi_main.h"

/** Barrier, and a number of each rank on a cache line of its own. */
typedef struct {
  _Alignas(64) char barrier[TUTTI_BARRIER_BYTES];
  struct {
    _Alignas(64) int value; // plain memory: the barrier alone orders it
  } ranks[64];
} shared_memory;

static void check_rounds(const tutti_comm *comm, int n_rounds, unsigned sleepers) {
  tutti_window *window = NULL;
  if (!EXPECT_OK(tutti_par_window_create(comm, sizeof(shared_memory), &window))) return;
  shared_memory *shared = tutti_par_window_data(window);
  tutti_node_barrier barrier = tutti_par_node_barrier_make(comm, shared->barrier);
  const int me = tutti_comm_node_rank(comm), size = tutti_comm_node_size(comm);
  unsigned seed = (unsigned)tutti_comm_rank(comm);
  int n_wrong = 0;
  for (int round = 1; round <= n_rounds; round++) {
    shared->ranks[me].value = round;
    seed = seed * 1103515245u + 12345u;
    const struct timespec moment = {.tv_nsec = (seed >> 8) % 200000};
    if (seed >> 16 & 255 && (seed >> 24) < sleepers) nanosleep(&moment, NULL);
    EXPECT_OK(tutti_par_node_barrier_wait(&barrier));
    for (int rank = 0; rank < size; rank++) n_wrong += shared->ranks[rank].value != round;
    EXPECT_OK(tutti_par_node_barrier_wait(&barrier));
  }
  EXPECT(n_wrong == 0, "%d values of another round", n_wrong);
  tutti_par_window_destroy(&window);
}

static void nobody_passes_early(const tutti_comm *comm) {
  check_rounds(comm, 2000, 0);
  check_rounds(comm, 200, 20);
}

static void nodes_do_not_wait_for_each_other(const tutti_comm *comm) {
  (void)comm;
  for (int l = 0; l < N_LAYOUTS; l++) {
    tutti_comm *several = NULL;
    if (EXPECT_OK(layout_create(&layouts[l], &several))) {
      // As many rounds more as the node's number: they would wait for ever if they did.
      check_rounds(several, 50 + tutti_comm_node(several), 10);
    }
    tutti_comm_destroy(&several);
  }
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(nobody_passes_early),
      MPI_TEST(nodes_do_not_wait_for_each_other),
  };
  return mpi_main("barrier", tests, sizeof tests / sizeof *tests);
}
