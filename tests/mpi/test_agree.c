#include <stdio.h>
#include <string.h>

#include "support/mpi_main.h"

static tutti_status fail_with(const tutti_comm *comm, tutti_status code) {
  TUTTI_CHECK(code == TUTTI_OK, code, "trouble of rank %d", tutti_comm_rank(comm));
  return TUTTI_OK;
}

/** The text that all ranks must have after `speaker` alone won. */
static void expect_text(const tutti_comm *comm, int speaker, bool named) {
  char expected[64];
  snprintf(expected, sizeof expected, "trouble of rank %d", speaker);
  EXPECT(strstr(tutti_fail_text(), expected), "'%s', expected '%s' in it", tutti_fail_text(), expected);
  snprintf(expected, sizeof expected, "rank %d on ", speaker);
  const bool is_named = strncmp(tutti_fail_text(), expected, strlen(expected)) == 0;
  EXPECT(is_named == named, "'%s', of %d ranks", tutti_fail_text(), tutti_comm_size(comm));
}

static void nothing_happens_when_all_is_well(const tutti_comm *comm) {
  tutti_fail_set_text("as before");
  EXPECT_OK(tutti_comm_agree(comm, TUTTI_OK));
  EXPECT(strcmp(tutti_fail_text(), "as before") == 0, "'%s'", tutti_fail_text());
}

static void one_rank_fails_and_all_hear_of_it(const tutti_comm *comm) {
  const int rank = tutti_comm_rank(comm), size = tutti_comm_size(comm);
  for (int failing = 0; failing < size; failing++) {
    const tutti_status local = fail_with(comm, rank == failing ? TUTTI_ERR_IO : TUTTI_OK);
    EXPECT_FAILS(tutti_comm_agree(comm, local), TUTTI_ERR_IO, "trouble");
    expect_text(comm, failing, size > 1);
    const char *frame = rank == failing ? "at fail_with" : "at spread";
    EXPECT(strstr(tutti_fail_trace(), frame) == tutti_fail_trace(), "'%s'", tutti_fail_trace());
  }
}

static void largest_code_wins_and_of_those_the_lowest_rank(const tutti_comm *comm) {
  const int rank = tutti_comm_rank(comm), size = tutti_comm_size(comm);
  // Rank 0 has the smallest code; the last two ranks, as far as there are two more, the largest.
  const bool wins = rank >= size - 2 && rank > 0;
  const tutti_status local = fail_with(comm, wins ? TUTTI_ERR_MEMORY : TUTTI_ERR_USAGE);
  const int speaker = size <= 2 ? size - 1 : size - 2;
  EXPECT_FAILS(tutti_comm_agree(comm, local), size > 1 ? TUTTI_ERR_MEMORY : TUTTI_ERR_USAGE, "trouble");
  expect_text(comm, speaker, size > 1);
}

static void common_failure_names_no_rank(const tutti_comm *comm) {
  EXPECT_FAILS(tutti_comm_agree(comm, fail_with(comm, TUTTI_ERR_CONFIG)), TUTTI_ERR_CONFIG, "trouble");
  expect_text(comm, 0, false);
}

static void agreeing_twice_changes_nothing(const tutti_comm *comm) {
  const int last = tutti_comm_size(comm) - 1;
  const bool fails = tutti_comm_rank(comm) == last;
  const tutti_status once = tutti_comm_agree(comm, fail_with(comm, fails ? TUTTI_ERR_DATA : TUTTI_OK));
  EXPECT_FAILS(tutti_comm_agree(comm, once), TUTTI_ERR_DATA, "trouble");
  expect_text(comm, last, last > 0);
}

static void long_text_is_cut(const tutti_comm *comm) {
  char text[5000];
  memset(text, 'x', sizeof text);
  text[sizeof text - 1] = '\0';
  const bool fails = tutti_comm_rank(comm) == 0;
  const tutti_status local = fails ? tutti_fail(TUTTI_ERR_DATA, "f", "f.c", 1, "%s", text) : TUTTI_OK;
  EXPECT_FAILS(tutti_comm_agree(comm, local), TUTTI_ERR_DATA, "xxx");
  EXPECT(strlen(tutti_fail_text()) < sizeof text, "%zu letters", strlen(tutti_fail_text()));
}

/** The channel is broken, so it is not used: one rank alone may ask. */
static void mpi_error_goes_up_without_agreement(const tutti_comm *comm) {
  if (tutti_comm_rank(comm) != 0) return;
  EXPECT_FAILS(tutti_comm_agree(comm, fail_with(comm, TUTTI_ERR_MPI)), TUTTI_ERR_MPI, "trouble of rank 0");
  EXPECT_FAILS(tutti_comm_agree_from(comm, 0, fail_with(comm, TUTTI_ERR_MPI)), TUTTI_ERR_MPI,
               "trouble of rank 0");
}

static void root_decides(const tutti_comm *comm) {
  const int rank = tutti_comm_rank(comm), size = tutti_comm_size(comm);
  for (int root = 0; root < size; root++) {
    EXPECT_OK(tutti_comm_agree_from(comm, root, TUTTI_OK));
    const tutti_status local = fail_with(comm, rank == root ? TUTTI_ERR_MISSING : TUTTI_OK);
    EXPECT_FAILS(tutti_comm_agree_from(comm, root, local), TUTTI_ERR_MISSING, "trouble");
    expect_text(comm, root, false);
  }
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(nothing_happens_when_all_is_well),
      MPI_TEST(one_rank_fails_and_all_hear_of_it),
      MPI_TEST(largest_code_wins_and_of_those_the_lowest_rank),
      MPI_TEST(common_failure_names_no_rank),
      MPI_TEST(agreeing_twice_changes_nothing),
      MPI_TEST(long_text_is_cut),
      MPI_TEST(mpi_error_goes_up_without_agreement),
      MPI_TEST(root_decides),
  };
  return mpi_main("agree", tests, sizeof tests / sizeof *tests);
}
