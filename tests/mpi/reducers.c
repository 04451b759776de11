#include "reducers.h"

#include <stdio.h>
#include <stdlib.h>

const struct reducer_kind reducer_kinds[N_KINDS] = {
    {TUTTI_REDUCE_FLAT, 1, NULL},        {TUTTI_REDUCE_SHARED, 1, NULL}, {TUTTI_REDUCE_PIPELINED, 1, NULL},
    {TUTTI_REDUCE_PIPELINED, 1, "1024"}, {TUTTI_REDUCE_TREE, 1, NULL},   {TUTTI_REDUCE_TREE, 11, NULL}};

tutti_status reducer_create(size_t kind, const tutti_comm *comm, int64_t n, tutti_reducer **reducer) {
  const struct reducer_kind *k = &reducer_kinds[kind];
  if (k->piece) setenv("TUTTI_PIECE", k->piece, 1);
  const tutti_status status = tutti_reducer_create(comm, k->kind, n, k->n_leaves, reducer);
  unsetenv("TUTTI_PIECE");
  return status;
}

static void fixture_clear(fixture *f) {
  tutti_reducer_destroy(&f->reducer);
  EXPECT(f->reducer == NULL, "the handle is left");
  tutti_free(f->tail);
}

static bool fixture_make(size_t kind, const tutti_comm *comm, const char *where, int64_t n, int piece,
                         fixture *f) {
  *f = (fixture){.comm = comm, .n = n};
  if (!EXPECT_OK(reducer_create(kind, f->comm, n, &f->reducer))) return false;
  if (piece > 0) f->reducer->piece = piece;
  snprintf(f->name, sizeof f->name, "%s, %d leaves, n %lld, %s", tutti_reducer_name(f->reducer),
           tutti_reducer_n_leaves(f->reducer), (long long)n, where);
  f->n_leaves = tutti_reducer_n_leaves(f->reducer);
  const tutti_par_leaves own = tutti_reducer_own_leaves(f->reducer);
  f->first = own.first;
  f->n_own = own.count;
  f->slice = tutti_reducer_slice(f->reducer);
  return EXPECT_OK(tutti_comm_agree(f->comm, TUTTI_NEW(f->tail, own.tail_rows)));
}

bool owns(const fixture *f, int64_t i) {
  for (int r = 0; r < f->slice->n_ranges; r++)
    if (i >= f->slice->ranges[r].begin && i < f->slice->ranges[r].end) return true;
  return false;
}

void for_all(const int64_t *lengths, int piece, void (*test)(fixture *f)) {
  for (int l = 0; l < N_LAYOUTS; l++) {
    tutti_comm *comm = NULL;
    if (!EXPECT_OK(layout_create(&layouts[l], &comm))) return;
    for (size_t kind = 0; kind < N_KINDS; kind++)
      for (int i = 0; lengths[i] >= 0; i++) {
        fixture f;
        if (fixture_make(kind, comm, layouts[l].name, lengths[i], piece, &f)) test(&f);
        fixture_clear(&f);
      }
    tutti_comm_destroy(&comm);
  }
}
