/** A trained network from a checkpoint.  The checkpoint carries the config of its training and the numbers of the
 * scaling, so that it can be used without the data set that it was trained on.  Rank 0 reads, and each part is agreed
 * on before it is sent.  Evaluation and prediction (train) and curvature call it; a run that continues uses the
 * scaling. */
#include "rundir/restore.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/names.h"
#include "linalg/matmul.h"
#include "machine/threads.h"
#include "rundir/rundir_impl.h"

tutti_features tutti_rundir_restore_features(const char *text) {
  const int i = text ? tutti_name_find(text, tutti_data_features_names, TUTTI_N_FEATURES) : -1;
  return i < 0 ? TUTTI_FEATURES_UNKNOWN : (tutti_features)i;
}

/** The weights are float32 whatever the products were, so they can be used on a processor that the training could not
 * have had.  All ranks compute alike. */
static tutti_status compute_as_here(const tutti_comm *comm, const char *checkpoint, tutti_config *config) {
  double lacks = !tutti_matmul_has_bfloat16();
  if (config->model.compute != TUTTI_COMPUTE_BFLOAT16) return TUTTI_OK;
  TUTTI_TRY(tutti_comm_max(comm, &lacks, 1));
  if (lacks == 0) return TUTTI_OK;
  config->model.compute = TUTTI_COMPUTE_FLOAT32;
  tutti_log_root(TUTTI_LOG_INFO,
                 "%s was trained with products of bfloat16, for which a processor here has no AVX-512 BF16: "
                 "it is computed with float32, so figures differ a little from those of its training",
                 checkpoint);
  return TUTTI_OK;
}

tutti_status tutti_rundir_restore_config(const tutti_comm *comm, const char *checkpoint,
                                         tutti_rundir_restored *restored) {
  *restored = (tutti_rundir_restored){0};
  tutti_checkpoint_info info = {0};
  char *text = NULL;
  tutti_status status = tutti_comm_rank(comm) == 0 ? tutti_checkpoint_read_info(checkpoint, &info) : TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_comm_agree_from(comm, 0, status));
  text = info.config;
  TUTTI_TRY_GOTO(done, tutti_comm_bcast_text(comm, 0, &text));
  TUTTI_TRY_GOTO(done,
                 tutti_comm_agree(comm, tutti_config_parse(text, checkpoint, NULL, 0, &restored->config)));
  TUTTI_TRY_GOTO(done, compute_as_here(comm, checkpoint, &restored->config));
  TUTTI_TRY_GOTO(done, tutti_machine_set_threads(comm, restored->config.parallel.threads, NULL));
  restored->state = info.state;
  TUTTI_TRY_GOTO(done, tutti_comm_bcast(comm, 0, &restored->state, sizeof restored->state));
  // From here on `restored` owns these.
  restored->classes = info.classes;
  restored->features = tutti_rundir_restore_features(info.features);
  restored->is_average = info.is_average;
  info.classes = (tutti_texts){0};
  restored->products = info.products;
  info.products = NULL;
done:
  if (text != info.config) tutti_free(text);
  tutti_checkpoint_info_clear(&info);
  return status;
}

tutti_status tutti_rundir_restore_data(const tutti_comm *comm, const char *file, tutti_trust trust,
                                       tutti_split split, tutti_rundir_restored *restored) {
  tutti_config *config = &restored->config;
  config->data.external = (trust & TUTTI_TRUST_EXTERNAL) || (!file && config->data.external);
  config->data.plugins = trust & TUTTI_TRUST_PLUGINS;
  if (!file) return tutti_samples_open(comm, config, &restored->dataset);
  tutti_data_options options = tutti_samples_options(config);
  options.file = file;
  options.trust = trust;
  options.limit_train = options.limit_test = 0;
  options.unused = NULL;
  // Only the arrays of the wanted split need to exist.  Held-out validation rows are drawn from the training rows.
  const bool held_out = !options.x_val;
  if (split == TUTTI_SPLIT_TEST || (split == TUTTI_SPLIT_VALIDATION && !held_out))
    options.x_train = options.y_train = options.weights = NULL;
  if (split != TUTTI_SPLIT_TEST) options.x_test = options.y_test = NULL;
  if (split != TUTTI_SPLIT_VALIDATION) options.x_val = options.y_val = NULL;
  return tutti_dataset_open(comm, &options, &restored->dataset);
}

