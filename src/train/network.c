#include "train/network.h"

/** Enough rows for the products of an evaluation to run at full speed, as far as a layer's outputs for them
 * take no more than so many bytes. */
enum { EVALUATION_ROWS = 256, EVALUATION_BYTES = 8 << 20 };

static int64_t evaluation_rows(const tutti_config *config, int64_t n_in) {
  int64_t widest = n_in > 0 ? n_in : 1;
  for (int64_t i = 0; i < config->model.n_layers; i++)
    if (config->model.layers[i].units > widest) widest = config->model.layers[i].units;
  const int64_t rows = EVALUATION_BYTES / (int64_t)sizeof(float) / widest;
  return rows < EVALUATION_ROWS ? rows : EVALUATION_ROWS;
}

static tutti_status create_local(const tutti_config *config, tutti_network *network) {
  tutti_model_options options = tutti_config_model(config);
  if (config->parallel.reduce == TUTTI_REDUCE_TREE) options.order = TUTTI_SUM_IN_ORDER;
  const int64_t n_in = tutti_dataset_n_features(network->dataset), enough = evaluation_rows(config, n_in);
  if (network->max_rows < enough) network->max_rows = enough;
  const int64_t max_rows = network->max_rows;
  TUTTI_TRY(tutti_model_create(&options, n_in, max_rows, &network->model));
  network->by_class = tutti_model_loss_kind(network->model) == TUTTI_CATEGORICAL_CROSSENTROPY &&
                      tutti_dataset_n_targets(network->dataset) == 1;
  TUTTI_TRY(TUTTI_NEW(network->rows, max_rows));
  TUTTI_TRY(TUTTI_NEW(network->x, max_rows * n_in));
  if (network->by_class) return TUTTI_NEW(network->classes, max_rows);
  return TUTTI_NEW(network->values, max_rows * tutti_model_n_out(network->model));
}

tutti_status tutti_network_create(const tutti_comm *comm, const tutti_config *config,
                                  const tutti_dataset *dataset, int64_t max_rows, tutti_network *network) {
  *network = (tutti_network){.comm = comm, .dataset = dataset, .max_rows = max_rows};
  TUTTI_TRY(tutti_agree(comm, create_local(config, network)));
  return TUTTI_OK;
}

void tutti_network_destroy(tutti_network *network) {
  tutti_model_destroy(&network->model);
  tutti_free(network->rows);
  tutti_free(network->x);
  tutti_free(network->classes);
  tutti_free(network->values);
  *network = (tutti_network){0};
}

static bool is_probability(float value) {
  return value >= 0 && value <= 1;
}

static bool is_side(float value) {
  return value == -1 || value == 0 || value == 1;
}

tutti_status tutti_network_check_labels(const tutti_network *network) {
  const tutti_dataset *dataset = network->dataset;
  const int64_t n_out = tutti_model_n_out(network->model), n_targets = tutti_dataset_n_targets(dataset);
  TUTTI_CHECK(network->by_class || n_targets == n_out, TUTTI_ERR_DATA,
              "%s: a label has %lld number%s, but the last of model.layers gives %lld: make them equal; "
              "labels that are "
              "classes want a softmax over the classes last",
              tutti_dataset_file(dataset), (long long)n_targets, n_targets == 1 ? "" : "s", (long long)n_out);
  switch (tutti_model_loss_kind(network->model)) {
  case TUTTI_CATEGORICAL_CROSSENTROPY:
    return tutti_dataset_check_classes(dataset, n_out);
  case TUTTI_BINARY_CROSSENTROPY:
    return tutti_dataset_check_targets(dataset, is_probability,
                                       "0, 1 or a probability in between (binary_crossentropy)");
  case TUTTI_HINGE:
    return tutti_dataset_check_targets(dataset, is_side, "-1 or 1, or 0 for -1 (hinge)");
  default:
    return TUTTI_OK;
  }
}

tutti_targets tutti_network_gather(const tutti_network *network, tutti_rows which, int64_t n,
                                   bool with_targets) {
  const tutti_dataset *dataset = network->dataset;
  tutti_dataset_gather(dataset, which, network->rows, n, network->x);
  if (with_targets && network->by_class)
    tutti_dataset_gather_classes(dataset, which, network->rows, n, network->classes);
  if (with_targets && !network->by_class)
    tutti_dataset_gather_values(dataset, which, network->rows, n, network->values);
  return (tutti_targets){.classes = network->classes, .values = network->values};
}

tutti_status tutti_network_sum(void *comm, double *values, int64_t n) {
  return tutti_sum(comm, values, n);
}

tutti_status tutti_network_evaluate(const tutti_network *network, const float *params,
                                    const tutti_samples *set, tutti_evaluation *result) {
  const int rank = tutti_comm_rank(network->comm), size = tutti_comm_size(network->comm);
  const tutti_range shard = tutti_shard((tutti_range){.count = set->n}, 1, rank, size);
  const tutti_model_pass pass = {.batch_count = set->n};
  double sums[2] = {0, 0};
  for (int64_t done = 0; done < shard.count; done += network->max_rows) {
    const int64_t left = shard.count - done, n = left < network->max_rows ? left : network->max_rows;
    for (int64_t i = 0; i < n; i++) network->rows[i] = shard.begin + done + i;
    tutti_samples_rows(set, n, network->rows);
    const tutti_targets targets = tutti_network_gather(network, set->which, n, true);
    TUTTI_TRY(tutti_model_forward(network->model, params, &pass, network->x, n));
    tutti_model_loss(network->model, &pass, targets, n, &sums[0], &sums[1]);
  }
  TUTTI_TRY(tutti_sum(network->comm, sums, 2));
  *result = (tutti_evaluation){.samples = set->n,
                               .loss = sums[0] / (double)set->n + tutti_model_penalty(network->model, params),
                               .metric = sums[1] / (double)set->n};
  return TUTTI_OK;
}
