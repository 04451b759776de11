#include <string.h>

#include "par/par_impl.h"

void tutti_texts_free(char ***texts, int n) {
  for (int i = 0; *texts && i < n; i++) tutti_free((*texts)[i]);
  tutti_free(*texts);
  *texts = NULL;
}

/** Room for the ranks' texts, of which rank r's has bytes[r] with its end. */
static tutti_status allocate(int size, const int64_t *bytes, char ***texts) {
  TUTTI_TRY(TUTTI_NEW(*texts, size));
  for (int rank = 0; rank < size; rank++) TUTTI_TRY(TUTTI_NEW((*texts)[rank], bytes[rank]));
  return TUTTI_OK;
}

/** Each rank's text in a message of its own: there is one only at the start and the end of a job. */
static tutti_status receive(const tutti_comm *comm, const int64_t *bytes, char **texts) {
  for (int rank = 0; rank < comm->size; rank++) {
    int count = 0;
    if (rank == comm->rank) continue;
    TUTTI_TRY(tutti_to_int(bytes[rank], "the length of a text", &count));
    TUTTI_MPI(MPI_Recv(texts[rank], count, MPI_CHAR, rank, 0, comm->all, MPI_STATUS_IGNORE));
  }
  return TUTTI_OK;
}

tutti_status tutti_gather_texts(const tutti_comm *comm, int root, const char *text, char ***texts) {
  const bool is_root = comm->rank == root;
  int64_t own = (int64_t)strlen(text) + 1, *bytes = NULL;
  *texts = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_agree(comm, is_root ? TUTTI_NEW(bytes, comm->size) : TUTTI_OK));
  TUTTI_MPI_GOTO(done, MPI_Gather(&own, 1, MPI_INT64_T, bytes, 1, MPI_INT64_T, root, comm->all));
  TUTTI_TRY_GOTO(done, tutti_agree(comm, is_root ? allocate(comm->size, bytes, texts) : TUTTI_OK));
  if (is_root) {
    memcpy((*texts)[root], text, (size_t)own);
    TUTTI_TRY_GOTO(done, receive(comm, bytes, *texts));
  } else {
    TUTTI_MPI_GOTO(done, MPI_Send(text, (int)own, MPI_CHAR, root, 0, comm->all));
  }
done:
  if (status != TUTTI_OK) tutti_texts_free(texts, comm->size);
  tutti_free(bytes);
  return status;
}
