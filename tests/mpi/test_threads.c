#define _GNU_SOURCE // sched_setaffinity
#include "machine/threads.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "machine/cpu.h"
#include "support/mpi_main.h"
#include "tutti/linalg.h"

static const char *const variables[] = {"OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",     "BLIS_NUM_THREADS",
                                        "OMP_NUM_THREADS",      "SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE"};

static void forget_environment(void) {
  for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) unsetenv(variables[i]);
}

static void expect(const tutti_comm *comm, int64_t wanted, int n, const char *why) {
  tutti_machine_threads threads = {0};
  EXPECT_OK(tutti_machine_set_threads(comm, wanted, &threads));
  EXPECT(threads.n == n && tutti_linalg_threads() == n, "%d (%s), expected %d", threads.n, threads.why, n);
  EXPECT(strcmp(threads.why, why) == 0, "'%s', expected '%s'", threads.why, why);
}

static void the_config_wins(const tutti_comm *comm) {
  setenv("OMP_NUM_THREADS", "2", 1);
  expect(comm, 3, 3, "parallel.threads");
  EXPECT_OK(tutti_machine_set_threads(comm, 1, NULL));
  EXPECT(tutti_linalg_threads() == 1, "%d threads", tutti_linalg_threads());
}

static void the_environment_is_respected(const tutti_comm *comm) {
  forget_environment();
  setenv("OMP_NUM_THREADS", "3,1", 1);
  expect(comm, 0, 3, "OMP_NUM_THREADS");
  setenv("MKL_NUM_THREADS", "2", 1);
  expect(comm, 0, 2, "MKL_NUM_THREADS");
  setenv("OPENBLAS_NUM_THREADS", "none", 1);
  setenv("MKL_NUM_THREADS", "0", 1);
  expect(comm, 0, 3, "OMP_NUM_THREADS");
}

/** The environment may differ between ranks: the counting is still one collective. */
static void ranks_may_have_other_environments(const tutti_comm *comm) {
  forget_environment();
  if (tutti_comm_rank(comm) == 0) setenv("OMP_NUM_THREADS", "5", 1);
  tutti_machine_threads threads = {0};
  EXPECT_OK(tutti_machine_set_threads(comm, 0, &threads));
  const bool chosen = strcmp(threads.why, "OMP_NUM_THREADS") == 0;
  EXPECT(chosen == (tutti_comm_rank(comm) == 0), "%s", threads.why);
}

static void cores_are_shared_among_ranks(const tutti_comm *comm) {
  forget_environment();
  const int size = tutti_comm_size(comm);
  int cores[TUTTI_MACHINE_MAX_CPUS];
  const int n = tutti_machine_cores(cores);
  tutti_machine_threads threads = {0};
  EXPECT_OK(tutti_machine_set_threads(comm, 0, &threads));
  const int most = n / size > 1 ? n / size : 1; // less with a CPU quota
  EXPECT(threads.n >= 1 && threads.n <= most, "%d threads, %d cores, %d ranks", threads.n, n, size);
}

#ifdef __linux__
static void bind(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  EXPECT(sched_setaffinity(0, sizeof set, &set) == 0, "processor %d", cpu);
}

/** All ranks on one core, and each on one of two. */
static void a_bound_rank_has_its_cores(const tutti_comm *comm) {
  forget_environment();
  const int size = tutti_comm_size(comm), rank = tutti_comm_rank(comm);
  cpu_set_t before;
  EXPECT(sched_getaffinity(0, sizeof before, &before) == 0, "affinity");
  int cores[TUTTI_MACHINE_MAX_CPUS];
  const int n = tutti_machine_cores(cores);
  bind(cores[0]);
  const char *const shared[] = {"1 core, 1 rank", "1 core, 2 ranks", "1 core, 3 ranks"};
  expect(comm, 0, 1, shared[size - 1]);
  if (n >= size) {
    bind(cores[rank]);
    expect(comm, 0, 1, "1 core, 1 rank");
  }
  EXPECT(sched_setaffinity(0, sizeof before, &before) == 0, "affinity");
}
#endif

/** If the rank may run everywhere, Slurm's allocation is smaller than the node. */
static void slurm_limits_ranks_that_are_not_bound(const tutti_comm *comm) {
  forget_environment();
  tutti_machine_cpu cpu;
  tutti_machine_cpu_get(&cpu);
  tutti_machine_threads alone = {0}, threads = {0};
  EXPECT_OK(tutti_machine_set_threads(comm, 0, &alone));
  const bool limited = cpu.n_allowed == cpu.n_cpus && alone.n > 1;
  const char *const names[] = {"SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE"};
  for (int i = 0; i < 2; i++) {
    forget_environment();
    setenv(names[i], "1", 1);
    EXPECT_OK(tutti_machine_set_threads(comm, 0, &threads));
    EXPECT(threads.n == (limited ? 1 : alone.n), "%d threads, %d without %s", threads.n, alone.n, names[i]);
    EXPECT((strcmp(threads.why, names[i]) == 0) == limited, "%s", threads.why);
    setenv(names[i], "1000", 1);
    EXPECT_OK(tutti_machine_set_threads(comm, 0, &threads));
    EXPECT(threads.n == alone.n, "%d threads, %d without %s", threads.n, alone.n, names[i]);
  }
  forget_environment();
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(the_config_wins),
      MPI_TEST(the_environment_is_respected),
      MPI_TEST(ranks_may_have_other_environments),
      MPI_TEST(cores_are_shared_among_ranks),
#ifdef __linux__
      MPI_TEST(a_bound_rank_has_its_cores),
#endif
      MPI_TEST(slurm_limits_ranks_that_are_not_bound),
  };
  return mpi_main("threads", tests, sizeof tests / sizeof tests[0]);
}
