#pragma once
/** Reducers of all kinds, each on one node and on several, for tests of what all of them promise. */
#include "layouts.h"
#include "par/reducer_impl.h"
#include "support/mpi_main.h"

enum { N_KINDS = 6 };
extern const struct reducer_kind {
  tutti_reduce_kind kind;
  int n_leaves;
  const char *piece; // TUTTI_PIECE; NULL: not set
} reducer_kinds[N_KINDS];

/** A reducer of one kind on one layout, and its numbers. */
typedef struct {
  const tutti_comm *comm;
  tutti_reducer *reducer;
  char name[64]; // for messages
  int64_t n;
  const tutti_slice *slice;
  int n_leaves, first, n_own;
  double (*tail)[TUTTI_N_TAIL]; // [max(1, n_own)]
} fixture;

/** Whether this rank owns element i. */
bool owns(const fixture *f, int64_t i);

/** Collective.  A reducer of reducer_kinds[kind]. */
tutti_status reducer_create(size_t kind, const tutti_comm *comm, int64_t n, tutti_reducer **reducer);

/** Collective.  A test for each kind on each layout and for each length, which the list ends with -1.
 * @param[in] piece  elements of a message at most; 0: as it is */
void for_all(const int64_t *lengths, int piece, void (*test)(fixture *f));

#define LENGTHS(...)                                                                                         \
  (const int64_t[]) {                                                                                        \
    __VA_ARGS__, -1                                                                                          \
  }
