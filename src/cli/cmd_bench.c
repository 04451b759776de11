/** tutti bench: measure a training step, and predict it for other rank counts.  The room bench measures; this file reads
 * the options. */
#include <string.h>

#include "base/text.h"
#include "cli/bench_tables_impl.h"
#include "cli/command_impl.h"
#include "cli/options_impl.h"
#include "machine/preflight.h"

static const char usage[] = "[CONFIG.yaml] [--section.key=VALUE ...] [--batch_sizes=16,64,...]";

/** Read "16,64,128".
 * @param[out] sizes  [*n] the caller's */
static tutti_status read_batch_sizes(const char *text, int64_t **sizes, int *n) {
  char item[TUTTI_CLI_ITEM_BYTES];
  if (!text) return TUTTI_OK;
  TUTTI_TRY(TUTTI_NEW(*sizes, (int64_t)strlen(text) + 1));
  for (const char *left = text; left; ++*n)
    TUTTI_CHECK(
        tutti_cli_next_item(&left, item) && tutti_text_integer(item, &(*sizes)[*n]) && (*sizes)[*n] >= 1,
        TUTTI_ERR_USAGE, "--batch_sizes=%s: expected whole numbers from 1, separated by commas", text);
  return TUTTI_OK;
}

/** Read the command line.
 * @param[out] sizes  memory of options->batch_sizes; the caller's */
static tutti_status parse(int argc, char **argv, tutti_cli_arguments *arguments, int64_t **sizes,
                          tutti_bench_options *options) {
  enum { MAX_RANKS_PER_NODE = 1 << 20, MAX_ROUNDS = 1000 };
  const char *batch_sizes = NULL;
  const tutti_cli_option named[] = {
      {"batch_sizes", TUTTI_CLI_TEXT, .value = &batch_sizes},
      {"latency", TUTTI_CLI_POSITIVE, .value = &options->latency_s},
      {"bandwidth", TUTTI_CLI_POSITIVE, .value = &options->bandwidth},
      {"ranks_per_node", TUTTI_CLI_INT, .value = &options->ranks_per_node, .min = 1,
       .max = MAX_RANKS_PER_NODE},
      {"seconds", TUTTI_CLI_POSITIVE, .value = &options->round_s},
      {"rounds", TUTTI_CLI_INT, .value = &options->rounds, .min = 1, .max = MAX_ROUNDS}};
  const tutti_cli_syntax syntax = {
      .usage = usage, .options = named, .n_options = 6, .prefix = "", .max_positional = 1};
  TUTTI_TRY(tutti_cli_parse(argc, argv, &syntax, arguments));
  TUTTI_TRY(read_batch_sizes(batch_sizes, sizes, &options->n_batch_sizes));
  options->batch_sizes = *sizes;
  return TUTTI_OK;
}

static tutti_status run(const tutti_comm *comm, int argc, char **argv, int *exit_status) {
  (void)exit_status;
  tutti_bench_options options = TUTTI_BENCH_OPTIONS_DEFAULT;
  tutti_cli_arguments arguments = {0};
  tutti_config config = {0};
  tutti_machine_threads threads;
  tutti_bench_report report = {0};
  int64_t *sizes = NULL;
  tutti_status status = parse(argc, argv, &arguments, &sizes, &options);
  TUTTI_TRY_GOTO(done, tutti_comm_agree(comm, status));
  TUTTI_TRY_GOTO(done, tutti_cli_read_config(comm, &arguments, &config));
  TUTTI_TRY_GOTO(done, tutti_machine_preflight(comm, config.parallel.threads, &threads));
  TUTTI_TRY_GOTO(done, tutti_bench(comm, &config, &options, &report));
  if (tutti_comm_rank(comm) == 0) tutti_cli_print_bench(&report, &arguments);
done:
  tutti_bench_clear(&report);
  tutti_free(sizes);
  tutti_config_clear(&config);
  tutti_cli_arguments_clear(&arguments);
  return status;
}

const tutti_command tutti_command_bench = {
    .name = "bench",
    .arguments = usage,
    .summary = "measure one training step on this machine and predict how many ranks are worth using",
    .details =
        "Runs steps of the config's training on its data and prints tables.  It creates no run directory.  "
        "Tabs "
        "separate the columns, each table begins with a line of column names, and an empty line separates "
        "two "
        "tables.  Log messages go to standard error.\n\n"
        "A prediction adds up four times: a step of one rank alone with its shard, the update divided among "
        "the "
        "ranks of a node, their reduction in shared memory, and the fastest allreduce between the nodes.  A "
        "message "
        "between nodes takes latency + bytes / bandwidth (Thakur, Rabenseifner and Gropp 2005).  The "
        "predictions "
        "assume parallel.reduce=auto, and leave out the sums that batch_norm needs over several ranks.",
    .options =
        (const tutti_help_row[]){
            {"--batch_sizes=16,64,...",
             "global batch sizes [those of the config, also the sizes to which the batch "
             "grows; then 16, 64, 128, 1024, 8192]"},
            {"--seconds=S", "length of a round of steps, which has at least one step [0.05]"},
            {"--rounds=N", "number of rounds; the median round is reported [7]"},
            {"--latency=S", "latency between nodes, in seconds [measured]"},
            {"--bandwidth=B", "bandwidth between nodes, in bytes per second [measured]"},
            {"--ranks_per_node=N",
             "ranks per node in the predictions [as in this run]; with parallel.threads=1 it "
             "may exceed the number of cores here"},
            {NULL, NULL}},
    .examples = "  tutti bench jobs/mnist.yaml\n"
                "  mpirun -np 8 tutti bench jobs/mnist.yaml --batch_sizes=128,1024 --latency=1.5e-6 "
                "--bandwidth=12.5e9",
    .tables = tutti_cli_bench_columns,
    .shows_keys = true,
    .run = run};
