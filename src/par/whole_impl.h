#pragma once
/** The state of all ranks as one array on the first rank, and back: for checkpoints. */
#include "par/par_impl.h"
#include "tutti/slice.h"

typedef struct tutti_whole tutti_whole;

/** Collective.  Learn which slices there are.
 * @param[in]  comm       borrowed; must outlive the result
 * @param[in]  n          elements of the flat buffer
 * @param[in]  slice      of this rank; its ranges must outlive the result
 * @param[in]  on_a_node  the slices of the ranks of a node cover the flat buffer; else each rank has all of it
 * @param[out] whole      owned by the caller
 * @return (agreed) ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_par_whole_create(const tutti_comm *comm, int64_t n, const tutti_slice *slice,
                                    bool on_a_node, tutti_whole **whole);
void tutti_par_whole_destroy(tutti_whole **whole); // Collective.  Accepts NULL inside; nulls the handle.

/** Collective, in messages of at most `piece` elements.  As tutti_reducer_gather and tutti_reducer_scatter.  Only the
 * first node, whose ranks have all slices, takes part in `gather`. */
TUTTI_NODISCARD
tutti_status tutti_par_whole_gather(const tutti_whole *whole, const float *own, int piece, float *all);
TUTTI_NODISCARD
tutti_status tutti_par_whole_scatter(const tutti_whole *whole, const float *all, int piece, float *own);

/** Collective, in messages of at most `piece` elements.  Copy all[n] of rank 0 to params[n], of which each rank has its
 * own, or each node one copy, see `on_a_node`.  The caller makes it visible on the node. */
TUTTI_NODISCARD
tutti_status tutti_par_whole_spread(const tutti_whole *whole, const float *all, int piece, float *params);
