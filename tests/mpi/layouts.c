#include "layouts.h"

#include <limits.h>

const layout layouts[N_LAYOUTS] = {{"one node", INT_MAX, 0, 0}, {"one a node", 1, 0, 0},
                                   {"two a node", 2, 0, 0},     {"three a node", 3, 0, 0},
                                   {"in turn", INT_MAX, 2, 0},  {"uneven", INT_MAX, 3, 1}};

static int node_of(const layout *wanted, int rank) {
  const int node = rank % wanted->stride;
  return wanted->uneven && node > 0 ? 1 : node;
}

/** Replace the one node of `comm` by several. */
static tutti_status renumber(const layout *wanted, tutti_comm *comm) {
  TUTTI_MPI(MPI_Comm_free(&comm->node));
  comm->node_index = node_of(wanted, comm->rank);
  for (int rank = 0; rank < comm->size; rank++)
    if (node_of(wanted, rank) >= comm->n_nodes) comm->n_nodes = node_of(wanted, rank) + 1;
  TUTTI_MPI(MPI_Comm_split(comm->all, comm->node_index, comm->rank, &comm->node));
  TUTTI_MPI(MPI_Comm_rank(comm->node, &comm->node_rank));
  TUTTI_MPI(MPI_Comm_size(comm->node, &comm->node_size));
  return TUTTI_OK;
}

tutti_status layout_create(const layout *wanted, tutti_comm **comm) {
  TUTTI_TRY(tutti_comm_create_from(MPI_COMM_WORLD, wanted->max_node_size, comm));
  // Ranks of several real nodes cannot share memory: those then stay as they are.
  if (wanted->stride > 0 && (*comm)->n_nodes == 1) TUTTI_TRY(renumber(wanted, *comm));
  return TUTTI_OK;
}
