/** The texts of all ranks on one of them: host names, bindings and warnings for reports, and the lines of `tutti
 * doctor`.  Each text is a message of its own, because there are few of them, at the start and at the end of a job. */
#include <string.h>

#include "par/par_impl.h"

/** Local.  Room for the text of each rank, which has bytes[rank] bytes with its NUL. */
static tutti_status add_rooms(int size, const int64_t *bytes, tutti_texts *texts) {
  for (int rank = 0; rank < size; rank++)
    if (!tutti_texts_add_room(texts, bytes[rank])) return TUTTI_ERR_MEMORY;
  return TUTTI_OK;
}

static tutti_status receive(const tutti_comm *comm, const int64_t *bytes, char **texts) {
  for (int rank = 0; rank < comm->size; rank++) {
    int count = 0;
    if (rank == comm->rank) continue;
    TUTTI_TRY(tutti_to_int(bytes[rank], "the length of a text", &count));
    TUTTI_MPI(MPI_Recv(texts[rank], count, MPI_CHAR, rank, 0, comm->all, MPI_STATUS_IGNORE));
  }
  return TUTTI_OK;
}

tutti_status tutti_comm_gather_texts(const tutti_comm *comm, int root, const char *text, tutti_texts *texts) {
  const bool is_root = comm->rank == root;
  int64_t own = (int64_t)strlen(text) + 1, *bytes = NULL;
  *texts = (tutti_texts){0};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_comm_agree(comm, is_root ? TUTTI_NEW(bytes, comm->size) : TUTTI_OK));
  // Lengths first: root allocates, and all agree about that, before a text is sent.
  TUTTI_MPI_GOTO(done, MPI_Gather(&own, 1, MPI_INT64_T, bytes, 1, MPI_INT64_T, root, comm->all));
  TUTTI_TRY_GOTO(done, tutti_comm_agree(comm, is_root ? add_rooms(comm->size, bytes, texts) : TUTTI_OK));
  if (is_root) {
    memcpy(texts->list[root], text, (size_t)own);
    TUTTI_TRY_GOTO(done, receive(comm, bytes, texts->list));
  } else {
    TUTTI_MPI_GOTO(done, MPI_Send(text, (int)own, MPI_CHAR, root, 0, comm->all));
  }
done:
  if (status != TUTTI_OK) tutti_texts_clear(texts);
  tutti_free(bytes);
  return status;
}
