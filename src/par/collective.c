/** Broadcasts, reductions and gatherings with 64-bit counts: large messages are cut into pieces that an int counts. */
#include <string.h>

#include "par/par_impl.h"

tutti_status tutti_comm_bcast_pieces(const tutti_comm *comm, int root, void *data, int64_t bytes, int piece) {
  char *at = data;
  for (int64_t left = bytes; left > 0; left -= piece, at += piece)
    TUTTI_MPI(MPI_Bcast(at, left < piece ? (int)left : piece, MPI_BYTE, root, comm->all));
  return TUTTI_OK;
}

tutti_status tutti_comm_sum_floats(MPI_Comm comm, float *values, int64_t n, int piece) {
  float *at = values;
  for (int64_t left = n; left > 0; left -= piece, at += piece)
    TUTTI_MPI(MPI_Allreduce(MPI_IN_PLACE, at, left < piece ? (int)left : piece, MPI_FLOAT, MPI_SUM, comm));
  return TUTTI_OK;
}

// A rank with another size would wait forever or get a part of another message; debug builds find it.
tutti_status tutti_comm_bcast(const tutti_comm *comm, int root, void *data, int64_t bytes) {
  TUTTI_TRY(tutti_comm_same(comm, bytes, "the size of a broadcast"));
  return tutti_comm_bcast_pieces(comm, root, data, bytes, TUTTI_PIECE);
}

tutti_status tutti_comm_bcast_text(const tutti_comm *comm, int root, char **text) {
  // The length goes first, so that all ranks can agree that they have the memory.
  const bool is_root = comm->rank == root;
  int64_t bytes = is_root ? (int64_t)strlen(*text) + 1 : 0;
  TUTTI_MPI(MPI_Bcast(&bytes, 1, MPI_INT64_T, root, comm->all));
  char *received = NULL;
  tutti_status status = tutti_comm_agree(comm, is_root ? TUTTI_OK : TUTTI_NEW(received, bytes));
  if (status == TUTTI_OK)
    status = tutti_comm_bcast_pieces(comm, root, is_root ? *text : received, bytes, TUTTI_PIECE);
  if (status != TUTTI_OK) {
    tutti_free(received);
    return status;
  }
  if (!is_root) *text = received;
  return TUTTI_OK;
}

/** These arrays are small, such as sums of norms: they are not cut, but a size that MPI cannot count is refused. */
static tutti_status reduce_all(const tutti_comm *comm, double *values, int64_t n, MPI_Op op) {
  int count = 0;
  TUTTI_TRY(tutti_to_int(n, "the number of values of a reduction", &count));
  TUTTI_MPI(MPI_Allreduce(MPI_IN_PLACE, values, count, MPI_DOUBLE, op, comm->all));
  return TUTTI_OK;
}

tutti_status tutti_comm_sum(const tutti_comm *comm, double *values, int64_t n) {
  return reduce_all(comm, values, n, MPI_SUM);
}

tutti_status tutti_comm_min(const tutti_comm *comm, double *values, int64_t n) {
  return reduce_all(comm, values, n, MPI_MIN);
}

tutti_status tutti_comm_max(const tutti_comm *comm, double *values, int64_t n) {
  return reduce_all(comm, values, n, MPI_MAX);
}

tutti_status tutti_comm_gather(const tutti_comm *comm, int root, const double *values, int64_t n,
                               double *all) {
  return tutti_comm_gather_bytes(comm, root, values, n * (int64_t)sizeof *values, all);
}

tutti_status tutti_comm_gather_bytes(const tutti_comm *comm, int root, const void *data, int64_t bytes,
                                     void *all) {
  int count = 0;
  TUTTI_TRY(tutti_to_int(bytes, "the bytes that each rank gives", &count));
  TUTTI_MPI(MPI_Gather(data, count, MPI_BYTE, all, count, MPI_BYTE, root, comm->all));
  return TUTTI_OK;
}

tutti_status tutti_comm_barrier(const tutti_comm *comm) {
  TUTTI_MPI(MPI_Barrier(comm->all));
  return TUTTI_OK;
}
