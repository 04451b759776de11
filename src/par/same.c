#include "par/par_impl.h"

#include <string.h>

#ifdef NDEBUG
tutti_status tutti_same(const tutti_comm *comm, int64_t value, const char *what) {
  (void)comm, (void)value, (void)what;
  return TUTTI_OK;
}

tutti_status tutti_same_floats(const tutti_comm *comm, const float *values, int64_t n, const char *what) {
  (void)comm, (void)values, (void)n, (void)what;
  return TUTTI_OK;
}
#else
tutti_status tutti_same(const tutti_comm *comm, int64_t value, const char *what) {
  // ~x turns the order of the integers round and, unlike -x, never overflows: ~max(~x) is the minimum.
  int64_t most[2] = {value, ~value};
  TUTTI_MPI(MPI_Allreduce(MPI_IN_PLACE, most, 2, MPI_INT64_T, MPI_MAX, comm->all));
  TUTTI_CHECK(most[0] == ~most[1], TUTTI_ERR_INTERNAL,
              "%s must be equal on all ranks, but is %lld on one and %lld on another", what,
              (long long)~most[1], (long long)most[0]);
  return TUTTI_OK;
}

/** How many of values[n] are those of `root` from the first on. */
static int64_t count_same(const float *values, const float *root, int64_t n) {
  int64_t i = 0;
  while (i < n && memcmp(&values[i], &root[i], sizeof *values) == 0) i++;
  return i;
}

tutti_status tutti_same_floats(const tutti_comm *comm, const float *values, int64_t n, const char *what) {
  enum { PIECE = 4096 };
  float root[PIECE];
  int64_t same = 0;
  TUTTI_TRY(tutti_same(comm, n, what));
  for (int64_t done = 0; done < n; done += PIECE) {
    const int64_t piece = n - done < PIECE ? n - done : PIECE;
    if (comm->rank == 0) memcpy(root, values + done, (size_t)piece * sizeof *root);
    TUTTI_MPI(MPI_Bcast(root, (int)piece, MPI_FLOAT, 0, comm->all));
    if (same == done) same += count_same(values + done, root, piece);
  }
  TUTTI_MPI(MPI_Allreduce(MPI_IN_PLACE, &same, 1, MPI_INT64_T, MPI_MIN, comm->all));
  TUTTI_CHECK(same == n, TUTTI_ERR_INTERNAL, "%s must be equal on all ranks, but number %lld of %lld is not",
              what, (long long)same, (long long)n);
  return TUTTI_OK;
}
#endif
