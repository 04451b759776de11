#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "tutti/train.h"

static tutti_status parse_split(const char *text, tutti_split *split) {
  static const char *const names[] = {"test", "validation", "train"};
  for (int i = 0; i < 3; i++) {
    if (strcmp(text, names[i]) != 0) continue;
    *split = (tutti_split)i;
    return TUTTI_OK;
  }
  TUTTI_FAIL(TUTTI_ERR_USAGE, "--split=%s: expected test, validation or train", text);
}

static tutti_status run(const tutti_comm *comm, int argc, char **argv, int *exit_status) {
  (void)exit_status;
  const char *file = NULL, *split_text = "test";
  const tutti_option options[] = {{"data.file", &file}, {"split", &split_text}};
  tutti_arguments arguments;
  TUTTI_TRY(tutti_arguments_parse(argc, argv, options, 2, NULL, 1, 1, &arguments));
  const char *checkpoint = arguments.positional[0];
  tutti_arguments_clear(&arguments);
  tutti_split split = TUTTI_SPLIT_TEST;
  TUTTI_TRY(parse_split(split_text, &split));
  char metric[32];
  tutti_evaluation result;
  TUTTI_TRY(tutti_evaluate_checkpoint(comm, checkpoint, file, split, metric, &result));
  if (tutti_comm_rank(comm) == 0)
    printf("loss %.6g\n%s %.6g\nsamples %lld\n", result.loss, metric, result.metric,
           (long long)result.samples);
  return TUTTI_OK;
}

const tutti_command tutti_command_eval = {
    .name = "eval",
    .arguments = "CHECKPOINT.h5 [--data.file=F] [--split=test|validation|train]",
    .summary = "loss and metric of a checkpoint's network",
    .details = "Evaluates at fixed weights, with the scaling and the split of the training.  Without "
               "--data.file the data set of\n"
               "the training is read.",
    .run = run};
