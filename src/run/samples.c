/* Which rows of a data set are training, validation and test samples, as permutations of row numbers: no row is copied.
 * The division depends on the config and a seed only, so all ranks compute it by themselves and agree. */
#include "run/samples.h"

#include "base/log.h"
#include "base/random.h"

tutti_data_options tutti_samples_options(const tutti_config *config) {
  tutti_data_options options = {.file = config->data.file,
                                .x_train = config->data.x_train,
                                .y_train = config->data.y_train,
                                .x_test = config->data.x_test,
                                .y_test = config->data.y_test,
                                .limit_train = config->data.limit_train,
                                .limit_test = config->data.limit_test,
                                .weights = config->data.weights,
                                .trust = tutti_trust_of(config->data.external, config->data.plugins)};
  const bool none = tutti_config_no_val(config), held_out = config->data.validation_split > 0;
  // The data set does not read validation rows that will not be used; if the file has some, it says why they are not.
  if (none || held_out) {
    options.unused = none ? TUTTI_X_VAL : config->data.x_val;
    options.why = held_out ? "data.validation_split holds out training rows instead; without that key the "
                             "file's own validation rows are used"
                           : "data.x_val is none";
  } else {
    options.x_val = config->data.x_val;
    options.y_val = config->data.y_val;
  }
  return options;
}

tutti_status tutti_samples_open(const tutti_comm *comm, const tutti_config *config, tutti_dataset **dataset) {
  const tutti_data_options options = tutti_samples_options(config);
  return tutti_dataset_open(comm, &options, dataset);
}

tutti_status tutti_samples_open_labels(const tutti_config *config, tutti_dataset **dataset) {
  const tutti_data_options options = tutti_samples_options(config);
  return tutti_dataset_open_labels(&options, dataset);
}

void tutti_samples_warn_batch(const tutti_config *config, const tutti_samples *train) {
  if (config->train.batch_size <= train->n || config->train.last_batch != TUTTI_LAST_SHORT) return;
  tutti_log_root(TUTTI_LOG_WARNING,
                 "train.batch_size %lld is more than the %lld training samples: each step uses all of them "
                 "once; with train.last_batch=carry a step has the full batch size",
                 (long long)config->train.batch_size, (long long)train->n);
}

/** All rows of one array of the file. */
static tutti_samples whole(const tutti_dataset *dataset, tutti_rows which) {
  const int64_t n = tutti_dataset_n_rows(dataset, which); // 0: the file has no such array
  tutti_samples set = {.which = which, .n = n};
  if (n > 0) set.split = tutti_permutation_identity(n);
  return set;
}

tutti_status tutti_samples_advise(const tutti_comm *comm, const tutti_config *config,
                                  const tutti_dataset *dataset) {
  if (config->model.weights) return TUTTI_OK;
  return tutti_dataset_advise(comm, dataset, config->data.scale);
}

tutti_samples_all tutti_samples_divide(const tutti_config *config, const tutti_dataset *dataset,
                                       uint64_t seed) {
  tutti_samples_all all = {.train.which = TUTTI_ROWS_TRAIN,
                           .validation = whole(dataset, TUTTI_ROWS_VALIDATION),
                           .test = whole(dataset, TUTTI_ROWS_TEST)};
  const int64_t n = tutti_dataset_n_rows(dataset, TUTTI_ROWS_TRAIN);
  if (n > 0) {
    const int64_t held_out = tutti_sampler_split_count(n, config->data.validation_split);
    const bool shuffled = held_out > 0 && config->data.validation_take == TUTTI_TAKE_SHUFFLED;
    // An identity costs nothing to map, so rows that need no drawing are not drawn.
    all.train.split =
        shuffled ? tutti_permutation_make(n, seed, TUTTI_STREAM_SPLIT, 0) : tutti_permutation_identity(n);
    all.train.n = n - held_out; // the rows at the end of the permutation are held out
    if (held_out > 0)
      all.validation = (tutti_samples){
          .which = TUTTI_ROWS_TRAIN, .split = all.train.split, .first = all.train.n, .n = held_out};
  }
  const int64_t wanted = config->train.train_rows, n_train = all.train.n;
  // A stream of its own: train.train_rows must not change which rows are held out or in which order the others come.
  if (wanted > 0 && n_train > 0) {
    all.looked_at = all.train;
    all.looked_at.drawn = tutti_permutation_make(n_train, seed, TUTTI_STREAM_TRAIN_ROWS, 0);
    all.looked_at.n = wanted < n_train ? wanted : n_train;
  }
  return all;
}

void tutti_samples_rows(const void *samples, int64_t n, int64_t *ids) {
  // From the inside out: position in the set, then position among the rows that it shares, then row of the file.
  const tutti_samples *set = samples;
  if (set->drawn.n > 0) tutti_permutation_map(&set->drawn, n, ids);
  for (int64_t i = 0; i < n; i++) ids[i] += set->first;
  tutti_permutation_map(&set->split, n, ids);
}
