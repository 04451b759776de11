/** Works that are timed in turn: how long a round and a run are, what counts, and the order of the works. */
#include "bench/repeat_impl.h"

#include "base/clock.h"
#include "support/mpi_main.h"

enum { AT_ONCE = 3, N_ROUNDS = 2 };

static const double SECONDS = 2e-5, ROUND_S = 0.05;

typedef struct {
  int64_t most, last;        // times in a run: the most, those of the last one
  int64_t times[N_ROUNDS];   // in all runs of a round
  double shares[N_ROUNDS];   // of them
  int n_unlike, n_uncounted; // notes of another run than the last; of rounds that do not count
} spin_work;

static tutti_status spin(void *context, int64_t n) {
  spin_work *work = context;
  const double end = tutti_clock_s() + SECONDS * (double)n;
  while (tutti_clock_s() < end) continue;
  if (n > work->most) work->most = n;
  work->last = n;
  return TUTTI_OK;
}

static tutti_status note(void *context, int64_t n, int round, double share) {
  spin_work *work = context;
  work->n_unlike += n != work->last;
  work->n_uncounted += round < 0;
  if (round < 0) return TUTTI_OK;
  work->times[round] += n;
  work->shares[round] += share;
  return TUTTI_OK;
}

static void a_round_is_as_many_runs_as_it_takes(const tutti_comm *comm) {
  spin_work work = {0};
  double seconds[N_ROUNDS];
  tutti_bench_repeat repeat = {
      .run = spin, .note = note, .context = &work, .at_once = AT_ONCE, .seconds = seconds};
  EXPECT_OK(tutti_bench_repeat_run(comm, ROUND_S, N_ROUNDS, &repeat, 1));
  EXPECT(work.most == AT_ONCE, "%lld times in a run", (long long)work.most);
  EXPECT(work.n_unlike == 0 && work.n_uncounted > 0, "%d %d", work.n_unlike, work.n_uncounted);
  EXPECT(work.times[0] == work.times[1], "%lld %lld", (long long)work.times[0], (long long)work.times[1]);
  // On a busy machine a time takes longer than its spinning: then they are fewer, but no shorter in all.
  for (int i = 0; i < N_ROUNDS; i++) {
    EXPECT(work.times[i] > AT_ONCE, "%lld times in round %d", (long long)work.times[i], i);
    EXPECT(work.shares[i] > 0.999 && work.shares[i] < 1.001, "shares add up to %g", work.shares[i]);
    EXPECT(seconds[i] >= 0.999 * SECONDS, "%g s", seconds[i]);
  }
}

/** A work with a part that does not count, and notes of when it ran. */
typedef struct {
  double aside; // seconds
  int *order, id, n_before;
} aside_work;

static int n_noted;

static void count_before(void *context) {
  ((aside_work *)context)->n_before++;
}

static tutti_status spin_aside(void *context, int64_t n) {
  aside_work *work = context;
  const double start = tutti_clock_s();
  while (tutti_clock_s() < start + SECONDS * (double)n) continue;
  work->aside += tutti_clock_s() - start;
  return TUTTI_OK;
}

static tutti_status note_order(void *context, int64_t n, int round, double share) {
  aside_work *work = context;
  (void)n, (void)share;
  if (round >= 0) work->order[n_noted++] = work->id;
  return TUTTI_OK;
}

static void what_is_aside_does_not_count(const tutti_comm *comm) {
  int order[2 * N_ROUNDS];
  double seconds[2][N_ROUNDS];
  aside_work works[] = {{.order = order, .id = 0}, {.order = order, .id = 1}};
  tutti_bench_repeat repeats[2];
  n_noted = 0;
  for (int i = 0; i < 2; i++)
    repeats[i] = (tutti_bench_repeat){.run = spin_aside,
                                      .before = count_before,
                                      .note = note_order,
                                      .context = &works[i],
                                      .aside = &works[i].aside,
                                      .at_once = INT64_MAX,
                                      .seconds = seconds[i]};
  EXPECT_OK(tutti_bench_repeat_run(comm, 10 * SECONDS, N_ROUNDS, repeats, 2));
  for (int i = 0; i < 2; i++) {
    EXPECT(works[i].n_before > N_ROUNDS, "%d calls before a run", works[i].n_before);
    for (int r = 0; r < N_ROUNDS; r++) EXPECT(seconds[i][r] < SECONDS, "%g s", seconds[i][r]);
  }
  // The second round begins with the second work.
  EXPECT(n_noted == 4 && order[0] == 0 && order[1] == 1 && order[2] == 1 && order[3] == 0, "%d runs",
         n_noted);
}

static tutti_status fail_on_one(void *context, int64_t n) {
  (void)n;
  TUTTI_CHECK(tutti_comm_rank(context) > 0, TUTTI_ERR_IO, "the first rank can not");
  return TUTTI_OK;
}

static void all_ranks_see_a_failure(const tutti_comm *comm) {
  double seconds[1];
  tutti_bench_repeat repeat = {
      .run = fail_on_one, .context = (void *)comm, .at_once = AT_ONCE, .seconds = seconds};
  EXPECT_FAILS(tutti_bench_repeat_run(comm, ROUND_S, 1, &repeat, 1), TUTTI_ERR_IO, "the first rank can not");
}

int main(void) {
  const mpi_test tests[] = {
      MPI_TEST(a_round_is_as_many_runs_as_it_takes),
      MPI_TEST(what_is_aside_does_not_count),
      MPI_TEST(all_ranks_see_a_failure),
  };
  return mpi_main("repeat", tests, sizeof tests / sizeof *tests);
}
