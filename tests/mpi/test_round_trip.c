/** The round trip between ranks and between threads: measured if each has a core, the same on all ranks. */
#include "machine/round_trip.h"

#include <string.h>

#include "machine/cpu.h"
#include "support/mpi_main.h"
#include "tutti/linalg.h"

static void check_equal(const tutti_comm *comm, const tutti_round_trip *trip) {
  double least[] = {trip->slowest_s, trip->near_s, trip->crowded, trip->late}, most[4];
  memcpy(most, least, sizeof most);
  EXPECT_OK(tutti_comm_min(comm, least, 4));
  EXPECT_OK(tutti_comm_max(comm, most, 4));
  for (int i = 0; i < 4; i++) EXPECT(least[i] == most[i], "number %d is %g to %g", i, least[i], most[i]);
}

/** Measure with so many threads per rank. */
static tutti_round_trip measure(const tutti_comm *comm, int threads) {
  tutti_round_trip trip = {0};
  tutti_linalg_set_threads(threads);
  EXPECT_OK(tutti_round_trip_measure(comm, &trip));
  tutti_linalg_set_threads(1);
  check_equal(comm, &trip);
  return trip;
}

static void it_is_measured_or_says_why_not(const tutti_comm *comm) {
  for (int threads = 1; threads <= 3; threads++) {
    const tutti_round_trip trip = measure(comm, threads);
    const int n_threads = threads * tutti_comm_size(comm);
    EXPECT((trip.slowest_s > 0) + trip.crowded + trip.late == (n_threads > 1),
           "%d threads: %g s, crowded %d, late %d", n_threads, trip.slowest_s, trip.crowded, trip.late);
    EXPECT(trip.near_s <= trip.slowest_s, "%g s between near cores, %g s between others", trip.near_s,
           trip.slowest_s);
  }
}

static void more_threads_than_cores_are_not_measured(const tutti_comm *comm) {
  int cores[TUTTI_MACHINE_MAX_CPUS];
  const tutti_round_trip trip = measure(comm, tutti_machine_cores(cores) + 1);
  EXPECT(trip.crowded && trip.slowest_s == 0 && trip.near_s == 0, "crowded %d, %g s", trip.crowded,
         trip.slowest_s);
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(it_is_measured_or_says_why_not),
      MPI_TEST(more_threads_than_cores_are_not_measured),
  };
  return mpi_main("round_trip", tests, sizeof tests / sizeof *tests);
}
