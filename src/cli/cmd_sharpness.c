#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "tutti/curvature.h"

enum { EXIT_DIVERGED = 79, MAX_SUBSPACE = 4096 };

typedef struct {
  const char *checkpoint, *file, *epsilon, *subspace, *limit_train, *seed, *tolerance, *products, *external;
} given_texts;

typedef struct {
  const char *checkpoint;
  double epsilons[TUTTI_MAX_EPSILONS];
  tutti_sharpness_options options; // whose epsilons are the ones above
} sharpness_arguments;

static tutti_status read_integer(const char *name, const char *text, int64_t least, int64_t most,
                                 int64_t *value) {
  TUTTI_CHECK(tutti_text_integer(text, value) && *value >= least && *value <= most, TUTTI_ERR_USAGE,
              "--%s=%s: expected a whole number from %lld to %lld", name, text, (long long)least,
              (long long)most);
  return TUTTI_OK;
}

/** One number of a list, `bytes` long. */
static tutti_status read_epsilon(const char *list, const char *begin, size_t bytes, double *value) {
  char text[64] = "";
  if (bytes < sizeof text) memcpy(text, begin, bytes);
  TUTTI_CHECK(bytes < sizeof text && tutti_text_real(text, value) && *value > 0, TUTTI_ERR_USAGE,
              "--epsilon=%s: '%.*s' is no number above 0; expected sizes of boxes, as 0.001,0.0005", list,
              (int)bytes, begin);
  return TUTTI_OK;
}

static tutti_status read_epsilons(const char *list, double *values, int *n) {
  *n = 0;
  if (strcmp(list, "none") == 0) return TUTTI_OK;
  for (const char *at = list;; at++) {
    const size_t bytes = strcspn(at, ",");
    TUTTI_CHECK(*n < TUTTI_MAX_EPSILONS, TUTTI_ERR_USAGE, "--epsilon=%s: more than %d sizes of boxes", list,
                TUTTI_MAX_EPSILONS);
    TUTTI_TRY(read_epsilon(list, at, bytes, &values[(*n)++]));
    at += bytes;
    if (*at == '\0') return TUTTI_OK;
  }
}

static tutti_status read_texts(const given_texts *given, sharpness_arguments *arguments) {
  tutti_sharpness_options *options = &arguments->options;
  int64_t seed, subspace;
  arguments->checkpoint = given->checkpoint;
  options->file = given->file;
  TUTTI_TRY(tutti_option_switch("data.external", given->external, &options->external));
  TUTTI_TRY(read_epsilons(given->epsilon, arguments->epsilons, &options->n_epsilons));
  TUTTI_TRY(read_integer("subspace", given->subspace, 0, MAX_SUBSPACE, &subspace));
  TUTTI_TRY(read_integer("limit_train", given->limit_train, 0, INT64_MAX, &options->limit_train));
  TUTTI_TRY(read_integer("seed", given->seed, 0, INT64_MAX, &seed));
  TUTTI_TRY(read_integer("products", given->products, 1, 10000, &options->max_products));
  TUTTI_CHECK(tutti_text_real(given->tolerance, &options->tolerance) && options->tolerance > 0,
              TUTTI_ERR_USAGE, "--tolerance=%s: expected a number above 0, as 0.001", given->tolerance);
  options->subspace = (int)subspace;
  options->seed = (uint64_t)seed;
  return TUTTI_OK;
}

static tutti_status parse(int argc, char **argv, sharpness_arguments *sharpness) {
  given_texts given = {.epsilon = "0.001,0.0005",
                       .subspace = "100",
                       .limit_train = "0",
                       .seed = "0",
                       .tolerance = "0.001",
                       .products = "100"};
  const tutti_option options[] = {{"data.file", &given.file},    {"epsilon", &given.epsilon},
                                  {"subspace", &given.subspace}, {"limit_train", &given.limit_train},
                                  {"seed", &given.seed},         {"tolerance", &given.tolerance},
                                  {"products", &given.products}, {"data.external", &given.external}};
  tutti_arguments arguments;
  TUTTI_TRY(tutti_arguments_parse(argc, argv, options, 8, NULL, 1, 1, &arguments));
  given.checkpoint = arguments.positional[0];
  tutti_arguments_clear(&arguments);
  return read_texts(&given, sharpness);
}

static void print(const sharpness_arguments *arguments, const tutti_sharpness *found) {
  const tutti_sharpness_options *options = &arguments->options;
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

static void warn(const sharpness_arguments *arguments, const tutti_sharpness *found) {
  const double magnitude = fmax(fabs(found->lambda_max), fabs(found->lambda_min)),
               worst = fmax(found->lambda_residual, found->lambda_min_residual);
  if (worst > arguments->options.tolerance * magnitude)
    tutti_log_root(
        TUTTI_LOG_WARNING,
        "%s: the eigenvalues have not settled after %lld products, their residuals are up to %.3g of "
        "the largest; raise --products or --tolerance",
        arguments->checkpoint, (long long)found->n_products, worst / magnitude);
}

static tutti_status run(const tutti_comm *comm, int argc, char **argv, int *exit_status) {
  sharpness_arguments arguments = {0};
  tutti_sharpness found;
  TUTTI_TRY(tutti_agree(comm, parse(argc, argv, &arguments)));
  arguments.options.epsilons = arguments.epsilons;
  TUTTI_TRY(tutti_sharpness_of_checkpoint(comm, arguments.checkpoint, &arguments.options, &found));
  if (tutti_comm_rank(comm) == 0) print(&arguments, &found);
  if (!isfinite(found.train_loss)) {
    *exit_status = EXIT_DIVERGED;
    tutti_log_root(TUTTI_LOG_ERROR, "%s: the loss is not finite: the network has diverged",
                   arguments.checkpoint);
    return TUTTI_OK;
  }
  warn(&arguments, &found);
  return TUTTI_OK;
}

const tutti_command tutti_command_sharpness = {
    .name = "sharpness",
    .arguments = "CHECKPOINT.h5 [--data.file=F] [--data.external=yes] [--limit_train=N] [--epsilon=E,...] "
                 "[--subspace=P] [--seed=S] "
                 "[--tolerance=T] [--products=N]",
    .summary = "curvature of the training loss around a checkpoint's weights",
    .details =
        "The loss is the mean over the training samples (--limit_train: the first N) of the network as it "
        "is\n"
        "evaluated: without noise, batch_norm with its moving statistics.  Without --data.file the data set "
        "of the\n"
        "training is read.\n\n"
        "lambda_max, lambda_min: ends of the Hessian's spectrum by Lanczos' method with exact products of "
        "the Hessian,\n"
        "at most --products [100], until their residuals are below --tolerance [0.001] of the larger one.\n"
        "lr_lambda is lambda_max times the last learning rate: plain gradient descent is stable below 2.\n\n"
        "sharpness_E: Keskar et al. 2016, metric 2.1: by how many percent of 1 + loss the loss rises in a "
        "box of size\n"
        "--epsilon [0.001,0.0005; none] around the weights, as far as ten iterations of L-BFGS-B find;\n"
        "sharpness_E_subspace_P: in a random subspace of --subspace [100; 0: none] dimensions.  --seed [0] "
        "draws it.",
    .run = run};
