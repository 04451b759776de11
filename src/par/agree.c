/** One status for all ranks: the largest code wins, and its text goes to everybody.  All rooms that communicate call
 * it, so that no rank leaves a collective path alone. */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "par/par_impl.h"

enum { TEXT_BYTES = 2048 };

/** Collective.  Make the failure of `speaker` that of all ranks.  The speaker keeps its trace; the others start a new
 * one, because a failure of their own does not matter any more. */
static tutti_status spread(const tutti_comm *comm, int speaker, tutti_status status, bool name_speaker) {
  char text[TEXT_BYTES] = "";
  if (comm->rank == speaker) {
    // The number in the job, as in the log, even if `comm` has only some of its ranks.
    if (name_speaker) snprintf(text, sizeof text, "rank %d on %s: ", tutti_log_rank(), comm->host);
    const size_t used = strlen(text);
    snprintf(text + used, sizeof text - used, "%s", tutti_fail_text());
  }
  TUTTI_MPI(MPI_Bcast(text, TEXT_BYTES, MPI_CHAR, speaker, comm->all));
  if (comm->rank != speaker) return tutti_fail(status, __func__, __FILE__, __LINE__, "%s", text);
  tutti_fail_set_text(text);
  return status;
}

tutti_status tutti_comm_agree(const tutti_comm *comm, tutti_status local) {
  if (local == TUTTI_ERR_MPI) return local;
  // One maximum finds the largest code with its lowest rank, and the smallest code: -min(x) = max(-x).
  const int64_t rank_bits = INT64_C(1) << 32;
  int64_t most[2] = {(int64_t)local * rank_bits + (INT_MAX - comm->rank), -(int64_t)local};
  TUTTI_MPI(MPI_Allreduce(MPI_IN_PLACE, most, 2, MPI_INT64_T, MPI_MAX, comm->all));
  const tutti_status agreed = (tutti_status)(most[0] / rank_bits);
  if (agreed == TUTTI_OK) return TUTTI_OK;
  const int speaker = INT_MAX - (int)(most[0] % rank_bits);
  const bool alike = -most[1] == (int64_t)agreed; // always true on one rank
  return spread(comm, speaker, agreed, !alike);
}

tutti_status tutti_comm_agree_from(const tutti_comm *comm, int root, tutti_status local) {
  if (local == TUTTI_ERR_MPI) return local;
  // A success costs one broadcast of four bytes; only a failure sends its text.
  int code = (int)local;
  TUTTI_MPI(MPI_Bcast(&code, 1, MPI_INT, root, comm->all));
  if (code == TUTTI_OK) return TUTTI_OK;
  return spread(comm, root, (tutti_status)code, false);
}
