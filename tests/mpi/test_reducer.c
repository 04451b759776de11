/** What all reducers promise of gradients and of the tail. */
#include <math.h>
#include <string.h>
#include <time.h>

#include "reducers.h"

/** A small integer, so that sums over leaves are exact whatever their order. */
static float gradient(int leaf, int step, int64_t i) {
  return (float)((leaf + 1) * (i % 17 - 8) + step);
}

static float gradient_sum(int n_leaves, int step, int64_t i) {
  return (float)(n_leaves * (n_leaves + 1) / 2 * (i % 17 - 8) + n_leaves * step);
}

/** Give [begin, end) of each own leaf. */
static void give(const fixture *f, int step, int64_t begin, int64_t end) {
  for (int leaf = f->first; leaf < f->first + f->n_own; leaf++) {
    float *grads = tutti_reducer_leaf(f->reducer, leaf);
    for (int64_t i = begin; i < end; i++) grads[i] = gradient(leaf, step, i);
    tutti_reducer_leaf_done(f->reducer, leaf, begin, end - begin);
  }
}

static void clear_tail(const fixture *f) {
  memset(f->tail, 0, (size_t)(f->n_own > 0 ? f->n_own : 1) * sizeof *f->tail);
}

/** Ask for a range of the slice in parts of `part` elements. */
static int64_t count_wrong_in_range(const fixture *f, const tutti_slice_range *range, int step,
                                    int64_t part) {
  int64_t n_wrong = 0;
  for (int64_t at = range->begin; at < range->end; at += part) {
    const int64_t count = range->end - at < part ? range->end - at : part;
    float *sums = tutti_reducer_gradient(f->reducer, at, count);
    for (int64_t i = 0; i < count; i++) n_wrong += sums[i] != gradient_sum(f->n_leaves, step, at + i);
    for (int64_t i = 0; i < count; i++) sums[i] = -1; // the owner's to write
  }
  return n_wrong;
}

static int64_t count_wrong_sums(const fixture *f, int step, int64_t part) {
  int64_t n_wrong = 0;
  for (int r = f->slice->n_ranges - 1; r >= 0; r--) {
    EXPECT_OK(tutti_reducer_wait(f->reducer, r));
    n_wrong += count_wrong_in_range(f, &f->slice->ranges[r], step, part);
  }
  return n_wrong;
}

static void check_step(fixture *f, int step) {
  const int64_t part = step % 2 ? TUTTI_BLOCK : f->n + 1;
  give(f, step, 0, f->n);
  clear_tail(f);
  for (int row = 0; row < f->n_own; row++) f->tail[row][TUTTI_TAIL_SAMPLES] = f->first + row + 1;
  f->tail[0][TUTTI_TAIL_FAILED] = 1;
  EXPECT_OK(tutti_reducer_reduce(f->reducer, f->tail));
  const int64_t n_wrong = count_wrong_sums(f, step, part);
  EXPECT(n_wrong == 0, "%s: %lld of %lld sums, step %d", f->name, (long long)n_wrong, (long long)f->slice->n,
         step);
  EXPECT(f->tail[0][TUTTI_TAIL_SAMPLES] == 0.5 * f->n_leaves * (f->n_leaves + 1), "%s: %g", f->name,
         f->tail[0][TUTTI_TAIL_SAMPLES]);
  EXPECT(f->tail[0][TUTTI_TAIL_FAILED] == tutti_comm_size(f->comm), "%s: %g", f->name,
         f->tail[0][TUTTI_TAIL_FAILED]);
  EXPECT_OK(tutti_reducer_publish(f->reducer));
}

static void check_slices(fixture *f) {
  int64_t n = 0, last = 0;
  for (int r = 0; r < f->slice->n_ranges; r++) {
    const tutti_slice_range *range = &f->slice->ranges[r];
    EXPECT(last <= range->begin && range->begin <= range->end && range->end <= f->n && range->at == n,
           "%s: [%lld, %lld) at %lld", f->name, (long long)range->begin, (long long)range->end,
           (long long)range->at);
    EXPECT(range->begin % TUTTI_BLOCK == 0 || range->begin == f->n, "%s: begins at %lld", f->name,
           (long long)range->begin);
    last = range->end;
    n += range->end - range->begin;
  }
  EXPECT(n == f->slice->n, "%s: %lld elements, not %lld", f->name, (long long)n, (long long)f->slice->n);
}

