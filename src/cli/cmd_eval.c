#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "tutti/train.h"

enum { EXIT_DIVERGED = 79 };

static tutti_status parse_split(const char *text, tutti_split *split) {
  for (tutti_split i = 0; i < TUTTI_N_SPLITS; i++) {
    if (strcmp(text, tutti_split_names[i]) != 0) continue;
    *split = i;
    return TUTTI_OK;
  }
  TUTTI_FAIL(TUTTI_ERR_USAGE, "--split=%s: expected test, validation or train", text);
}

typedef struct {
  const char *checkpoint, *file;
  bool external;
  tutti_split split;
  tutti_weights weights;
} eval_arguments;

static tutti_status parse(int argc, char **argv, eval_arguments *eval) {
  const char *split_text = "test", *external = NULL, *weights = NULL;
  const tutti_option options[] = {{"data.file", &eval->file},
                                  {"data.external", &external},
                                  {"split", &split_text},
                                  {"weights", &weights}};
  tutti_arguments arguments;
  TUTTI_TRY(tutti_arguments_parse(argc, argv, options, 4, NULL, 1, 1, &arguments));
  eval->checkpoint = arguments.positional[0];
  tutti_arguments_clear(&arguments);
  TUTTI_TRY(tutti_option_switch("data.external", external, &eval->external));
  TUTTI_TRY(parse_split(split_text, &eval->split));
  return tutti_weights_parse(weights, &eval->weights);
}

static tutti_status run(const tutti_comm *comm, int argc, char **argv, int *exit_status) {
  eval_arguments eval = {0};
  TUTTI_TRY(tutti_agree(comm, parse(argc, argv, &eval)));
  char metric[32];
  tutti_evaluation result;
  TUTTI_TRY(tutti_evaluate_checkpoint(comm, eval.checkpoint, eval.file, eval.external, eval.split,
                                      eval.weights, metric, &result));
  if (tutti_comm_rank(comm) == 0)
    printf("loss %.6g\n%s %.6g\nsamples %lld\n", result.loss, metric, result.metric,
           (long long)result.samples);
  if (!isfinite(result.loss)) {
    *exit_status = EXIT_DIVERGED;
    tutti_log_root(TUTTI_LOG_ERROR, "%s: the loss is not finite: the network has diverged", eval.checkpoint);
  }
  return TUTTI_OK;
}

const tutti_command tutti_command_eval = {
    .name = "eval",
    .arguments = "CHECKPOINT.h5 [--data.file=F] [--data.external=yes] [--split=test|validation|train] "
                 "[--weights=last|average]",
    .summary = "loss and metric of a checkpoint's network",
    .details = "Evaluates at fixed weights, with the scaling and the split of the training.  Without "
               "--data.file the data set of\n"
               "the training is read.  --data.external=yes lets it lead to files outside of its "
               "folder.\n" TUTTI_WEIGHTS_HELP,
    .run = run};
