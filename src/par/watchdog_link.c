/** Heartbeats between nodes.  The first rank of each node watches those of the two nodes before it in a ring, so that
 * one lost node is noticed by two others.  The other ranks can only tell the first ones that they have reported a loss.
 * watchdog.c calls this from its thread; only the exchange of addresses uses MPI. */
#define _DEFAULT_SOURCE // getentropy
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/log.h"
#include "base/signals.h"
#include "par/watchdog_impl.h"
#include "par/watchdog_socket_impl.h"

typedef tutti_watchdog_place place;
typedef tutti_watchdog_message message;

enum {
  N_NEIGHBOURS = 2,
  N_COPIES = 3 // of a message that must arrive, because one may be lost
};

/** The part of the limit after which the nearest neighbour of a lost node reports it, beyond the limit.  The next one
 * waits twice as long.  So one of them speaks, and none if the ranks of that node have reported it themselves. */
static const double TURN_PART = 0.15;

/** A process is gone if its host says so at so many looks in a row. */
enum { ENOUGH_REFUSALS = 2 };

typedef struct {
  int node, rank, n_ranks;
  int turn; // 1: this node is the first to report it
  char host[64];
  double heard; // clock of the last message; 0: never, or it has ended
  double gone;  // clock at which it was found that its process is gone; 0: not
  bool ended;   // it has said goodbye, so a message that comes later counts no more
  tutti_watchdog_probe probe;
} watched;

struct tutti_watchdog_link {
  int fd, node;
  char host[64];
  uint64_t secret;
  place next[N_NEIGHBOURS]; // that this node sends to
  watched before[N_NEIGHBOURS];
  int n_next, n_before; // 0 on ranks that are not the first of their node
  place *all;           // [n_all] the other nodes with a socket
  int n_all;
  bool was_told;
  atomic_bool has_left; // it has said goodbye
};

// --- create --------------------------------------------------------------------------------------------------------

/** Find the place of a node among those of all ranks. */
static const place *place_of(const place *all, int size, int node) {
  for (int i = 0; i < size; i++)
    if (all[i].rank >= 0 && all[i].node == node) return &all[i];
  return NULL;
}

/** Nodes without a socket are left out. */
static void note_neighbours(tutti_watchdog_link *link, const place *all, int size, int n_nodes) {
  for (int k = 1; k <= N_NEIGHBOURS && k < n_nodes; k++) {
    const place *next = place_of(all, size, (link->node + k) % n_nodes),
                *before = place_of(all, size, (link->node + n_nodes - k) % n_nodes);
    if (next) link->next[link->n_next++] = *next;
    if (!before) continue;
    watched *w = &link->before[link->n_before++];
    *w = (watched){.node = before->node,
                   .rank = before->rank,
                   .n_ranks = before->n_ranks,
                   .turn = k,
                   .probe = {.fd = -1}};
    memcpy(w->host, before->host, sizeof w->host);
  }
}

static const char *another_host(const place *all, int size, const char *host) {
  for (int i = 0; i < size; i++)
    if (strcmp(all[i].host, host) != 0) return all[i].host;
  return host;
}

/** Warn if messages do not reach a host. */
static void check_reach(const place *all, int size) {
  for (int i = 0; i < size; i++) {
    if (tutti_par_watchdog_socket_reaches(&all[i], another_host(all, size, all[i].host))) continue;
    tutti_log_root(TUTTI_LOG_WARNING,
                   "the watchdog cannot send to rank %d on %s, because that host has no IPv4 address for it: "
                   "if the host is lost, nobody will notice",
                   i, all[i].host);
    return;
  }
}

/** Keep the places of all other nodes that have one; without memory nobody is told of a loss. */
static void note_all(tutti_watchdog_link *link, const place *all, int size, int n_nodes) {
  if (TUTTI_NEW(link->all, n_nodes) != TUTTI_OK) return;
  for (int i = 0; i < size; i++)
    if (all[i].rank >= 0 && all[i].node != link->node) link->all[link->n_all++] = all[i];
}