static void check_steps(fixture *f) {
  check_slices(f);
  for (int step = 0; step < 4; step++) check_step(f, step);
}

static void check_sources(fixture *f) {
  const char *kind = tutti_reducer_name(f->reducer);
  const int n = tutti_reducer_n_sources(f->reducer), size = tutti_comm_size(f->comm);
  const bool is_late = tutti_comm_n_nodes(f->comm) == 1 && strcmp(kind, "flat") != 0;
  if (!is_late)
    EXPECT(n == 1, "%s: %d, but the sum is there", f->name, n);
  else if (strcmp(kind, "tree") != 0)
    EXPECT(n == size, "%s: %d for %d ranks", f->name, n, size);
  else // at least a subtree of each rank that has a leaf
    EXPECT(n >= (size < f->n_leaves ? size : f->n_leaves) && n <= f->n_leaves, "%s: %d", f->name, n);
}

static void arrays_of_a_late_sum_are_counted(const tutti_comm *comm) {
  (void)comm;
  for_all(LENGTHS(9001), 0, check_sources);
}

/** Fewer parameters, or blocks, than ranks, too. */
static void gradients_sum_exactly(const tutti_comm *comm) {
  (void)comm;
  for_all(LENGTHS(0, 1, 7, 1025, 9001), 0, check_steps);
}

/** As for a gradient of more than 2^31 floats. */
static void long_gradients_go_in_pieces(const tutti_comm *comm) {
  (void)comm;
  for_all(LENGTHS(4100), 1000, check_steps);
  for_all(LENGTHS(40), 7, check_steps);
}

/** Parts of a gradient come one by one, each for all leaves. */
static void give_parts(fixture *f) {
  const int64_t ends[] = {0, 1, 1000, 2048, 2500, f->n};
  for (int step = 0; step < 2; step++) {
    for (size_t p = 0; p + 1 < sizeof ends / sizeof *ends; p++) give(f, step, ends[p], ends[p + 1]);
    clear_tail(f);
    EXPECT_OK(tutti_reducer_reduce(f->reducer, f->tail));
    EXPECT(count_wrong_sums(f, step, f->n) == 0, "%s", f->name);
    EXPECT_OK(tutti_reducer_publish(f->reducer));
  }
}

static void leaves_may_come_in_parts(const tutti_comm *comm) {
  (void)comm;
  for_all(LENGTHS(5000), 0, give_parts);
}

/** Counts that a float cannot hold, next to a loss that a float would round. */
static void check_tail(fixture *f) {
  const double large = 0x1p48 + 1;
  const int n = f->n_leaves;
  clear_tail(f);
  for (int row = 0; row < f->n_own; row++) {
    const int leaf = f->first + row;
    f->tail[row][TUTTI_TAIL_SAMPLES] = large + leaf;
    f->tail[row][TUTTI_TAIL_LOSS] = leaf % 2 ? -0.1 : 0.1;
    f->tail[row][TUTTI_TAIL_METRIC] = -16777217;
    f->tail[row][TUTTI_TAIL_PENALTY] = leaf == n - 1 ? 0.3 : 0;
  }
  give(f, 0, 0, f->n);
  EXPECT_OK(tutti_reducer_reduce(f->reducer, f->tail));
  const double *tail = f->tail[0], samples = n * 0x1p48 + n + 0.5 * n * (n - 1);
  EXPECT(tail[TUTTI_TAIL_SAMPLES] == samples, "%s: %.17g, expected %.17g", f->name, tail[TUTTI_TAIL_SAMPLES],
         samples);
  EXPECT(tail[TUTTI_TAIL_LOSS] == (n % 2 ? 0.1 : 0), "%s: %.17g", f->name, tail[TUTTI_TAIL_LOSS]);
  EXPECT(tail[TUTTI_TAIL_METRIC] == -16777217.0 * n, "%s: %.17g", f->name, tail[TUTTI_TAIL_METRIC]);
  EXPECT(tail[TUTTI_TAIL_PENALTY] == 0.3, "%s: %.17g", f->name, tail[TUTTI_TAIL_PENALTY]);
  EXPECT_OK(tutti_reducer_publish(f->reducer));
}

static void tail_is_exact(const tutti_comm *comm) {
  (void)comm;
  for_all(LENGTHS(3), 0, check_tail);
}

