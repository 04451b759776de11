/** The requirements of a study on its config that a training does not have: varied keys, a goal or a question, a
 * budget. space.c checks this before it makes the trials. */
#include <inttypes.h>
#include <string.h>

#include "space/space_impl.h"

/** Return whether a search has a key to draw from. */
static bool varies_settings(const tutti_study_options *study) {
  for (int64_t i = 0; i < study->n_axes; i++)
    if (strcmp(study->axes[i].key, "train.batch_size") != 0 && !study->axes[i].branches) return true;
  return false;
}

static tutti_status check_search(const tutti_study_options *study) {
  if (study->search == TUTTI_SEARCH_GRID) return TUTTI_OK;
  TUTTI_CHECK(varies_settings(study), TUTTI_ERR_CONFIG,
              "study.search draws settings of the varied keys, but only %s is varied; vary another key, "
              "for example optimizer.learning_rate, or set study.search to grid",
              tutti_config_study_branches(study) ? tutti_config_study_branches(study)->key
                                                 : "train.batch_size");
  TUTTI_CHECK(study->trials > 0, TUTTI_ERR_CONFIG,
              "study.trials is missing: how many settings does the study try at each batch size? write "
              "'trials: 30' or "
              "give --study.trials=30");
  return TUTTI_OK;
}

tutti_status tutti_space_check_requirements(const tutti_config *config) {
  const tutti_study_options *study = &config->study;
  TUTTI_CHECK(
      study->n_axes > 0, TUTTI_ERR_CONFIG,
      "study.vary is missing: which keys does the study vary? write 'study: {vary: {train.batch_size: [32, "
      "128]}}' or give --study.vary.train.batch_size='[32, 128]'");
  TUTTI_CHECK(
      study->goal.metric[0] || study->at_budget || study->problem != TUTTI_PROBLEM_TRAINING, TUTTI_ERR_CONFIG,
      "study.goal is missing: what do the trials try to reach? write 'goal: val_accuracy >= 0.97' or give "
      "--study.goal='val_accuracy >= 0.97'; or, to see what each batch size comes to at the budget, write "
      "'at_budget: val_accuracy'");
  TUTTI_CHECK(study->confirm == 0 || study->goal.metric[0] || study->problem != TUTTI_PROBLEM_TRAINING,
              TUTTI_ERR_CONFIG,
              "study.confirm needs study.goal: it is %" PRId64
              ", and runs the setting again that reaches the goal in the fewest steps, but there is no goal; "
              "write 'goal: val_accuracy >= 0.97', or set study.confirm to 0",
              study->confirm);
  TUTTI_CHECK(study->budget.value > 0, TUTTI_ERR_CONFIG,
              "study.budget is missing: when does a trial give up? write 'budget: 20 epochs', or steps or "
              "samples, or give --study.budget='20 epochs'");
  TUTTI_CHECK(
      !study->overridden[0], TUTTI_ERR_CONFIG,
      "--%s has no effect on a study: each trial has its value from study.vary, study.goal, study.budget, "
      "study.evaluate_every or study.train_rows; change that, or leave this out",
      study->overridden);
  TUTTI_CHECK(
      config->run.on_divergence == TUTTI_DIVERGENCE_STOP, TUTTI_ERR_CONFIG,
      "run.on_divergence: a trial of a study cannot go back to a checkpoint with a smaller learning rate, "
      "because it would not be a trial of its setting any more; set it to stop, and a trial that diverges is "
      "counted as diverged");
  const int64_t n_seeds = study->confirm > 0 ? TUTTI_CONFIRM_SEED + study->confirm : study->seeds;
  TUTTI_CHECK(config->train.seed <= (uint64_t)(INT64_MAX - n_seeds), TUTTI_ERR_CONFIG,
              "train.seed is %" PRIu64 ", too large for %" PRId64 " seeds from there on", config->train.seed,
              n_seeds);
  return check_search(study);
}
