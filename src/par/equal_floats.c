/** The check that arrays are equal bit by bit on all ranks, for parameters after a step: first by a fingerprint, and
 * number by number only if these differ.  It finds memory, processors and networks that change data. */
#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "par/par_impl.h"

/** The fingerprint of one rank. */
typedef struct {
  uint64_t fingerprint;
  int64_t number; // of the rank in the job, as in its log
} holder;

/** The lowest rank with the fingerprint of most ranks, or rank 0 if no fingerprint has a majority.  This happens once,
 * before the job ends, so that a fast vote is not needed. */
static int find_right(const holder *all, int n, bool *by_most) {
  *by_most = false;
  for (int i = 0; i < n; i++) {
    int n_holders = 0;
    for (int k = 0; k < n; k++) n_holders += all[k].fingerprint == all[i].fingerprint;
    *by_most = n_holders > n / 2;
    if (*by_most) return i;
  }
  return 0;
}

/** A sum may give any bits for a NaN. */
static bool is_same(float a, float b) {
  return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

/** The number of equal elements before the first difference. */
static int64_t count_same(const float *values, const float *right, int64_t n) {
  int64_t i = 0;
  while (i < n && is_same(values[i], right[i])) i++;
  return i;
}

/** Collective.  Compare with the values of rank `root`.
 * @param[out] first  index of the first difference; n: none
 * @param[out] both   the own value there and that of root */
static tutti_status find_first(const tutti_comm *comm, int root, const float *values, int64_t n,
                               int64_t *first, float both[2]) {
  enum { PIECE = 4096 };
  float right[PIECE];
  *first = n;
  for (int64_t done = 0; done < n; done += PIECE) {
    const int64_t piece = n - done < PIECE ? n - done : PIECE;
    if (comm->rank == root) memcpy(right, values + done, (size_t)piece * sizeof *right);
    TUTTI_MPI(MPI_Bcast(right, (int)piece, MPI_FLOAT, root, comm->all));
    const int64_t same = count_same(values + done, right, piece);
    if (*first < n || same == piece) continue;
    *first = done + same;
    both[0] = values[*first];
    both[1] = right[same];
  }
  return TUTTI_OK;
}

/** Collective, if the fingerprints differ.  Fails on the ranks that differ from the majority. */
static tutti_status report_difference(const tutti_comm *comm, const holder *all, const float *values,
                                      int64_t n, const char *what) {
  bool by_most;
  int64_t first;
  float both[2] = {0, 0};
  const int root = find_right(all, comm->size, &by_most);
  tutti_status local = TUTTI_OK;
  TUTTI_TRY(find_first(comm, root, values, n, &first, both));
  if (first < n)
    local =
        tutti_fail(TUTTI_ERR_SYSTEM, __func__, __FILE__, __LINE__,
                   "%s are not those of rank %lld%s: number %lld of %lld is %.9g here and %.9g there; "
                   "memory, a processor or the network has changed it; start again, which continues from the "
                   "last checkpoint, and leave that host out if it happens again",
                   what, (long long)all[root].number, by_most ? " and of most" : ", and either may be wrong",
                   (long long)first, (long long)n, (double)both[0], (double)both[1]);
  return tutti_comm_agree(comm, local);
}

tutti_status tutti_comm_same_floats(const tutti_comm *comm, const float *values, int64_t n,
                                    const char *what) {
  const holder own = {tutti_hash(0, values, n * (int64_t)sizeof *values), tutti_log_rank()};
  const int64_t bits = (int64_t)own.fingerprint;
  int64_t most[2] = {bits, ~bits}; // the largest and the smallest at once, as in tutti_comm_same
  holder *all = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY(tutti_comm_same(comm, n, what));
  TUTTI_MPI(MPI_Allreduce(MPI_IN_PLACE, most, 2, MPI_INT64_T, MPI_MAX, comm->all));
  if (most[0] == ~most[1]) return TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_comm_agree(comm, TUTTI_NEW(all, comm->size)));
  TUTTI_MPI_GOTO(done, MPI_Allgather(&own, sizeof own, MPI_BYTE, all, sizeof own, MPI_BYTE, comm->all));
  TUTTI_TRY_GOTO(done, report_difference(comm, all, values, n, what));
done:
  tutti_free(all);
  return status;
}
