/** tutti predict: outputs of a checkpoint for the rows of an array, as a new HDF5 file. */
#include <stdio.h>
#include <string.h>

#include "cli/command_impl.h"
#include "cli/options_impl.h"

static const char usage[] =
    "CHECKPOINT.h5 INPUT.h5[:DATASET] OUTPUT.h5 [--data.external=yes] [--weights=last|average]";

/** Split "FILE.h5:DATASET".  A colon belongs to the path if no name follows it, or if ".h5" does: then it is in the name
 * of a folder. */
static tutti_status split_input(const char *input, char **file, const char **dataset) {
  *file = tutti_strdup(input);
  if (!*file) return TUTTI_ERR_MEMORY;
  char *colon = strrchr(*file, ':');
  *dataset = NULL;
  if (colon && colon[1] != '\0' && !strstr(colon, ".h5")) {
    *colon = '\0';
    *dataset = colon + 1;
  }
  return TUTTI_OK;
}

typedef struct {
  const char *checkpoint, *dataset, *output; // dataset points into file
  char *file;                                // owned
  bool external;
  tutti_weights weights;
} predict_arguments;

static tutti_status parse(int argc, char **argv, predict_arguments *predict) {
  const tutti_cli_option options[] = {{"data.external", TUTTI_CLI_SWITCH, .value = &predict->external},
                                      tutti_cli_weights_option(&predict->weights)};
  const tutti_cli_syntax syntax = {
      .usage = usage, .options = options, .n_options = 2, .min_positional = 3, .max_positional = 3};
  tutti_cli_arguments arguments;
  TUTTI_TRY(tutti_cli_parse(argc, argv, &syntax, &arguments));
  const char *const *given = arguments.positional; // in argv
  tutti_cli_arguments_clear(&arguments);
  predict->checkpoint = given[0];
  predict->output = given[2];
  return split_input(given[1], &predict->file, &predict->dataset);
}

static tutti_status run(const tutti_comm *comm, int argc, char **argv, int *exit_status) {
  (void)exit_status;
  predict_arguments predict = {.weights = TUTTI_WEIGHTS_OF_FILE};
  int64_t n = 0;
  tutti_status status = tutti_comm_agree(comm, parse(argc, argv, &predict));
  if (status == TUTTI_OK)
    status = tutti_train_predict_checkpoint(comm, predict.checkpoint, predict.file, predict.dataset,
                                            predict.external, predict.output, predict.weights, &n);
  if (status == TUTTI_OK && tutti_comm_rank(comm) == 0)
    printf("samples %lld\noutput %s\n", (long long)n, predict.output);
  tutti_free(predict.file);
  return status;
}

const tutti_command tutti_command_predict = {
    .name = "predict",
    .arguments = usage,
    .summary = "compute the outputs of a checkpoint for the rows of an array",
    .details =
        "Computes the outputs of a checkpoint's network for each row of an array.  DATASET is the name of "
        "the "
        "array in INPUT.h5.  Without it, the command reads the only array of the file, or x_test.  The rows "
        "are scaled as in the training.\n\n"
        "OUTPUT.h5 contains `predictions [n, n_out]`.  For classifiers it also contains `classes [n]`, or "
        "`classes [n, n_out]` of 0 and 1 if a row may have several labels.",
    .options = (const tutti_help_row[]){TUTTI_HELP_EXTERNAL, TUTTI_HELP_WEIGHTS, {NULL, NULL}},
    .run = run};
