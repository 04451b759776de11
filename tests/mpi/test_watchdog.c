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
#include "par/watchdog_socket_impl.h"
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

/** What this process writes to standard error while its main thread sleeps. */
static void sleep_and_read_errors(int seconds, char *text, size_t bytes) {
  FILE *file = tmpfile();
  const int errors = dup(STDERR_FILENO);
  dup2(fileno(file), STDERR_FILENO);
  sleep((unsigned)seconds);
  dup2(errors, STDERR_FILENO);
  close(errors);
  rewind(file);
  text[fread(text, 1, bytes - 1, file)] = '\0';
  fclose(file);
}

/** A file system that does not answer is told of, and the job is not ended. */
static void a_long_wait_is_told(const tutti_comm *comm) {
  enum { RANKS = 3, SHORT_LIMIT_S = 3, WAIT_S = 10 };
  char text[1024] = "";
  tutti_comm *cut = NULL;
  if (tutti_comm_size(comm) != RANKS ||
      !EXPECT_OK(tutti_comm_create_from(MPI_COMM_WORLD, tutti_comm_size(comm), &cut)))
    return;
  EXPECT_OK(tutti_comm_watch(cut, SHORT_LIMIT_S, lost));
  tutti_phase_note("save", false);
  if (tutti_comm_rank(comm) == 1) sleep_and_read_errors(WAIT_S, text, sizeof text);
  EXPECT_OK(tutti_comm_barrier(comm));
  tutti_phase_note("between steps", false);
  const char *told = strstr(text, "has waited in phase 'save' for 9");
  EXPECT((told != NULL) == (tutti_comm_rank(comm) == 1), "%s", text);
  EXPECT(!told || !strstr(told + 1, "has waited"), "told twice: %s", text);
  tutti_comm_destroy(&cut);
}

// --- several nodes, with a number for the time ----------------------------------------------------------------------

/** Each rank is a node, which hears the two before it.  The one with this number is lost. */
enum { LOST = 1, LEAST_RANKS = 4 };
static const double begin_s = 100, limit_s = 5;

typedef struct {
  tutti_comm *cut;
  tutti_watchdog_link *link;
  int rank, distance; // of this rank behind the lost one
  char text[512];
} node;

static bool is_lost(node *n, double now) {
  n->text[0] = '\0';
  return tutti_par_watchdog_link_lost(n->link, now, limit_s, n->text, sizeof n->text);
}

/** Collective.  Let messages arrive, and their answers. */
static void beat_for_a_while(const tutti_comm *comm, node *n, bool takes_part, double now) {
  enum { ROUNDS = 10, ROUND_US = 10000 };
  for (int i = 0; i < ROUNDS; i++) {
    if (takes_part) tutti_par_watchdog_link_beat(n->link, now);
    usleep(ROUND_US);
    EXPECT_OK(tutti_comm_barrier(comm));
  }
}

/** A node that has been created and has not looked yet. */
static bool create_node(const tutti_comm *comm, node *n) {
  const int size = tutti_comm_size(comm);
  *n = (node){.rank = tutti_comm_rank(comm), .distance = (tutti_comm_rank(comm) - LOST + size) % size};
  if (!EXPECT_OK(tutti_comm_create_from(MPI_COMM_WORLD, 1, &n->cut))) return false;
  EXPECT_OK(tutti_par_watchdog_link_create(n->cut, &n->link));
  EXPECT(n->link, "rank %d", n->rank);
  EXPECT_OK(tutti_comm_barrier(comm));
  return true;
}

/** A node that hears the others. */
static bool open_node(const tutti_comm *comm, node *n) {
  if (!create_node(comm, n)) return false;
  beat_for_a_while(comm, n, true, begin_s);
  tutti_par_watchdog_link_reset(n->link, begin_s); // takes what was sent last
  EXPECT_OK(tutti_comm_barrier(comm));
  EXPECT(!is_lost(n, begin_s), "%s", n->text);
  return true;
}

static void close_node(const tutti_comm *comm, node *n) {
  EXPECT_OK(tutti_comm_barrier(comm));
  tutti_par_watchdog_link_destroy(&n->link);
  tutti_comm_destroy(&n->cut);
}

