/** The watchdog lets slow ranks live.  That it ends a job whose rank is stopped or hangs is shown by
 * tests/e2e/hang.sh, because no process is left here to say so. */
#define _DEFAULT_SOURCE // usleep
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/phase.h"
#include "par/watchdog_impl.h"
#include "support/mpi_main.h"

enum { LIMIT_S = 4, REST_US = 2500000 }; // a rank is missed after half of the limit

static void lost(const char *what, bool first, double limit) {
  fprintf(stderr, "%s, %d, %g\n", what, first, limit);
  abort();
}

/** Ranks that do nothing for longer than the limit are slow, not lost: their threads answer. */
static void a_slow_rank_is_not_ended(const tutti_comm *comm) {
  for (int max_node_size = 1; max_node_size <= 3; max_node_size += 2) {
    tutti_comm *cut = NULL;
    if (!EXPECT_OK(tutti_comm_create_from(MPI_COMM_WORLD, max_node_size, &cut))) return;
    EXPECT_OK(tutti_comm_watch(cut, LIMIT_S, lost));
    if (tutti_comm_rank(comm) == 0) usleep(REST_US);
    tutti_comm_destroy(&cut);
  }
}

/** A limit of 0 switches it off, and a larger one is taken while it runs. */
static void the_limit_can_change(const tutti_comm *comm) {
  tutti_comm *cut = NULL;
  if (!EXPECT_OK(tutti_comm_create_from(MPI_COMM_WORLD, tutti_comm_size(comm), &cut))) return;
  EXPECT_OK(tutti_comm_watch(cut, LIMIT_S, lost));
  tutti_comm_set_watch_limit(cut, 0);
  tutti_phase_note("compute", true);
  if (tutti_comm_rank(comm) == 0) usleep(REST_US);
  tutti_phase_note("between steps", false);
  tutti_comm_set_watch_limit(cut, 5);
  tutti_comm_destroy(&cut);
  tutti_comm_set_watch_limit(comm, 5); // nobody watches this one
}

int main(void) {
  const mpi_test tests[] = {MPI_TEST(a_slow_rank_is_not_ended), MPI_TEST(the_limit_can_change)};
  return mpi_main("watchdog", tests, sizeof tests / sizeof *tests);
}
