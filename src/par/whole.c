/** The way of slices to the first rank and back, for checkpoints.  The first node has all slices, so its ranks send them
 * to rank 0.  Back go broadcasts of the whole: from node to node, then on each node, whose ranks keep what is theirs.
 * reducer.c calls it. */
#include "par/whole_impl.h"

#include <string.h>

/** Elements that are broadcast at once: a message that is long enough for any network. */
enum { ROOM = 1 << 18, TAG = 0 };

struct tutti_whole {
  const tutti_comm *comm;
  int64_t n;
  const tutti_slice *slice; // of this rank
  bool on_a_node;
  MPI_Comm firsts; // the first ranks of the nodes, in the order of nodes; MPI_COMM_NULL on other ranks
  float *room;     // [min(n, ROOM)] owned

  // On rank 0: ranges[ends[r - 1] ... ends[r] - 1] are those of rank r of the node, owned.  Else NULL.
  int *ends;
  tutti_slice_range *ranges;
};

static bool gathers(const tutti_whole *whole) {
  return whole->on_a_node && whole->comm->node_index == 0;
}

// --- create

/** `start` has what the caller gives. */
static tutti_status create_local(const tutti_whole *start, tutti_whole **whole) {
  const int64_t room = start->n < ROOM ? start->n : ROOM;
  TUTTI_TRY(TUTTI_NEW(*whole, 1));
  **whole = *start;
  TUTTI_TRY(TUTTI_NEW((*whole)->room, room));
  return start->comm->rank == 0 ? TUTTI_NEW((*whole)->ends, start->comm->node_size) : TUTTI_OK;
}

/** The numbers of ranges of the first node, added up, on rank 0. */
static tutti_status count_ranges(tutti_whole *whole) {
  const tutti_comm *comm = whole->comm;
  if (!gathers(whole)) return TUTTI_OK;
  TUTTI_MPI(MPI_Gather(&whole->slice->n_ranges, 1, MPI_INT, whole->ends, 1, MPI_INT, 0, comm->node));
  for (int rank = 1; comm->rank == 0 && rank < comm->node_size; rank++)
    whole->ends[rank] += whole->ends[rank - 1];
  return TUTTI_OK;
}

static tutti_status allocate_ranges(tutti_whole *whole) {
  if (whole->comm->rank > 0 || !gathers(whole)) return TUTTI_OK;
  return TUTTI_NEW(whole->ranges, whole->ends[whole->comm->node_size - 1]);
}

static int begin_of(const tutti_whole *whole, int rank) {
  return rank > 0 ? whole->ends[rank - 1] : 0;
}

static tutti_status gather_ranges(tutti_whole *whole) {
  enum { NUMBERS = sizeof(tutti_slice_range) / sizeof(int64_t) };
  const tutti_comm *comm = whole->comm;
  const tutti_slice *own = whole->slice;
  if (!gathers(whole)) return TUTTI_OK;
  if (comm->rank > 0) {
    TUTTI_MPI(MPI_Send(own->ranges, NUMBERS * own->n_ranges, MPI_INT64_T, 0, TAG, comm->node));
    return TUTTI_OK;
  }
  memcpy(whole->ranges, own->ranges, (size_t)own->n_ranges * sizeof *own->ranges);
  for (int rank = 1; rank < comm->node_size; rank++) {
    const int begin = begin_of(whole, rank), n = whole->ends[rank] - begin;
    TUTTI_MPI(
        MPI_Recv(whole->ranges + begin, NUMBERS * n, MPI_INT64_T, rank, TAG, comm->node, MPI_STATUS_IGNORE));
  }
  return TUTTI_OK;
}

static tutti_status connect(tutti_whole *whole) {
  const tutti_comm *comm = whole->comm;
  const int color = comm->node_rank == 0 ? 0 : MPI_UNDEFINED;
  if (!whole->on_a_node || comm->n_nodes == 1) return TUTTI_OK;
  TUTTI_MPI(MPI_Comm_split(comm->all, color, comm->node_index, &whole->firsts));
  return TUTTI_OK;
}

tutti_status tutti_par_whole_create(const tutti_comm *comm, int64_t n, const tutti_slice *slice,
                                    bool on_a_node, tutti_whole **whole) {
  const tutti_whole start = {
      .comm = comm, .n = n, .slice = slice, .on_a_node = on_a_node, .firsts = MPI_COMM_NULL};
  TUTTI_TRY(tutti_comm_agree(comm, create_local(&start, whole)));
  tutti_whole *self = *whole;
  TUTTI_TRY(count_ranges(self));
  TUTTI_TRY(tutti_comm_agree(comm, allocate_ranges(self)));
  TUTTI_TRY(gather_ranges(self));
  return connect(self);
}

