/** The round trip of a cache line between cores, and what it means for figures of several cores.
 *
 * Two players write by turns to one atomic number that both share.  Each of n players plays with those whose numbers
 * differ from its own in one bit, so that near and distant cores meet, in about log2(n) short games.  The players are
 * the ranks of a node, and then the threads of each rank.  `doctor`, `bench` and the programs of tests/bench call it. */
#include "machine/round_trip.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/compare.h"
#include "linalg/parallel.h"
#include "machine/cpu.h"
#include "machine/placement_impl.h"
#include "tutti/linalg.h"

const char *const tutti_round_trip_names[TUTTI_N_ROUND_TRIPS] = {
#define X(code, name) name,
    TUTTI_ROUND_TRIP_LIST(X)
#undef X
};

// --- a game of two

/** Two cache lines, because some processors fetch the neighbour of a line too. */
typedef struct {
  _Alignas(64) _Atomic uint32_t turn;
  char apart[124];
} ball;

enum { BURSTS = 15, TRIPS = 200, SPINS_PER_LOOK = 1000 };
static const uint32_t GIVEN_UP = UINT32_MAX; // no turn

/** A player that gets no core for so long spoils the game. */
static const double PATIENCE_S = 0.05;

/** Wait for a turn.  @return false: the other one does not come, or has given up */
static bool wait_for(ball *shared, uint32_t turn) {
  double since = 0;
  for (int i = 1;; i++) {
    const uint32_t now = atomic_load_explicit(&shared->turn, memory_order_acquire);
    if (now == turn) return true;
    if (now == GIVEN_UP) return false;
    if (i % SPINS_PER_LOOK != 0) continue;
    if (since == 0) since = tutti_clock_s();
    if (tutti_clock_s() - since < PATIENCE_S) continue;
    atomic_store_explicit(&shared->turn, GIVEN_UP, memory_order_release);
    return false;
  }
}

static bool play_burst(ball *shared, bool begins, uint32_t first) {
  for (uint32_t trip = first; trip < first + TRIPS; trip++) {
    const uint32_t there = 2 * trip + 1, back = there + 1;
    if (!begins && !wait_for(shared, there)) return false;
    atomic_store_explicit(&shared->turn, begins ? there : back, memory_order_release);
    if (begins && !wait_for(shared, back)) return false;
  }
  return true;
}

/** The median of short bursts, so that an interrupt of the system does not count.
 * @return seconds of a round trip; 0: one of the two did not come */
static double play_game(ball *shared, bool begins) {
  double seconds[BURSTS];
  for (int i = 0; i < BURSTS; i++) {
    const double start = tutti_clock_s();
    if (!play_burst(shared, begins, (uint32_t)i * TRIPS)) return 0;
    seconds[i] = (tutti_clock_s() - start) / TRIPS;
  }
  qsort(seconds, BURSTS, sizeof *seconds, tutti_compare_doubles);
  return seconds[BURSTS / 2];
}

// --- games of all

typedef struct {
  int n;             // players
  ball *balls;       // [levels of n players, n]
  const int *caches; // [n] which cache all cores of a player share; -1: none
} game;

static int n_levels(int n) {
  int levels = 0;
  while (1 << levels < n) levels++;
  return levels;
}

/** All games of one player. */
static void play(const game *g, int me, tutti_round_trip *trip) {
  for (int level = 0; level < n_levels(g->n) && !trip->late; level++) {
    const int other = me ^ 1 << level, lower = me < other ? me : other;
    if (other >= g->n) continue;
    const double seconds = play_game(&g->balls[level * g->n + lower], me == lower);
    trip->late = seconds == 0;
    trip->slowest_s = fmax(trip->slowest_s, seconds);
    if (g->caches[me] >= 0 && g->caches[me] == g->caches[other]) trip->near_s = fmax(trip->near_s, seconds);
  }
}

/** The games of a rank's threads. */
typedef struct {
  game game;
  tutti_round_trip *trips; // [threads]
} thread_games;

static void play_thread(void *context, int64_t begin, int64_t end) {
  const thread_games *games = context;
  for (int64_t i = begin; i < end; i++) play(&games->game, (int)i, &games->trips[i]);
}

static void take_slower(const tutti_round_trip *other, tutti_round_trip *trip) {
  trip->slowest_s = fmax(trip->slowest_s, other->slowest_s);
  trip->near_s = fmax(trip->near_s, other->near_s);
  trip->late = trip->late || other->late;
}

/** The cache that all cores of this rank share; -1: they share none, or the system does not say. */
static int common_cache(void) {
  int cores[TUTTI_MACHINE_MAX_CPUS];
  const int n = tutti_machine_cores(cores), cache = tutti_machine_cache_of("", cores[0]);
  for (int i = 1; i < n; i++)
    if (tutti_machine_cache_of("", cores[i]) != cache) return -1;
  return cache;
}

/** Local. */
static tutti_status measure_threads(tutti_round_trip *trip) {
  const int n = tutti_linalg_threads(), cache = common_cache();
  thread_games games = {.game = {.n = n}};
  int *caches = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(caches, n));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(games.trips, n));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(games.game.balls, (int64_t)n_levels(n) * n));
  for (int i = 0; i < n; i++) caches[i] = cache;
  games.game.caches = caches;
  tutti_linalg_parallel_by(n, n, 1, play_thread, &games);
  for (int i = 0; i < n; i++) take_slower(&games.trips[i], trip);
