#include "train/samples.h"

#include "base/random.h"

tutti_status tutti_samples_open(const tutti_comm *comm, const tutti_config *config, tutti_dataset **dataset) {
  const tutti_data_options options = {.file = config->data.file,
                                      .x_train = config->data.x_train,
                                      .y_train = config->data.y_train,
                                      .x_test = config->data.x_test,
                                      .y_test = config->data.y_test,
                                      .weights = config->data.weights,
                                      .limit_train = config->data.limit_train,
                                      .limit_test = config->data.limit_test,
                                      .external = config->data.external};
  return tutti_dataset_open(comm, &options, dataset);
}

tutti_status tutti_samples_advise(const tutti_comm *comm, const tutti_config *config,
                                  const tutti_dataset *dataset) {
  if (config->model.weights) return TUTTI_OK;
  return tutti_dataset_advise(comm, dataset, config->data.scale);
}

tutti_samples_all tutti_samples_divide(const tutti_config *config, const tutti_dataset *dataset,
                                       uint64_t seed) {
  tutti_samples_all all = {
      .train.which = TUTTI_ROWS_TRAIN, .validation.which = TUTTI_ROWS_TRAIN, .test.which = TUTTI_ROWS_TEST};
  const int64_t n = tutti_dataset_n_rows(dataset, TUTTI_ROWS_TRAIN),
                n_test = tutti_dataset_n_rows(dataset, TUTTI_ROWS_TEST);
  if (n > 0) {
    const int64_t held_out = tutti_split_count(n, config->data.validation_split);
    const bool shuffled = held_out > 0 && config->data.validation_take == TUTTI_TAKE_SHUFFLED;
    all.train.split =
        shuffled ? tutti_permutation_make(n, seed, TUTTI_STREAM_SPLIT, 0) : tutti_permutation_identity(n);
    all.train.n = n - held_out;
    all.validation.split = all.train.split;
    all.validation.first = all.train.n;
    all.validation.n = held_out;
  }
  const int64_t wanted = config->train.train_rows, n_train = all.train.n;
  if (wanted > 0 && n_train > 0) {
    all.looked_at = all.train;
    all.looked_at.drawn = tutti_permutation_make(n_train, seed, TUTTI_STREAM_TRAIN_ROWS, 0);
    all.looked_at.n = wanted < n_train ? wanted : n_train;
  }
  if (n_test > 0) {
    all.test.split = tutti_permutation_identity(n_test);
    all.test.n = n_test;
  }
  return all;
}

void tutti_samples_rows(const void *samples, int64_t n, int64_t *ids) {
  const tutti_samples *set = samples;
  if (set->drawn.n > 0) tutti_permutation_map(&set->drawn, n, ids);
  for (int64_t i = 0; i < n; i++) ids[i] += set->first;
  tutti_permutation_map(&set->split, n, ids);
}
