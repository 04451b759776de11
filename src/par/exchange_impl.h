#pragma once
/** Sums over the nodes of arrays whose owners, one per node, have a communicator.  Several sums are under way at once, and
 * nobody waits: the caller starts sums and then calls `advance` again and again, in one thread.
 *
 * Each owner receives its part of the array from all others, adds up the parts in the order of the nodes, and sends the
 * result to all others.  So all nodes have the same bits, and messages go both ways at the same time.  A node sends and
 * receives 2 (nodes - 1) / nodes times the bytes of the array, which is the least possible (Patarasuk and Yuan 2009,
 * "Bandwidth optimal all-reduce algorithms for clusters of workstations"). */
#include <stdatomic.h>

#include "par/par_impl.h"

typedef struct tutti_exchange tutti_exchange;

/** Local.
 * @param[in]  n_nodes   at least 2
 * @param[in]  most      elements of an array at most
 * @param[in]  at_once   sums that are under way at the same time, at most
 * @param[out] exchange  owned by the caller
 * @return ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_par_exchange_create(int n_nodes, int64_t most, int at_once, tutti_exchange **exchange);

/** Local.  Accepts NULL inside; nulls the handle.  Sums that are under way are given up, so that MPI must end. */
void tutti_par_exchange_destroy(tutti_exchange **exchange);

bool tutti_par_exchange_has_room(
    const tutti_exchange *exchange); // Local.  Whether one more sum can be started.
bool tutti_par_exchange_is_idle(const tutti_exchange *exchange); // Local.  Whether no sum is under way.

/** Collective over `owners`, which start their common sums with the same tags, in any order.  Begin to replace values[n]
 * by their sums over the nodes.
 * @param[in] owners  a rank of each node, in the order of nodes
 * @param[in] tag     in [0, TUTTI_EXCHANGE_TAGS); sums of one communicator that are under way have different tags
 * @param[in] left    counts down by one when the sum is there; borrowed until then */
TUTTI_NODISCARD
tutti_status tutti_par_exchange_start(tutti_exchange *exchange, MPI_Comm owners, float *values, int n,
                                      int tag, atomic_int *left);

/** Tags, and a good number of sums at the same time: while one is added up, others are on the link. */
enum { TUTTI_EXCHANGE_TAGS = 16384, TUTTI_EXCHANGE_AT_ONCE = 4 };

/** Local.  Go on with all sums, as far as messages have arrived.
 * @param[out] moved  whether any sum got further */
TUTTI_NODISCARD
tutti_status tutti_par_exchange_advance(tutti_exchange *exchange, bool *moved);
