/** The measurements of `tutti bench` when memory runs out on one rank. */
#define _POSIX_C_SOURCE 200809L // setenv
#include <stdio.h>
#include <stdlib.h>

#include "bench/measure_impl.h"
#include "support/mpi_main.h"

/** All ranks fail alike, and none keeps what it has got already; mpi_main looks for that. */
static void a_rank_without_memory_ends_a_measurement(const tutti_comm *comm) {
  const tutti_bench_options options = {.round_s = 1e-4, .rounds = 1};
  const tutti_bench_setup setup = {.comm = comm, .node = comm, .options = &options};
  tutti_bench_memory memories[TUTTI_BENCH_MAX_MEMORIES];
  int n = 0;
  for (int rank = 0; rank < tutti_comm_size(comm); rank++)
    for (int nth = 1; nth <= 2; nth++) { // the ranks of each cache, the arrays
      char fault[64];
      snprintf(fault, sizeof fault, "memory:%d:%d", rank, nth);
      setenv("TUTTI_FAULT", fault, 1);
      EXPECT_FAILS(tutti_bench_measure_memory(&setup, memories, &n), TUTTI_ERR_MEMORY, "no memory");
      unsetenv("TUTTI_FAULT");
    }
  EXPECT_OK(tutti_bench_measure_memory(&setup, memories, &n));
  EXPECT(n >= 2 && memories[0].rate > 0, "%d sizes, %g bytes per second", n, memories[0].rate);
}

int main(void) {
  const mpi_test tests[] = {MPI_TEST(a_rank_without_memory_ends_a_measurement)};
  return mpi_main("memory_rates", tests, sizeof tests / sizeof *tests);
}
