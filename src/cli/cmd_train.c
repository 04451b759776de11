/** tutti train: read the config, prepare the machine, train, and print the results.  The training itself is in the room
 * train. */
#include <stdio.h>

#include "base/log.h"
#include "base/terminal.h"
#include "cli/command_impl.h"
#include "cli/guard_impl.h"
#include "cli/options_impl.h"
#include "machine/preflight.h"
#include "tutti/train.h"

/** Print loss and metric of one set of rows; nothing if the set is empty. */
static void print_evaluation(const char *set, const char *metric, const tutti_evaluation *evaluation) {
  if (evaluation->samples > 0)
    printf("%s_loss %.6g\n%s_%s %.6g\n", set, evaluation->loss, set, metric, evaluation->metric);
}

/** The results of the training, as lines of a name and a value; sets without samples are left out. */
static void print_result(const tutti_config *config, const tutti_train_result *result) {
  const tutti_metrics_row *row = &result->row;
  print_evaluation("val", result->metric, &result->validation);
  print_evaluation("train", result->metric, &result->training);
  print_evaluation("test", result->metric, &result->test);
  if (result->test.samples > 0) printf("test_samples %lld\n", (long long)result->test.samples);
  print_evaluation("ema_val", result->metric, &result->average_validation);
  print_evaluation("ema_test", result->metric, &result->average_test);
  printf("epoch %lld\nstep %lld\nsamples %lld\nseconds %.6g\nrun %s\n", (long long)row->epoch,
         (long long)row->step, (long long)row->samples, row->seconds, config->run.directory);
}

/** Rank 0 draws the progress line on the user's terminal, also under mpirun.  Without a terminal it writes lines to
 * standard error. */
static tutti_status train(const tutti_comm *comm, const tutti_config *config, tutti_train_result *result) {
  tutti_machine_threads threads;
  TUTTI_TRY(tutti_machine_preflight(comm, config->parallel.threads, &threads));
  FILE *terminal = tutti_comm_rank(comm) == 0 ? tutti_terminal_open() : NULL;
  const tutti_status status = tutti_train(comm, config, terminal ? terminal : stderr, result);
  if (terminal) fclose(terminal);
  return status;
}

static tutti_status check(const tutti_cli_arguments *arguments, tutti_config *config, int n_ranks) {
  tutti_train_facts facts;
  (void)arguments;
  TUTTI_TRY(tutti_train_check_alone(config, n_ranks > 0 ? n_ranks : 1, &facts));
  printf("run %s\ntraining_samples %lld\nparameters %lld\nsteps %lld\n", config->run.directory,
         (long long)facts.n_train, (long long)facts.n_params, (long long)facts.n_steps);
  if (!facts.labels) printf("not_checked the values of the labels\n");
  return TUTTI_OK;
}

/** Say why the training ended, if it is not the budget.  The results count although the last state is not saved. */
static void report(const tutti_comm *comm, const tutti_config *config, const tutti_train_result *result,
                   bool saved) {
  const bool diverged = result->stop == TUTTI_STOP_DIVERGED,
             interrupted = result->stop == TUTTI_STOP_INTERRUPTED;
  if (result->stop != TUTTI_STOP_BUDGET && (saved || !interrupted))
    tutti_log_root(diverged ? TUTTI_LOG_ERROR : TUTTI_LOG_INFO, "%s", result->reason);
  if (!diverged && !interrupted && tutti_comm_rank(comm) == 0) print_result(config, result);
}

/** A divergence is a result and no failure: the files are complete, and the exit status tells it. */
static tutti_status run(const tutti_comm *comm, int argc, char **argv, int *exit_status) {
  tutti_cli_arguments arguments = {0};
  tutti_config config = {0};
  tutti_train_result result = {0};
  tutti_status status = tutti_cli_parse(argc, argv, &tutti_command_train, NULL, &arguments);
  TUTTI_TRY_GOTO(done, tutti_comm_agree(comm, status));
  TUTTI_TRY_GOTO(done, tutti_cli_read_config(comm, &arguments, &config));
  tutti_cli_guard(comm, &config);
  status = train(comm, &config, &result);
  if (result.complete) report(comm, &config, &result, status == TUTTI_OK);
  TUTTI_TRY_GOTO(done, status);
  if (result.stop == TUTTI_STOP_DIVERGED)
    *exit_status = TUTTI_EXIT_DIVERGED;
  else if (result.stop == TUTTI_STOP_INTERRUPTED)
    *exit_status = TUTTI_EXIT_INTERRUPTED;
done:
  tutti_config_clear(&config);
  tutti_cli_arguments_clear(&arguments);
  return status;
}

static const tutti_cli_option_row options[] = {TUTTI_OPTION_CHECK, {.help = {NULL, NULL}}};

const tutti_command tutti_command_train = {
    .name = "train",
    .arguments = "[CONFIG.yaml] [--check] [--section.key=VALUE ...]",
    .options = options,
    .check = check,
    .summary = "train a network, on one rank or on many",
    .details = "Trains the network of a config.  The directory run.directory gets checkpoint.h5, metrics.h5 "
               "and config.yaml.  If the same command runs again, it continues from the last checkpoint.  "
               "Progress goes to standard error, results go to standard output.",
    .examples =
        "  mpirun -np 8 tutti train jobs/mnist.yaml --train.batch_size=1024 --run.directory=runs/mnist-1024",
    .shows_keys = true,
    .takes_keys = true,
    .max_positional = 1,
    .trains = true,
    .run = run};
