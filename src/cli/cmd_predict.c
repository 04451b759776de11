/** tutti predict: outputs of a checkpoint for the rows of an array, as a new HDF5 file. */
#include <stdio.h>
#include <string.h>

#include "cli/command_impl.h"
#include "cli/options_impl.h"

/** Split "FILE.h5:DATASET".  A colon belongs to the path if no name follows it, or if ".h5" does: then it is in the
 * name of a folder. */
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
  bool external, plugins;
  tutti_weights weights;
} predict_values;

/** The copy of the input lives until the outputs are written, since the name of the array is a part of it. */
static tutti_status run(const tutti_comm *comm, int argc, char **argv, int *exit_status) {
  (void)exit_status;
  predict_values predict = {.weights = TUTTI_WEIGHTS_OF_FILE};
  const char *const *given = NULL; // in argv
  const char *dataset = NULL;      // in the copy of its argument
  char *file = NULL;
  int64_t n = 0;
  TUTTI_TRY(tutti_cli_parse_arguments(comm, argc, argv, &tutti_command_predict, &predict, &given));
  tutti_status status = tutti_comm_agree(comm, split_input(given[1], &file, &dataset));
  if (status == TUTTI_OK)
    status = tutti_train_predict_checkpoint(comm, given[0], file, dataset,
                                            tutti_trust_of(predict.external, predict.plugins), given[2],
                                            predict.weights, &n);
  if (status == TUTTI_OK && tutti_comm_rank(comm) == 0)
    printf("samples %lld\noutput %s\n", (long long)n, given[2]);
  tutti_free(file);
  return status;
}

const tutti_command tutti_command_predict = {
    .name = "predict",
    .arguments = "CHECKPOINT.h5 INPUT.h5[:DATASET] OUTPUT.h5 [--data.external=yes] [--data.plugins=yes] "
                 "[--weights=last|average]",
    .summary = "compute the outputs of a checkpoint for the rows of an array",
    .details = "Computes the outputs of a checkpoint's network for each row of an array.  DATASET is the "
               "name of the array in INPUT.h5.  Without it, the command reads the only array of the file, or "
               "x_test.  The rows are scaled as in the training.\n\n"
               "OUTPUT.h5 contains `predictions [n, n_out]`.  For classifiers it also contains `classes "
               "[n]`, or `classes [n, n_out]` of 0 and 1 if a row may have several labels.",
    .options = (const tutti_cli_option_row[]){TUTTI_OPTION_EXTERNAL(offsetof(predict_values, external)),
                                              TUTTI_OPTION_PLUGINS(offsetof(predict_values, plugins)),
                                              TUTTI_OPTION_WEIGHTS(offsetof(predict_values, weights)),
                                              {.help = {NULL, NULL}}},
    .min_positional = 3,
    .max_positional = 3,
    .run = run};
