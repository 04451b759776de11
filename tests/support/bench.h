#pragma once
/** The common part of the programs in tests/bench.  Each program answers one question with a table that has a row for each
 * variant of each case.  A variant is verified before it is timed, and the variants of a case take turns, so that a
 * disturbance of the machine meets all of them.
 *
 * Under mpirun, all ranks do the same thing at the same time, and a time is that of the slowest rank. */
#include <stdbool.h>

#include "tutti/par.h"

typedef struct {
  const char *name;           // "bench_products"
  const char *question;       // for --help, lines without the last newline
  const char *const *options; // names of its own options --NAME=VALUE, ended by NULL; or NULL
} bench_program;

typedef struct {
  const bench_program *program;
  const tutti_comm *comm;
  int argc;
  char **argv;
  bool is_short; // small sizes, few repeats
  bool is_cold;  // the data of a run is in no cache when it begins
  int repeats;   // 0: as many as a second holds
  float *other;  // fills the caches if is_cold; else NULL
} bench;

/** Run a program.  @return the exit status: 1 if `run` fails, as it does if a verification fails */
int bench_main(int argc, char **argv, const bench_program *program, tutti_status (*run)(const bench *b));

/** VALUE of the last --NAME=VALUE, or `otherwise`.  Local. */
const char *bench_option(const bench *b, const char *name, const char *otherwise);

/** One way to do the work of a case. */
typedef struct {
  const char *name;
  tutti_status (*run)(void *context); // what is timed
  /** Call `run`, and compare the results with a slow reference.  Collective if `run` is.
   * @param[out] checksum  of the results */
  tutti_status (*check)(void *context, double *checksum);
  void *context;
  const double *aside; // seconds within runs that do not count, which `run` adds up; NULL: none
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

/** Whether --only selects a case; ask before its data are made.  Local. */
bool bench_wants(const bench *b, const char *what, const char *shape);

/** Verify all variants of a case, time them, and print their rows.  Collective.  Nothing happens if --only selects other
 * cases. */
TUTTI_NODISCARD
tutti_status bench_run(const bench *b, const bench_case *c);

// --- for checks

/** Check that |values[i] - expected[i]| <= bound for i in [0, n); NaN fails.  Local.
 * @return ERR_INTERNAL naming `what` and the worst element */
TUTTI_NODISCARD
tutti_status bench_near(const char *what, const float *values, const double *expected, int64_t n,
                        double bound);

/** A sum of values[n] that depends on their order.  Local. */
double bench_checksum(const float *values, int64_t n);

/** Pick up to `max` numbers of [0, n): all of them, or the first, the last and some in between.  Local.
 * @return how many */
int bench_pick(int64_t n, int max, int64_t *picked);