/** Load the average of the weights if the network of the file are the weights, or the weights if it is their average.
 * Only trainable arrays have an average. */
static tutti_status load_others(const char *checkpoint, tutti_view *views, tutti_rundir_restored *restored) {
  const char *group = restored->is_average ? "/optimizer/weights" : "/optimizer/average";
  int64_t n = 0;
  TUTTI_CHECK(restored->config.optimizer.ema_momentum > 0, TUTTI_ERR_CONFIG,
              "%s: has no average of the weights, since it was trained with optimizer.ema_momentum 0: train "
              "with optimizer.ema_momentum=0.99, or leave --weights=average out",
              checkpoint);
  tutti_rundir_add_views(restored->network.model, group, false, restored->params, views, &n);
  return tutti_checkpoint_read_arrays(checkpoint, views, n);
}

static tutti_status load_weights(const char *checkpoint, tutti_weights weights,
                                 tutti_rundir_restored *restored) {
  const bool others =
      weights != TUTTI_WEIGHTS_OF_FILE && (weights == TUTTI_WEIGHTS_AVERAGE) != restored->is_average;
  tutti_model *model = restored->network.model;
  tutti_view *views = NULL;
  int64_t n = 0;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(views, tutti_model_n_arrays(model)));
  tutti_rundir_add_views(model, "/model/weights", true, restored->params, views, &n);
  TUTTI_TRY_GOTO(done, tutti_checkpoint_load(checkpoint, views, n, NULL, NULL));
  if (others) TUTTI_TRY_GOTO(done, load_others(checkpoint, views, restored));
done:
  tutti_free(views);
  return status;
}

/** On rank 0: read the numbers of the scaling.
 * @param[out] values  [2 n] shift, then factor
 * @param[out] n       features; 1 if all of them have the same numbers */
static tutti_status load_scaling(const char *checkpoint, const tutti_dataset *dataset, double *values,
                                 int64_t *n) {
  double *shift = NULL, *factor = NULL;
  int64_t n_factor = 0;
  bool alike = true;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_fault("restore.scaling"));
  TUTTI_TRY_GOTO(done, tutti_checkpoint_read_vector(checkpoint, "/input/shift", &shift, n));
  TUTTI_TRY_GOTO(done, tutti_checkpoint_read_vector(checkpoint, "/input/factor", &factor, &n_factor));
  TUTTI_CHECK_GOTO(done, n_factor == *n, TUTTI_ERR_DATA,
                   "%s: /input/shift has %lld numbers, /input/factor %lld: damaged", checkpoint,
                   (long long)*n, (long long)n_factor);
  TUTTI_CHECK_GOTO(done, *n == tutti_dataset_n_features(dataset), TUTTI_ERR_DATA,
                   "%s: a sample has %lld features, but the network of %s takes %lld",
                   tutti_dataset_file(dataset), (long long)tutti_dataset_n_features(dataset), checkpoint,
                   (long long)*n);
  // One pair of numbers for all features is the fast form of the data set.
  for (int64_t i = 0; i < *n; i++) alike = alike && shift[i] == shift[0] && factor[i] == factor[0];
  if (alike) *n = 1;
  for (int64_t i = 0; i < *n; i++) {
    values[i] = shift[i];
    values[*n + i] = factor[i];
  }
done:
  tutti_free(shift);
  tutti_free(factor);
  return status;
}

