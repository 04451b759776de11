#include "reducers.h"

#include <stdio.h>

const struct reducer_kind reducer_kinds[N_KINDS] = {
    {TUTTI_REDUCE_FLAT, 1}, {TUTTI_REDUCE_SHARED, 1}, {TUTTI_REDUCE_TREE, 1}, {TUTTI_REDUCE_TREE, 11}};

static void fixture_clear(fixture *f) {
  tutti_reducer_destroy(&f->reducer);
  EXPECT(f->reducer == NULL, "the handle is left");
  tutti_free(f->tail);
}

static bool fixture_make(size_t kind, const tutti_comm *comm, const char *where, int64_t n, int piece,
                         fixture *f) {
  *f = (fixture){.comm = comm, .n = n};
  if (!EXPECT_OK(tutti_reducer_create(f->comm, reducer_kinds[kind].kind, n, reducer_kinds[kind].n_leaves,
                                      &f->reducer)))
    return false;
  if (piece > 0) f->reducer->piece = piece;
  snprintf(f->name, sizeof f->name, "%s, %d leaves, n %lld, %s", tutti_reducer_name(f->reducer),
           tutti_reducer_n_leaves(f->reducer), (long long)n, where);
  f->n_leaves = tutti_reducer_n_leaves(f->reducer);
  const tutti_par_leaves own = tutti_reducer_own_leaves(f->reducer);
  const tutti_par_slice slice = tutti_reducer_slice(f->reducer);
  f->first = own.first;
  f->n_own = own.count;
  f->begin = slice.begin;
  f->end = slice.end;
  return EXPECT_OK(tutti_comm_agree(f->comm, TUTTI_NEW(f->tail, own.tail_rows)));
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
