#include <stdio.h>

#include "base/log.h"
#include "base/terminal.h"
#include "cli/cli.h"
#include "cli/config_file.h"
#include "machine/preflight.h"
#include "tutti/train.h"

enum { EXIT_DIVERGED = 79 };

static void print_result(const tutti_config *config, const tutti_train_result *result) {
  const tutti_metrics_row *row = &result->row;
  if (result->validation.samples > 0)
    printf("val_loss %.6g\nval_%s %.6g\n", result->validation.loss, result->metric,
           result->validation.metric);
  if (result->training.samples > 0)
    printf("train_loss %.6g\ntrain_%s %.6g\n", result->training.loss, result->metric,
           result->training.metric);
  if (result->test.samples > 0)
    printf("test_loss %.6g\ntest_%s %.6g\ntest_samples %lld\n", result->test.loss, result->metric,
           result->test.metric, (long long)result->test.samples);
  if (result->average_validation.samples > 0)
    printf("ema_val_loss %.6g\nema_val_%s %.6g\n", result->average_validation.loss, result->metric,
           result->average_validation.metric);
  if (result->average_test.samples > 0)
    printf("ema_test_loss %.6g\nema_test_%s %.6g\n", result->average_test.loss, result->metric,
           result->average_test.metric);
  printf("epoch %lld\nstep %lld\nsamples %lld\nseconds %.6g\nrun %s\n", (long long)row->epoch,
         (long long)row->step, (long long)row->samples, row->seconds, config->run.directory);
}

/** Where rank 0 draws: the user's terminal, also behind mpirun; else standard error, line by line. */
static tutti_status train(const tutti_comm *comm, const tutti_config *config, tutti_train_result *result) {
  tutti_threads threads;
  TUTTI_TRY(tutti_preflight(comm, config->parallel.threads, &threads));
  FILE *terminal = tutti_comm_rank(comm) == 0 ? tutti_terminal_open() : NULL;
  const tutti_status status = tutti_train(comm, config, terminal ? terminal : stderr, result);
  if (terminal) fclose(terminal);
  return status;
}

static tutti_status run(const tutti_comm *comm, int argc, char **argv, int *exit_status) {
  tutti_arguments arguments = {0};
  tutti_config config = {0};
  tutti_train_result result;
  tutti_status status = tutti_arguments_parse(argc, argv, NULL, 0, "", 0, 1, &arguments);
  TUTTI_TRY_GOTO(done, tutti_agree(comm, status));
  TUTTI_TRY_GOTO(done, tutti_read_config(comm, &arguments, &config));
  TUTTI_TRY_GOTO(done, train(comm, &config, &result));
  const bool diverged = result.stop == TUTTI_STOP_DIVERGED;
  if (result.stop != TUTTI_STOP_BUDGET)
    tutti_log_root(diverged ? TUTTI_LOG_ERROR : TUTTI_LOG_INFO, "%s", result.reason);
  if (diverged)
    *exit_status = EXIT_DIVERGED;
  else if (tutti_comm_rank(comm) == 0)
    print_result(&config, &result);
done:
  tutti_config_clear(&config);
  tutti_arguments_clear(&arguments);
  return status;
}

const tutti_command tutti_command_train = {
    .name = "train",
    .arguments = "[CONFIG.yaml] [--section.key=VALUE ...]",
    .summary = "train a network; under mpirun or srun, or alone",
    .details =
        "Trains as the config says and leaves checkpoint.h5, metrics.h5 and config.yaml in run.directory.  "
        "Run again,\n"
        "it goes on from the last checkpoint.  Progress goes to standard error, results to standard "
        "output.\n\n"
        "  mpirun -np 8 tutti train jobs/mnist.yaml --train.batch_size=1024 --run.directory=runs/mnist-1024",
    .shows_keys = true,
    .run = run};
