/** One case: verify its variants, time them in turns, print a row for each. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "support/bench.h"
#include "support/bench_impl.h"
#include "tutti/linalg.h"

enum { MIN_REPEATS = 3, MAX_REPEATS = 25, MAX_CALLS = 1000000 };

/** Seconds of a variant's turn, and of all turns of a case. */
static const double turn_s = 2e-3, short_turn_s = 1e-4, case_s = 1, short_case_s = 0.01;

typedef struct {
  const bench *b;
  const bench_case *c;
  int repeats;
  int *calls;          // [n_variants] runs in a turn
  double *checksums;   // [n_variants]
  double *seconds;     // [n_variants, repeats] of one run, on this rank
  double *all_seconds; // [size, n_variants, repeats] on rank 0
} measurement;

// --- verify

static tutti_status verify(measurement *m) {
  for (int v = 0; v < m->c->n_variants; v++) {
    const bench_variant *variant = &m->c->variants[v];
    TUTTI_TRY(tutti_agree(m->b->comm, variant->check(variant->context, &m->checksums[v])));
  }
  return TUTTI_OK;
}

// --- time

/** Written, so that lines which other cores may hold go too. */
static void fill_caches(float *other) {
  for (int64_t i = 0; i < BENCH_OTHER; i += 16) other[i] += 1;
}

/** Seconds of a run, as the mean of `calls`.  Ranks begin together. */
static tutti_status time_turn(const bench *b, const bench_variant *variant, int calls, double *seconds) {
  if (b->is_cold) fill_caches(b->other);
  TUTTI_TRY(tutti_barrier(b->comm));
  const double aside = variant->aside ? *variant->aside : 0, start = tutti_clock_s();
  for (int k = 0; k < calls; k++) TUTTI_TRY(variant->run(variant->context));
  *seconds = tutti_clock_s() - start;
  if (variant->aside) *seconds -= *variant->aside - aside;
  *seconds /= calls;
  return TUTTI_OK;
}

/** How often each variant runs in a turn, and how many turns it gets: the same on all ranks. */
static tutti_status plan(measurement *m) {
  const bench *b = m->b;
  const double turn = b->is_short ? short_turn_s : turn_s;
  double all_turns = 0;
  for (int v = 0; v < m->c->n_variants; v++) {
    double seconds = 0;
    TUTTI_TRY(time_turn(b, &m->c->variants[v], 1, &seconds));
    TUTTI_TRY(tutti_max(b->comm, &seconds, 1));
    const double calls = b->is_cold ? 1 : turn / fmax(seconds, 1e-9);
    m->calls[v] = (int)fmin(MAX_CALLS, fmax(1, calls));
    all_turns += m->calls[v] * seconds;
  }
  const double repeats = (b->is_short ? short_case_s : case_s) / all_turns;
  m->repeats = b->repeats > 0 ? b->repeats : (int)fmin(MAX_REPEATS, fmax(MIN_REPEATS, repeats));
  return TUTTI_OK;
}

static tutti_status take_times(measurement *m) {
  const int n = m->c->n_variants;
  for (int r = 0; r < m->repeats; r++)
    for (int i = 0; i < n; i++) {
      const int v = (r + i) % n; // each variant follows each other one in some repeat
      TUTTI_TRY(time_turn(m->b, &m->c->variants[v], m->calls[v], &m->seconds[v * m->repeats + r]));
    }
  return tutti_gather(m->b->comm, 0, m->seconds, (int64_t)n * m->repeats, m->all_seconds);
}

// --- print

void bench_print_columns(void) {
  puts("what\tshape\tvariant\tranks\tthreads\tcache\trepeats\tmin_s\tmedian_s\tmax_s\trank_of_"
       "max\trate\tunit\t"
       "ns_per_item\tratio\tchecksum");
}

