/** What all reducers promise of parameters and slices, and how they fail. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reducers.h"

static void check_publish(fixture *f) {
  float *params = tutti_reducer_params(f->reducer);
  int64_t n_wrong = 0;
  for (int64_t i = 0; i < f->n; i++) n_wrong += params[i] != 0;
  EXPECT(n_wrong == 0, "%s: %lld of %lld are not zero in the beginning", f->name, (long long)n_wrong,
         (long long)f->n);
  EXPECT_OK(tutti_comm_barrier(f->comm));
  for (int64_t i = 0; i < f->n; i++)
    if (owns(f, i)) params[i] = (float)(3 * i);
  EXPECT_OK(tutti_reducer_publish(f->reducer));
  for (int64_t i = 0; i < f->n; i++) n_wrong += params[i] != (float)(3 * i);
  EXPECT(n_wrong == 0, "%s: %lld of %lld parameters", f->name, (long long)n_wrong, (long long)f->n);
}

static void parameters_are_whole_after_publish(const tutti_comm *comm) {
  (void)comm;
  for_all(LENGTHS(5000), 0, check_publish);
}

/** One value for each block of the parameters, so that all but one owner give 0; several times, and many. */
static void check_sum_slices(fixture *f) {
  enum { N = 1300 }; // more than are summed at once
  double values[N];
  for (int round = 0; round < 3; round++) {
    for (int k = 0; k < N; k++) {
      const int64_t block = k * (int64_t)TUTTI_BLOCK;
      values[k] = owns(f, block) ? 0.1 * k + round : 0;
    }
    EXPECT_OK(tutti_reducer_sum_slices(f->reducer, values, N));
    int n_wrong = 0;
    for (int k = 0; k < N; k++)
      n_wrong += values[k] != (k * (int64_t)TUTTI_BLOCK < f->n ? 0.1 * k + round : 0);
    EXPECT(n_wrong == 0, "%s: %d of %d, round %d", f->name, n_wrong, N, round);
  }
  double cover = (double)f->slice->n;
  EXPECT_OK(tutti_reducer_sum_slices(f->reducer, &cover, 1));
  EXPECT(cover == (double)f->n, "%s: slices cover %g", f->name, cover);
  // Parts that do not add up without rounding: still the same bits on all ranks.
  double parts = 1.0 / (1.0 + (double)f->slice->n), range[2];
  EXPECT_OK(tutti_reducer_sum_slices(f->reducer, &parts, 1));
  range[0] = parts, range[1] = -parts;
  EXPECT_OK(tutti_comm_max(f->comm, range, 2));
  EXPECT(range[0] == -range[1], "%s: from %.17g to %.17g", f->name, -range[1], range[0]);
}

static void slices_add_up(const tutti_comm *comm) {
  (void)comm;
  for_all(LENGTHS(3 * TUTTI_BLOCK, 40 * TUTTI_BLOCK + 17), 0, check_sum_slices);
}

static void check_round_trip(fixture *f) {
  enum { MAX = 5000 };
  static float slice[MAX], whole[MAX];
  const bool is_root = tutti_comm_rank(f->comm) == 0;
  int64_t n_wrong = 0;
  memset(whole, 0, sizeof whole);
  for (int64_t i = 0; i < f->n; i++)
    if (owns(f, i)) slice[tutti_slice_index(f->slice, i)] = (float)(2 * i);
  EXPECT_OK(tutti_reducer_gather(f->reducer, slice, is_root ? whole : NULL));
  for (int64_t i = 0; i < f->n && is_root; i++) n_wrong += whole[i] != (float)(2 * i);
  EXPECT(n_wrong == 0, "%s: %lld wrong", f->name, (long long)n_wrong);

  for (int64_t i = 0; i < f->n; i++) whole[i] += 1;
  EXPECT_OK(tutti_reducer_scatter(f->reducer, is_root ? whole : NULL, slice));
  for (int64_t i = 0; i < f->n; i++)
    n_wrong += owns(f, i) && slice[tutti_slice_index(f->slice, i)] != (float)(2 * i + 1);
  EXPECT(n_wrong == 0, "%s: %lld wrong", f->name, (long long)n_wrong);
}

