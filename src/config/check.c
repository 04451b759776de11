/** Checks that need the whole config: keys that are missing, contradict each other, or have no effect.
 *
 * Each message begins with the place of a key (origins.c).  Called by parse.c when all keys are read. */
#include <stdio.h>
#include <string.h>

#include "config/origins_impl.h"

// --- keys that are needed ------------------------------------------------------------------------

/** Both messages show a complete example, since a first config often lacks these keys. */
static tutti_status check_needed(const tutti_origins *origins, const tutti_config *config) {
  const char *file = origins->file ? origins->file : "no config file";
  if (config->study.problem == TUTTI_PROBLEM_NOISY_QUADRATIC)
    return TUTTI_OK; // it has neither data nor a model
  TUTTI_CHECK(
      config->data.file, TUTTI_ERR_CONFIG,
      "%s: data.file is missing; write 'data: {file: data/mnist.h5}' or give --data.file=data/mnist.h5",
      file);
  TUTTI_CHECK(config->model.n_layers > 0, TUTTI_ERR_CONFIG,
              "%s: model.layers is missing; write 'model: {layers: [dense 512 relu, dense 10 softmax]}' or "
              "give --model.layers='dense 512 relu, dense 10 softmax'",
              file);
  return TUTTI_OK;
}

/** A budget on the command line replaces one of another kind in the file.  Two budgets at the same place are an
 * error. */
static tutti_status check_one_budget(const tutti_origins *origins) {
  char a[TUTTI_PLACE_BYTES], b[TUTTI_PLACE_BYTES];
  const tutti_key *first[3] = {NULL};
  for (int i = 0; i < tutti_config_n_keys(); i++) {
    const tutti_key *key = tutti_config_key_at(i);
    const tutti_origin origin = origins->keys[i].origin;
    if (key->type != TUTTI_KEY_BUDGET || origin == TUTTI_FROM_DEFAULT) continue;
    TUTTI_CHECK(!first[origin], TUTTI_ERR_CONFIG,
                "%s: %s is set as well; a training ends by one of epochs, steps and samples: keep one",
                tutti_config_place_print_key(origins, key->path, a),
                tutti_config_place_print_key(origins, first[origin]->path, b));
    first[origin] = key;
  }
  return TUTTI_OK;
}

// --- keys that contradict each other -------------------------------------------------------------

/** Whether the file or the command line sets the key, even to its default. */
static bool is_set(const tutti_origins *origins, const char *path) {
  return origins->keys[tutti_config_key_at_path(path)].origin != TUTTI_FROM_DEFAULT;
}

/** Whether there are validation rows: some are held out, or the config names an array.  Whether the file has this array
 * is checked later. */
static bool has_validation(const tutti_origins *origins, const tutti_config *config) {
  const bool is_named = is_set(origins, "data.x_val") && !tutti_config_no_val(config);
  return config->data.validation_split > 0 || is_named;
}

/** The prefixes of the metric say what it needs: ema_ averaged weights, train_ and val_ rows that are evaluated. */
tutti_status tutti_config_check_rows(const tutti_origins *origins, const tutti_config *config,
                                     const char *path, const char *metric) {
  char at[TUTTI_PLACE_BYTES];
  const char *name = metric ? metric : "";
  const bool averaged = strncmp(name, "ema_", 4) == 0, studied = strncmp(path, "study.", 6) == 0;
  const char *of_weights = averaged ? name + 4 : name;
  tutti_config_place_print_key(origins, path, at);
  TUTTI_CHECK(
      !averaged || config->optimizer.ema_momentum > 0, TUTTI_ERR_CONFIG,
      "%s: %s needs an average of the weights; set optimizer.ema_momentum, for example to 0.99, or use %s",
      at, name, of_weights);
  const int64_t train_rows = studied ? config->study.train_rows : config->train.train_rows;
  TUTTI_CHECK(strncmp(name, "train_", 6) != 0 || train_rows > 0, TUTTI_ERR_CONFIG,
              "%s: %s is evaluated on a part of the training rows; set %s.train_rows, for example to 10000",
              at, name, studied ? "study" : "train");
  TUTTI_CHECK(strncmp(of_weights, "val_", 4) != 0 || has_validation(origins, config), TUTTI_ERR_CONFIG,
              "%s: %s needs validation rows; hold some out, for example with data.validation_split: 0.1, or "
              "use %s, or name those of the file, data.x_val: x_val",
              at, name, of_weights + 4);
  return TUTTI_OK;
}

