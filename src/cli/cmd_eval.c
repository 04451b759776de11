/** tutti eval: loss and metric of a checkpoint on one part of a data set. */
#include <math.h>
#include <stdio.h>

#include "base/log.h"
#include "cli/command_impl.h"
#include "cli/options_impl.h"

static const char usage[] =
    "CHECKPOINT.h5 [--data.file=F] [--data.external=yes] [--split=test|validation|train] "
    "[--weights=last|average]";

typedef struct {
  const char *checkpoint, *file;
  bool external;
  tutti_split split;
  tutti_weights weights;
} eval_arguments;

static tutti_status parse(int argc, char **argv, eval_arguments *eval) {
  const tutti_cli_option options[] = {{"data.file", TUTTI_CLI_TEXT, .value = &eval->file},
                                      {"data.external", TUTTI_CLI_SWITCH, .value = &eval->external},
                                      {"split", TUTTI_CLI_CHOICE, .value = &eval->split,
                                       .names = tutti_train_split_names, .n_names = TUTTI_N_SPLITS},
                                      tutti_cli_weights_option(&eval->weights)};
  const tutti_cli_syntax syntax = {
      .usage = usage, .options = options, .n_options = 4, .min_positional = 1, .max_positional = 1};
  tutti_cli_arguments arguments;
  TUTTI_TRY(tutti_cli_parse(argc, argv, &syntax, &arguments));
  eval->checkpoint = arguments.positional[0];
  tutti_cli_arguments_clear(&arguments);
  return TUTTI_OK;
}

static tutti_status run(const tutti_comm *comm, int argc, char **argv, int *exit_status) {
  eval_arguments eval = {.split = TUTTI_SPLIT_TEST, .weights = TUTTI_WEIGHTS_OF_FILE};
  TUTTI_TRY(tutti_comm_agree(comm, parse(argc, argv, &eval)));
  char metric[32];
  tutti_evaluation result;
  TUTTI_TRY(tutti_train_evaluate_checkpoint(comm, eval.checkpoint, eval.file, eval.external, eval.split,
                                            eval.weights, metric, &result));
  if (tutti_comm_rank(comm) == 0)
    printf("loss %.6g\n%s %.6g\nsamples %lld\n", result.loss, metric, result.metric,
           (long long)result.samples);
  if (!isfinite(result.loss)) {
    *exit_status = TUTTI_EXIT_DIVERGED;
    tutti_log_root(TUTTI_LOG_ERROR, "%s: the loss is not finite: the network has diverged", eval.checkpoint);
  }
  return TUTTI_OK;
}

const tutti_command tutti_command_eval = {
    .name = "eval",
    .arguments = usage,
    .summary = "compute loss and metric of a checkpoint",
    .details = "Computes the loss and the metric of a checkpoint's network.  The weights do not change.  The "
               "scaling "
               "of the features and the split into training and validation rows are those of the training.",
    .options =
        (const tutti_help_row[]){TUTTI_HELP_DATA_FILE,
                                 TUTTI_HELP_EXTERNAL,
                                 {"--split=NAME", "rows to evaluate: test, validation or train [test]"},
                                 TUTTI_HELP_WEIGHTS,
                                 {NULL, NULL}},
    .run = run};