done:
  tutti_free(caches);
  tutti_free(games.trips);
  tutti_free(games.game.balls);
  return status;
}

/** What the ranks of a node share: the balls, then the caches of the ranks. */
static tutti_status measure_ranks(const tutti_comm *comm, tutti_round_trip *trip) {
  const int n = tutti_comm_node_size(comm), me = tutti_comm_node_rank(comm);
  const int64_t bytes = (int64_t)n_levels(n) * n * (int64_t)sizeof(ball);
  tutti_window *window = NULL;
  TUTTI_TRY(tutti_par_window_create(comm, bytes + n * (int64_t)sizeof(int), &window));
  char *shared = tutti_par_window_data(window);
  int *caches = (int *)(shared + bytes);
  caches[me] = common_cache();
  const tutti_status status = tutti_par_window_sync(window);
  if (status == TUTTI_OK) play(&(game){n, (ball *)shared, caches}, me, trip);
  tutti_par_window_destroy(&window);
  return status;
}

// --- all of it

/** Whether the threads of a node have no core each. */
static tutti_status is_crowded(const tutti_comm *comm, bool *crowded) {
  const bool is_root = tutti_comm_rank(comm) == 0;
  const tutti_machine_placement own = tutti_machine_place(comm, tutti_linalg_threads());
  tutti_machine_placement *all = NULL;
  tutti_machine_fault faults[4];
  tutti_status status = is_root ? TUTTI_NEW(all, tutti_comm_size(comm)) : TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_comm_agree_from(comm, 0, status));
  TUTTI_TRY_GOTO(done, tutti_comm_gather_bytes(comm, 0, &own, sizeof own, all));
  if (is_root) *crowded = tutti_machine_check_placement(all, tutti_comm_size(comm), faults) > 0;
  TUTTI_TRY_GOTO(done, tutti_comm_bcast(comm, 0, crowded, sizeof *crowded));
done:
  tutti_free(all);
  return status;
}

tutti_status tutti_round_trip_measure(const tutti_comm *comm, tutti_round_trip *trip) {
  *trip = (tutti_round_trip){0};
  TUTTI_TRY(is_crowded(comm, &trip->crowded));
  if (trip->crowded) return TUTTI_OK;
  TUTTI_TRY(measure_ranks(comm, trip));
  TUTTI_TRY(tutti_comm_agree(comm, measure_threads(trip)));
  double worst[] = {trip->slowest_s, trip->near_s, trip->late};
  TUTTI_TRY(tutti_comm_max(comm, worst, 3));
  *trip = (tutti_round_trip){.late = worst[2] > 0};
  if (!trip->late) trip->slowest_s = worst[0], trip->near_s = worst[1];
  return TUTTI_OK;
}

// --- what it means

/** Cores that share a cache answer in 30 to 150 ns, on the processors of today. */
static const double SLOW_S = 200e-9;
static const double CHANGE = 2;

static bool has_changed(const tutti_round_trip *before, const tutti_round_trip *after) {
  const double a = before->slowest_s, b = after->slowest_s;
  return a > 0 && b > 0 && (a > CHANGE * b || b > CHANGE * a);
}

tutti_round_trip_word tutti_round_trip_judge(const tutti_round_trip *before, const tutti_round_trip *after) {
  if (after && has_changed(before, after)) return TUTTI_ROUND_TRIP_CHANGED;
  if (after && (after->late || after->near_s > SLOW_S)) before = after;
  if (before->crowded) return TUTTI_ROUND_TRIP_CROWDED;
  if (before->late) return TUTTI_ROUND_TRIP_LATE;
  if (before->slowest_s == 0) return TUTTI_ROUND_TRIP_ALONE;
  if (before->near_s == 0) return TUTTI_ROUND_TRIP_FAR;
  return before->near_s > SLOW_S ? TUTTI_ROUND_TRIP_SLOW : TUTTI_ROUND_TRIP_NORMAL;
}

const char *tutti_round_trip_warning(const tutti_round_trip *before, const tutti_round_trip *after,
                                     char *text, size_t bytes) {
  switch (tutti_round_trip_judge(before, after)) {
  case TUTTI_ROUND_TRIP_CHANGED:
    snprintf(text, bytes,
             "the round trip of a cache line between cores changed from %.0f to %.0f ns while this was "
             "measured: run it again",
             before->slowest_s * 1e9, after->slowest_s * 1e9);
    return text;
  case TUTTI_ROUND_TRIP_SLOW:
    snprintf(text, bytes,
             "the round trip of a cache line between cores that share a cache takes %.0f ns instead of less "
             "than %.0f: several ranks or threads are slower than usual until that ends; perhaps other "
             "programs compute here, or the host of a virtual machine has moved its cores",
             fmax(before->near_s, after ? after->near_s : 0) * 1e9, SLOW_S * 1e9);
    return text;
  default:
    return NULL;
  }
}