tutti_status tutti_rundir_restore_scaling(const tutti_comm *comm, const char *checkpoint,
                                          tutti_features features, tutti_dataset *dataset) {
  double *values = NULL;
  tutti_scaling_values scaling = {.features = features};
  tutti_status status = TUTTI_NEW(values, 2 * tutti_dataset_n_features(dataset));
  TUTTI_TRY_GOTO(done, tutti_comm_agree(comm, status));
  if (tutti_comm_rank(comm) == 0) status = load_scaling(checkpoint, dataset, values, &scaling.n);
  TUTTI_TRY_GOTO(done, tutti_comm_agree_from(comm, 0, status));
  TUTTI_TRY_GOTO(done, tutti_comm_bcast(comm, 0, &scaling, sizeof scaling));
  TUTTI_TRY_GOTO(done, tutti_comm_bcast(comm, 0, values, 2 * scaling.n * (int64_t)sizeof *values));
  scaling.shift = values;
  scaling.factor = values + scaling.n;
  TUTTI_TRY_GOTO(done, tutti_comm_agree(comm, tutti_dataset_set_scaling(dataset, scaling)));
done:
  tutti_free(values);
  return status;
}

tutti_status tutti_rundir_check_widths(const char *checkpoint, const tutti_config *config) {
  tutti_view *views = NULL;
  int64_t n = 0, widest = 0;
  TUTTI_TRY(tutti_checkpoint_list_weights(checkpoint, &views, &n));
  for (int64_t i = 0; i < n; i++)
    for (int d = 0; d < views[i].n_dims; d++)
      if (views[i].dims[d] > widest) widest = views[i].dims[d];
  tutti_free(views);
  for (int64_t i = 0; i < config->model.n_layers; i++)
    TUTTI_CHECK(
        config->model.layers[i].units <= widest, TUTTI_ERR_DATA,
        "%s: layer %lld of its config has %lld units, but its arrays have at most %lld numbers in one "
        "dimension: the file is damaged; use another checkpoint",
        checkpoint, (long long)i + 1, (long long)config->model.layers[i].units, (long long)widest);
  return TUTTI_OK;
}

tutti_status tutti_rundir_restore_network(const tutti_comm *comm, const char *checkpoint,
                                          tutti_weights weights, tutti_rundir_restored *restored) {
  // The scaling is first, because its size shows whether the samples fit this network.
  TUTTI_TRY(tutti_rundir_restore_scaling(comm, checkpoint, restored->features, restored->dataset));
  const bool root = tutti_comm_rank(comm) == 0;
  TUTTI_TRY(tutti_comm_agree_from(
      comm, 0, root ? tutti_rundir_check_widths(checkpoint, &restored->config) : TUTTI_OK));
  TUTTI_TRY(tutti_network_create(comm, &restored->config, restored->dataset, 1, &restored->network));
  TUTTI_TRY(tutti_network_choose_products(comm, false, restored->products, &restored->network));
  tutti_model *model = restored->network.model;
  const int64_t n = tutti_model_n_params(model);
  TUTTI_TRY(tutti_comm_agree(comm, TUTTI_NEW(restored->params, n)));
  TUTTI_TRY(tutti_comm_agree_from(comm, 0, root ? load_weights(checkpoint, weights, restored) : TUTTI_OK));
  TUTTI_TRY(tutti_comm_bcast(comm, 0, restored->params, n * (int64_t)sizeof(float)));
  return tutti_comm_bcast(comm, 0, tutti_model_state(model),
                          tutti_model_n_state(model) * (int64_t)sizeof(float));
}

void tutti_rundir_restored_clear(tutti_rundir_restored *restored) {
  tutti_network_destroy(&restored->network);
  tutti_dataset_close(&restored->dataset);
  tutti_config_clear(&restored->config);
  tutti_free(restored->params);
  tutti_free(restored->products);
  tutti_texts_clear(&restored->classes);
  *restored = (tutti_rundir_restored){0};
}