void tutti_par_whole_destroy(tutti_whole **whole) {
  tutti_whole *self = *whole;
  if (!self) return;
  if (self->firsts != MPI_COMM_NULL) MPI_Comm_free(&self->firsts);
  tutti_free(self->room);
  tutti_free(self->ends);
  tutti_free(self->ranges);
  tutti_free(self);
  *whole = NULL;
}

// --- to rank 0

static int message(int64_t left, int64_t most) {
  return (int)(left < most ? left : most);
}

static tutti_status send(const float *values, int64_t n, int piece, MPI_Comm comm) {
  for (int64_t done = 0; done < n; done += piece)
    TUTTI_MPI(MPI_Send(values + done, message(n - done, piece), MPI_FLOAT, 0, TAG, comm));
  return TUTTI_OK;
}

static tutti_status receive(float *values, int64_t n, int piece, int rank, MPI_Comm comm) {
  for (int64_t done = 0; done < n; done += piece)
    TUTTI_MPI(
        MPI_Recv(values + done, message(n - done, piece), MPI_FLOAT, rank, TAG, comm, MPI_STATUS_IGNORE));
  return TUTTI_OK;
}

tutti_status tutti_par_whole_gather(const tutti_whole *whole, const float *own, int piece, float *all) {
  const tutti_comm *comm = whole->comm;
  const tutti_slice *slice = whole->slice;
  if (comm->rank == 0) tutti_slice_copy_back(slice, own, all);
  if (!gathers(whole)) return TUTTI_OK;
  for (int i = 0; comm->rank > 0 && i < slice->n_ranges; i++) {
    const tutti_slice_range *range = &slice->ranges[i];
    TUTTI_TRY(send(own + range->at, range->end - range->begin, piece, comm->node));
  }
  for (int rank = 1; comm->rank == 0 && rank < comm->node_size; rank++)
    for (int i = begin_of(whole, rank); i < whole->ends[rank]; i++) {
      const tutti_slice_range *range = &whole->ranges[i];
      TUTTI_TRY(receive(all + range->begin, range->end - range->begin, piece, rank, comm->node));
    }
  return TUTTI_OK;
}

// --- from rank 0

/** From rank 0 to the first rank of each node; or to all ranks, if each has a copy of its own. */
static tutti_status to_nodes(const tutti_whole *whole, float *values, int n) {
  if (!whole->on_a_node)
    TUTTI_MPI(MPI_Bcast(values, n, MPI_FLOAT, 0, whole->comm->all));
  else if (whole->firsts != MPI_COMM_NULL)
    TUTTI_MPI(MPI_Bcast(values, n, MPI_FLOAT, 0, whole->firsts));
  return TUTTI_OK;
}

static tutti_status to_all(const tutti_whole *whole, float *values, int n) {
  TUTTI_TRY(to_nodes(whole, values, n));
  if (whole->on_a_node) TUTTI_MPI(MPI_Bcast(values, n, MPI_FLOAT, 0, whole->comm->node));
  return TUTTI_OK;
}

/** Of elements [at, at + n) of the flat buffer, keep those of the slice. */
static void keep_own(const tutti_slice *slice, const float *values, int64_t at, int64_t n, float *own) {
  for (int i = 0; i < slice->n_ranges; i++) {
    const tutti_slice_range *range = &slice->ranges[i];
    const int64_t begin = range->begin > at ? range->begin : at,
                  end = range->end < at + n ? range->end : at + n;
    if (begin < end)
      memcpy(own + range->at + (begin - range->begin), values + (begin - at),
             (size_t)(end - begin) * sizeof *own);
  }
}

tutti_status tutti_par_whole_scatter(const tutti_whole *whole, const float *all, int piece, float *own) {
  const int64_t most = piece < ROOM ? piece : ROOM;
  for (int64_t at = 0; at < whole->n; at += most) {
    const int n = message(whole->n - at, most);
    if (whole->comm->rank == 0) memcpy(whole->room, all + at, (size_t)n * sizeof *all);
    TUTTI_TRY(to_all(whole, whole->room, n));
    keep_own(whole->slice, whole->room, at, n, own);
  }
  return TUTTI_OK;
}

tutti_status tutti_par_whole_spread(const tutti_whole *whole, const float *all, int piece, float *params) {
  if (whole->comm->rank == 0) memcpy(params, all, (size_t)whole->n * sizeof *params);
  for (int64_t at = 0; at < whole->n; at += piece)
    TUTTI_TRY(to_nodes(whole, params + at, message(whole->n - at, piece)));
  return TUTTI_OK;
}
