#pragma once
/** The UDP messages of the watchdogs of different nodes.  All functions are local. */
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

enum { TUTTI_WATCHDOG_ADDRESSES = 6 };

/** How the first rank of a node can be reached. */
typedef struct {
  int32_t rank, node, n_addresses;              // rank -1: not the first of its node, or without a socket
  uint32_t addresses[TUTTI_WATCHDOG_ADDRESSES]; // IPv4, network order
  uint16_t port;                                // network order
  char host[64];
} tutti_watchdog_place;

typedef enum {
  TUTTI_WATCHDOG_BEAT,
  TUTTI_WATCHDOG_GOODBYE,  // this node ends in order, so expect no more
  TUTTI_WATCHDOG_REPORTED, // a rank of this node has reported a loss, and the job ends
  TUTTI_WATCHDOG_PROBE     // means nothing: the host of a process that is gone refuses it
} tutti_watchdog_kind;

typedef struct {
  uint64_t secret;
  int32_t node;
  int32_t kind;
} tutti_watchdog_message;

/** Open a socket for messages to and from all hosts.
 * @param[out] own  gets addresses and port
 * @return the socket, the caller's to close; -1: there is none */
int tutti_par_watchdog_socket_open(tutti_watchdog_place *own);

/** Send a message to places[n], so many times.  A message that cannot be sent is lost.  May be called in a signal
 * handler. */
void tutti_par_watchdog_socket_send(int fd, const tutti_watchdog_place *to, int n, int copies,
                                    const tutti_watchdog_message *out);

/** Take the next message with this secret.  @return false: none has arrived */
bool tutti_par_watchdog_socket_take(int fd, uint64_t secret, tutti_watchdog_message *in,
                                    struct sockaddr_in *from);

/** Open a socket that asks whether another one is still there.  @return the caller's to close; -1: there is none */
int tutti_par_watchdog_probe_open(const struct sockaddr_in *to);

/** Whether the host of the other socket has said that it is not there; then ask again.  False for -1. */
bool tutti_par_watchdog_probe_is_refused(int fd, const tutti_watchdog_message *out);
