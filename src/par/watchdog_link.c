/** Heartbeats between nodes.  Each node watches the two nodes before it in a ring, so that one lost node is noticed by
 * two others. A message carries a secret number of the job, so messages of other programs are ignored.  watchdog.c
 * calls this from its thread; only the exchange of addresses uses MPI. */
#define _DEFAULT_SOURCE // getifaddrs, getentropy
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "par/watchdog_impl.h"

enum { MAX_ADDRESSES = 6, N_NEIGHBOURS = 2 };

/** How the first rank of a node can be reached. */
typedef struct {
  int32_t rank, node, n_addresses;   // rank -1: not the first of its node, or without a socket
  uint32_t addresses[MAX_ADDRESSES]; // IPv4, network order
  uint16_t port;                     // network order
  char host[64];
} place;

/** What a node tells the next ones. */
typedef enum {
  BEAT,
  GOODBYE, // the job of this node ends well, so expect no more
  REPORTED // this node has reported a loss, and the job ends
} kind;

typedef struct {
  uint64_t secret;
  int32_t node;
  int32_t kind;
} message;

/** Messages that must arrive are sent so often, because one may be lost. */
enum { N_COPIES = 3 };

/** Seconds after which the nearest neighbour of a lost node reports it, beyond the limit.  The next one waits twice as
 * long.  So one of them speaks, and none if the ranks of that node have reported it themselves. */
static const double TURN_S = 0.75;

typedef struct {
  int node, rank;
  char host[64];
  double heard; // clock of the last message; 0: never, or it has ended
} watched;

struct tutti_watchdog_link {
  int fd, node;
  char host[64];
  uint64_t secret;
  place next[N_NEIGHBOURS]; // that this node sends to
  watched before[N_NEIGHBOURS];
  int n_neighbours;
  place *all; // [n_all] the other nodes with a socket
  int n_all;
  bool was_told;
};

/** All addresses of this host, the loopback one as well: several nodes of a test are one host. */
static void list_addresses(place *own) {
  struct ifaddrs *all = NULL;
  if (getifaddrs(&all) != 0) return;
  for (const struct ifaddrs *a = all; a && own->n_addresses < MAX_ADDRESSES; a = a->ifa_next) {
    if (!a->ifa_addr || a->ifa_addr->sa_family != AF_INET || !(a->ifa_flags & IFF_UP)) continue;
    own->addresses[own->n_addresses++] =
        ((const struct sockaddr_in *)(const void *)a->ifa_addr)->sin_addr.s_addr;
  }
  freeifaddrs(all);
}

/** @return the socket; -1: there is none */
static int open_socket(place *own) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
  socklen_t length = sizeof name;
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  if (bind(fd, (const struct sockaddr *)&name, sizeof name) == 0 &&
      getsockname(fd, (struct sockaddr *)&name, &length) == 0) {
    own->port = name.sin_port;
    list_addresses(own);
    return fd;
  }
  close(fd);
  return -1;
}

static void send_to(const tutti_watchdog_link *link, const place *to, kind what) {
  const message out = {link->secret, link->node, what};
  for (int i = 0; i < to->n_addresses; i++) {
    const struct sockaddr_in name = {
        .sin_family = AF_INET, .sin_port = to->port, .sin_addr.s_addr = to->addresses[i]};
    // A message that cannot be sent is a message that is lost.
    (void)!sendto(link->fd, &out, sizeof out, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&name,
                  sizeof name);
  }
}

/** Send a message that must arrive. */
static void tell(const tutti_watchdog_link *link, const place *to, int n, kind what) {
  for (int k = 0; k < N_COPIES; k++)
    for (int i = 0; i < n; i++) send_to(link, &to[i], what);
}

/** Find the place of a node among those of all ranks. */
static const place *place_of(const place *all, int size, int node) {
  for (int i = 0; i < size; i++)
    if (all[i].rank >= 0 && all[i].node == node) return &all[i];
  return NULL;
}

static void note_neighbours(tutti_watchdog_link *link, const place *all, int size, int n_nodes) {
  for (int k = 1; k <= N_NEIGHBOURS && k < n_nodes; k++) {
    const place *next = place_of(all, size, (link->node + k) % n_nodes),
                *before = place_of(all, size, (link->node + n_nodes - k) % n_nodes);
    if (!next || !before) continue; // a node without a socket is not watched
    link->next[link->n_neighbours] = *next;
    watched *w = &link->before[link->n_neighbours++];
    *w = (watched){.node = before->node, .rank = before->rank};
    memcpy(w->host, before->host, sizeof w->host);
  }
}

/** Keep the places of all other nodes that have one; without memory nobody is told of a loss. */
static void note_all(tutti_watchdog_link *link, const place *all, int size, int n_nodes) {
  if (TUTTI_NEW(link->all, n_nodes) != TUTTI_OK) return;
  for (int i = 0; i < size; i++)
    if (all[i].rank >= 0 && all[i].node != link->node) link->all[link->n_all++] = all[i];
}

