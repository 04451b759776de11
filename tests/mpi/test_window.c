#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "par/par_impl.h"
#include "support/mpi_main.h"

enum { N = 1000, N_ROUNDS = 50 };

/** Nothing that would outlive a job that is killed now. */
static void expect_no_name(void) {
  char mine[32];
  snprintf(mine, sizeof mine, "tutti.%ld.", (long)getpid());
  DIR *folder = opendir("/dev/shm");
  if (!folder) return; // not where this system keeps them
  for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
    EXPECT(strncmp(entry->d_name, mine, strlen(mine)) != 0, "/dev/shm/%s is left", entry->d_name);
  closedir(folder);
}

/** Fresh memory is zero, and what one rank writes all ranks of its node, and no others, see. */
static void check_sharing(const tutti_comm *comm) {
  tutti_window *window = NULL;
  if (!EXPECT_OK(tutti_par_window_create(comm, N * sizeof(int), &window))) return;
  expect_no_name();
  int *shared = tutti_par_window_data(window);
  EXPECT((uintptr_t)shared % 64 == 0, "%p", (void *)shared);
  int n_wrong = 0;
  for (int i = 0; i < N; i++) n_wrong += shared[i] != 0;
  EXPECT(n_wrong == 0, "%d of %d are not zero", n_wrong, N);

  const int me = tutti_comm_node_rank(comm), node_size = tutti_comm_node_size(comm);
  const int node = tutti_comm_node(comm);
  for (int round = 1; round <= N_ROUNDS; round++) {
    EXPECT_OK(tutti_par_window_sync(window)); // all have read the round before
    for (int i = me; i < N; i += node_size) shared[i] = 1000000 * node + 1000 * round + i;
    EXPECT_OK(tutti_par_window_sync(window));
    for (int i = 0; i < N; i++) n_wrong += shared[i] != 1000000 * node + 1000 * round + i;
  }
  EXPECT(n_wrong == 0, "%d stale or foreign values on node %d", n_wrong, node);
  tutti_par_window_destroy(&window);
  EXPECT(window == NULL, "the handle is left");
  tutti_par_window_destroy(&window);
}

static void node_has_one_copy(const tutti_comm *comm) {
  check_sharing(comm);
}

static void nodes_do_not_share(const tutti_comm *comm) {
  (void)comm;
  for (int max_node_size = 1; max_node_size <= 3; max_node_size++) {
    tutti_comm *cut = NULL;
    if (!EXPECT_OK(tutti_comm_create_from(MPI_COMM_WORLD, max_node_size, &cut))) return;
    check_sharing(cut);
    tutti_comm_destroy(&cut);
  }
}

static void window_may_be_empty_or_odd(const tutti_comm *comm) {
  for (int64_t bytes = 0; bytes < 130; bytes += 43) {
    tutti_window *window = NULL;
    if (!EXPECT_OK(tutti_par_window_create(comm, bytes, &window))) return;
    const char *shared = tutti_par_window_data(window);
    EXPECT(shared != NULL && (uintptr_t)shared % 64 == 0, "%p", (const void *)shared);
    for (int64_t i = 0; i < bytes; i++) EXPECT(shared[i] == 0, "byte %lld is not zero", (long long)i);
    tutti_par_window_destroy(&window);
  }
}

static void failure_on_one_rank_is_everybodys(const tutti_comm *comm) {
  char fault[32];
  snprintf(fault, sizeof fault, "window:%d:1", tutti_comm_size(comm) - 1);
  setenv("TUTTI_FAULT", fault, 1);
  tutti_window *window = NULL;
  EXPECT_FAILS(tutti_par_window_create(comm, 100, &window), TUTTI_ERR_INTERNAL, "fault injected at window");
  EXPECT(window == NULL, "a window of a failed call");
  unsetenv("TUTTI_FAULT");
  expect_no_name();
  check_sharing(comm);
}

static void too_large_a_window_fails(const tutti_comm *comm) {
  tutti_window *window = NULL;
  EXPECT_FAILS(tutti_par_window_create(comm, INT64_C(1) << 50, &window), TUTTI_ERR_MEMORY,
               "no 1125899906842624 bytes");
  EXPECT(window == NULL, "a window of a failed call");
  expect_no_name();
  check_sharing(comm);
}

/** As in containers of their own, where a rank does not see the files of another process. */
static void without_nameless_memory_a_name_serves(const tutti_comm *comm) {
  setenv("TUTTI_FAULT", "segment.nameless:0:1", 1);
  check_sharing(comm);
  expect_no_name();
  unsetenv("TUTTI_FAULT");
  check_sharing(comm);
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(node_has_one_copy),          MPI_TEST(nodes_do_not_share),
      MPI_TEST(window_may_be_empty_or_odd), MPI_TEST(failure_on_one_rank_is_everybodys),
      MPI_TEST(too_large_a_window_fails),   MPI_TEST(without_nameless_memory_a_name_serves),
  };
  return mpi_main("window", tests, sizeof tests / sizeof *tests);
}