/** Local.  NULL without memory or a socket, and on a single node. */
static tutti_watchdog_link *create_local(const tutti_comm *comm, place *own) {
  tutti_watchdog_link *link = NULL;
  if (comm->n_nodes == 1 || TUTTI_NEW(link, 1) != TUTTI_OK) return NULL;
  *link = (tutti_watchdog_link){.fd = tutti_par_watchdog_socket_open(own), .node = comm->node_index};
  memcpy(link->host, own->host, sizeof link->host);
  if (link->fd >= 0) {
    if (comm->node_rank == 0) own->rank = comm->rank;
    return link;
  }
  tutti_free(link);
  return NULL;
}

static void send_beat(const tutti_watchdog_link *link) {
  const message out = {link->secret, link->node, TUTTI_WATCHDOG_BEAT};
  tutti_par_watchdog_socket_send(link->fd, link->host, link->next, link->n_next, 1, &out);
}

tutti_status tutti_par_watchdog_link_create(const tutti_comm *comm, tutti_watchdog_link **link) {
  place own = {.rank = -1, .node = comm->node_index, .n_ranks = comm->node_size}, *all = NULL;
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
  if (comm->n_nodes > 1) check_reach(all, comm->size);
  if (*link) {
    (*link)->secret = secret;
    if (own.rank >= 0) note_neighbours(*link, all, comm->size, comm->n_nodes);
    note_all(*link, all, comm->size, comm->n_nodes);
    // All sockets are open by now, so that a node which is lost at once has been heard.
    send_beat(*link);
  }
done:
  tutti_free(all);
  return status;
}

// --- hear ----------------------------------------------------------------------------------------------------------

static void hear_from(watched *w, double now, const struct sockaddr_in *from) {
  w->heard = now;
  w->gone = 0;
  if (w->probe.fd < 0) w->probe = tutti_par_watchdog_probe_open(from);
}

static void end(watched *w) {
  w->ended = true;
  w->heard = w->gone = 0;
  tutti_par_watchdog_probe_close(&w->probe);
}

static void hear(tutti_watchdog_link *link, const message *in, double now, const struct sockaddr_in *from) {
  const message answer = {link->secret, link->node, TUTTI_WATCHDOG_ANSWER};
  if (in->kind == TUTTI_WATCHDOG_PROBE) tutti_par_watchdog_socket_send_one(link->fd, from, &answer);
  if (in->kind == TUTTI_WATCHDOG_REPORTED) link->was_told = true;
  for (int i = 0; i < link->n_before; i++) {
    watched *w = &link->before[i];
    if (w->node != in->node || w->ended) continue;
    if (in->kind == TUTTI_WATCHDOG_BEAT) hear_from(w, now, from);
    if (in->kind == TUTTI_WATCHDOG_GOODBYE) end(w);
  }
}

static void take(tutti_watchdog_link *link, double now) {
  message in;
  struct sockaddr_in from;
  while (tutti_par_watchdog_socket_take(link->fd, link->secret, &in, &from)) hear(link, &in, now, &from);
}

/** Ask the hosts of the nodes that have been heard whether their processes are there. */
static void probe(tutti_watchdog_link *link, double now) {
  const message out = {link->secret, link->node, TUTTI_WATCHDOG_PROBE};
  for (int i = 0; i < link->n_before; i++) {
    watched *w = &link->before[i];
    tutti_par_watchdog_probe_look(&w->probe, link->secret, &out);
    const bool gone = w->probe.was_answered && w->probe.n_refused >= ENOUGH_REFUSALS && w->heard < now;
    if (gone && w->gone == 0) w->gone = now;
  }
}

void tutti_par_watchdog_link_beat(tutti_watchdog_link *link, double now) {
  if (!link) return;
  if (!atomic_load(&link->has_left)) send_beat(link);
  take(link, now); // before the probes: the last message of a node may be a goodbye
  probe(link, now);
}

void tutti_par_watchdog_link_reset(tutti_watchdog_link *link, double now) {
  if (!link) return;
  take(link, now);
  for (int i = 0; i < link->n_before; i++)
    if (link->before[i].heard > 0) link->before[i].heard = now;
}

