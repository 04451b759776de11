/** The checks of a study that need the whole config: axes that cannot go together, and what the noisy quadratic lacks.
 * Each message names the place of the key.  parse.c calls this once everything is read, for every command. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "config/axes_impl.h"

static const char batch_size[] = "train.batch_size";

/** Print the place and the name of an axis.  @return buffer */
static const char *where(const tutti_origins *origins, const tutti_study_options *study, int64_t axis,
                         char buffer[TUTTI_PLACE_BYTES]) {
  char subject[TUTTI_SUBJECT_BYTES];
  tutti_config_axis_subject(tutti_config_study_branches(study), study->axes[axis].branch,
                            study->axes[axis].key, subject);
  return tutti_config_place_print(origins, origins->axes[axis], subject, buffer);
}

/** The number of the axis, or -1. */
static int64_t find_axis(const tutti_study_options *study, const char *path) {
  for (int64_t i = 0; i < study->n_axes; i++)
    if (strcmp(study->axes[i].key, path) == 0) return i;
  return -1;
}

/** The budget of a trial becomes train.epochs, which is a whole number. */
static tutti_status check_budget(const tutti_origins *origins, tutti_count budget) {
  char at[TUTTI_PLACE_BYTES];
  TUTTI_CHECK(budget.unit != TUTTI_UNIT_EPOCHS ||
                  (budget.value == floor(budget.value) && budget.value <= UINT32_MAX),
              TUTTI_ERR_CONFIG, "%s: %g epochs; expected whole epochs up to %u, or steps or samples",
              tutti_config_place_print_key(origins, "study.budget", at), budget.value, UINT32_MAX);
  return TUTTI_OK;
}

// --- branches ------------------------------------------------------------------------------------

/** Return why the axis contradicts another one of the same array, or NULL.  Of two equal ones, the later is
 * reported. */
static const char *clash(const tutti_axis *axis, const tutti_axis *other) {
  if (axis->branches && other->branches && axis > other)
    return "has branches, and so has another key; a study can have branches of one key";
  if (axis->branch == TUTTI_EVERY_BRANCH || strcmp(axis->key, other->key) != 0) return NULL;
  if (other->branches) return "is the key of the branches itself";
  if (other->branch == TUTTI_EVERY_BRANCH) return "is varied by all branches, too; keep one of them";
  const bool is_alike = (axis->kind == TUTTI_AXIS_CHOICE) == (other->kind == TUTTI_AXIS_CHOICE);
  return is_alike || axis < other ? NULL : "has words here and numbers in another branch, or the reverse";
}

/** Check that one key at most has branches, and that no key is varied twice. */
static tutti_status check_branches(const tutti_origins *origins, const tutti_study_options *study) {
  const tutti_axis *parent = tutti_config_study_branches(study);
  char at[TUTTI_PLACE_BYTES];
  for (int64_t i = 0; i < study->n_axes; i++) {
    const tutti_axis *axis = &study->axes[i];
    where(origins, study, i, at);
    TUTTI_CHECK(
        axis->branch == TUTTI_EVERY_BRANCH || strcmp(axis->key, "train.batch_size") != 0, TUTTI_ERR_CONFIG,
        "%s: every branch is tried at all batch sizes; put train.batch_size beside %s", at, parent->key);
    for (int64_t k = 0; k < study->n_axes; k++) {
      const char *why = k == i ? NULL : clash(axis, &study->axes[k]);
      TUTTI_CHECK(!why, TUTTI_ERR_CONFIG, "%s: %s %s", at, axis->key, why);
    }
  }
  return TUTTI_OK;
}

// --- axes, one by one ----------------------------------------------------------------------------

/** Ranges without points suit a random search only; and seeds that are an axis cannot be counted as well. */
static tutti_status check_axes(const tutti_origins *origins, const tutti_study_options *study) {
  char at[TUTTI_PLACE_BYTES];
  for (int64_t i = 0; i < study->n_axes; i++) {
    const tutti_axis *axis = &study->axes[i];
    if (axis->n_values > 0 || axis->points > 0) continue;
    TUTTI_CHECK(strcmp(axis->key, batch_size) != 0, TUTTI_ERR_CONFIG,
                "%s: each batch size is tried with all settings, so the range needs points: {from: %g, to: "
                "%g, points: N}",
                where(origins, study, i, at), axis->from, axis->to);
    TUTTI_CHECK(study->search != TUTTI_SEARCH_GRID, TUTTI_ERR_CONFIG,
                "%s: a grid needs points of the range: {from: %g, to: %g, points: N}; or set study.search to "
                "sobol or random",
                where(origins, study, i, at), axis->from, axis->to);
  }
  const int64_t seed = find_axis(study, "train.seed");
  TUTTI_CHECK(seed < 0 || study->seeds == 1, TUTTI_ERR_CONFIG,
              "%s: study.seeds is %lld, which varies the seed as well; keep one of them",
              where(origins, study, seed, at), (long long)study->seeds);
  TUTTI_CHECK(seed < 0 || study->confirm == 0, TUTTI_ERR_CONFIG,
              "%s: study.confirm is %lld, which runs the best setting with seeds of its own, but here the "
              "seed is a part of the setting; set study.seeds instead of varying it",
              where(origins, study, seed, at), (long long)study->confirm);
  return TUTTI_OK;
}

