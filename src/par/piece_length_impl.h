#pragma once
/** How long the pieces are in which a gradient goes over the nodes. */
#include "par/node_impl.h"

/** Collective, several nodes, with the reducer's node.  Measure how fast messages of several lengths are exchanged, and
 * choose: a short piece is on its way early, but each message has a price.  It takes half a second at most on a fast
 * network, and a few messages more than that on a slow one.
 *
 * TUTTI_PIECE in the environment of rank 0 chooses instead: a number of elements that a rank owns of a piece.
 * @param[out] length  elements of a piece, whole blocks, equal on all ranks
 * @return (agreed) ERR_CONFIG: TUTTI_PIECE is not such a number; ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_par_piece_length(const tutti_reducer *reducer, int64_t *length);