// --- judge ---------------------------------------------------------------------------------------------------------

/** Count the neighbours that have been silent for so long; one that was never heard is none of them. */
static int count_silent(const tutti_watchdog_link *link, double now, double limit, const watched **which) {
  int n = 0;
  for (int i = 0; i < link->n_before; i++) {
    const watched *w = &link->before[i];
    if (w->heard > 0 && now - w->heard > limit) which[n++] = w;
  }
  return n;
}

/** The neighbour whose silence this node has to report now; NULL: none. */
static const watched *find_silent(const tutti_watchdog_link *link, double now, double limit) {
  for (int i = 0; i < link->n_before; i++) {
    const watched *w = &link->before[i];
    if (w->heard > 0 && now - w->heard > limit * (1 + w->turn * TURN_PART)) return w;
  }
  return NULL;
}

/** The same for a process that is gone.  If there are ranks beside it, they know as soon, and tell.  If this process was
 * asked to end, the others were, too. */
static const watched *find_gone(const tutti_watchdog_link *link, double now, double limit) {
  for (int i = 0; i < link->n_before && tutti_signals_caught() < 0; i++) {
    const watched *w = &link->before[i];
    const int turn = w->n_ranks > 1 ? w->turn : w->turn - 1;
    if (w->gone > 0 && now - w->gone >= turn * TURN_PART * limit) return w;
  }
  return NULL;
}

static void describe_silence(const tutti_watchdog_link *link, const watched *w, double now, double limit,
                             char *text, size_t bytes) {
  static const double about = 0.8; // hosts that fall silent together are not heard last at the same moment
  const watched *silent[N_NEIGHBOURS];
  if (count_silent(link, now, about * limit, silent) > 1)
    snprintf(
        text, bytes,
        "the hosts %.63s and %.63s have not answered host %.63s for %.1f s: the network of %.63s has failed, "
        "or both of them",
        silent[0]->host, silent[1]->host, link->host, limit, link->host);
  else
    snprintf(text, bytes,
             "host %.63s (rank %d and the others there) has not answered for %.1f s: it has failed, or the "
             "network to it",
             w->host, w->rank, now - w->heard);
}

bool tutti_par_watchdog_link_lost(const tutti_watchdog_link *link, double now, double limit, char *text,
                                  size_t bytes) {
  if (!link) return false;
  const watched *gone = find_gone(link, now, limit), *silent = find_silent(link, now, limit);
  if (gone)
    snprintf(text, bytes, "rank %d on %.63s " TUTTI_WATCHDOG_GONE, gone->rank, gone->host);
  else if (silent)
    describe_silence(link, silent, now, limit, text, bytes);
  return gone || silent;
}

// --- tell, and leave -----------------------------------------------------------------------------------------------

void tutti_par_watchdog_link_tell(const tutti_watchdog_link *link) {
  if (!link) return;
  const message out = {link->secret, link->node, TUTTI_WATCHDOG_REPORTED};
  tutti_par_watchdog_socket_send(link->fd, link->host, link->all, link->n_all, N_COPIES, &out);
}

bool tutti_par_watchdog_link_was_told(const tutti_watchdog_link *link) {
  return link && link->was_told;
}

void tutti_par_watchdog_link_leave(tutti_watchdog_link *link) {
  if (!link || atomic_exchange(&link->has_left, true)) return;
  const message out = {link->secret, link->node, TUTTI_WATCHDOG_GOODBYE};
  tutti_par_watchdog_socket_send(link->fd, link->host, link->next, link->n_next, N_COPIES, &out);
}

void tutti_par_watchdog_link_destroy(tutti_watchdog_link **link) {
  if (!*link) return;
  tutti_par_watchdog_link_leave(*link);
  for (int i = 0; i < (*link)->n_before; i++) tutti_par_watchdog_probe_close(&(*link)->before[i].probe);
  close((*link)->fd);
  tutti_free((*link)->all);
  tutti_free(*link);
  *link = NULL;
}
