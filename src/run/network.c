/* A model with the buffers to feed it: gathers samples and targets, and evaluates sets of samples.
 *
 * With reduce=tree an evaluation sums the parts of a set, of fixed number and size, one after another, so that its
 * result has the same bits for every number of ranks. */
#include "run/network.h"

#include <string.h>

/** Rows of a micro-batch with which the products of an evaluation run at full speed, and the most bytes that the
 * outputs of one layer may take for them. */
enum { EVALUATION_ROWS = 256, EVALUATION_BYTES = 8 << 20 };

static int64_t evaluation_rows(const tutti_config *config, int64_t n_in) {
  int64_t widest = n_in > 0 ? n_in : 1;
  for (int64_t i = 0; i < config->model.n_layers; i++)
    if (config->model.layers[i].units > widest) widest = config->model.layers[i].units;
  const int64_t rows = EVALUATION_BYTES / (int64_t)sizeof(float) / widest;
  return rows < EVALUATION_ROWS ? rows : EVALUATION_ROWS;
}

/** Several outputs are several yes-or-no decisions, unless the labels show that exactly one of them is a yes. */
static bool is_one_hot(const tutti_network *network) {
  return tutti_model_n_decisions(network->model) > 1 && tutti_dataset_has_labels(network->dataset) &&
         tutti_dataset_is_one_hot(network->dataset);
}

/** @param[in] like  NULL, or a network of the same data, whose labels have been looked at */
static tutti_status create_model(const tutti_config *config, int64_t max_rows, const tutti_network *like,
                                 tutti_network *network) {
  tutti_model_options options = tutti_config_model(config);
  static const tutti_sum_order orders[TUTTI_N_KERNELS] = {TUTTI_SUM_ANY, TUTTI_SUM_BY_BLAS,
                                                          TUTTI_SUM_IN_ORDER};
  options.order = orders[config->parallel.kernels];
  if (config->parallel.reduce == TUTTI_REDUCE_TREE) options.order = TUTTI_SUM_IN_ORDER;
  TUTTI_TRY(
      tutti_model_create(&options, tutti_dataset_n_features(network->dataset), max_rows, &network->model));
  network->by_features = tutti_dataset_targets_are_features(network->dataset);
  network->by_class = tutti_model_loss_kind(network->model) == TUTTI_CATEGORICAL_CROSSENTROPY &&
                      tutti_dataset_n_targets(network->dataset) == 1 && !network->by_features;
  network->one_hot = like ? like->one_hot : is_one_hot(network);
  tutti_model_set_one_hot(network->model, network->one_hot);
  return TUTTI_OK;
}

tutti_status tutti_network_create_bare(const tutti_config *config, const tutti_dataset *dataset,
                                       tutti_network *network) {
  *network = (tutti_network){.dataset = dataset, .max_rows = 1};
  return create_model(config, 1, NULL, network);
}

static tutti_status create_local(const tutti_config *config, const tutti_network *like,
                                 tutti_network *network) {
  if (config->parallel.reduce == TUTTI_REDUCE_TREE) network->n_leaves = (int)config->parallel.leaves;
  const int64_t n_in = tutti_dataset_n_features(network->dataset), enough = evaluation_rows(config, n_in);
  if (network->max_rows < enough) network->max_rows = enough;
  network->evaluation_rows = enough;
  const int64_t max_rows = network->max_rows;
  TUTTI_TRY(create_model(config, max_rows, like, network));
  if (network->n_leaves > 0) TUTTI_TRY(TUTTI_NEW(network->leaves, 2 * (int64_t)network->n_leaves));
  TUTTI_TRY(TUTTI_NEW(network->rows, max_rows));
  TUTTI_TRY(TUTTI_NEW(network->x, max_rows * n_in));
  if (config->data.class_weight || tutti_dataset_has_weights(network->dataset))
    TUTTI_TRY(TUTTI_NEW(network->weights, max_rows));
  if (network->by_features) return TUTTI_OK;
  if (network->by_class) return TUTTI_NEW(network->classes, max_rows);
  return TUTTI_NEW(network->values, max_rows * tutti_model_n_out(network->model));
}

