#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "par/par_impl.h"
#include "support/mpi_main.h"

enum { N_BYTES = 1000 };

static unsigned char pattern(int root, int i) {
  return (unsigned char)(7 * i + root);
}

static void expect_bcast(const tutti_comm *comm, int root, int n, int piece) {
  const int rank = tutti_comm_rank(comm);
  unsigned char data[N_BYTES + 1] = {0};
  for (int i = 0; i < n && rank == root; i++) data[i] = pattern(root, i);
  data[n] = (unsigned char)rank;
  EXPECT_OK(tutti_comm_bcast_pieces(comm, root, data, n, piece));
  int n_wrong = 0;
  for (int i = 0; i < n; i++) n_wrong += data[i] != pattern(root, i);
  EXPECT(n_wrong == 0, "%d of %d bytes from rank %d, pieces of %d", n_wrong, n, root, piece);
  EXPECT(data[n] == rank, "byte %d written", n);
}

static void bcast_carries_any_number_of_bytes(const tutti_comm *comm) {
  for (int root = 0; root < tutti_comm_size(comm); root++) {
    expect_bcast(comm, root, N_BYTES, TUTTI_PIECE);
    expect_bcast(comm, root, N_BYTES, 7);   // a short last piece
    expect_bcast(comm, root, N_BYTES, 100); // none
    expect_bcast(comm, root, 1, 7);
    expect_bcast(comm, root, 0, 7);
  }
  EXPECT_OK(tutti_comm_bcast(comm, 0, NULL, 0));
  int64_t value = tutti_comm_rank(comm) == 0 ? 42 : 0;
  EXPECT_OK(tutti_comm_bcast(comm, 0, &value, sizeof value));
  EXPECT(value == 42, "%lld", (long long)value);
}

static void mpi_tells_its_own_error(const tutti_comm *comm) {
  char byte = 0;
  EXPECT_FAILS(tutti_comm_bcast(comm, tutti_comm_size(comm), &byte, 1), TUTTI_ERR_MPI, "MPI_Bcast failed: ");
  EXPECT(strstr(tutti_fail_text(), "root"), "'%s'", tutti_fail_text());
}

static void text_arrives_whole(const tutti_comm *comm) {
  const int rank = tutti_comm_rank(comm), root = tutti_comm_size(comm) - 1;
  const char *const texts[] = {"", "one line", "two\nlines with \"quotes\" and \xc3\xbc"};
  for (int i = 0; i < 3; i++) {
    char *mine = tutti_strdup(texts[i]), *text = rank == root ? mine : NULL;
    if (EXPECT_OK(tutti_comm_bcast_text(comm, root, &text)))
      EXPECT(strcmp(text, texts[i]) == 0, "'%s', expected '%s'", text, texts[i]);
    EXPECT((text == mine) == (rank == root), "root keeps its own text, the others get one");
    if (text != mine) tutti_free(text);
    tutti_free(mine);
  }
}

/** The last rank's memory fails: no rank gets a text, root keeps its own. */
static void text_fails_alike(const tutti_comm *comm) {
  const int rank = tutti_comm_rank(comm), size = tutti_comm_size(comm);
  char *mine = rank == 0 ? tutti_strdup("text") : NULL, *text = mine;
  char fault[32];
  snprintf(fault, sizeof fault, "memory:%d:1", size > 1 ? size - 1 : 1);
  setenv("TUTTI_FAULT", fault, 1);
  const tutti_status status = tutti_comm_bcast_text(comm, 0, &text);
  unsetenv("TUTTI_FAULT");
  if (size > 1)
    EXPECT_FAILS(status, TUTTI_ERR_MEMORY, "no memory for");
  else
    EXPECT_OK(status);
  EXPECT(text == mine, "memory of a failed call");
  tutti_free(mine);
}

static void sums_and_extremes_go_over_ranks(const tutti_comm *comm) {
  const int rank = tutti_comm_rank(comm), size = tutti_comm_size(comm);
  double sum[3] = {1, rank, -0.5 * rank}, min[2] = {rank, -rank}, max[2] = {rank, -rank};
  EXPECT_OK(tutti_comm_sum(comm, sum, 3));
  EXPECT_OK(tutti_comm_min(comm, min, 2));
  EXPECT_OK(tutti_comm_max(comm, max, 2));
  const double triangle = 0.5 * size * (size - 1);
  EXPECT(sum[0] == size && sum[1] == triangle && sum[2] == -0.5 * triangle, "%g %g %g", sum[0], sum[1],
         sum[2]);
  EXPECT(min[0] == 0 && min[1] == 1 - size, "%g %g", min[0], min[1]);
  EXPECT(max[0] == size - 1 && max[1] == 0, "%g %g", max[0], max[1]);
  EXPECT_OK(tutti_comm_sum(comm, sum, 0));
  EXPECT_FAILS(tutti_comm_sum(comm, sum, INT64_C(1) << 31), TUTTI_ERR_INTERNAL, "is 2147483648");
}

static void gather_keeps_the_order_of_ranks(const tutti_comm *comm) {
  const int rank = tutti_comm_rank(comm), size = tutti_comm_size(comm), root = size / 2;
  const double mine[2] = {rank, 100 + rank};
  double *all = NULL;
  if (rank == root) EXPECT_OK(TUTTI_NEW(all, 2 * size));
  EXPECT_OK(tutti_comm_gather(comm, root, mine, 2, all));
  for (int i = 0; i < size && all; i++)
    EXPECT(all[2 * i] == i && all[2 * i + 1] == 100 + i, "%g %g of rank %d", all[2 * i], all[2 * i + 1], i);
  tutti_free(all);
}

