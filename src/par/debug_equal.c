/** The check, in debug builds only, that the arguments of a collective call are equal on all ranks. */
#include "par/par_impl.h"

#ifdef NDEBUG
tutti_status tutti_comm_same(const tutti_comm *comm, int64_t value, const char *what) {
  (void)comm, (void)value, (void)what;
  return TUTTI_OK;
}
#else
tutti_status tutti_comm_same(const tutti_comm *comm, int64_t value, const char *what) {
  // ~x turns the order of the integers round and, unlike -x, never overflows: ~max(~x) is the minimum.
  int64_t most[2] = {value, ~value};
  TUTTI_MPI(MPI_Allreduce(MPI_IN_PLACE, most, 2, MPI_INT64_T, MPI_MAX, comm->all));
  TUTTI_CHECK(most[0] == ~most[1], TUTTI_ERR_INTERNAL,
              "%s must be equal on all ranks, but is %lld on one and %lld on another", what,
              (long long)~most[1], (long long)most[0]);
  return TUTTI_OK;
}
#endif
