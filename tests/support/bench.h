#pragma once
/** What the programs of tests/bench share.  Each answers one question in a table with one row for each variant
 * of each case; a variant is verified before it is timed, and the variants of a case are timed in turns, so
 * that what disturbs the machine meets all of them alike.
 *
 * Every program may run under mpirun: its ranks then do the same at the same time, and a time is that of the
 * slowest rank. */
#include <stdbool.h>

#include "tutti/par.h"

typedef struct {
  const char *name;     // "bench_products"
  const char *question; // for --help, lines without the last newline
  const char *const
      *options; // names that --NAME=VALUE may have besides the common ones, ended by NULL; or NULL
} bench_program;

typedef struct {
  const bench_program *program;
  const tutti_comm *comm;
  int argc;
  char **argv;
  bool is_short; // small sizes, few repeats
  bool is_cold;  // nothing of a call's data is in a cache when it begins
  int repeats;   // 0: as many as a second holds
  float *other;  // what fills the caches where is_cold; else NULL
} bench;

/** What `main` of a program returns: 1 where `run` fails, which it does where a verification does. */
int bench_main(int argc, char **argv, const bench_program *program, tutti_status (*run)(const bench *b));

/** Local.  VALUE of the last --NAME=VALUE, else `otherwise`. */
const char *bench_option(const bench *b, const char *name, const char *otherwise);

/** One way of doing what a case is about. */
typedef struct {
  const char *name;
  tutti_status (*run)(void *context); // what is timed
  /** Collective where `run` is, which it calls; compares what comes out with a slow reference.
   * @param[out] checksum  of the results */
  tutti_status (*check)(void *context, double *checksum);
  void *context;
  const double *aside; // seconds within runs that do not count: `run` adds them up there; NULL: none
} bench_variant;

typedef struct {
  const char *what;              // "forward"
  const char *shape;             // "128x784x512"
  double items;                  // of a run: elements, samples, parameters
  double work;                   // of a run: operations or bytes
  const char *unit;              // of 10^9 work a second: "GFLOP/s" or "GB/s"
  const bench_variant *variants; // [n_variants], the first is the baseline
  int n_variants;
} bench_case;

/** Local.  Whether --only leaves a case in: so that what it needs is not made in vain. */
bool bench_wants(const bench *b, const char *what, const char *shape);

/** Collective.  Verify all variants, time them, print their rows.  Nothing where --only names other cases. */
TUTTI_NODISCARD
tutti_status bench_run(const bench *b, const bench_case *c);

// --- for checks

/** Local.  |values[i] - expected[i]| <= bound for i in [0, n); NaN is never near.
 * @return ERR_INTERNAL naming `what` and the worst element */
TUTTI_NODISCARD
tutti_status bench_near(const char *what, const float *values, const double *expected, int64_t n,
                        double bound);

/** Local.  A sum of values[n] that tells their places apart. */
double bench_checksum(const float *values, int64_t n);

/** Local.  Up to `max` numbers of [0, n): all of them, or the first, the last and others in between.
 * @return how many */
int bench_pick(int64_t n, int max, int64_t *picked);
