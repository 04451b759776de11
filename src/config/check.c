/** Checks that need the whole config: keys that are missing, contradict each other, or have no effect.
 *
 * Each message begins with the place of a key (origins.c).  Called by parse.c when all keys are read. */
#include <stdio.h>
#include <string.h>

#include "config/origins_impl.h"

// --- keys that are needed ------------------------------------------------------------------------

static tutti_status check_needed(const tutti_origins *origins, const tutti_config *config) {
  const char *file = origins->file ? origins->file : "no config file";
  if (config->study.problem == TUTTI_PROBLEM_NOISY_QUADRATIC)
    return TUTTI_OK; // it has neither data nor a model
  TUTTI_CHECK(
      config->data.file, TUTTI_ERR_CONFIG,
      "%s: data.file is missing; write 'data: {file: data/mnist.h5}' or give --data.file=data/mnist.h5",
      file);
  TUTTI_CHECK(
      config->model.n_layers > 0, TUTTI_ERR_CONFIG,
      "%s: model.layers is missing; write 'model: {layers: [dense 512 relu, dense 10 softmax]}' or give "
      "--model.layers='dense 512 relu, dense 10 softmax'",
      file);
  return TUTTI_OK;
}

/** A budget on the command line replaces one of another kind in the file.  Two budgets at the same place are an error. */
static tutti_status check_one_budget(const tutti_origins *origins) {
  char a[TUTTI_PLACE_BYTES], b[TUTTI_PLACE_BYTES];
  const tutti_key *first[3] = {NULL};
  for (int i = 0; i < tutti_config_n_keys(); i++) {
    const tutti_key *key = tutti_config_key_at(i);
    const tutti_origin origin = origins->keys[i].origin;
    if (key->type != TUTTI_KEY_BUDGET || origin == TUTTI_FROM_DEFAULT) continue;
    TUTTI_CHECK(!first[origin], TUTTI_ERR_CONFIG,
                "%s: %s is set as well; a training ends by one of epochs, steps and samples: keep one",
                tutti_config_place_print_key(origins, key->section, key->name, a),
                tutti_config_place_print_key(origins, first[origin]->section, first[origin]->name, b));
    first[origin] = key;
  }
  return TUTTI_OK;
}

// --- keys that contradict each other -------------------------------------------------------------

/** Whether there are validation rows: some are held out, or the config names an array.  Whether the file has this array is
 * checked later. */
static bool has_validation(const tutti_origins *origins, const tutti_config *config) {
  int i = 0;
  const bool named = tutti_config_key_of_path("data.x_val", &i) == TUTTI_OK &&
                     origins->keys[i].origin != TUTTI_FROM_DEFAULT && !tutti_config_no_val(config);
  return config->data.validation_split > 0 || named;
}

tutti_status tutti_config_check_rows(const tutti_origins *origins, const tutti_config *config,
                                     const char *section, const char *name, const char *metric) {
  char at[TUTTI_PLACE_BYTES];
  const bool averaged = metric && strncmp(metric, "ema_", 4) == 0;
  TUTTI_CHECK(
      !averaged || config->optimizer.ema_momentum > 0, TUTTI_ERR_CONFIG,
      "%s: %s needs an average of the weights; set optimizer.ema_momentum, for example to 0.99, or use %s",
      tutti_config_place_print_key(origins, section, name, at), metric, metric + 4);
  const bool of_train_rows = metric && strncmp(metric, "train_", 6) == 0;
  const bool studied = strcmp(section, "study") == 0;
  const int64_t train_rows = studied ? config->study.train_rows : config->train.train_rows;
  TUTTI_CHECK(!of_train_rows || train_rows > 0, TUTTI_ERR_CONFIG,
              "%s: %s is evaluated on a part of the training rows; set %s.train_rows, for example to 10000",
              tutti_config_place_print_key(origins, section, name, at), metric, section);
  const char *of_weights = averaged ? metric + 4 : metric;
  if (!metric || strncmp(of_weights, "val_", 4) != 0) return TUTTI_OK;
  TUTTI_CHECK(has_validation(origins, config), TUTTI_ERR_CONFIG,
              "%s: %s needs validation rows; hold some out, for example with data.validation_split: 0.1, or "
              "use %s, or "
              "name those of the file, data.x_val: x_val",
              tutti_config_place_print_key(origins, section, name, at), metric, of_weights + 4);
  return TUTTI_OK;
}

/** Check the metric of train.stop_at or train.monitor: its rows exist, and they are evaluated. */
static tutti_status check_watched(const tutti_origins *origins, const tutti_config *config, const char *name,
                                  const char *metric) {
  char at[TUTTI_PLACE_BYTES];
  TUTTI_TRY(tutti_config_check_rows(origins, config, "train", name, metric));
  if (!metric || !tutti_config_metric_is_evaluated(metric)) return TUTTI_OK;
  TUTTI_CHECK(config->train.evaluate_every.value > 0, TUTTI_ERR_CONFIG,
              "%s: %s is never evaluated, since train.evaluate_every is 0",
              tutti_config_place_print_key(origins, "train", name, at), metric);
  return TUTTI_OK;
}

/** A plateau needs a metric that is evaluated. */
static tutti_status check_plateau(const tutti_origins *origins, const tutti_config *config) {
  char at[TUTTI_PLACE_BYTES];
  if (config->schedule.decay != TUTTI_DECAY_PLATEAU || config->train.monitor) return TUTTI_OK;
  TUTTI_CHECK(
      has_validation(origins, config) && config->train.evaluate_every.value > 0, TUTTI_ERR_CONFIG,
      "%s: plateau watches train.monitor, or val_loss if that is none, but this training does not evaluate "
      "val_loss; hold rows out, for example with data.validation_split: 0.1, or name those of the file, "
      "data.x_val: x_val, and leave train.evaluate_every above 0, or set train.monitor to loss",
      tutti_config_place_print_key(origins, "schedule", "decay", at));
  return TUTTI_OK;
}

