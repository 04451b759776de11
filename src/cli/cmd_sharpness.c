/** tutti sharpness: the curvature of the training loss around the weights of a checkpoint, and warnings if it is not
 * accurate.  The method is in the library. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/command_impl.h"
#include "cli/options_impl.h"
#include "tutti/curvature.h"

enum { MAX_SUBSPACE = 4096, MAX_PRODUCTS = 10000 };

typedef struct {
  tutti_curvature_options options;
  const char *epsilon;                           // a list
  double epsilons[TUTTI_CURVATURE_MAX_EPSILONS]; // its numbers, those of the options
} sharpness_values;

/** Read "0.001,0.0005", or none. */
static tutti_status read_epsilons(const char *list, double *values, int *n) {
  char item[TUTTI_CLI_ITEM_BYTES];
  *n = 0;
  if (strcmp(list, "none") == 0) return TUTTI_OK;
  for (const char *left = list; left;) {
    TUTTI_CHECK(*n < TUTTI_CURVATURE_MAX_EPSILONS, TUTTI_ERR_USAGE,
                "--epsilon=%s: more than %d sizes of boxes", list, TUTTI_CURVATURE_MAX_EPSILONS);
    double *value = &values[(*n)++];
    TUTTI_CHECK(
        tutti_cli_next_item(&left, item) && tutti_text_real(item, value) && *value > 0, TUTTI_ERR_USAGE,
        "--epsilon=%s: '%s' is not a number above 0; expected sizes of boxes, for example 0.001,0.0005", list,
        item);
  }
  return TUTTI_OK;
}

/** Lines of a name and a value; the names of the boxes contain their sizes, so that several sizes can be told apart. */
static void print(const tutti_curvature_options *options, const tutti_curvature_result *found) {
  printf("samples %lld\ntrain_loss %.9g\nlearning_rate %.6g\n", (long long)found->samples, found->train_loss,
         found->learning_rate);
  printf("lambda_max %.6g\nlambda_residual %.3g\nlambda_min %.6g\nlambda_min_residual %.3g\n",
         found->lambda_max, found->lambda_residual, found->lambda_min, found->lambda_min_residual);
  printf("products %lld\nlr_lambda %.6g\n", (long long)found->n_products,
         found->learning_rate * found->lambda_max);
  for (int i = 0; i < options->n_epsilons; i++)
    printf("sharpness_%g %.6g\n", options->epsilons[i], found->full[i]);
  for (int i = 0; i < options->n_epsilons && options->subspace > 0; i++)
    printf("sharpness_%g_subspace_%d %.6g\n", options->epsilons[i], options->subspace, found->inside[i]);
}

/** Warn if the eigenvalues are less accurate than the user asked for: the numbers alone do not show it. */
static void warn(const char *checkpoint, double tolerance, const tutti_curvature_result *found) {
  const double magnitude = fmax(fabs(found->lambda_max), fabs(found->lambda_min)),
               worst = fmax(found->lambda_residual, found->lambda_min_residual);
  if (worst > tolerance * magnitude)
    tutti_log_root(TUTTI_LOG_WARNING,
                   "%s: the eigenvalues have not settled after %lld products; their residuals are up to %.3g "
                   "of the largest; raise --products or --tolerance",
                   checkpoint, (long long)found->n_products, worst / magnitude);
}

static tutti_status run(const tutti_comm *comm, int argc, char **argv, int *exit_status) {
  sharpness_values values = {{.subspace = 100, .tolerance = 0.001, .max_products = 100},
                             .epsilon = "0.001,0.0005"};
  tutti_curvature_options *options = &values.options;
  tutti_curvature_result found;
  const char *const *given = NULL; // in argv
  TUTTI_TRY(tutti_cli_parse_arguments(comm, argc, argv, &tutti_command_sharpness, &values, &given));
  const char *checkpoint = given[0];
  options->epsilons = values.epsilons;
  TUTTI_TRY(tutti_comm_agree(comm, read_epsilons(values.epsilon, values.epsilons, &options->n_epsilons)));
  TUTTI_TRY(tutti_curvature_of_checkpoint(comm, checkpoint, options, &found));
  if (tutti_comm_rank(comm) == 0) print(options, &found);
  if (!isfinite(found.train_loss)) {
    *exit_status = TUTTI_EXIT_DIVERGED;
    tutti_log_root(TUTTI_LOG_ERROR, "%s: the loss is not finite: the network has diverged", checkpoint);
    return TUTTI_OK;
  }
  warn(checkpoint, options->tolerance, &found);
  return TUTTI_OK;
}

