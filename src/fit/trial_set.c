/** The varied keys and branches of a set of trials, and the part of the study's config that the set keeps.  Both come
 * from a file, or from the space of a study that is about to run. */
#include "fit/trial_set.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fit/fit_impl.h"

const char *const tutti_fit_trial_state_names[TUTTI_N_TRIAL_STATES] = {
#define X(code, name) [TUTTI_TRIAL_##code] = name,
    TUTTI_TRIAL_STATE_LIST(X)
#undef X
};

int tutti_fit_trial_set_find(const tutti_trial_set *set, const char *name) {
  for (int k = 0; k < set->n_varied; k++)
    if (strcmp(set->names[k], name) == 0) return k;
  return -1;
}

int tutti_fit_trial_set_n_branches(const tutti_trial_set *set) {
  return set->branches > 0 ? set->texts[set->branches - 1].n : 1;
}

int tutti_fit_trial_set_branch(const tutti_trial_set *set, int64_t i) {
  return set->branches > 0 ? (int)set->varied[i * set->n_varied + set->branches - 1] : 0;
}

const char *tutti_fit_trial_set_branch_name(const tutti_trial_set *set, int branch) {
  return set->branches > 0 ? set->texts[set->branches - 1].list[branch] : "";
}

bool tutti_fit_trial_set_has_scale(const tutti_trial_set *set, int k) {
  return !(set->texts && set->texts[k].n > 0) && strcmp(set->names[k], "train.seed") != 0;
}

// --- from the study's config ----------------------------------------------------

tutti_status tutti_fit_config_read(const tutti_file *file, tutti_config *config) {
  char *text = NULL;
  *config = (tutti_config){0};
  TUTTI_TRY(tutti_file_get_text(file, "/", "config", &text));
  const tutti_status status = tutti_config_parse(text, tutti_file_path(file), NULL, 0, config);
  tutti_free(text);
  return status;
}

static void take_rates(tutti_trial_set *set, const tutti_config *config) {
  // Momentum means something else in each rule, and some have none.
  const bool one_rule = tutti_fit_trial_set_find(set, "optimizer.name") < 0;
  set->learning_rate = one_rule ? config->optimizer.learning_rate : NAN;
  set->momentum = one_rule ? config->optimizer.momentum : NAN;
  set->scaling = config->schedule.scaling;
  set->base_batch_size = (double)config->schedule.base_batch_size;
  set->asks.budget = config->study.budget;
  if (config->study.at_budget)
    snprintf(set->asks.metric, sizeof set->asks.metric, "%s", config->study.at_budget);
}

/** Take the scale of each varied key in each branch that varies it. */
static tutti_status take_scales(tutti_trial_set *set, const tutti_study_options *study) {
  const int n_branches = tutti_fit_trial_set_n_branches(set);
  TUTTI_TRY(TUTTI_NEW(set->scales, (int64_t)n_branches * set->n_varied));
  for (int64_t i = 0; i < study->n_axes; i++) {
    const int k = tutti_fit_trial_set_find(set, study->axes[i].key);
    for (int b = 0; b < n_branches && k >= 0; b++)
      if (tutti_config_axis_is_of(&study->axes[i], b))
        set->scales[b * set->n_varied + k] = study->axes[i].scale;
  }
  return TUTTI_OK;
}

tutti_status tutti_fit_trial_set_take_config(tutti_trial_set *set, const tutti_config *config) {
  take_rates(set, config);
  return take_scales(set, &config->study);
}

void tutti_fit_trial_curve_name(int64_t trial, char name[TUTTI_CURVE_NAME]) {
  snprintf(name, TUTTI_CURVE_NAME, "/curves/%06lld", (long long)trial);
}

void tutti_fit_trial_set_clear(tutti_trial_set *set) {
  for (int k = 0; k < set->n_varied; k++) {
    if (set->texts) tutti_texts_clear(&set->texts[k]);
    tutti_free(set->names[k]);
  }
  tutti_free(set->texts);
  tutti_free(set->names);
  tutti_free(set->results);
  tutti_free(set->confirm);
  tutti_free(set->varied);
  tutti_free(set->scales);
  *set = (tutti_trial_set){0};
}
