/** One case of a program in tests/bench: verify its variants, time them in turns, print a row for each.  The timing is that
 * of `tutti bench` (src/bench/repeat.c). */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/repeat_impl.h"
#include "support/bench.h"
#include "support/bench_impl.h"
#include "tutti/linalg.h"

enum { MIN_REPEATS = 3, MAX_REPEATS = 25 };

/** Seconds of a variant's turn, and of all turns of a case. */
static const double turn_s = 2e-3, short_turn_s = 1e-4, case_s = 1, short_case_s = 0.01;

/** A variant as a work of tutti_bench_repeat. */
typedef struct {
  const bench *b;
  const bench_variant *variant;
  double checksum;
} work;

typedef struct {
  const bench *b;
  const bench_case *c;
  int repeats;
  work *works;                 // [n_variants]
  tutti_bench_repeat *timings; // [n_variants]
  double *seconds; // [n_variants, repeats] of one run, on this rank; on rank 0 at last of the slowest rank
  double *all_seconds; // [size, n_variants, repeats] on rank 0
} measurement;

// --- time

/** Written, so that lines which other cores may hold go too. */
static void fill_caches(void *context) {
  float *other = ((work *)context)->b->other;
  for (int64_t i = 0; i < BENCH_OTHER; i += 16) other[i] += 1;
}

static tutti_status run_work(void *context, int64_t n) {
  const bench_variant *variant = ((work *)context)->variant;
  for (int64_t i = 0; i < n; i++) TUTTI_TRY(variant->run(variant->context));
  return TUTTI_OK;
}

static tutti_status verify(measurement *m) {
  for (int v = 0; v < m->c->n_variants; v++) {
    const bench_variant *variant = &m->c->variants[v];
    m->works[v] = (work){.b = m->b, .variant = variant};
    m->timings[v] = (tutti_bench_repeat){.run = run_work,
                                         .before = m->b->is_cold ? fill_caches : NULL,
                                         .context = &m->works[v],
                                         .aside = variant->aside,
                                         .at_once = m->b->is_cold ? 1 : INT64_MAX};
    TUTTI_TRY(tutti_comm_agree(m->b->comm, variant->check(variant->context, &m->works[v].checksum)));
  }
  return TUTTI_OK;
}

/** How often each variant runs in a turn, and how many turns it gets: the same on all ranks. */
static tutti_status plan(measurement *m) {
  const bench *b = m->b;
  double total_s = 0;
  TUTTI_TRY(tutti_bench_repeat_calibrate(b->comm, b->is_short ? short_turn_s : turn_s, m->timings,
                                         m->c->n_variants, &total_s));
  const double repeats = (b->is_short ? short_case_s : case_s) / total_s;
  m->repeats = b->repeats > 0 ? b->repeats : (int)fmin(MAX_REPEATS, fmax(MIN_REPEATS, repeats));
  return TUTTI_OK;
}

static tutti_status take_times(measurement *m) {
  const int n = m->c->n_variants;
  for (int v = 0; v < n; v++) m->timings[v].seconds = m->seconds + v * m->repeats;
  TUTTI_TRY(tutti_bench_repeat_rounds(m->b->comm, m->repeats, m->timings, n));
  return tutti_comm_gather(m->b->comm, 0, m->seconds, (int64_t)n * m->repeats, m->all_seconds);
}

// --- print

void bench_print_columns(void) {
  puts("what\tshape\tvariant\tranks\tthreads\tcache\trepeats\tmin_s\tmedian_s\tmax_s\trank_of_"
       "max\trate\tunit\t"
       "ns_per_item\tratio\tchecksum");
}

/** The slowest rank of number i of [n_variants, repeats]; its seconds take the place of rank 0's. */
static int take_slowest(measurement *m, int i) {
  const int n = m->c->n_variants * m->repeats;
  int slowest = 0;
  for (int rank = 1; rank < tutti_comm_size(m->b->comm); rank++)
    if (m->all_seconds[rank * n + i] > m->all_seconds[slowest * n + i]) slowest = rank;
  m->seconds[i] = m->all_seconds[slowest * n + i];
  return slowest;
}

static void print_row(measurement *m, int v, double *ratios) {
  const bench_case *c = m->c;
  const int n = m->repeats;
  const double *seconds = m->seconds + v * n;
  const int middle = tutti_bench_repeat_median(seconds, n);
  for (int r = 0; r < n; r++) ratios[r] = seconds[r] / m->seconds[r];
  printf("%s\t%s\t%s\t%d\t%d\t%s\t%d\t%.4g\t%.4g\t%.4g\t%d\t%.4g\t%s\t%.4g\t%.3f\t%.9g\n", c->what, c->shape,
         c->variants[v].name, tutti_comm_size(m->b->comm), tutti_linalg_threads(),
         m->b->is_cold ? "cold" : "warm", n, seconds[tutti_bench_repeat_least(seconds, n)], seconds[middle],
         seconds[tutti_bench_repeat_most(seconds, n)], take_slowest(m, v * n + middle),
         c->work / seconds[middle] * 1e-9, c->unit, seconds[middle] / c->items * 1e9,
         ratios[tutti_bench_repeat_median(ratios, n)], m->works[v].checksum);
}

static tutti_status print_rows(measurement *m) {
  double *ratios = NULL;
  TUTTI_TRY(TUTTI_NEW(ratios, m->repeats));
  for (int i = 0; i < m->c->n_variants * m->repeats; i++) take_slowest(m, i);
  for (int v = 0; v < m->c->n_variants; v++) print_row(m, v, ratios);
  fflush(stdout); // a table that grows can be watched
  tutti_free(ratios);
  return TUTTI_OK;
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
  TUTTI_TRY(TUTTI_NEW(m->works, m->c->n_variants));
  return TUTTI_NEW(m->timings, m->c->n_variants);
}

tutti_status bench_run(const bench *b, const bench_case *c) {
  if (!bench_wants(b, c->what, c->shape)) return TUTTI_OK;
  measurement m = {.b = b, .c = c};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_comm_agree(b->comm, allocate_plan(&m)));
  TUTTI_TRY_GOTO(done, verify(&m));
  TUTTI_TRY_GOTO(done, plan(&m));
  TUTTI_TRY_GOTO(done, tutti_comm_agree(b->comm, allocate_times(&m)));
  TUTTI_TRY_GOTO(done, take_times(&m));
  if (tutti_comm_rank(b->comm) == 0) status = print_rows(&m);
  TUTTI_TRY_GOTO(done, tutti_comm_agree_from(b->comm, 0, status));
done:
  tutti_free(m.works);
  tutti_free(m.timings);
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
