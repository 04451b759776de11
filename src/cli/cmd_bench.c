#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/bench_tables.h"
#include "cli/cli.h"
#include "cli/config_file.h"
#include "cli/options.h"
#include "machine/preflight.h"

// --- options

typedef struct {
  const char *batch_sizes, *latency, *bandwidth, *ranks_per_node, *seconds, *rounds;
} bench_texts;

/** A number above 0; untouched where the option is not given. */
static tutti_status read_real(const char *name, const char *text, double *value) {
  if (!text) return TUTTI_OK;
  TUTTI_CHECK(tutti_text_real(text, value) && *value > 0, TUTTI_ERR_USAGE,
              "--%s=%s: a number above 0 is expected", name, text);
  return TUTTI_OK;
}

static tutti_status read_count(const char *name, const char *text, int64_t most, int64_t *value) {
  if (!text) return TUTTI_OK;
  TUTTI_CHECK(tutti_text_integer(text, value) && *value >= 1 && *value <= most, TUTTI_ERR_USAGE,
              "--%s=%s: a whole number from 1 to %lld is expected", name, text, (long long)most);
  return TUTTI_OK;
}

static tutti_status read_int(const char *name, const char *text, int most, int *value) {
  int64_t number = *value;
  TUTTI_TRY(read_count(name, text, most, &number));
  *value = (int)number;
  return TUTTI_OK;
}

/** "16,64,128" */
static tutti_status read_batch_sizes(const char *text, int64_t **sizes, int *n) {
  if (!text) return TUTTI_OK;
  TUTTI_TRY(TUTTI_NEW(*sizes, (int64_t)strlen(text) + 1));
  for (const char *at = text;; at++) {
    char number[32];
    const size_t length = strcspn(at, ",");
    snprintf(number, sizeof number, "%.*s", (int)length, at);
    TUTTI_CHECK(length < sizeof number && tutti_text_integer(number, &(*sizes)[*n]) && (*sizes)[*n] >= 1,
                TUTTI_ERR_USAGE, "--batch_sizes=%s: whole numbers from 1, separated by commas, are expected",
                text);
    ++*n;
    at += length;
    if (!*at) return TUTTI_OK;
  }
}

static tutti_status read_options(const bench_texts *texts, int64_t **sizes, tutti_bench_options *options) {
  TUTTI_TRY(read_batch_sizes(texts->batch_sizes, sizes, &options->n_batch_sizes));
  options->batch_sizes = *sizes;
  TUTTI_TRY(read_real("latency", texts->latency, &options->latency_s));
  TUTTI_TRY(read_real("bandwidth", texts->bandwidth, &options->bandwidth));
  TUTTI_TRY(read_int("ranks_per_node", texts->ranks_per_node, 1 << 20, &options->ranks_per_node));
  TUTTI_TRY(read_real("seconds", texts->seconds, &options->round_s));
  TUTTI_TRY(read_int("rounds", texts->rounds, 1000, &options->rounds));
  return TUTTI_OK;
}

// --- the command

static tutti_status run(const tutti_comm *comm, int argc, char **argv, int *exit_status) {
  (void)exit_status;
  bench_texts texts = {0};
  const tutti_option named[] = {
      {"batch_sizes", &texts.batch_sizes},       {"latency", &texts.latency}, {"bandwidth", &texts.bandwidth},
      {"ranks_per_node", &texts.ranks_per_node}, {"seconds", &texts.seconds}, {"rounds", &texts.rounds}};
  tutti_bench_options options = TUTTI_BENCH_OPTIONS_DEFAULT;
  tutti_arguments arguments = {0};
  tutti_config config = {0};
  tutti_threads threads;
  tutti_bench_report report = {0};
  int64_t *sizes = NULL;
  tutti_status status =
      tutti_arguments_parse(argc, argv, named, sizeof named / sizeof *named, "", 0, 1, &arguments);
  if (status == TUTTI_OK) status = read_options(&texts, &sizes, &options);
  TUTTI_TRY_GOTO(done, tutti_agree(comm, status));
  TUTTI_TRY_GOTO(done, tutti_read_config(comm, &arguments, &config));
  TUTTI_TRY_GOTO(done, tutti_preflight(comm, config.parallel.threads, &threads));
  TUTTI_TRY_GOTO(done, tutti_bench(comm, &config, &options, &report));
  if (tutti_comm_rank(comm) == 0) tutti_bench_print(&report, &arguments);
done:
  tutti_bench_clear(&report);
  tutti_free(sizes);
  tutti_config_clear(&config);
  tutti_arguments_clear(&arguments);
  return status;
}

static const char details[] =
    "Runs steps of the config's training on its data, without a run directory, and prints tables:\n"
    "columns apart by tabs, a line with their names before each, an empty line between two.  Log lines\n"
    "go to standard error.\n"
    "\n"
    "  --batch_sizes=16,64,...  global batch sizes [the config's, also those that the\n"
    "                           batch grows to; then 16, 64, 128, 1024, 8192]\n"
    "  --seconds=S              a round of steps takes about so long, or one step [0.05]\n"
    "  --rounds=N               the median of so many rounds counts [7]\n"
    "  --latency=S              seconds of a message between nodes [measured]\n"
    "  --bandwidth=B            bytes a second between nodes [measured]\n"
    "  --ranks_per_node=N       of the prediction [as in this run]; with parallel.threads=1 it\n"
    "                           may be more than the cores here\n"
    "\n"
    "A prediction is what a shard costs a rank alone, the update divided over the ranks of a node, their\n"
    "reduction in shared memory, and the best allreduce between nodes for a network where a message takes\n"
    "latency + bytes / bandwidth (Thakur, Rabenseifner and Gropp 2005).  It is of parallel.reduce=auto,\n"
    "and without the sums that a batch_norm over several ranks needs.\n"
    "\n"
    "  tutti bench jobs/mnist.yaml\n"
    "  mpirun -np 8 tutti bench jobs/mnist.yaml --batch_sizes=128,1024 --latency=1.5e-6 --bandwidth=12.5e9";

const tutti_command tutti_command_bench = {
    .name = "bench",
    .arguments = "[CONFIG.yaml] [--section.key=VALUE ...] [--batch_sizes=16,64,...]",
    .summary = "what a step costs here, part by part, and on how many ranks it would pay",
    .details = details,
    .tables = tutti_bench_columns,
    .shows_keys = true,
    .run = run};