/** Check the metric of train.stop_at or train.monitor: its rows exist, and they are evaluated. */
static tutti_status check_watched(const tutti_origins *origins, const tutti_config *config, const char *path,
                                  const char *metric) {
  char at[TUTTI_PLACE_BYTES];
  TUTTI_TRY(tutti_config_check_rows(origins, config, path, metric));
  TUTTI_CHECK(!metric || !tutti_config_metric_is_evaluated(metric) || config->train.evaluate_every.value > 0,
              TUTTI_ERR_CONFIG, "%s: %s is never evaluated, since train.evaluate_every is 0",
              tutti_config_place_print_key(origins, path, at), metric);
  return TUTTI_OK;
}

/** Check the keys of the schedule against each other, and those that need another key.  The first broken rule is
 * reported. */
static tutti_status check_pairs(const tutti_origins *origins, const tutti_config *config) {
  const tutti_schedule_options *schedule = &config->schedule;
  const tutti_train_options *train = &config->train;
  const bool is_scaled = schedule->scaling != TUTTI_SCALING_NONE, has_base = schedule->base_batch_size > 0,
             grows = schedule->batch_growth != TUTTI_GROWTH_NONE;
  const struct {
    bool holds;
    const char *path, *message;
  } rules[] = {
      {train->patience == 0 || train->monitor, "train.patience",
       "patience watches train.monitor, which is none; set it, for example to val_loss"},
      {!is_scaled || has_base, "schedule.scaling",
       "scaling needs schedule.base_batch_size, the batch size for which optimizer.learning_rate is meant"},
      {schedule->scaling != TUTTI_SCALING_ADASCALE || !grows, "schedule.scaling",
       "adascale adapts the learning rate to the noise, schedule.batch_growth adapts the batch size; keep "
       "one of them"},
      // the noise that a run measures includes AdaScale's gain over this batch
      {is_scaled || !has_base || (config->run.measure & TUTTI_MEASURE_NOISE), "schedule.base_batch_size",
       "base_batch_size has no effect without schedule.scaling; set scaling to linear, sqrt or adascale, or "
       "leave base_batch_size out"},
      {!grows || schedule->decay == TUTTI_DECAY_CONSTANT, "schedule.decay",
       "schedule.batch_growth replaces the decay of the learning rate; keep one of them"},
      {schedule->batch_growth != TUTTI_GROWTH_STEP || schedule->batch_milestones.n > 0,
       "schedule.batch_growth",
       "step needs schedule.batch_milestones: when the batch grows, '60, 120, 160 epochs' for instance"},
      {config->model.compute != TUTTI_COMPUTE_BFLOAT16 || config->parallel.kernels != TUTTI_KERNELS_BLAS,
       "parallel.kernels",
       "the BLAS has no products of bfloat16 (model.compute); set kernels to own, or leave it out"},
      {config->parallel.reduce != TUTTI_REDUCE_TREE || config->parallel.kernels != TUTTI_KERNELS_BLAS,
       "parallel.kernels",
       "with parallel.reduce tree our own loops compute the products, because those of the BLAS have no "
       "fixed "
       "order; set kernels to own, or leave it out"},
      {schedule->decay != TUTTI_DECAY_PLATEAU || train->monitor ||
           (has_validation(origins, config) && train->evaluate_every.value > 0),
       "schedule.decay",
       "plateau watches train.monitor, or val_loss if that is none, but this training does not evaluate "
       "val_loss; hold rows out, for example with data.validation_split: 0.1, or name those of the file, "
       "data.x_val: x_val, and leave train.evaluate_every above 0, or set train.monitor to loss"},
  };
  char at[TUTTI_PLACE_BYTES];
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
    TUTTI_CHECK(rules[i].holds, TUTTI_ERR_CONFIG, "%s: %s",
                tutti_config_place_print_key(origins, rules[i].path, at), rules[i].message);
  return TUTTI_OK;
}

/** Check the sizes of the batch against each other.  AdaScale's gain is defined for plain gradients, relative to a
 * smaller batch. */