static int compare_doubles(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(const double *values, int n, double *sorted) {
  memcpy(sorted, values, (size_t)n * sizeof *sorted);
  qsort(sorted, (size_t)n, sizeof *sorted, compare_doubles);
  return n % 2 ? sorted[n / 2] : 0.5 * (sorted[n / 2 - 1] + sorted[n / 2]);
}

/** The times of the slowest rank take the place of rank 0's own.  Gives the rank that is slowest in the
 * repeat of variant v whose time is nearest to the median from below. */
static void take_slowest(measurement *m, int size) {
  const int n = m->c->n_variants * m->repeats;
  for (int i = 0; i < n; i++)
    for (int rank = 0; rank < size; rank++) m->seconds[i] = fmax(m->seconds[i], m->all_seconds[rank * n + i]);
}

static int rank_of_max(const measurement *m, int v, double middle, int size) {
  const int n = m->c->n_variants * m->repeats;
  const double *seconds = m->seconds + v * m->repeats;
  int nearest = 0, slowest = 0;
  for (int r = 1; r < m->repeats; r++)
    if (fabs(seconds[r] - middle) < fabs(seconds[nearest] - middle)) nearest = r;
  const double *own = m->all_seconds + v * m->repeats + nearest;
  for (int rank = 1; rank < size; rank++)
    if (own[rank * n] > own[slowest * n]) slowest = rank;
  return slowest;
}

static tutti_status print_rows(measurement *m) {
  const bench_case *c = m->c;
  const int size = tutti_comm_size(m->b->comm);
  double *sorted = NULL, *ratios = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(sorted, m->repeats));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(ratios, m->repeats));
  take_slowest(m, size);
  for (int v = 0; v < c->n_variants; v++) {
    const double *seconds = m->seconds + v * m->repeats;
    for (int r = 0; r < m->repeats; r++) ratios[r] = seconds[r] / m->seconds[r];
    const double ratio = median(ratios, m->repeats, sorted), middle = median(seconds, m->repeats, sorted);
    printf("%s\t%s\t%s\t%d\t%d\t%s\t%d\t%.4g\t%.4g\t%.4g\t%d\t%.4g\t%s\t%.4g\t%.3f\t%.9g\n", c->what,
           c->shape, c->variants[v].name, size, tutti_linalg_threads(), m->b->is_cold ? "cold" : "warm",
           m->repeats, sorted[0], middle, sorted[m->repeats - 1], rank_of_max(m, v, middle, size),
           c->work / middle * 1e-9, c->unit, middle / c->items * 1e9, ratio, m->checksums[v]);
  }
  fflush(stdout); // a table that grows can be watched
done:
  tutti_free(sorted);
  tutti_free(ratios);
  return status;
}

// --- all of it

bool bench_wants(const bench *b, const char *what, const char *shape) {
  const char *only = bench_option(b, "only", "");
  return strncmp(what, only, strlen(only)) == 0 || strncmp(shape, only, strlen(only)) == 0;
}

static tutti_status allocate_times(measurement *m) {
  const int64_t n = (int64_t)m->c->n_variants * m->repeats, size = tutti_comm_size(m->b->comm);
  TUTTI_TRY(TUTTI_NEW(m->seconds, n));
  if (tutti_comm_rank(m->b->comm) == 0) TUTTI_TRY(TUTTI_NEW(m->all_seconds, size * n));
  return TUTTI_OK;
}

static tutti_status allocate_plan(measurement *m) {
  TUTTI_TRY(TUTTI_NEW(m->calls, m->c->n_variants));
  return TUTTI_NEW(m->checksums, m->c->n_variants);
}

tutti_status bench_run(const bench *b, const bench_case *c) {
  if (!bench_wants(b, c->what, c->shape)) return TUTTI_OK;
  measurement m = {.b = b, .c = c};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_agree(b->comm, allocate_plan(&m)));
  TUTTI_TRY_GOTO(done, verify(&m));
  TUTTI_TRY_GOTO(done, plan(&m));
  TUTTI_TRY_GOTO(done, tutti_agree(b->comm, allocate_times(&m)));
  TUTTI_TRY_GOTO(done, take_times(&m));
  if (tutti_comm_rank(b->comm) == 0) status = print_rows(&m);
  TUTTI_TRY_GOTO(done, tutti_agree_from(b->comm, 0, status));
done:
  tutti_free(m.calls);
  tutti_free(m.checksums);
  tutti_free(m.seconds);
  tutti_free(m.all_seconds);
  return status;
}

// --- for checks

tutti_status bench_near(const char *what, const float *values, const double *expected, int64_t n,
                        double bound) {
  int64_t worst = -1;
  double error = bound;
  for (int64_t i = 0; i < n; i++) {
    const double here = fabs(values[i] - expected[i]);
    if (here <= error) continue;
    worst = i;
    error = here;
    if (isnan(here)) break;
  }
  TUTTI_CHECK(worst < 0, TUTTI_ERR_INTERNAL, "%s: element %lld is %.9g, expected %.9g within %.3g", what,
              (long long)worst, (double)values[worst], expected[worst], bound);
  return TUTTI_OK;
}

double bench_checksum(const float *values, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += values[i] * (double)(1 + i % 7);
  return sum;
}

int bench_pick(int64_t n, int max, int64_t *picked) {
  const int count = n < max ? (int)n : max;
  for (int i = 0; i < count; i++) picked[i] = count > 1 ? i * (n - 1) / (count - 1) : 0;
  return count;
}