tutti_status tutti_network_create(const tutti_comm *comm, const tutti_config *config,
                                  const tutti_dataset *dataset, int64_t max_rows, tutti_network *network) {
  *network = (tutti_network){.comm = comm, .dataset = dataset, .max_rows = max_rows};
  return tutti_comm_agree(comm, create_local(config, NULL, network));
}

tutti_status tutti_network_create_like(const tutti_comm *comm, const tutti_config *config, int64_t max_rows,
                                       const tutti_network *like, tutti_network *network) {
  *network = (tutti_network){.comm = comm, .dataset = like->dataset, .max_rows = max_rows};
  tutti_status status = create_local(config, like, network);
  if (status == TUTTI_OK) status = tutti_network_copy_class_weights(like, network);
  TUTTI_TRY(tutti_comm_agree(comm, status));
  tutti_model_choose_products(network->model, &like->products->table);
  return TUTTI_OK;
}

void tutti_network_destroy(tutti_network *network) {
  tutti_model_destroy(&network->model);
  tutti_products_destroy(&network->products);
  tutti_free(network->leaves);
  tutti_free(network->rows);
  tutti_free(network->x);
  tutti_free(network->classes);
  tutti_free(network->values);
  tutti_free(network->weights);
  tutti_free(network->class_weights);
  *network = (tutti_network){0};
}

static bool is_probability(float value) {
  return value >= 0 && value <= 1;
}

tutti_status tutti_network_check_labels(const tutti_network *network) {
  const tutti_dataset *dataset = network->dataset;
  const int64_t n_out = tutti_model_n_out(network->model), n_targets = tutti_dataset_n_targets(dataset);
  TUTTI_CHECK(network->by_class || n_targets == n_out, TUTTI_ERR_DATA,
              "%s: a label has %lld number%s, but the last of model.layers gives %lld: make them equal; if "
              "the labels are classes, the last layer has to be a softmax over them",
              tutti_dataset_file(dataset), (long long)n_targets, n_targets == 1 ? "" : "s", (long long)n_out);
  if (!tutti_dataset_has_labels(dataset)) return TUTTI_OK;
  switch (tutti_model_loss_kind(network->model)) {
  case TUTTI_CATEGORICAL_CROSSENTROPY:
    return tutti_dataset_check_classes(dataset, n_out);
  case TUTTI_BINARY_CROSSENTROPY:
    return tutti_dataset_check_targets(dataset, is_probability,
                                       "0, 1 or a probability in between (binary_crossentropy)");
  case TUTTI_HINGE:
    return tutti_dataset_check_targets(dataset, tutti_network_is_side, "-1 or 1, or 0 for -1 (hinge)");
  default:
    return TUTTI_OK;
  }
}

static tutti_targets gather_targets(const tutti_network *network, tutti_rows which, int64_t n) {
  if (network->by_features) return (tutti_targets){.values = network->x};
  if (network->by_class)
    tutti_dataset_gather_classes(network->dataset, which, network->rows, n, network->classes);
  else
    tutti_dataset_gather_values(network->dataset, which, network->rows, n, network->values);
  return (tutti_targets){.classes = network->classes, .values = network->values};
}

/** The weights of gathered samples; NULL: all are 1. */
static const float *gather_weights(const tutti_network *network, tutti_rows which, int64_t n,
                                   tutti_purpose purpose, tutti_targets targets) {
  const bool of_rows = which == TUTTI_ROWS_TRAIN && tutti_dataset_has_weights(network->dataset);
  const bool of_classes = purpose == TUTTI_TO_TRAIN && network->class_weights;
  if (!of_rows && !of_classes) return NULL;
  if (of_rows)
    tutti_dataset_gather_weights(network->dataset, network->rows, n, network->weights);
  else
    for (int64_t i = 0; i < n; i++) network->weights[i] = 1;
  if (of_classes) tutti_network_apply_class_weights(network, targets, n, network->weights);
  return network->weights;
}

