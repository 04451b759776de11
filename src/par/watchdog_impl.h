#pragma once
/** The watchdog: a thread of each rank that notices if another rank or another node stops answering. */
#include <stdatomic.h>
#include <stdint.h>

#include "par/par_impl.h"

typedef struct tutti_watchdog tutti_watchdog;

// --- watchdog.c ------------------------------------------------------------------------------------

/** Collective over `comm`, as tutti_comm_watch.
 * @param[out] dog  owned by the caller; NULL after a failure */
TUTTI_NODISCARD
tutti_status tutti_par_watchdog_create(const tutti_comm *comm, double limit, tutti_comm_lost *lost,
                                       tutti_watchdog **dog);

/** Local.  Change the limit; 0: never end the job. */
void tutti_par_watchdog_set_limit(tutti_watchdog *dog, double limit);

/** Local.  Tell the others that this rank ends well, and stop the thread.  Accepts NULL inside; nulls the handle. */
void tutti_par_watchdog_destroy(tutti_watchdog **dog);

/** Local; may be called in a signal handler.  This rank ends with a message of its own, and the others shall not miss it.
 * Accepts NULL. */
void tutti_par_watchdog_leave(tutti_watchdog *dog);

/** What is said of a rank whose process is not there any more. */
#define TUTTI_WATCHDOG_GONE "has ended without a word: it was killed, or it has crashed"

// --- watchdog_link.c -------------------------------------------------------------------------------

/** The heartbeat between nodes: the first rank of each node sends small UDP messages to the first ranks of the next
 * nodes.  It does not use MPI, whose messages may wait behind the collective that hangs. */
typedef struct tutti_watchdog_link tutti_watchdog_link;

/** Collective over `comm`.  Exchange addresses.
 * @param[out] link  NULL on a single node, and if there is no socket */
TUTTI_NODISCARD
tutti_status tutti_par_watchdog_link_create(const tutti_comm *comm, tutti_watchdog_link **link);

/** Local.  Send a heartbeat to the next nodes, take all messages that have arrived, and look whether the first
 * processes of the nodes before are there.  Accepts NULL. */
void tutti_par_watchdog_link_beat(tutti_watchdog_link *link, double now);

/** Local.  Count all silences from `now` on.  Accepts NULL. */
void tutti_par_watchdog_link_reset(tutti_watchdog_link *link, double now);

/** Local.  Whether the process of a node is gone, or the node has been silent for more than `limit` seconds, and it is
 * this node's turn to report that.  A node that has never been heard is not counted: a firewall may keep its messages
 * away.  Accepts NULL.
 * @param[out] text  [bytes] what is lost */
bool tutti_par_watchdog_link_lost(const tutti_watchdog_link *link, double now, double limit, char *text,
                                  size_t bytes);

/** Local.  Tell all nodes that this rank reports a loss.  Each node then ends by itself, and the first one its launcher,
 * which may wait for the lost node.  Accepts NULL. */
void tutti_par_watchdog_link_tell(const tutti_watchdog_link *link);

/** Local.  Whether another node has told that.  Accepts NULL. */
bool tutti_par_watchdog_link_was_told(const tutti_watchdog_link *link);

/** Local; may be called in a signal handler.  Say goodbye to the next nodes, which then do not miss this one.  Accepts
 * NULL. */
void tutti_par_watchdog_link_leave(tutti_watchdog_link *link);

/** Local.  Say goodbye, and end.  Accepts NULL inside; nulls the handle. */
void tutti_par_watchdog_link_destroy(tutti_watchdog_link **link);
