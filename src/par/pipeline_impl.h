#pragma once
/** Sums of gradients over nodes that begin while backward goes on.
 *
 * The flat buffer is cut into pieces.  A piece is summed when all ranks of the node have written it: each rank adds up
 * its range of it over the ranks of the node, and exchanges it with the owners of that range on the other nodes.  Pieces
 * are summed from the last one to the first one, which is the order in which backward writes them.
 *
 * A thread of its own does all that, if MPI allows several threads.  Otherwise the main thread does, whenever it calls
 * one of these functions.  Local, main thread, unless a comment says otherwise. */
#include "par/node_impl.h"

typedef struct tutti_pipeline tutti_pipeline;

/** Collective.  The slice of the reducer has a range for each piece, which may be empty.
 * @param[in]  reducer   with its node; borrowed
 * @param[in]  length    elements of a piece, whole blocks; the last piece may be shorter
 * @param[in]  sources   [node_size] the gradients of the ranks of the node, [n] each; borrowed
 * @param[in]  sums      [elements of the slice] where the sums go; borrowed
 * @param[out] pipeline  owned by the caller, who also destroys it after a failure
 * @return (agreed) ERR_MEMORY, ERR_SYSTEM */
TUTTI_NODISCARD
tutti_status tutti_par_pipeline_create(const tutti_reducer *reducer, int64_t length,
                                       const float *const *sources, float *sums, tutti_pipeline **pipeline);
void tutti_par_pipeline_destroy(
    tutti_pipeline **pipeline); // Collective.  Accepts NULL inside; nulls the handle.

/** The gradient of this rank is written in [begin, begin + count).  The first call begins a step.  An error of MPI is told
 * by the next wait. */
void tutti_par_pipeline_part_done(tutti_pipeline *pipeline, int64_t begin, int64_t count);

/** The gradient of this rank is written everywhere, or it failed, and its numbers do not matter. */
void tutti_par_pipeline_all_done(tutti_pipeline *pipeline);

/** Wait for the sums of range i of the slice.
 * @return ERR_MPI */
TUTTI_NODISCARD
tutti_status tutti_par_pipeline_wait(tutti_pipeline *pipeline, int i);

/** Wait for all sums.  The step is over. */
TUTTI_NODISCARD
tutti_status tutti_par_pipeline_finish(tutti_pipeline *pipeline);