/** Local.  Make the link of the first rank of a node; NULL without memory or a socket. */
static tutti_watchdog_link *create_local(const tutti_comm *comm, place *own) {
  tutti_watchdog_link *link = NULL;
  if (comm->node_rank > 0 || comm->n_nodes == 1 || TUTTI_NEW(link, 1) != TUTTI_OK) return NULL;
  *link = (tutti_watchdog_link){.fd = open_socket(own), .node = comm->node_index};
  memcpy(link->host, own->host, sizeof link->host);
  if (link->fd >= 0) {
    own->rank = comm->rank;
    return link;
  }
  tutti_free(link);
  return NULL;
}

tutti_status tutti_par_watchdog_link_create(const tutti_comm *comm, tutti_watchdog_link **link) {
  place own = {.rank = -1, .node = comm->node_index}, *all = NULL;
  uint64_t secret = 0;
  tutti_status status = TUTTI_OK;
  *link = NULL;
  memcpy(own.host, comm->host, sizeof own.host - 1);
  TUTTI_TRY_GOTO(done, tutti_comm_agree(comm, TUTTI_NEW(all, comm->size)));
  *link = create_local(comm, &own);
  // Without random numbers the secret is 0, and the messages of two jobs with the same port could be mixed up.
  if (comm->rank == 0) (void)!getentropy(&secret, sizeof secret);
  TUTTI_MPI_GOTO(done, MPI_Bcast(&secret, 1, MPI_UINT64_T, 0, comm->all));
  TUTTI_MPI_GOTO(done, MPI_Allgather(&own, sizeof own, MPI_BYTE, all, sizeof own, MPI_BYTE, comm->all));
  if (*link) {
    (*link)->secret = secret;
    note_neighbours(*link, all, comm->size, comm->n_nodes);
    note_all(*link, all, comm->size, comm->n_nodes);
  }
done:
  tutti_free(all);
  return status;
}

static void hear(tutti_watchdog_link *link, const message *in, double now) {
  if (in->secret != link->secret) return;
  if (in->kind == REPORTED) link->was_told = true;
  for (int i = 0; i < link->n_neighbours; i++)
    if (link->before[i].node == in->node) link->before[i].heard = in->kind == GOODBYE ? 0 : now;
}

static void take(tutti_watchdog_link *link, double now) {
  message in;
  while (recv(link->fd, &in, sizeof in, MSG_DONTWAIT) == (ssize_t)sizeof in) hear(link, &in, now);
}

void tutti_par_watchdog_link_beat(tutti_watchdog_link *link, double now) {
  if (!link) return;
  for (int i = 0; i < link->n_neighbours; i++) send_to(link, &link->next[i], BEAT);
  take(link, now);
}

void tutti_par_watchdog_link_reset(tutti_watchdog_link *link, double now) {
  if (!link) return;
  take(link, now);
  for (int i = 0; i < link->n_neighbours; i++)
    if (link->before[i].heard > 0) link->before[i].heard = now;
}

/** Count the neighbours that have been silent for so long; one that was never heard is none of them. */
static int count_silent(const tutti_watchdog_link *link, double now, double limit, const watched **which) {
  int n = 0;
  for (int i = 0; i < link->n_neighbours; i++) {
    const watched *w = &link->before[i];
    if (w->heard > 0 && now - w->heard > limit) which[n++] = w;
  }
  return n;
}

static bool is_due(const tutti_watchdog_link *link, double now, double limit) {
  for (int i = 0; i < link->n_neighbours; i++)
    if (link->before[i].heard > 0 && now - link->before[i].heard > limit + (i + 1) * TURN_S) return true;
  return false;
}

bool tutti_par_watchdog_link_lost(const tutti_watchdog_link *link, double now, double limit, char *text,
                                  size_t bytes) {
  static const double about = 0.8; // hosts that fall silent together are not heard last at the same moment
  const watched *silent[N_NEIGHBOURS];
  if (!link || !is_due(link, now, limit)) return false;
  const int n = count_silent(link, now, about * limit, silent);
  if (n > 1)
    snprintf(text, bytes,
             "the hosts %.63s and %.63s have not answered host %.63s for %.1f s: the network of %.63s has "
             "failed, or "
             "both of them",
             silent[0]->host, silent[1]->host, link->host, limit, link->host);
  else
    snprintf(text, bytes,
             "host %.63s (rank %d and the others there) has not answered for %.1f s: it has failed, or the "
             "network to it",
             silent[0]->host, silent[0]->rank, now - silent[0]->heard);
  return true;
}

void tutti_par_watchdog_link_tell(const tutti_watchdog_link *link) {
  if (link) tell(link, link->all, link->n_all, REPORTED);
}

bool tutti_par_watchdog_link_was_told(const tutti_watchdog_link *link) {
  return link && link->was_told;
}

void tutti_par_watchdog_link_destroy(tutti_watchdog_link **link) {
  if (!*link) return;
  tell(*link, (*link)->next, (*link)->n_neighbours, GOODBYE);
  close((*link)->fd);
  tutti_free((*link)->all);
  tutti_free(*link);
  *link = NULL;
}
