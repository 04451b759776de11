/** The watchdog lets slow ranks live.  That it ends a job whose rank is stopped or hangs is shown by
 * tests/e2e/hang.sh, because no process is left here to say so. */
#define _DEFAULT_SOURCE // usleep
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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

/** Each rank is a node, and hears the two before it.  Time is a number here. */
static void one_node_reports_another(const tutti_comm *comm) {
  enum { LOST = 1 };
  static const double begin_s = 100, limit_s = 5;
  const int n = tutti_comm_size(comm), rank = tutti_comm_rank(comm);
  const int distance = (rank - LOST + n) % n;
  tutti_comm *cut = NULL;
  tutti_watchdog_link *link = NULL;
  char text[512] = "";
  if (n < 4 || !EXPECT_OK(tutti_comm_create_from(MPI_COMM_WORLD, 1, &cut))) return;
  EXPECT_OK(tutti_par_watchdog_link_create(cut, &link));
  EXPECT(link, "rank %d", rank);
  // From the second time on, nobody hears the lost one, and it hears nobody.
  for (int t = 0; t <= 6; t++) {
    const double now = begin_s + t;
    if (t == 0 || distance > 0) tutti_par_watchdog_link_beat(link, now);
    EXPECT_OK(tutti_comm_barrier(comm));
    if (t == 0) tutti_par_watchdog_link_reset(link, now); // takes the messages of all
    EXPECT_OK(tutti_comm_barrier(comm));
  }
  if (distance > 0) tutti_par_watchdog_link_beat(link, begin_s + 6);
  const bool first = tutti_par_watchdog_link_lost(link, begin_s + limit_s + 1, limit_s, text, sizeof text);
  EXPECT(first == (distance <= 1), "rank %d", rank);
  if (distance == 0) EXPECT(strstr(text, "the network of"), "%s", text);
  if (distance == 1)
    EXPECT(strstr(text, "(rank 1 and the others there) has not answered for 6.0 s"), "%s", text);
  if (distance == 1) tutti_par_watchdog_link_tell(link);
  EXPECT_OK(tutti_comm_barrier(comm));
  if (distance > 0) tutti_par_watchdog_link_beat(link, begin_s + 6.75);
  EXPECT(tutti_par_watchdog_link_was_told(link) == (distance >= 2), "rank %d", rank);
  const bool second =
      tutti_par_watchdog_link_lost(link, begin_s + limit_s + 1.75, limit_s, text, sizeof text);
  EXPECT(second == (distance <= 2), "rank %d", rank);
  EXPECT_OK(tutti_comm_barrier(comm));
  tutti_par_watchdog_link_destroy(&link);
  tutti_comm_destroy(&cut);
}

/** As if this process were gone: close its sockets for messages, whose numbers stay taken. */
static void vanish(void) {
  enum { MAX_FILES = 1024 };
  const int nothing = open("/dev/null", O_RDWR);
  for (int fd = 0; fd < MAX_FILES; fd++) {
    int type = 0, domain = 0;
    socklen_t length = sizeof type;
    const bool is_socket = getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 &&
                           getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0;
    if (is_socket && type == SOCK_DGRAM && domain == AF_INET) dup2(nothing, fd);
  }
  close(nothing);
}

/** The host of a process that is gone says so, unless the process has said goodbye. */
static void a_process_that_is_gone_is_noticed(const tutti_comm *comm) {
  enum { LOST = 1 };
  static const double now = 100, limit_s = 5;
  const int n = tutti_comm_size(comm), rank = tutti_comm_rank(comm);
  const int distance = (rank - LOST + n) % n;
  char text[512] = "";
  for (int leaves = 0; leaves <= 1 && n >= 4; leaves++) {
    tutti_comm *cut = NULL;
    tutti_watchdog_link *link = NULL;
    if (!EXPECT_OK(tutti_comm_create_from(MPI_COMM_WORLD, 1, &cut))) return;
    EXPECT_OK(tutti_par_watchdog_link_create(cut, &link));
    for (int i = 0; i < 3; i++) {
      tutti_par_watchdog_link_beat(link, now);
      EXPECT_OK(tutti_comm_barrier(comm));
    }
    EXPECT(!tutti_par_watchdog_link_lost(link, now, limit_s, text, sizeof text), "%s", text);
    if (distance == 0 && leaves) tutti_par_watchdog_link_leave(link);
    if (distance == 0) vanish();
    EXPECT_OK(tutti_comm_barrier(comm));
    if (distance > 0)
      for (int i = 0; i < 2; i++) tutti_par_watchdog_link_beat(link, now + 0.25 * i);
    const bool first = tutti_par_watchdog_link_lost(link, now + 0.5, limit_s, text, sizeof text);
    EXPECT(first == (distance == 1 && !leaves), "rank %d, leaves %d", rank, leaves);
    if (first) EXPECT(strstr(text, "rank 1 on "), "%s", text);
    if (distance > 0) {
      const bool second = tutti_par_watchdog_link_lost(link, now + 1.25, limit_s, text, sizeof text);
      EXPECT(second == (distance <= 2 && !leaves), "rank %d, leaves %d", rank, leaves);
    }
    EXPECT_OK(tutti_comm_barrier(comm));
    tutti_par_watchdog_link_destroy(&link);
    tutti_comm_destroy(&cut);
  }
}

int main(void) {
  const mpi_test tests[] = {MPI_TEST(a_slow_rank_is_not_ended), MPI_TEST(the_limit_can_change),
                            MPI_TEST(one_node_reports_another), MPI_TEST(a_process_that_is_gone_is_noticed)};
  return mpi_main("watchdog", tests, sizeof tests / sizeof *tests);
}
