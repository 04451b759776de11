/** The main function of the programs in tests/bench: options, help, and the head of the table. */
#include "support/bench.h"

#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "base/vector_unit.h"
#include "machine/cpu.h"
#include "machine/kernels.h"
#include "machine/round_trip.h"
#include "support/bench_impl.h"
#include "tutti/linalg.h"

// --- options

static const char *const common_options[] = {"only", "repeats", "threads", NULL};

/** VALUE of --NAME=VALUE, or NULL. */
static const char *value_of(const char *argument, const char *name) {
  const size_t n = strlen(name);
  const bool is_it = strncmp(argument, "--", 2) == 0 && strncmp(argument + 2, name, n) == 0;
  return is_it && argument[2 + n] == '=' ? argument + 3 + n : NULL;
}

static bool is_among(const char *argument, const char *const *names) {
  for (int i = 0; names && names[i]; i++)
    if (value_of(argument, names[i])) return true;
  return false;
}

const char *bench_option(const bench *b, const char *name, const char *otherwise) {
  for (int i = b->argc - 1; i > 0; i--)
    if (value_of(b->argv[i], name)) return value_of(b->argv[i], name);
  return otherwise;
}

static void print_help(const bench_program *program) {
  printf("usage: %s [--short] [--cold] [--repeats=N] [--threads=N] [--only=TEXT]", program->name);
  for (int i = 0; program->options && program->options[i]; i++) printf(" [--%s=...]", program->options[i]);
  printf("\n\n%s\n\n"
         "  --short      small sizes, which take a few seconds; the tests run these\n"
         "  --cold       fill the caches with other data before each run\n"
         "  --repeats=N  number of repeats [as many as fit into a second, 3 to 25]\n"
         "  --threads=N  threads per rank [1]\n"
         "  --only=TEXT  only cases whose name or shape begins with TEXT\n\n"
         "Columns, separated by tabs; lines that begin with # describe machine and build:\n"
         "  what, shape  the case\n"
         "  variant      a way to do the work; the first one of a case is the baseline\n"
         "  ranks        ranks that did the work at the same time; threads: of each rank\n"
         "  cache        warm: runs follow each other; cold: see --cold\n"
         "  repeats      turns of each variant; a short one runs many times in a turn\n"
         "  min_s, median_s, max_s\n"
         "               seconds of a run on the slowest rank, over the repeats\n"
         "  rank_of_max  the slowest rank of the median repeat\n"
         "  rate, unit   of the median; operations or bytes that the algorithm needs, without those that "
         "caches move\n"
         "  ns_per_item  of the median; an item is an element, a sample or a parameter\n"
         "  ratio        this variant's seconds / the baseline's in the same repeat; the median over the "
         "repeats\n"
         "  checksum     of the results; variants differ by rounding\n",
         program->question);
}

static tutti_status read_options(bench *b) {
  for (int i = 1; i < b->argc; i++) {
    const char *argument = b->argv[i];
    if (strcmp(argument, "--short") == 0)
      b->is_short = true;
    else if (strcmp(argument, "--cold") == 0)
      b->is_cold = true;
    else
      TUTTI_CHECK(is_among(argument, common_options) || is_among(argument, b->program->options),
                  TUTTI_ERR_USAGE, "%s: unknown option; %s --help lists them", argument, b->program->name);
  }
  int64_t repeats = 0, threads = 0;
  const char *text = bench_option(b, "repeats", "0");
  TUTTI_CHECK(tutti_text_integer(text, &repeats) && repeats >= 0 && repeats <= 1000, TUTTI_ERR_USAGE,
              "--repeats=%s: expected a number up to 1000", text);
  b->repeats = (int)repeats;
  text = bench_option(b, "threads", "1");
  TUTTI_CHECK(tutti_text_integer(text, &threads) && threads >= 1 && threads <= 1024, TUTTI_ERR_USAGE,
              "--threads=%s: expected a number from 1 to 1024", text);
  tutti_linalg_set_threads((int)threads);
  if (b->is_cold) TUTTI_TRY(TUTTI_NEW(b->other, BENCH_OTHER));
  return TUTTI_OK;
}

// --- main

static const char *build(void) {
#ifdef NDEBUG
  return "release";
#else
  return "debug, its times mean nothing";
#endif
}

static void print_head(const bench *b) {
  tutti_machine_cpu cpu;
  tutti_machine_cpu_get(&cpu);
  printf("# %s, tutti %s, build %s\n", b->program->name, TUTTI_VERSION, build());
  printf("# %s, %d processors, rank 0 on %s; %s\n", cpu.model, cpu.n_cpus, cpu.allowed,
         tutti_par_mpi_version());
  // a program without products may be linked without the BLAS
  if (strcmp(tutti_blas_description(), "unknown BLAS") != 0) printf("# %s\n", tutti_blas_description());
  if (tutti_machine_kernels_warning()) printf("# %s\n", tutti_machine_kernels_warning());
  bench_print_columns();
}

/** Measure how fast the cores hear of each other, and print it.
 * @param[in] before  that of the beginning of the table; NULL: this is the beginning */
static tutti_status print_round_trip(const bench *b, const tutti_round_trip *before, tutti_round_trip *now) {
  char text[400];
  TUTTI_TRY(tutti_round_trip_measure(b->comm, now));
  if (tutti_comm_rank(b->comm) > 0) return TUTTI_OK;
  const tutti_round_trip_word word =
      before ? tutti_round_trip_judge(before, now) : tutti_round_trip_judge(now, NULL);
  if (now->slowest_s > 0) printf("# round trip between cores: %.0f ns\n", now->slowest_s * 1e9);
  if (word != TUTTI_ROUND_TRIP_ALONE) printf("# round trip: %s\n", tutti_round_trip_names[word]);
  if (before && tutti_round_trip_warning(before, now, text, sizeof text)) printf("# %s\n", text);
  return TUTTI_OK;
}

static tutti_status run_all(bench *b, tutti_status (*run)(const bench *b)) {
  tutti_round_trip before, after;
  TUTTI_TRY(tutti_comm_agree(b->comm, read_options(b)));
  TUTTI_TRY(print_round_trip(b, NULL, &before));
  if (tutti_comm_rank(b->comm) == 0) print_head(b);
  TUTTI_TRY(run(b));
  return print_round_trip(b, &before, &after);
}

int bench_main(int argc, char **argv, const bench_program *program, tutti_status (*run)(const bench *b)) {
  for (int i = 1; i < argc; i++)
    if (strcmp(argv[i], "--help") == 0) {
      print_help(program);
      return 0;
    }
  tutti_comm *comm = NULL;
  MPI_Init(&argc, &argv);
  tutti_cpu_flush_subnormals(); // as a training does
  tutti_status status = tutti_comm_create_world(&comm);
  bench b = {.program = program, .comm = comm, .argc = argc, .argv = argv};
  if (status == TUTTI_OK) status = run_all(&b, run);
  if (status != TUTTI_OK) {
    tutti_log_root(TUTTI_LOG_ERROR, "%s", tutti_fail_text());
    if (status == TUTTI_ERR_MPI) MPI_Abort(MPI_COMM_WORLD, 1);
  }
  tutti_free(b.other);
  tutti_comm_destroy(&comm);
  MPI_Finalize();
  const bool leaked = tutti_alloc_live() != 0;
  if (leaked) tutti_log(TUTTI_LOG_ERROR, "%lld allocations are still live", (long long)tutti_alloc_live());
  return status != TUTTI_OK || leaked;
}
