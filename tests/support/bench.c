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
  printf(
      "\n\n%s\n\n"
      "  --short      small sizes, seconds in all: what the tests run\n"
      "  --cold       before each run the caches are filled with other data\n"
      "  --repeats=N  else as many as a second holds, 3 to 25\n"
      "  --threads=N  of each rank (1)\n"
      "  --only=TEXT  cases whose name or shape begins with it\n\n"
      "Columns, separated by tabs; lines that begin with # say what machine and build it was:\n"
      "  what, shape  the case\n"
      "  variant      a way of doing it; the first of a case is its baseline\n"
      "  ranks        that did it at the same time; threads: of each\n"
      "  cache        warm: one run follows another; cold: see --cold\n"
      "  repeats      in each of them the variants took turns; the short ones ran many times in a turn\n"
      "  min_s, median_s, max_s\n"
      "               seconds of one run on the slowest rank, over the repeats\n"
      "  rank_of_max  the slowest rank of the median repeat\n"
      "  rate, unit   of the median; operations or bytes as the algorithm needs them, not as it moves them\n"
      "  ns_per_item  of the median; an item is an element, a sample or a parameter\n"
      "  ratio        median over the repeats of this variant's seconds to the baseline's in the same "
      "repeat\n"
      "  checksum     of what came out; variants differ in rounding\n",
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
              "--repeats=%s: want a number up to 1000", text);
  b->repeats = (int)repeats;
  text = bench_option(b, "threads", "1");
  TUTTI_CHECK(tutti_text_integer(text, &threads) && threads >= 1 && threads <= 1024, TUTTI_ERR_USAGE,
              "--threads=%s: want a number from 1 to 1024", text);
  tutti_linalg_set_threads((int)threads);
  if (b->is_cold) TUTTI_TRY(TUTTI_NEW(b->other, BENCH_OTHER));
  return TUTTI_OK;
}

// --- main

static const char *build(void) {
#ifdef NDEBUG
  return "release";
#else
  return "debug, whose times mean nothing";
#endif
}

static void print_head(const bench *b) {
  tutti_cpu cpu;
  tutti_cpu_get(&cpu);
  printf("# %s, tutti %s, build %s\n", b->program->name, TUTTI_VERSION, build());
  printf("# %s, %d processors, rank 0 on %s; %s\n", cpu.model, cpu.n_cpus, cpu.allowed, tutti_mpi_version());
  // A program without products is linked without the BLAS.
  if (strcmp(tutti_blas_description(), "unknown BLAS") != 0) printf("# %s\n", tutti_blas_description());
  if (tutti_kernels_warning()) printf("# %s\n", tutti_kernels_warning());
  bench_print_columns();
}

static tutti_status run_all(bench *b, tutti_status (*run)(const bench *b)) {
  TUTTI_TRY(tutti_agree(b->comm, read_options(b)));
  if (tutti_comm_rank(b->comm) == 0) print_head(b);
  return run(b);
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
