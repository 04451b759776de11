#pragma once
/** Declarations that the files of par and its white-box tests share. */
#include <mpi.h>

#include "tutti/par.h"

struct tutti_comm {
  MPI_Comm all;  // owned
  MPI_Comm node; // owned: the ranks that share memory with this one, in order of rank
  int rank, size;
  int node_index, n_nodes;
  int node_rank, node_size;
  char host[MPI_MAX_PROCESSOR_NAME];
  struct tutti_watchdog *watchdog; // owned; NULL: nobody watches
};

/** Collective over `parent`, as tutti_comm_create_world.
 * @param[in] max_node_size  a node is cut after this number of ranks, so that one machine can stand for several;
 *                           INT_MAX: it is not cut */
TUTTI_NODISCARD
tutti_status tutti_comm_create_from(MPI_Comm parent, int max_node_size, tutti_comm **comm);

/** tutti_comm_bcast in messages of at most `piece` bytes. */
TUTTI_NODISCARD
tutti_status tutti_comm_bcast_pieces(const tutti_comm *comm, int root, void *data, int64_t bytes, int piece);

/** Collective over `comm`, arguments equal on all its ranks.  In place: the sum over ranks of values[n], in
 * messages of at most `piece` values. */
TUTTI_NODISCARD
tutti_status tutti_comm_sum_floats(MPI_Comm comm, float *values, int64_t n, int piece);

/** The most elements of a message: the largest power of two that an int holds. */
enum { TUTTI_PIECE = 1 << 30 };

/** Collective, as tutti_par_window_create, but with a part for each rank, which begins at a page and lies in the memory
 * next to the rank.
 * @param[in] own_bytes  size of the part of this rank */
TUTTI_NODISCARD
tutti_status tutti_par_window_create_parts(const tutti_comm *comm, int64_t own_bytes, tutti_window **window);

/** Local.  The part of a rank of this node; borrowed. */
void *tutti_par_window_part(const tutti_window *window, int node_rank);

/** Local.  ERR_MPI with the name of the call and MPI's own sentence.  Use TUTTI_MPI. */
tutti_status tutti_par_mpi_fail(int code, const char *call, const char *function, const char *file, int line);

#define TUTTI_MPI(call)                                                                                      \
  do {                                                                                                       \
    const int tutti_mpi_code_ = (call);                                                                      \
    if (tutti_mpi_code_ != MPI_SUCCESS)                                                                      \
      return tutti_par_mpi_fail(tutti_mpi_code_, #call, __func__, __FILE__, __LINE__);                       \
  } while (0)

/** The same for functions that own something, see TUTTI_TRY_GOTO. */
#define TUTTI_MPI_GOTO(label, call)                                                                          \
  do {                                                                                                       \
    const int tutti_mpi_code_ = (call);                                                                      \
    if (tutti_mpi_code_ != MPI_SUCCESS) {                                                                    \
      status = tutti_par_mpi_fail(tutti_mpi_code_, #call, __func__, __FILE__, __LINE__);                     \
      goto label;                                                                                            \
    }                                                                                                        \
  } while (0)
