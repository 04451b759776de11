#pragma once
/** The UDP messages of the watchdogs of different nodes.  All functions are local. */
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

enum { TUTTI_WATCHDOG_ADDRESSES = 16 };

/** How the first rank of a node can be reached. */
typedef struct {
  int32_t rank, node, n_ranks; // rank -1: not the first of its node, or without a socket
  int32_t n_addresses;
  uint32_t addresses[TUTTI_WATCHDOG_ADDRESSES]; // IPv4, network order
  uint16_t port;                                // network order
  char host[64];
} tutti_watchdog_place;

typedef enum {
  TUTTI_WATCHDOG_BEAT,
  TUTTI_WATCHDOG_GOODBYE,  // this node ends in order, so expect no more
  TUTTI_WATCHDOG_REPORTED, // a rank of this node has reported a loss, and the job ends
  TUTTI_WATCHDOG_PROBE,    // to be answered; the host of a process that is gone refuses it
  TUTTI_WATCHDOG_ANSWER
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

/** Send a message.  One that cannot be sent within a moment is lost.  May be called in a signal handler. */
void tutti_par_watchdog_socket_send_one(int fd, const struct sockaddr_in *to,
                                        const tutti_watchdog_message *out);

/** Whether a place has an address that leads there from `host`. */
bool tutti_par_watchdog_socket_reaches(const tutti_watchdog_place *to, const char *host);

/** Send a message to to[n], so many times, to each by all its addresses; otherwise the same.
 * @param[in] host  of this node: only nodes of the same host get it by the loopback address */
void tutti_par_watchdog_socket_send(int fd, const char *host, const tutti_watchdog_place *to, int n,
                                    int copies, const tutti_watchdog_message *out);

/** Take the next message with this secret.
 * @param[out] from  its sender
 * @return false: none has arrived */
bool tutti_par_watchdog_socket_take(int fd, uint64_t secret, tutti_watchdog_message *in,
                                    struct sockaddr_in *from);

/** A socket that asks whether another one is still there. */
typedef struct {
  int fd;            // -1: none
  bool was_answered; // else a firewall may refuse for the other one
  int n_refused;     // looks in a row at which its host has said that it is not there
} tutti_watchdog_probe;

/** Make a probe of the socket that has sent a message.  Without a socket of its own it finds nothing. */
tutti_watchdog_probe tutti_par_watchdog_probe_open(const struct sockaddr_in *to);
void tutti_par_watchdog_probe_close(tutti_watchdog_probe *probe);

/** Take what the last look has brought, and ask again.
 * @param[in] out  the question */
void tutti_par_watchdog_probe_look(tutti_watchdog_probe *probe, uint64_t secret,
                                   const tutti_watchdog_message *out);