static void check_nan(fixture *f) {
  const double bad[] = {NAN, INFINITY, -INFINITY};
  for (int i = 0; i < 3; i++) {
    clear_tail(f);
    for (int row = 0; row < f->n_own; row++) {
      f->tail[row][TUTTI_TAIL_SAMPLES] = 1;
      f->tail[row][TUTTI_TAIL_LOSS] = f->first + row == f->n_leaves - 1 ? bad[i] : 1;
    }
    give(f, i, 0, f->n);
    EXPECT_OK(tutti_reducer_reduce(f->reducer, f->tail));
    EXPECT(isnan(f->tail[0][TUTTI_TAIL_LOSS]), "%s: %g", f->name, f->tail[0][TUTTI_TAIL_LOSS]);
    EXPECT(f->tail[0][TUTTI_TAIL_SAMPLES] == f->n_leaves, "%s: %g", f->name, f->tail[0][TUTTI_TAIL_SAMPLES]);
    EXPECT_OK(tutti_reducer_publish(f->reducer));
  }
}

static void nan_of_one_rank_is_seen_by_all(const tutti_comm *comm) {
  (void)comm;
  for_all(LENGTHS(3), 0, check_nan);
}

/** Now and then, sleep for a moment. */
static void dawdle(unsigned *seed) {
  *seed = *seed * 1103515245u + 12345u;
  const struct timespec moment = {.tv_nsec = (*seed >> 8) % 1000000};
  if (*seed >> 28 == 0) nanosleep(&moment, NULL);
}

/** Ranks that come and go at any time: a missing barrier lets a gradient, a parameter or a tail of one step into
 * another. */
static void check_hurry(fixture *f) {
  const int n_steps = tutti_comm_n_nodes(f->comm) == 1 ? 300 : 20;
  float *params = tutti_reducer_params(f->reducer);
  unsigned seed = (unsigned)tutti_comm_rank(f->comm) + 1;
  int64_t n_wrong = 0;
  for (int step = 1; step <= n_steps; step++) {
    for (int64_t i = 0; i < f->n; i += 97) n_wrong += params[i] != (float)(step - 1);
    give(f, step, 0, f->n);
    dawdle(&seed);
    clear_tail(f);
    for (int row = 0; row < f->n_own; row++) f->tail[row][TUTTI_TAIL_LOSS] = step;
    EXPECT_OK(tutti_reducer_reduce(f->reducer, f->tail));
    n_wrong += f->tail[0][TUTTI_TAIL_LOSS] != (double)step * f->n_leaves;
    n_wrong += count_wrong_sums(f, step, TUTTI_BLOCK);
    dawdle(&seed);
    for (int64_t i = 0; i < f->n; i++)
      if (owns(f, i)) params[i] = (float)step;
    EXPECT_OK(tutti_reducer_publish(f->reducer));
  }
  EXPECT(n_wrong == 0, "%s: %lld numbers of another step", f->name, (long long)n_wrong);
}

static void steps_do_not_mix(const tutti_comm *comm) {
  (void)comm;
  for_all(LENGTHS(1500), 0, check_hurry);
}

static void sums_go_in_pieces(const tutti_comm *comm) {
  enum { N = 100 };
  const int pieces[] = {1, 7, 50, 99, 100, TUTTI_PIECE};
  for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
    float values[N + 1];
    for (int i = 0; i <= N; i++) values[i] = gradient(tutti_comm_rank(comm), 1, i);
    EXPECT_OK(tutti_comm_sum_floats(comm->all, values, N, pieces[p]));
    int n_wrong = 0;
    for (int i = 0; i < N; i++) n_wrong += values[i] != gradient_sum(tutti_comm_size(comm), 1, i);
    EXPECT(n_wrong == 0, "%d sums in pieces of %d", n_wrong, pieces[p]);
    EXPECT(values[N] == gradient(tutti_comm_rank(comm), 1, N), "one value too many");
  }
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(arrays_of_a_late_sum_are_counted),
      MPI_TEST(gradients_sum_exactly),
      MPI_TEST(long_gradients_go_in_pieces),
      MPI_TEST(leaves_may_come_in_parts),
      MPI_TEST(tail_is_exact),
      MPI_TEST(nan_of_one_rank_is_seen_by_all),
      MPI_TEST(steps_do_not_mix),
      MPI_TEST(sums_go_in_pieces),
  };
  return mpi_main("reducer", tests, sizeof tests / sizeof *tests);
}
