#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "tutti/train.h"

/** "FILE.h5:DATASET" into its parts; a colon without a name behind it, or in a folder's name, belongs to the
 * file. */
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
  const char *external = NULL, *weights = NULL;
  const tutti_option options[] = {{"data.external", &external}, {"weights", &weights}};
  tutti_arguments arguments;
  TUTTI_TRY(tutti_arguments_parse(argc, argv, options, 2, NULL, 3, 3, &arguments));
  const char *const *given = arguments.positional;
  predict->checkpoint = given[0];
  predict->output = given[2];
  tutti_status status = split_input(given[1], &predict->file, &predict->dataset);
  if (status == TUTTI_OK) status = tutti_weights_parse(weights, &predict->weights);
  tutti_arguments_clear(&arguments);
  TUTTI_TRY(status);
  return tutti_option_switch("data.external", external, &predict->external);
}

static tutti_status run(const tutti_comm *comm, int argc, char **argv, int *exit_status) {
  (void)exit_status;
  predict_arguments predict = {0};
  int64_t n = 0;
  tutti_status status = tutti_agree(comm, parse(argc, argv, &predict));
  if (status == TUTTI_OK)
    status = tutti_predict_checkpoint(comm, predict.checkpoint, predict.file, predict.dataset,
                                      predict.external, predict.output, predict.weights, &n);
  if (status == TUTTI_OK && tutti_comm_rank(comm) == 0)
    printf("samples %lld\noutput %s\n", (long long)n, predict.output);
  tutti_free(predict.file);
  return status;
}

const tutti_command tutti_command_predict = {
    .name = "predict",
    .arguments = "CHECKPOINT.h5 INPUT.h5[:DATASET] OUTPUT.h5 [--data.external=yes] [--weights=last|average]",
    .summary = "outputs of a checkpoint's network for the rows of an array",
    .details = "DATASET is the array's name in INPUT.h5; without it the only array of the file, or x_test.  "
               "OUTPUT.h5 gets\n"
               "`predictions [n, n_out]` and, for classifiers, `classes [n]` (`[n, n_out]` of 0 and 1 for "
               "independent labels).  Rows are scaled as in the training.\n"
               "--data.external=yes lets INPUT.h5 lead to files outside of its folder.\n" TUTTI_WEIGHTS_HELP,
    .run = run};
