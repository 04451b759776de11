/** Keys that have no effect on a config, because another key switches them off.
 *
 * A key that was set but does nothing is a misunderstanding, so check.c refuses it.  The dump leaves such keys out,
 * since the parser would refuse them, and the comparison of two configs asks which budget counts. */
#include <string.h>

#include "config/keys_impl.h"

bool tutti_config_no_val(const tutti_config *config) {
  return config->data.x_val && strcmp(config->data.x_val, "none") == 0;
}

bool tutti_config_decays_to_the_end(const tutti_config *config) {
  const tutti_decay decay = config->schedule.decay;
  return (decay == TUTTI_DECAY_POLYNOMIAL || decay == TUTTI_DECAY_COSINE) &&
         config->schedule.decay_over.value == 0;
}

/** Why a key of the decay has no effect with this kind of decay; NULL: it has one. */
static const char *unused_decay(const tutti_schedule_options *schedule, const char *name) {
  const tutti_decay decay = schedule->decay;
  const bool repeated = decay == TUTTI_DECAY_STEP || decay == TUTTI_DECAY_EXPONENTIAL;
  const bool plateau = decay == TUTTI_DECAY_PLATEAU;
  const bool once = decay == TUTTI_DECAY_POLYNOMIAL || decay == TUTTI_DECAY_COSINE;
  if (strcmp(name, "decay_power") == 0)
    return decay == TUTTI_DECAY_POLYNOMIAL ? NULL : "it has an effect only with schedule.decay polynomial";
  if (strcmp(name, "decay_milestones") == 0)
    return decay == TUTTI_DECAY_STEP ? NULL : "it has an effect only with schedule.decay step";
  if (strcmp(name, "decay_every") == 0 && decay == TUTTI_DECAY_STEP && schedule->decay_milestones.n > 0)
    return "schedule.decay_milestones decides when the rate falls";
  if (strcmp(name, "decay_patience") == 0 || strcmp(name, "decay_cooldown") == 0 ||
      strcmp(name, "decay_min") == 0 || strcmp(name, "decay_delta") == 0)
    return plateau ? NULL : "it has an effect only with schedule.decay plateau";
  if (strcmp(name, "decay_rate") == 0)
    return repeated || plateau ? NULL
                               : "it has an effect only with schedule.decay step or exponential, or plateau";
  if (strcmp(name, "decay_every") == 0)
    return repeated ? NULL : "it has an effect only with schedule.decay step or exponential";
  return once ? NULL : "it has an effect only with schedule.decay polynomial or cosine";
}

/** The same for a key of the growth of the batch. */
static const char *unused_growth(tutti_batch_growth growth, const char *name) {
  if (growth == TUTTI_GROWTH_NONE)
    return "it has an effect only with schedule.batch_growth step or geometric";
  if (strcmp(name, "batch_milestones") == 0 && growth != TUTTI_GROWTH_STEP)
    return "it has an effect only with schedule.batch_growth step";
  if (strcmp(name, "batch_every") == 0 && growth != TUTTI_GROWTH_GEOMETRIC)
    return "it has an effect only with schedule.batch_growth geometric";
  return NULL;
}

/** The same for a key of the section study. */
static const char *unused_study(const char *name, const tutti_study_options *study) {
  const bool training = study->problem == TUTTI_PROBLEM_TRAINING;
  if (strcmp(name, "trials") == 0 && study->search == TUTTI_SEARCH_GRID)
    return "it has an effect only with study.search sobol or random; a grid has all settings";
  if (strcmp(name, "dimensions") == 0 || strcmp(name, "target") == 0)
    return training ? "it has an effect only with study.problem noisy_quadratic" : NULL;
  if (strcmp(name, "at_budget") == 0)
    return training ? NULL : "the values are read from curves, which the noisy quadratic does not have";
  if (strcmp(name, "goal") == 0 || strcmp(name, "evaluate_every") == 0 || strcmp(name, "train_rows") == 0)
    return training ? NULL : "the goal of the noisy quadratic is study.target, which is checked in each step";
  return NULL;
}

const char *tutti_config_key_unused(const tutti_key *key, const tutti_config *config) {
  if (strncmp(key->path, "schedule.decay_", 15) == 0) return unused_decay(&config->schedule, key->name);
  if (strncmp(key->path, "schedule.batch_", 15) == 0 && strcmp(key->name, "batch_growth") != 0)
    return unused_growth(config->schedule.batch_growth, key->name);
  if (strcmp(key->path, "model.weights_skip") == 0 && !config->model.weights)
    return "it has an effect only with model.weights";
  if (strcmp(key->path, "data.validation_take") == 0 && config->data.validation_split == 0)
    return "it has an effect only with data.validation_split above 0";
  const bool is_y_val = strcmp(key->path, "data.y_val") == 0;
  if ((is_y_val || strcmp(key->path, "data.x_val") == 0) && config->data.validation_split > 0)
    return "data.validation_split holds out training rows instead";
  if (is_y_val && tutti_config_no_val(config)) return "data.x_val is none";
  if (strcmp(key->path, "run.measure_every") == 0 && config->run.measure == TUTTI_MEASURE_NONE)
    return "it has an effect only with run.measure";
  if (key->type == TUTTI_KEY_BUDGET && config->train.budget.unit != key->units)
    return "the training ends by another budget";
  if (strcmp(key->section, "study") == 0) return unused_study(key->name, &config->study);
  return NULL;
}
