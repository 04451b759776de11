/** tutti bench: measure a training step, and predict it for other rank counts.  The room bench measures; this file
 * reads the options. */
#include <string.h>

#include "base/text.h"
#include "cli/bench_tables_impl.h"
#include "cli/command_impl.h"
#include "cli/options_impl.h"
#include "machine/preflight.h"

enum { MAX_RANKS_PER_NODE = 1 << 20, MAX_ROUNDS = 1000 };

typedef struct {
  tutti_bench_options options;
  const char *batch_sizes; // a list
} bench_values;

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

/** All ranks measure; rank 0 prints.  The sizes are read here, since they need memory that the report borrows. */
static tutti_status run(const tutti_comm *comm, int argc, char **argv, int *exit_status) {
  (void)exit_status;
  bench_values values = {.options = TUTTI_BENCH_OPTIONS_DEFAULT};
  tutti_cli_arguments arguments = {0};
  tutti_config config = {0};
  tutti_machine_threads threads;
  tutti_bench_report report = {0};
  int64_t *sizes = NULL;
  tutti_status status = tutti_cli_parse(argc, argv, &tutti_command_bench, &values, &arguments);
  if (status == TUTTI_OK)
    status = read_batch_sizes(values.batch_sizes, &sizes, &values.options.n_batch_sizes);
  TUTTI_TRY_GOTO(done, tutti_comm_agree(comm, status));
  values.options.batch_sizes = sizes;
  TUTTI_TRY_GOTO(done, tutti_cli_read_config(comm, &arguments, &config));
  TUTTI_TRY_GOTO(done, tutti_machine_preflight(comm, config.parallel.threads, &threads));
  TUTTI_TRY_GOTO(done, tutti_bench(comm, &config, &values.options, &report));
  if (tutti_comm_rank(comm) == 0) tutti_cli_print_bench(&report, &arguments);
done:
  tutti_bench_clear(&report);
  tutti_free(sizes);
  tutti_config_clear(&config);
  tutti_cli_arguments_clear(&arguments);
  return status;
}

// An option goes straight into the options of the room bench.
#define VALUE(name) offsetof(bench_values, options.name)
static const tutti_cli_option_row options[] = {
    {{"--batch_sizes=16,64,...", "global batch sizes [those of the config, also the sizes to which the batch "
                                 "grows; then 16, 64, 128, 1024, 8192]"},
     {"batch_sizes", TUTTI_CLI_TEXT, .offset = offsetof(bench_values, batch_sizes)}},
    {{"--seconds=S", "length of a round of steps, which has at least one step [0.05]"},
     {"seconds", TUTTI_CLI_POSITIVE, .offset = VALUE(round_s)}},
    {{"--rounds=N", "number of rounds; the median round is reported [7]"},
     {"rounds", TUTTI_CLI_INT, VALUE(rounds), .min = 1, .max = MAX_ROUNDS}},
    {{"--latency=S", "latency between nodes, in seconds [measured]"},
     {"latency", TUTTI_CLI_POSITIVE, .offset = VALUE(latency_s)}},
    {{"--bandwidth=B", "bandwidth between nodes, in bytes per second [measured]"},
     {"bandwidth", TUTTI_CLI_POSITIVE, .offset = VALUE(bandwidth)}},
    {{"--ranks_per_node=N", "ranks per node in the predictions [as in this run]; with parallel.threads=1 it "
                            "may exceed the number of cores here"},
     {"ranks_per_node", TUTTI_CLI_INT, VALUE(ranks_per_node), .min = 1, .max = MAX_RANKS_PER_NODE}},
    {.help = {NULL, NULL}}};

const tutti_command tutti_command_bench = {
    .name = "bench",
    .arguments = "[CONFIG.yaml] [--section.key=VALUE ...] [--batch_sizes=16,64,...]",
    .summary = "measure one training step on this machine and predict how many ranks are worth using",
    .details = "Runs steps of the config's training on its data and prints tables.  It creates no run "
               "directory.  Tabs separate the columns, each table begins with a line of column names, and an "
               "empty line separates two tables.  Log messages go to standard error.\n\n"
               "A prediction adds up four times: a step of one rank alone with its shard, the update divided "
               "among the ranks of a node, their reduction in shared memory, and the fastest allreduce "
               "between the nodes.  A message between nodes takes latency + bytes / bandwidth (Thakur, "
               "Rabenseifner and Gropp 2005).  The predictions assume parallel.reduce=auto, and leave out "
               "the sums that batch_norm needs over several ranks.",
    .options = options,
    .takes_keys = true,
    .max_positional = 1,
    .examples = "  tutti bench jobs/mnist.yaml\n"
                "  mpirun -np 8 tutti bench jobs/mnist.yaml --batch_sizes=128,1024 --latency=1.5e-6 "
                "--bandwidth=12.5e9",
    .tables = tutti_cli_bench_columns,
    .shows_keys = true,
    .run = run};
