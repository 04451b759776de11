#define _POSIX_C_SOURCE 200809L // setenv
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "par/par_impl.h"
#include "support/mpi_main.h"

static void world_knows_its_ranks(const tutti_comm *comm) {
  int rank = -1, size = -1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  EXPECT(tutti_comm_rank(comm) == rank && tutti_comm_size(comm) == size, "rank %d of %d, expected %d of %d",
         tutti_comm_rank(comm), tutti_comm_size(comm), rank, size);
  EXPECT(strlen(tutti_comm_host(comm)) > 0, "empty host name");
}

/** One machine is cut into nodes of at most `max` ranks. */
static void check_nodes(int max) {
  tutti_comm *comm = NULL;
  if (!EXPECT_OK(tutti_comm_create_from(MPI_COMM_WORLD, max, &comm))) return;
  const int rank = tutti_comm_rank(comm), size = tutti_comm_size(comm);
  const int node = rank / max, n_nodes = (size - 1) / max + 1;
  const int node_size = node + 1 < n_nodes ? max : size - node * max;
  EXPECT(tutti_comm_n_nodes(comm) == n_nodes, "%d, expected %d", tutti_comm_n_nodes(comm), n_nodes);
  EXPECT(tutti_comm_node(comm) == node, "%d, expected %d", tutti_comm_node(comm), node);
  EXPECT(tutti_comm_node_rank(comm) == rank % max, "%d, expected %d", tutti_comm_node_rank(comm), rank % max);
  EXPECT(tutti_comm_node_size(comm) == node_size, "%d, expected %d", tutti_comm_node_size(comm), node_size);
  tutti_comm_destroy(&comm);
  EXPECT(comm == NULL, "the handle is left");
  tutti_comm_destroy(&comm);
}

static void nodes_are_numbered_by_their_lowest_rank(const tutti_comm *comm) {
  if (tutti_comm_n_nodes(comm) > 1) return; // how ranks fall on several machines is not known here
  check_nodes(1);
  check_nodes(2);
  check_nodes(3);
  check_nodes(INT_MAX);
}

static void groups_of_ranks_are_worlds_of_their_own(const tutti_comm *comm) {
  const int rank = tutti_comm_rank(comm), size = tutti_comm_size(comm);
  MPI_Comm parity = MPI_COMM_NULL;
  tutti_comm *group = NULL;
  MPI_Comm_split(MPI_COMM_WORLD, rank % 2, -rank, &parity); // in falling order of rank
  if (EXPECT_OK(tutti_comm_create_from(parity, INT_MAX, &group))) {
    const int n = (size - rank % 2 + 1) / 2;
    EXPECT(tutti_comm_size(group) == n, "%d, expected %d", tutti_comm_size(group), n);
    EXPECT(tutti_comm_rank(group) == n - 1 - rank / 2, "%d of %d", tutti_comm_rank(group), n);
    EXPECT(tutti_comm_node_size(group) <= n && tutti_comm_node_rank(group) <= tutti_comm_rank(group),
           "rank %d of %d on the node", tutti_comm_node_rank(group), tutti_comm_node_size(group));
    // One group fails; the other does not hear of it.
    const tutti_status local = rank % 2 ? TUTTI_ERR_DATA : TUTTI_OK;
    const tutti_status agreed = tutti_comm_agree(group, local);
    EXPECT(agreed == local, "%d, expected %d", agreed, local);
  }
  tutti_comm_destroy(&group);
  MPI_Comm_free(&parity);
}

static void parts_keep_the_order_of_their_ranks(const tutti_comm *comm) {
  const int rank = tutti_comm_rank(comm), size = tutti_comm_size(comm);
  tutti_comm *part = NULL, *alone = NULL;
  if (EXPECT_OK(tutti_comm_split(comm, rank % 2, &part))) {
    double ranks = rank;
    const int n = (size - rank % 2 + 1) / 2;
    EXPECT(tutti_comm_size(part) == n && tutti_comm_rank(part) == rank / 2,
           "rank %d of %d, expected %d of %d", tutti_comm_rank(part), tutti_comm_size(part), rank / 2, n);
    EXPECT_OK(tutti_comm_sum(part, &ranks, 1));
    EXPECT(ranks == n * (rank % 2 + n - 1), "the sum of the part's ranks is %g", ranks);
  }
  if (EXPECT_OK(tutti_comm_split(comm, rank, &alone)))
    EXPECT(tutti_comm_size(alone) == 1 && tutti_comm_node_size(alone) == 1, "%d ranks",
           tutti_comm_size(alone));
  tutti_comm_destroy(&part);
  tutti_comm_destroy(&alone);
}

/** The rank is a part of its own, so without an agreement no other one would hear of it. */
static void a_part_that_fails_is_missed_by_all(const tutti_comm *comm) {
  const int rank = tutti_comm_rank(comm), size = tutti_comm_size(comm);
  for (int failing = 0; failing < size; failing++) {
    char fault[64];
    tutti_comm *alone = NULL;
    snprintf(fault, sizeof fault, "memory:%d:1", failing);
    setenv("TUTTI_FAULT", fault, 1);
    EXPECT_FAILS(tutti_comm_split(comm, rank, &alone), TUTTI_ERR_MEMORY, "no memory");
    unsetenv("TUTTI_FAULT");
    EXPECT(alone == NULL, "rank %d has failed, and this rank has a part", failing);
    tutti_comm_destroy(&alone);
  }
}

static void library_names_itself_in_one_line(const tutti_comm *comm) {
  (void)comm;
  const char *version = tutti_par_mpi_version();
  EXPECT(strlen(version) > 0 && !strchr(version, '\n'), "'%s'", version);
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(world_knows_its_ranks),
      MPI_TEST(nodes_are_numbered_by_their_lowest_rank),
      MPI_TEST(groups_of_ranks_are_worlds_of_their_own),
      MPI_TEST(parts_keep_the_order_of_their_ranks),
      MPI_TEST(a_part_that_fails_is_missed_by_all),
      MPI_TEST(library_names_itself_in_one_line),
  };
  return mpi_main("comm", tests, sizeof tests / sizeof *tests);
}
