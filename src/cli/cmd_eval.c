/** tutti eval: loss and metric of a checkpoint on one part of a data set. */
#include <math.h>
#include <stdio.h>

#include "base/log.h"
#include "cli/command_impl.h"
#include "cli/options_impl.h"

typedef struct {
  const char *file;
  bool external, plugins;
  tutti_split split;
  tutti_weights weights;
} eval_values;

/** A loss that is not finite is printed like any other one; the exit status tells scripts of it. */
static tutti_status run(const tutti_comm *comm, int argc, char **argv, int *exit_status) {
  eval_values eval = {.split = TUTTI_SPLIT_TEST, .weights = TUTTI_WEIGHTS_OF_FILE};
  const char *const *given = NULL; // in argv
  char metric[32];
  TUTTI_TRY(tutti_cli_parse_arguments(comm, argc, argv, &tutti_command_eval, &eval, &given));
  const char *checkpoint = given[0];
  tutti_evaluation result;
  TUTTI_TRY(tutti_train_evaluate_checkpoint(comm, checkpoint, eval.file,
                                            tutti_trust_of(eval.external, eval.plugins), eval.split,
                                            eval.weights, metric, &result));
  if (tutti_comm_rank(comm) == 0)
    printf("loss %.6g\n%s %.6g\nsamples %lld\n", result.loss, metric, result.metric,
           (long long)result.samples);
  if (!isfinite(result.loss)) {
    *exit_status = TUTTI_EXIT_DIVERGED;
    tutti_log_root(TUTTI_LOG_ERROR, "%s: the loss is not finite: the network has diverged", checkpoint);
  }
  return TUTTI_OK;
}

static const tutti_cli_option_row options[] = {
    TUTTI_OPTION_DATA_FILE(offsetof(eval_values, file)),
    TUTTI_OPTION_EXTERNAL(offsetof(eval_values, external)),
    TUTTI_OPTION_PLUGINS(offsetof(eval_values, plugins)),
    {{"--split=NAME", "rows to evaluate: test, validation or train [test]"},
     {"split", TUTTI_CLI_CHOICE, offsetof(eval_values, split), 0, 0, tutti_train_split_names,
      TUTTI_N_SPLITS}},
    TUTTI_OPTION_WEIGHTS(offsetof(eval_values, weights)),
    {.help = {NULL, NULL}}};

const tutti_command tutti_command_eval = {
    .name = "eval",
    .arguments = "CHECKPOINT.h5 [--data.file=F] [--data.external=yes] [--data.plugins=yes] "
                 "[--split=test|validation|train] [--weights=last|average]",
    .summary = "compute loss and metric of a checkpoint",
    .details =
        "Computes the loss and the metric of a checkpoint's network.  The weights do not change.  The "
        "scaling of the features and the split into training and validation rows are those of the training.",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .run = run};