/** Return whether sgd is the only branch. */
static bool is_sgd_alone(const tutti_axis *axis) {
  return axis->branches && strcmp(axis->key, "optimizer.name") == 0 && axis->n_values == 1 &&
         strcmp(axis->values[0], tutti_optim_names[TUTTI_SGD]) == 0;
}

/** Check a study of the noisy quadratic, which has a batch size, a learning rate and a momentum only. */
static tutti_status check_quadratic(const tutti_origins *origins, const tutti_config *config) {
  static const char *const known[] = {batch_size, "optimizer.learning_rate", "optimizer.momentum"};
  const tutti_study_options *study = &config->study;
  char at[TUTTI_PLACE_BYTES];
  if (study->problem != TUTTI_PROBLEM_NOISY_QUADRATIC) return TUTTI_OK;
  const tutti_axis *branches = tutti_config_study_branches(study);
  TUTTI_CHECK(config->optimizer.rule == TUTTI_SGD || (branches && is_sgd_alone(branches)), TUTTI_ERR_CONFIG,
              "%s: the noisy quadratic is trained by sgd; set optimizer.name to sgd",
              tutti_config_place_print_key(origins, "study.problem", at));
  for (int64_t i = 0; i < study->n_axes; i++) {
    bool is_known = is_sgd_alone(&study->axes[i]);
    TUTTI_CHECK(
        is_known || !study->axes[i].branches, TUTTI_ERR_CONFIG,
        "%s: the noisy quadratic is trained by sgd, its only branch can be {sgd: {...}} of optimizer.name",
        where(origins, study, i, at));
    for (int k = 0; k < 3; k++) is_known |= strcmp(study->axes[i].key, known[k]) == 0;
    TUTTI_CHECK(is_known, TUTTI_ERR_CONFIG, "%s: the noisy quadratic knows only %s, %s and %s",
                where(origins, study, i, at), known[0], known[1], known[2]);
  }
  return TUTTI_OK;
}

/** Return whether each branch varies the key. */
static bool is_varied(const tutti_study_options *study, const char *path) {
  const tutti_axis *branches = tutti_config_study_branches(study);
  const int n = branches ? branches->n_values : 1;
  int n_found = 0;
  for (int64_t i = 0; i < study->n_axes; i++)
    if (strcmp(study->axes[i].key, path) == 0) n_found += study->axes[i].branch == TUTTI_EVERY_BRANCH ? n : 1;
  return n_found >= n;
}

/** Return whether each trial has a value of its own of this key. */
static bool is_trials_own(const tutti_key *key, const tutti_study_options *study) {
  if (key->type == TUTTI_KEY_BUDGET || is_varied(study, key->path)) return true;
  static const char *const own[] = {"train.stop_at", "train.evaluate_every", "train.train_rows"};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    if (strcmp(key->path, own[i]) == 0) return true;
  return false;
}

/** In a file, the key's own value is for a training with this config.  An option is meant for this very command,
 * so a study must not pass it over; a training and a trial take it. */
static void note_overridden(const tutti_origins *origins, tutti_study_options *study) {
  for (int i = 0; i < tutti_config_n_keys(); i++) {
    const tutti_key *key = tutti_config_key_at(i);
    if (origins->keys[i].origin != TUTTI_FROM_OPTION || !is_trials_own(key, study)) continue;
    snprintf(study->overridden, sizeof study->overridden, "%s", key->path);
    return;
  }
}

tutti_status tutti_config_study_check(const tutti_origins *origins, tutti_config *config) {
  TUTTI_TRY(tutti_config_check_rows(origins, config, "study.goal", config->study.goal.metric));
  TUTTI_TRY(tutti_config_check_rows(origins, config, "study.at_budget", config->study.at_budget));
  TUTTI_TRY(check_budget(origins, config->study.budget));
  TUTTI_TRY(check_branches(origins, &config->study));
  TUTTI_TRY(check_axes(origins, &config->study));
  TUTTI_TRY(check_quadratic(origins, config));
  note_overridden(origins, &config->study);
  return TUTTI_OK;
}