tutti_targets tutti_network_gather(const tutti_network *network, tutti_rows which, int64_t n,
                                   tutti_purpose purpose) {
  tutti_dataset_gather(network->dataset, which, network->rows, n, network->x);
  if (purpose == TUTTI_TO_PREDICT) return (tutti_targets){0};
  tutti_targets targets = gather_targets(network, which, n);
  targets.weights = gather_weights(network, which, n, purpose, targets);
  return targets;
}

tutti_status tutti_network_sum(void *comm, double *values, int64_t n) {
  return tutti_comm_sum(comm, values, n);
}

/** Sum loss and metric of samples of a set.
 * @param[in]     range    samples [begin, begin + count)
 * @param[in]     at_once  samples of a micro-batch
 * @param[in,out] sums     loss, metric */
static tutti_status evaluate_range(const tutti_network *network, const float *params,
                                   const tutti_samples *set, tutti_range range, int64_t at_once,
                                   double sums[2]) {
  const tutti_model_pass pass = {.batch_count = set->n};
  for (int64_t done = 0; done < range.count; done += at_once) {
    const int64_t left = range.count - done, n = left < at_once ? left : at_once;
    for (int64_t i = 0; i < n; i++) network->rows[i] = range.begin + done + i;
    tutti_samples_rows(set, n, network->rows);
    const tutti_targets targets = tutti_network_gather(network, set->which, n, TUTTI_TO_EVALUATE);
    TUTTI_TRY(tutti_model_forward(network->model, params, &pass, network->x, n));
    tutti_model_loss(network->model, &pass, targets, n, &sums[0], &sums[1]);
  }
  return TUTTI_OK;
}

/** This rank's share of n samples or leaves. */
static tutti_range own_part(const tutti_network *network, int64_t n) {
  return tutti_shard((tutti_range){.count = n}, 1, tutti_comm_rank(network->comm),
                     tutti_comm_size(network->comm));
}

/** Each leaf of the set has a sum of its own, which one rank computes.  The other ranks contribute 0 to it, so the sum
 * over the ranks is exact, and all of them then add the leaves up in the same order. */
static tutti_status evaluate_leaves(const tutti_network *network, const float *params,
                                    const tutti_samples *set, double sums[2]) {
  const tutti_range all = {.count = set->n}, own = own_part(network, network->n_leaves);
  const int n = network->n_leaves;
  double *leaves = network->leaves;
  memset(leaves, 0, 2 * (size_t)n * sizeof *leaves);
  for (int leaf = (int)own.begin; leaf < own.begin + own.count; leaf++)
    TUTTI_TRY(evaluate_range(network, params, set, tutti_shard(all, 1, leaf, n), network->evaluation_rows,
                             &leaves[2 * leaf]));
  TUTTI_TRY(tutti_comm_sum(network->comm, leaves, 2 * (int64_t)n));
  for (int leaf = 0; leaf < n; leaf++) {
    sums[0] += leaves[2 * leaf];
    sums[1] += leaves[2 * leaf + 1];
  }
  return TUTTI_OK;
}

tutti_status tutti_network_evaluate(const tutti_network *network, const float *params,
                                    const tutti_samples *set, tutti_evaluation *result) {
  double sums[2] = {0, 0};
  if (network->leaves) {
    TUTTI_TRY(evaluate_leaves(network, params, set, sums));
  } else {
    TUTTI_TRY(evaluate_range(network, params, set, own_part(network, set->n), network->max_rows, sums));
    TUTTI_TRY(tutti_comm_sum(network->comm, sums, 2));
  }
  *result = (tutti_evaluation){.samples = set->n,
                               .loss = sums[0] / (double)set->n + tutti_model_penalty(network->model, params),
                               .metric = sums[1] / (double)set->n};
  return TUTTI_OK;
}
