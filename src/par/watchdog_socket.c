/** The UDP messages of the watchdogs of different nodes: addresses, sending and receiving.  A message carries a secret
 * number of the job, so messages of other programs are ignored.  watchdog_link.c decides what they mean. */
#define _DEFAULT_SOURCE // getifaddrs
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "par/watchdog_socket_impl.h"

/** All addresses of this host, the loopback one as well: several nodes of a test are one host. */
static void list_addresses(tutti_watchdog_place *own) {
  struct ifaddrs *all = NULL;
  if (getifaddrs(&all) != 0) return;
  for (const struct ifaddrs *a = all; a && own->n_addresses < TUTTI_WATCHDOG_ADDRESSES; a = a->ifa_next) {
    if (!a->ifa_addr || a->ifa_addr->sa_family != AF_INET || !(a->ifa_flags & IFF_UP)) continue;
    own->addresses[own->n_addresses++] =
        ((const struct sockaddr_in *)(const void *)a->ifa_addr)->sin_addr.s_addr;
  }
  freeifaddrs(all);
}

static int make_socket(void) {
  return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

int tutti_par_watchdog_socket_open(tutti_watchdog_place *own) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
  socklen_t length = sizeof name;
  const int fd = make_socket();
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

// The system may have no room for the message when a node tells many others at once, so wait a moment then.
void tutti_par_watchdog_socket_send_one(int fd, const struct sockaddr_in *to,
                                        const tutti_watchdog_message *out) {
  enum { TRIES = 3, WAIT_MS = 20 };
  for (int i = 0; i < TRIES; i++) {
    const ssize_t n =
        sendto(fd, out, sizeof *out, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)to, sizeof *to);
    if (n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS)) return;
    struct pollfd room = {.fd = fd, .events = POLLOUT};
    poll(&room, 1, WAIT_MS);
  }
}

/** The loopback address of another host is this one. */
static bool leads_there(uint32_t address, bool same_host) {
  return same_host || (ntohl(address) >> 24) != IN_LOOPBACKNET;
}

bool tutti_par_watchdog_socket_reaches(const tutti_watchdog_place *to, const char *host) {
  for (int a = 0; a < to->n_addresses; a++)
    if (leads_there(to->addresses[a], strcmp(host, to->host) == 0)) return true;
  return false;
}

void tutti_par_watchdog_socket_send(int fd, const char *host, const tutti_watchdog_place *to, int n,
                                    int copies, const tutti_watchdog_message *out) {
  for (int k = 0; k < copies; k++)
    for (int i = 0; i < n; i++)
      for (int a = 0; a < to[i].n_addresses; a++)
        if (leads_there(to[i].addresses[a], strcmp(host, to[i].host) == 0))
          tutti_par_watchdog_socket_send_one(fd,
                                             &(struct sockaddr_in){.sin_family = AF_INET,
                                                                   .sin_port = to[i].port,
                                                                   .sin_addr.s_addr = to[i].addresses[a]},
                                             out);
}

bool tutti_par_watchdog_socket_take(int fd, uint64_t secret, tutti_watchdog_message *in,
                                    struct sockaddr_in *from) {
  for (;;) {
    socklen_t length = sizeof *from;
    const ssize_t n = recvfrom(fd, in, sizeof *in, MSG_DONTWAIT, (struct sockaddr *)from, &length);
    if (n < 0 && errno != EINTR) return false;
    if (n == (ssize_t)sizeof *in && in->secret == secret) return true;
  }
}

tutti_watchdog_probe tutti_par_watchdog_probe_open(const struct sockaddr_in *to) {
  tutti_watchdog_probe probe = {.fd = make_socket()};
  if (probe.fd >= 0 && connect(probe.fd, (const struct sockaddr *)to, sizeof *to) != 0)
    tutti_par_watchdog_probe_close(&probe);
  return probe;
}

void tutti_par_watchdog_probe_close(tutti_watchdog_probe *probe) {
  if (probe->fd >= 0) close(probe->fd);
  *probe = (tutti_watchdog_probe){.fd = -1};
}

// A refusal is an error of the socket, which the system keeps until it is asked for.
void tutti_par_watchdog_probe_look(tutti_watchdog_probe *probe, uint64_t secret,
                                   const tutti_watchdog_message *out) {
  int error = 0;
  socklen_t length = sizeof error;
  tutti_watchdog_message in;
  struct sockaddr_in from;
  if (probe->fd < 0 || getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return;
  if (tutti_par_watchdog_socket_take(probe->fd, secret, &in, &from)) probe->was_answered = true;
  probe->n_refused = error == ECONNREFUSED ? probe->n_refused + 1 : 0;
  (void)!send(probe->fd, out, sizeof *out, MSG_DONTWAIT | MSG_NOSIGNAL);
}