static tutti_status check_batches(const tutti_origins *origins, const tutti_config *config) {
  const tutti_schedule_options *schedule = &config->schedule;
  const bool adascale = schedule->scaling == TUTTI_SCALING_ADASCALE,
             is_limited = schedule->batch_growth != TUTTI_GROWTH_NONE && schedule->batch_max > 0;
  const int64_t batch_size = config->train.batch_size;
  char at[TUTTI_PLACE_BYTES];
  TUTTI_CHECK(!adascale || config->optimizer.rule == TUTTI_SGD, TUTTI_ERR_CONFIG,
              "%s: adascale works with optimizer.name sgd, with or without momentum, and not with %s; use "
              "sgd, or linear or sqrt",
              tutti_config_place_print_key(origins, "schedule.scaling", at),
              tutti_optim_names[config->optimizer.rule]);
  TUTTI_CHECK(!adascale || schedule->base_batch_size <= batch_size, TUTTI_ERR_CONFIG,
              "%s: adascale measures a gain over a smaller batch, but schedule.base_batch_size is %lld and "
              "train.batch_size is %lld; use a larger batch, or a smaller base",
              tutti_config_place_print_key(origins, "schedule.scaling", at),
              (long long)schedule->base_batch_size, (long long)batch_size);
  TUTTI_CHECK(!is_limited || schedule->batch_max >= batch_size, TUTTI_ERR_CONFIG,
              "%s: %lld is below train.batch_size, %lld, from which the batch grows",
              tutti_config_place_print_key(origins, "schedule.batch_max", at), (long long)schedule->batch_max,
              (long long)batch_size);
  return TUTTI_OK;
}

// --- keys without an effect ----------------------------------------------------------------------

/** Refuse keys that were set but have no effect: the user expects one.  Budgets have their own rule. */
static tutti_status check_unused(const tutti_origins *origins, const tutti_config *config) {
  char at[TUTTI_PLACE_BYTES];
  for (int i = 0; i < tutti_config_n_keys(); i++) {
    const tutti_key *key = tutti_config_key_at(i);
    if (origins->keys[i].origin == TUTTI_FROM_DEFAULT || key->type == TUTTI_KEY_BUDGET) continue;
    const char *why = tutti_config_key_unused(key, config);
    TUTTI_CHECK(!why, TUTTI_ERR_CONFIG, "%s: %s; leave it out",
                tutti_config_place_print_key(origins, key->path, at), why);
  }
  return TUTTI_OK;
}

// --- the optimizer -------------------------------------------------------------------------------

/** The message of the optimizer begins with "optimizer.KEY", so the place of this key goes before it. */
tutti_status tutti_config_resolve(const tutti_origins *origins, tutti_config *config) {
  char name[32] = "", text[TUTTI_PLACE_BYTES];
  config->written = config->optimizer;
  const tutti_status status = tutti_optim_resolve(&config->optimizer);
  if (status != TUTTI_ERR_CONFIG) return status;
  sscanf(tutti_fail_text(), "optimizer.%31[a-z_0-9]", name);
  const int i = tutti_config_key_find("optimizer", name);
  if (i < 0 || origins->keys[i].origin == TUTTI_FROM_DEFAULT) return status;
  TUTTI_FAIL(status, "%s", tutti_config_place_print(origins, origins->keys[i], tutti_fail_text(), text));
}

/** Trials of different batch sizes should see the same samples, so none is lost at the end of an epoch. */
void tutti_config_for_study(tutti_config *config) {
  if (!config->train.chooses_last_batch) config->train.last_batch = TUTTI_LAST_CARRY;
}

/** The order is that of the messages: only the first contradiction is reported. */
tutti_status tutti_config_check(const tutti_origins *origins, tutti_config *config) {
  TUTTI_TRY(check_one_budget(origins));
  TUTTI_TRY(check_needed(origins, config));
  TUTTI_TRY(check_watched(origins, config, "train.stop_at", config->train.stop_at.metric));
  TUTTI_TRY(check_watched(origins, config, "train.monitor", config->train.monitor));
  TUTTI_TRY(check_pairs(origins, config));
  TUTTI_TRY(check_batches(origins, config));
  TUTTI_TRY(check_unused(origins, config));
  config->train.chooses_last_batch = is_set(origins, "train.last_batch");
  return TUTTI_OK;
}
