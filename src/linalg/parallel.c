/** A loop cut into parts for the threads of this rank.  Products, sums of squares, elementwise layers and the update call
 * it.
 *
 * A loop of several parts always has all threads, also if some of them have nothing to do: when their number changes
 * from loop to loop, libgomp ends threads and creates them anew, at some 10 microseconds each. */
#include "linalg/parallel.h"

#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"
#include "tutti/linalg.h"

double tutti_linalg_parallel_start_ns;

// The one number of all loops and products of this room.  It is set between calls, by the thread that makes them,
// never during one.
static int n_all = 1;
static bool may_share = true; // likewise

int tutti_linalg_threads(void) {
  return n_all;
}

void tutti_linalg_parallel_by(int n_parts, int64_t n, int64_t unit, tutti_loop_part part, void *context) {
  TUTTI_ASSERT(unit >= 1);
  const int64_t n_units = (n + unit - 1) / unit;
  if (n_units < n_parts) n_parts = (int)n_units;
  if (n_parts <= 1) {
    if (n > 0) part(context, 0, n);
    return;
  }
  const int n_threads = n_all > n_parts ? n_all : n_parts;
  (void)n_threads; // without OpenMP the parts follow one another
#pragma omp parallel for num_threads(n_threads) schedule(static, 1)
  for (int i = 0; i < n_parts; i++) {
    const int64_t begin = n_units * i / n_parts * unit, end = n_units * (i + 1) / n_parts * unit;
    part(context, begin, end < n ? end : n);
  }
}

void tutti_linalg_parallel(int64_t n, int64_t unit, double ns, tutti_loop_part part, void *context) {
  // The start is measured while the threads wait for work; in a step, their caches are elsewhere, too.
  const double start = 2 * tutti_linalg_parallel_start_ns, alone = (double)n * ns;
  const bool pays = may_share && start + alone / n_all < alone;
  tutti_linalg_parallel_by(pays ? n_all : 1, n, unit, part, context);
}

void tutti_linalg_parallel_share(bool shares) {
  may_share = shares;
}

void tutti_linalg_parallel_columns(int64_t rows, int64_t n, double ns, tutti_loop_part part, void *context) {
  enum { LINE = 64 / sizeof(float) };
  tutti_linalg_parallel(n, LINE, ns * (double)rows, part, context);
}

/** It reads its context, so that no compiler takes the loop away. */
static void do_nothing(void *context, int64_t begin, int64_t end) {
  (void)begin, (void)end;
  (void)*(volatile int *)context;
}

/** The least time of some loops is that of threads that wait for them, as they do between the loops of a step. */
static double measure_start(void) {
  enum {
    FEWEST = 4,
    LOOPS = 32
  }; // the system may begin all threads on one core, and moves them in the first loop
  static const double most_s = 1e-3;
  int nothing = 0;
  tutti_linalg_parallel_by(n_all, n_all, 1, do_nothing, &nothing); // creates the threads
  const double begin = tutti_clock_s();
  double least = 0, now = begin;
  for (int i = 0; i < LOOPS && (i < FEWEST || now - begin < most_s); i++) {
    const double from = now;
    tutti_linalg_parallel_by(n_all, n_all, 1, do_nothing, &nothing);
    now = tutti_clock_s();
    if (i == 0 || now - from < least) least = now - from;
  }
  return 1e9 * least;
}

void tutti_linalg_parallel_set_threads(int n) {
  if (n == n_all) return;
  n_all = n;
  tutti_linalg_parallel_start_ns = n > 1 ? measure_start() : 0;
}

/** The system is asked once, because it may ask the processor each time. */
int64_t tutti_linalg_second_cache(void) {
  enum { USUAL = 256 << 10 };
  static atomic_long known;
  long bytes = atomic_load_explicit(&known, memory_order_relaxed);
  if (bytes > 0) return bytes;
#ifdef _SC_LEVEL2_CACHE_SIZE
  bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
#endif
  if (bytes <= 0) bytes = USUAL;
  atomic_store(&known, bytes);
  return bytes;
}