/** Nobody hears the lost node, which hears nobody. */
static void one_node_reports_another(const tutti_comm *comm) {
  node n;
  if (tutti_comm_size(comm) < LEAST_RANKS || !open_node(comm, &n)) return;
  beat_for_a_while(comm, &n, n.distance > 0, begin_s + limit_s + 1);
  EXPECT(is_lost(&n, begin_s + limit_s + 1) == (n.distance <= 1), "rank %d", n.rank);
  if (n.distance == 0) EXPECT(strstr(n.text, "the network of"), "%s", n.text);
  if (n.distance == 1)
    EXPECT(strstr(n.text, "(rank 1 and the others there) has not answered for 6.0 s"), "%s", n.text);
  if (n.distance == 1) tutti_par_watchdog_link_tell(n.link);
  EXPECT_OK(tutti_comm_barrier(comm));
  beat_for_a_while(comm, &n, n.distance > 0, begin_s + limit_s + 1.75);
  EXPECT(tutti_par_watchdog_link_was_told(n.link) == (n.distance >= 2), "rank %d", n.rank);
  EXPECT(is_lost(&n, begin_s + limit_s + 1.75) == (n.distance <= 2), "rank %d", n.rank);
  close_node(comm, &n);
}

/** A node that is lost before its first look has been heard, and is missed. */
static void a_node_that_is_lost_at_once_is_missed(const tutti_comm *comm) {
  node n;
  if (tutti_comm_size(comm) < LEAST_RANKS || !create_node(comm, &n)) return;
  beat_for_a_while(comm, &n, n.distance > 0, begin_s);
  beat_for_a_while(comm, &n, n.distance > 0, begin_s + limit_s + 1);
  if (n.distance == 1) EXPECT(is_lost(&n, begin_s + limit_s + 1), "rank %d", n.rank);
  close_node(comm, &n);
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
  node n;
  for (int leaves = 0; leaves <= 1 && tutti_comm_size(comm) >= LEAST_RANKS; leaves++) {
    if (!open_node(comm, &n)) return;
    if (n.distance == 0 && leaves) tutti_par_watchdog_link_leave(n.link);
    if (n.distance == 0) vanish();
    EXPECT_OK(tutti_comm_barrier(comm));
    beat_for_a_while(comm, &n, n.distance > 0, begin_s + 0.5);
    const double now = begin_s + 0.5;
    EXPECT(is_lost(&n, now) == (n.distance == 1 && !leaves), "rank %d, leaves %d: %s", n.rank, leaves,
           n.text);
    if (n.distance == 1 && !leaves) EXPECT(strstr(n.text, "rank 1 on "), "%s", n.text);
    if (n.distance > 0)
      EXPECT(is_lost(&n, now + 1) == (n.distance <= 2 && !leaves), "rank %d, leaves %d: %s", n.rank, leaves,
             n.text);
    close_node(comm, &n);
  }
}

/** The loopback address leads to this host alone. */
static void a_host_without_an_address_is_found(const tutti_comm *comm) {
  tutti_watchdog_place place = {.host = "one", .n_addresses = 1, .addresses = {htonl(INADDR_LOOPBACK)}};
  EXPECT(tutti_par_watchdog_socket_reaches(&place, "one"), "rank %d", tutti_comm_rank(comm));
  EXPECT(!tutti_par_watchdog_socket_reaches(&place, "two"), "rank %d", tutti_comm_rank(comm));
  place.addresses[place.n_addresses++] = htonl(INADDR_LOOPBACK ^ (1U << 24));
  EXPECT(tutti_par_watchdog_socket_reaches(&place, "two"), "rank %d", tutti_comm_rank(comm));
}

int main(void) {
  const mpi_test tests[] = {MPI_TEST(a_slow_rank_is_not_ended),
                            MPI_TEST(the_limit_can_change),
                            MPI_TEST(a_long_wait_is_told),
                            MPI_TEST(one_node_reports_another),
                            MPI_TEST(a_node_that_is_lost_at_once_is_missed),
                            MPI_TEST(a_process_that_is_gone_is_noticed),
                            MPI_TEST(a_host_without_an_address_is_found)};
  return mpi_main("watchdog", tests, sizeof tests / sizeof *tests);
}