static void check_set_params(fixture *f) {
  enum { MAX = 5000 };
  static float whole[MAX];
  const bool is_root = tutti_comm_rank(f->comm) == 0;
  const float *params = tutti_reducer_params(f->reducer);
  int64_t n_wrong = 0;
  for (int round = 1; round < 3; round++) {
    for (int64_t i = 0; i < f->n; i++) whole[i] = (float)(round * i + 1);
    EXPECT_OK(tutti_reducer_set_params(f->reducer, is_root ? whole : NULL));
    for (int64_t i = 0; i < f->n; i++) n_wrong += params[i] != (float)(round * i + 1);
  }
  EXPECT(n_wrong == 0, "%s: %lld wrong", f->name, (long long)n_wrong);
}

static void parameters_come_from_the_root(const tutti_comm *comm) {
  (void)comm;
  for_all(LENGTHS(0, 37, 5000), 0, check_set_params);
  for_all(LENGTHS(2049), 100, check_set_params);
}

static void state_goes_to_the_root_and_back(const tutti_comm *comm) {
  (void)comm;
  for_all(LENGTHS(37, 5000), 0, check_round_trip);
  for_all(LENGTHS(2049), 100, check_round_trip);
}

static void auto_is_the_fastest(const tutti_comm *comm) {
  tutti_reducer *reducer = NULL;
  if (!EXPECT_OK(tutti_reducer_create(comm, TUTTI_REDUCE_AUTO, 10, 1, &reducer))) return;
  EXPECT(strcmp(tutti_reducer_name(reducer), "shared") == 0, "'%s'", tutti_reducer_name(reducer));
  tutti_reducer_destroy(&reducer);
}

/** Fail the passes of a site on one rank, one after another, until all goes well; how many failed. */
static int fail_each(const tutti_comm *comm, size_t kind, const char *site, tutti_status expected) {
  for (int nth = 1;; nth++) {
    char fault[32];
    snprintf(fault, sizeof fault, "%s:%d:%d", site, tutti_comm_size(comm) - 1, nth);
    setenv("TUTTI_FAULT", fault, 1);
    tutti_reducer *reducer = NULL;
    const tutti_status status = reducer_create(kind, comm, 10, &reducer);
    unsetenv("TUTTI_FAULT");
    if (status == TUTTI_OK) {
      tutti_reducer_destroy(&reducer);
      return nth - 1;
    }
    EXPECT(status == expected, "%s: %d", fault, (int)status);
    EXPECT(reducer == NULL, "a reducer of a failed call");
  }
}

static void failure_on_one_rank_is_everybodys(const tutti_comm *world) {
  (void)world;
  for (int l = 0; l < 3; l++) {
    tutti_comm *comm = NULL;
    if (!EXPECT_OK(layout_create(&layouts[l], &comm))) return;
    for (size_t kind = 0; kind < N_KINDS; kind++) {
      const bool flat = reducer_kinds[kind].kind == TUTTI_REDUCE_FLAT,
                 pieces = reducer_kinds[kind].kind == TUTTI_REDUCE_PIPELINED && tutti_comm_n_nodes(comm) > 1;
      const int n_windows = flat ? 0 : 2 + pieces;
      const int n_reducer = fail_each(comm, kind, "reducer", TUTTI_ERR_INTERNAL),
                n_window = fail_each(comm, kind, "window", TUTTI_ERR_INTERNAL),
                n_memory = fail_each(comm, kind, "memory", TUTTI_ERR_MEMORY);
      EXPECT(n_reducer == 1 && n_window == n_windows && n_memory >= (flat ? 3 : 6),
             "kind %zu: %d, %d and %d failures", kind, n_reducer, n_window, n_memory);
    }
    tutti_comm_destroy(&comm);
  }
}

static void too_many_parameters_fail(const tutti_comm *comm) {
  for (size_t kind = 0; kind < N_KINDS; kind++)
    for (int bits = 43; bits <= 62; bits += 19) {
      if (bits == 43 && reducer_kinds[kind].kind == TUTTI_REDUCE_FLAT)
        continue; // sanitizers end the program for such a malloc
      tutti_reducer *reducer = NULL;
      EXPECT_FAILS(tutti_reducer_create(comm, reducer_kinds[kind].kind, INT64_C(1) << bits, 1, &reducer),
                   TUTTI_ERR_MEMORY, "no ");
      EXPECT(reducer == NULL, "a reducer of a failed call");
    }
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(parameters_are_whole_after_publish),
      MPI_TEST(slices_add_up),
      MPI_TEST(parameters_come_from_the_root),
      MPI_TEST(state_goes_to_the_root_and_back),
      MPI_TEST(auto_is_the_fastest),
      MPI_TEST(failure_on_one_rank_is_everybodys),
      MPI_TEST(too_many_parameters_fail),
  };
  return mpi_main("slices", tests, sizeof tests / sizeof *tests);
}