// An option goes straight into the options of the library.
#define VALUE(name) offsetof(sharpness_values, options.name)
static const tutti_cli_option_row options[] = {
    TUTTI_OPTION_DATA_FILE(VALUE(file)),
    TUTTI_OPTION_EXTERNAL(VALUE(external)),
    TUTTI_OPTION_PLUGINS(VALUE(plugins)),
    {{"--limit_train=N", "use the first N training samples only; 0: all [0]"},
     {"limit_train", TUTTI_CLI_WHOLE, VALUE(limit_train), .max = INT64_MAX}},
    {{"--epsilon=E,...", "sizes of the boxes of sharpness_E; none: no boxes [0.001,0.0005]"},
     {"epsilon", TUTTI_CLI_TEXT, .offset = offsetof(sharpness_values, epsilon)}},
    {{"--subspace=P", "dimensions of the random subspace; 0: no subspace [100]"},
     {"subspace", TUTTI_CLI_INT, VALUE(subspace), .max = MAX_SUBSPACE}},
    {{"--seed=S", "seed of the random subspace, and of the first vector of the Lanczos method [0]"},
     {"seed", TUTTI_CLI_WHOLE, VALUE(seed), .max = INT64_MAX}},
    {{"--tolerance=T", "largest residual of an eigenvalue, relative to the larger one [0.001]"},
     {"tolerance", TUTTI_CLI_POSITIVE, .offset = VALUE(tolerance)}},
    {{"--products=N", "largest number of Hessian products [100]"},
     {"products", TUTTI_CLI_WHOLE, VALUE(max_products), .min = 1, .max = MAX_PRODUCTS}},
    {.help = {NULL, NULL}}};

// The names are those of the lines that print() writes.
static const tutti_help_table tables[] = {
    {"Results:",
     (const tutti_help_row[]){
         {"samples, train_loss", "number of samples, and their mean loss"},
         {"learning_rate", "last learning rate of the training"},
         {"lambda_max, lambda_min", "largest and smallest eigenvalue of the Hessian, by the Lanczos method "
                                    "with exact Hessian products"},
         {"lambda_residual, lambda_min_residual", "residuals of these eigenvalues"},
         {"products", "number of Hessian products that were needed"},
         {"lr_lambda", "lambda_max times learning_rate; plain gradient descent is stable below 2"},
         {"sharpness_E", "largest increase of the loss in a box of size E around the weights, in percent of "
                         "1 + loss, as ten iterations of L-BFGS-B find it (Keskar et al. 2016, metric 2.1)"},
         {"sharpness_E_subspace_P", "the same in a random subspace of P dimensions"},
         {NULL, NULL}}},
    {NULL, NULL}};

const tutti_command tutti_command_sharpness = {
    .name = "sharpness",
    .arguments =
        "CHECKPOINT.h5 [--data.file=F] [--data.external=yes] [--data.plugins=yes] "
        "[--limit_train=N] [--epsilon=E,...] [--subspace=P] [--seed=S] [--tolerance=T] [--products=N]",
    .summary = "measure the curvature of the training loss at a checkpoint",
    .details = "Measures how the training loss changes around the weights of a checkpoint.  The loss is the "
               "mean over the training samples.  The network works as in an evaluation: without noise, and "
               "with the moving statistics of batch_norm.",
    .options = options,
    .min_positional = 1,
    .max_positional = 1,
    .tables = tables,
    .run = run};
