/** Communicators: a duplicate of MPI's, the ranks that share memory with this one, and the numbers of the nodes. */
#include <limits.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/text.h"
#include "par/watchdog_impl.h"

/** Number the nodes in the order of their lowest ranks: the first rank of a node counts the first ranks of other nodes
 * before it, and broadcasts the count on its node. */
static tutti_status number_nodes(tutti_comm *comm) {
  const int is_first = comm->node_rank == 0;
  int n_first = 0;
  TUTTI_MPI(MPI_Scan(&is_first, &n_first, 1, MPI_INT, MPI_SUM, comm->all));
  comm->node_index = n_first - 1;
  TUTTI_MPI(MPI_Bcast(&comm->node_index, 1, MPI_INT, 0, comm->node));
  comm->n_nodes = n_first;
  TUTTI_MPI(MPI_Bcast(&comm->n_nodes, 1, MPI_INT, comm->size - 1, comm->all));
  return TUTTI_OK;
}

static tutti_status find_node(tutti_comm *comm, int max_node_size) {
  MPI_Comm shared = MPI_COMM_NULL;
  int shared_rank = 0;
  TUTTI_MPI(MPI_Comm_split_type(comm->all, MPI_COMM_TYPE_SHARED, comm->rank, MPI_INFO_NULL, &shared));
  TUTTI_MPI(MPI_Comm_rank(shared, &shared_rank));
  // The test layouts cut one machine into several nodes here; a real node stays whole.
  TUTTI_MPI(MPI_Comm_split(shared, shared_rank / max_node_size, shared_rank, &comm->node));
  TUTTI_MPI(MPI_Comm_free(&shared));
  TUTTI_MPI(MPI_Comm_rank(comm->node, &comm->node_rank));
  TUTTI_MPI(MPI_Comm_size(comm->node, &comm->node_size));
  return number_nodes(comm);
}

static tutti_status connect(tutti_comm *comm, MPI_Comm parent, int max_node_size) {
  int length = 0;
  // Messages of other users of the parent cannot be mixed up with ours.
  TUTTI_MPI(MPI_Comm_dup(parent, &comm->all));
  // The communicator of the node inherits the handler.
  TUTTI_MPI(MPI_Comm_set_errhandler(comm->all, MPI_ERRORS_RETURN));
  TUTTI_MPI(MPI_Comm_rank(comm->all, &comm->rank));
  TUTTI_MPI(MPI_Comm_size(comm->all, &comm->size));
  TUTTI_MPI(MPI_Get_processor_name(comm->host, &length));
  return find_node(comm, max_node_size);
}

/** Nobody could act on a failure here, so it is ignored. */
static void disconnect(tutti_comm *comm) {
  if (comm->node != MPI_COMM_NULL) MPI_Comm_free(&comm->node);
  if (comm->all != MPI_COMM_NULL) MPI_Comm_free(&comm->all);
}

tutti_status tutti_comm_create_from(MPI_Comm parent, int max_node_size, tutti_comm **comm) {
  *comm = NULL;
  tutti_comm self = {.all = MPI_COMM_NULL, .node = MPI_COMM_NULL};
  TUTTI_TRY(connect(&self, parent, max_node_size));
  // The communicator works before it has its memory, so that its ranks can agree about that.
  const tutti_status status = tutti_comm_agree(&self, TUTTI_NEW(*comm, 1));
  if (status == TUTTI_OK) {
    **comm = self;
  } else {
    tutti_free(*comm);
    *comm = NULL;
    disconnect(&self);
  }
  return status;
}

/** Collective over MPI_COMM_WORLD.  What TUTTI_NODE_SIZE of rank 0 says: several nodes can be tried on one machine. */
static tutti_status ask_for_node_size(int rank, int *most) {
  const char *wish = getenv("TUTTI_NODE_SIZE");
  int64_t value = INT_MAX;
  if (rank == 0 && wish && !tutti_text_integer(wish, &value)) value = 0;
  TUTTI_MPI(MPI_Bcast(&value, 1, MPI_INT64_T, 0, MPI_COMM_WORLD));
  TUTTI_CHECK(value >= 1 && value <= INT_MAX, TUTTI_ERR_CONFIG,
              "TUTTI_NODE_SIZE is '%s'; expected the number of ranks of a node, or that it is not set",
              wish ? wish : "");
  *most = (int)value;
  return TUTTI_OK;
}

tutti_status tutti_comm_create_world(tutti_comm **comm) {
  int rank = 0, size = 1, most = INT_MAX;
  TUTTI_MPI(MPI_Comm_rank(MPI_COMM_WORLD, &rank));
  TUTTI_MPI(MPI_Comm_size(MPI_COMM_WORLD, &size));
  tutti_log_set_rank(rank, size);
  TUTTI_TRY(ask_for_node_size(rank, &most));
  return tutti_comm_create_from(MPI_COMM_WORLD, most, comm);
}

tutti_status tutti_comm_split(const tutti_comm *comm, int part, tutti_comm **own) {
  MPI_Comm ranks = MPI_COMM_NULL;
  *own = NULL;
  TUTTI_MPI(MPI_Comm_split(comm->all, part, comm->rank, &ranks));
  // A part hears only of its own failures, but the other parts would go on without it.
  const tutti_status status = tutti_comm_agree(comm, tutti_comm_create_from(ranks, INT_MAX, own));
  MPI_Comm_free(&ranks);
  if (status != TUTTI_OK) tutti_comm_destroy(own);
  return status;
}

void tutti_comm_destroy(tutti_comm **comm) {
  if (!*comm) return;
  tutti_par_watchdog_destroy(&(*comm)->watchdog);
  disconnect(*comm);
  tutti_free(*comm);
  *comm = NULL;
}

tutti_status tutti_comm_watch(tutti_comm *comm, double limit, tutti_comm_lost *lost) {
  return tutti_par_watchdog_create(comm, limit, lost, &comm->watchdog);
}

void tutti_comm_set_watch_limit(const tutti_comm *comm, double limit) {
  tutti_par_watchdog_set_limit(comm->watchdog, limit);
}

void tutti_comm_leave_watch(const tutti_comm *comm) {
  tutti_par_watchdog_leave(comm->watchdog);
}

int tutti_comm_rank(const tutti_comm *comm) {
  return comm->rank;
}

int tutti_comm_size(const tutti_comm *comm) {
  return comm->size;
}

int tutti_comm_node(const tutti_comm *comm) {
  return comm->node_index;
}

int tutti_comm_n_nodes(const tutti_comm *comm) {
  return comm->n_nodes;
}

int tutti_comm_node_rank(const tutti_comm *comm) {
  return comm->node_rank;
}

int tutti_comm_node_size(const tutti_comm *comm) {
  return comm->node_size;
}

const char *tutti_comm_host(const tutti_comm *comm) {
  return comm->host;
}
