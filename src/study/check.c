/** Checks the configs of all trials, before the first one runs.  prepare.c calls this, at the start of a study and for
 * `tutti study --check`. */
#include <string.h>

#include "study/study_impl.h"

/** Check the config of one trial, with its network if asked to. */
static tutti_status check_config(const tutti_study *study, const tutti_trial *trial, bool with_network) {
  tutti_config config = {0};
  tutti_status status = tutti_trial_parse(study, trial, &config);
  if (status == TUTTI_OK && study->data)
    status = tutti_training_set_check(study->data, &config, (int)study->head.ranks_per_trial, with_network);
  tutti_config_clear(&config);
  return tutti_trial_name_failure(study, trial, status);
}

/** Return whether networks differ, so that each has to be checked. */
static bool varies_model(const tutti_study *study) {
  for (int k = 0; k < study->set.n_varied; k++)
    if (strncmp(study->set.names[k], "model.", 6) == 0) return true;
  return false;
}

/** One seed stands for all, because some tens of microseconds per trial are seconds for many trials. */
tutti_status tutti_study_check_trials(const tutti_study *study, int rank, int size) {
  const bool each_network = varies_model(study);
  int64_t n = 0;
  for (int64_t i = 0; i < study->n_searched; i++) {
    const tutti_trial *trial = tutti_space_trial(study->space, i);
    if (trial->seed_index > 0 || n++ % size != rank) continue;
    TUTTI_TRY(check_config(study, trial, each_network || n == rank + 1));
  }
  return TUTTI_OK;
}