static void gather_carries_bytes(const tutti_comm *comm) {
  const int rank = tutti_comm_rank(comm), size = tutti_comm_size(comm), root = size / 2;
  const float mine[3] = {(float)rank, NAN, -0.5f};
  float *all = NULL;
  if (rank == root) EXPECT_OK(TUTTI_NEW(all, 3 * size));
  EXPECT_OK(tutti_comm_gather_bytes(comm, root, mine, sizeof mine, all));
  for (int i = 0; i < size && all; i++)
    EXPECT(all[3 * i] == (float)i && memcmp(&all[3 * i + 1], &mine[1], 2 * sizeof *mine) == 0,
           "%g %g %g of rank %d", (double)all[3 * i], (double)all[3 * i + 1], (double)all[3 * i + 2], i);
  tutti_free(all);
  EXPECT_FAILS(tutti_comm_gather_bytes(comm, root, mine, INT64_C(1) << 31, NULL), TUTTI_ERR_INTERNAL,
               "is 2147483648");
}

static void texts_of_all_ranks_come_to_root(const tutti_comm *comm) {
  const int rank = tutti_comm_rank(comm), size = tutti_comm_size(comm);
  char own[64], expected[64];
  tutti_texts all = {0};
  memset(own, 'x', sizeof own);
  own[3 * rank + 1] = '\0'; // lengths differ
  for (int root = 0; root < size; root++) {
    EXPECT_OK(tutti_comm_gather_texts(comm, root, own, &all));
    EXPECT(all.n == (rank == root ? size : 0), "rank %d root %d", rank, root);
    for (int r = 0; r < all.n; r++) {
      memset(expected, 'x', sizeof expected);
      expected[3 * r + 1] = '\0';
      EXPECT(strcmp(all.list[r], expected) == 0, "text of rank %d is '%s'", r, all.list[r]);
    }
    tutti_texts_clear(&all);
  }
}

static void barrier_lets_all_pass(const tutti_comm *comm) {
  EXPECT_OK(tutti_comm_barrier(comm));
}

static void differing_arguments_are_a_bug(const tutti_comm *comm) {
  const int64_t extremes[] = {0, -1, INT64_MAX, INT64_MIN};
  for (int i = 0; i < 4; i++) EXPECT_OK(tutti_comm_same(comm, extremes[i], "extreme"));
  const int64_t value = tutti_comm_rank(comm) == 0 ? INT64_MIN : 3;
#ifdef NDEBUG
  EXPECT_OK(tutti_comm_same(comm, value, "width"));
#else
  if (tutti_comm_size(comm) > 1)
    EXPECT_FAILS(tutti_comm_same(comm, value, "width"), TUTTI_ERR_INTERNAL,
                 "width must be equal on all ranks");
  else
    EXPECT_OK(tutti_comm_same(comm, value, "width"));
#endif
}

/** In release builds too: one rank is named, the one of which there are fewer, and of two the second. */
static void differing_floats_are_damage(const tutti_comm *comm) {
  enum { N = 10000 };
  static float values[N];
  for (int i = 0; i < N; i++) values[i] = (float)i;
  EXPECT_OK(tutti_comm_same_floats(comm, values, N, "numbers"));
  EXPECT_OK(tutti_comm_same_floats(comm, values, 0, "no numbers"));
  const int size = tutti_comm_size(comm);
  for (int damaged = 0; size > 1 && damaged < size; damaged++) {
    char named[32];
    const bool here = tutti_comm_rank(comm) == damaged;
    if (here) values[7777] = nextafterf(values[7777], 0);
    snprintf(named, sizeof named, "rank %d on ", size == 2 ? 1 : damaged);
    EXPECT_FAILS(tutti_comm_same_floats(comm, values, N, "numbers"), TUTTI_ERR_SYSTEM,
                 "number 7777 of 10000");
    EXPECT(strncmp(tutti_fail_text(), named, strlen(named)) == 0 &&
               strstr(tutti_fail_text(), size == 2 ? "rank 0, and either may be wrong" : " and of most"),
           "%s", tutti_fail_text());
    if (here) values[7777] = 7777;
    // Two signs of one word.
    if (here) values[100] = -values[100];
    if (here) values[102] = -values[102];
    EXPECT_FAILS(tutti_comm_same_floats(comm, values, N, "numbers"), TUTTI_ERR_SYSTEM, "number 100 of 10000");
    if (here) values[100] = 100;
    if (here) values[102] = 102;
  }
  values[5] = tutti_comm_rank(comm) == 0 ? NAN : -NAN;
  EXPECT_OK(tutti_comm_same_floats(comm, values, N, "numbers"));
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(bcast_carries_any_number_of_bytes),
      MPI_TEST(mpi_tells_its_own_error),
      MPI_TEST(text_arrives_whole),
      MPI_TEST(text_fails_alike),
      MPI_TEST(sums_and_extremes_go_over_ranks),
      MPI_TEST(gather_keeps_the_order_of_ranks),
      MPI_TEST(gather_carries_bytes),
      MPI_TEST(texts_of_all_ranks_come_to_root),
      MPI_TEST(barrier_lets_all_pass),
      MPI_TEST(differing_arguments_are_a_bug),
      MPI_TEST(differing_floats_are_damage),
  };
  return mpi_main("collective", tests, sizeof tests / sizeof *tests);
}