/** AdaScale's gain is defined for plain gradients, relative to a smaller batch. */
static tutti_status check_adascale(const tutti_origins *origins, const tutti_config *config) {
  char at[TUTTI_PLACE_BYTES];
  const tutti_schedule_options *schedule = &config->schedule;
  tutti_config_place_print_key(origins, "schedule", "scaling", at);
  TUTTI_CHECK(
      config->optimizer.rule == TUTTI_SGD, TUTTI_ERR_CONFIG,
      "%s: adascale works with optimizer.name sgd, with or without momentum, and not with %s; use sgd, or "
      "linear or sqrt",
      at, tutti_optim_names[config->optimizer.rule]);
  TUTTI_CHECK(schedule->batch_growth == TUTTI_GROWTH_NONE, TUTTI_ERR_CONFIG,
              "%s: adascale adapts the learning rate to the noise, schedule.batch_growth adapts the batch "
              "size; keep one "
              "of them",
              at);
  TUTTI_CHECK(schedule->base_batch_size <= config->train.batch_size, TUTTI_ERR_CONFIG,
              "%s: adascale measures a gain over a smaller batch, but schedule.base_batch_size is %lld and "
              "train.batch_size is %lld; use a larger batch, or a smaller base",
              at, (long long)schedule->base_batch_size, (long long)config->train.batch_size);
  return TUTTI_OK;
}

static tutti_status check_pairs(const tutti_origins *origins, const tutti_config *config) {
  char at[TUTTI_PLACE_BYTES];
  const tutti_schedule_options *schedule = &config->schedule;
  TUTTI_CHECK(config->train.patience == 0 || config->train.monitor, TUTTI_ERR_CONFIG,
              "%s: patience watches train.monitor, which is none; set it, for example to val_loss",
              tutti_config_place_print_key(origins, "train", "patience", at));
  TUTTI_CHECK(
      schedule->scaling == TUTTI_SCALING_NONE || schedule->base_batch_size > 0, TUTTI_ERR_CONFIG,
      "%s: scaling needs schedule.base_batch_size, the batch size for which optimizer.learning_rate is meant",
      tutti_config_place_print_key(origins, "schedule", "scaling", at));
  if (schedule->scaling == TUTTI_SCALING_ADASCALE) TUTTI_TRY(check_adascale(origins, config));
  const bool measures_noise =
      config->run.measure & TUTTI_MEASURE_NOISE; // noise includes AdaScale's gain over that batch
  TUTTI_CHECK(schedule->scaling != TUTTI_SCALING_NONE || schedule->base_batch_size == 0 || measures_noise,
              TUTTI_ERR_CONFIG,
              "%s: base_batch_size has no effect without schedule.scaling; set scaling to linear, sqrt or "
              "adascale, or "
              "leave base_batch_size out",
              tutti_config_place_print_key(origins, "schedule", "base_batch_size", at));
  return TUTTI_OK;
}

static tutti_status check_growth(const tutti_origins *origins, const tutti_config *config) {
  char at[TUTTI_PLACE_BYTES];
  const tutti_schedule_options *schedule = &config->schedule;
  if (schedule->batch_growth == TUTTI_GROWTH_NONE) return TUTTI_OK;
  TUTTI_CHECK(schedule->decay == TUTTI_DECAY_CONSTANT, TUTTI_ERR_CONFIG,
              "%s: schedule.batch_growth replaces the decay of the learning rate; keep one of them",
              tutti_config_place_print_key(origins, "schedule", "decay", at));
  TUTTI_CHECK(
      schedule->batch_growth != TUTTI_GROWTH_STEP || schedule->batch_milestones.n > 0, TUTTI_ERR_CONFIG,
      "%s: step needs schedule.batch_milestones: when the batch grows, '60, 120, 160 epochs' for instance",
      tutti_config_place_print_key(origins, "schedule", "batch_growth", at));
  TUTTI_CHECK(schedule->batch_max == 0 || schedule->batch_max >= config->train.batch_size, TUTTI_ERR_CONFIG,
              "%s: %lld is below train.batch_size, %lld, from which the batch grows",
              tutti_config_place_print_key(origins, "schedule", "batch_max", at),
              (long long)schedule->batch_max, (long long)config->train.batch_size);
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
                tutti_config_place_print(origins, origins->keys[i], key->path, at), why);
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

static void note_last_batch(const tutti_origins *origins, tutti_config *config) {
  const tutti_origin origin = origins->keys[tutti_config_key_find("train", "last_batch")].origin;
  config->train.chooses_last_batch = origin != TUTTI_FROM_DEFAULT;
}

void tutti_config_for_study(tutti_config *config) {
  if (!config->train.chooses_last_batch) config->train.last_batch = TUTTI_LAST_CARRY;
}

tutti_status tutti_config_check(const tutti_origins *origins, tutti_config *config) {
  TUTTI_TRY(check_one_budget(origins));
  TUTTI_TRY(check_needed(origins, config));
  TUTTI_TRY(check_watched(origins, config, "stop_at", config->train.stop_at.metric));
  TUTTI_TRY(check_watched(origins, config, "monitor", config->train.monitor));
  TUTTI_TRY(check_pairs(origins, config));
  TUTTI_TRY(check_growth(origins, config));
  TUTTI_TRY(check_plateau(origins, config));
  TUTTI_TRY(check_unused(origins, config));
  note_last_batch(origins, config);
  return TUTTI_OK;
}
