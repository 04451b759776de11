#include "support/trials.h"

#include <math.h>

#include "support/check.h"

tutti_trial_set trials_begin(int64_t n_most, int n_varied, const char *const *names) {
  tutti_trial_set set = {.n_varied = n_varied, .learning_rate = NAN, .momentum = NAN};
  CHECK_OK(TUTTI_NEW(set.results, n_most));
  CHECK_OK(TUTTI_NEW(set.varied, n_most * n_varied));
  CHECK_OK(TUTTI_NEW(set.names, n_varied));
  CHECK_OK(TUTTI_NEW(set.texts, n_varied));
  for (int k = 0; k < n_varied; k++) set.names[k] = tutti_strdup(names[k]);
  return set;
}

void trials_choice(tutti_trial_set *set, int k, const char *const *texts, int n) {
  CHECK_OK(tutti_texts_add_all(&set->texts[k], texts, n));
}

void trials_add(tutti_trial_set *set, int64_t batch_size, int64_t setting, tutti_trial_state state,
                double steps, const double *varied) {
  const int64_t i = set->n_trials++;
  const bool reached = state == TUTTI_TRIAL_REACHED;
  const double b = (double)batch_size;
  set->results[i] = (tutti_trial_result){.trial = i,
                                         .setting = setting,
                                         .seed = i % 7,
                                         .batch_size = batch_size,
                                         .status = state,
                                         .goal_step = reached ? steps : NAN,
                                         .goal_samples = reached ? steps * b : NAN,
                                         .goal_epoch = reached ? steps * b / 1000 : NAN,
                                         .goal_seconds = reached ? steps / 10 : NAN,
                                         .steps = steps,
                                         .samples = steps * b,
                                         .epochs = steps * b / 1000,
                                         .seconds = steps / 10,
                                         .ranks = 1};
  for (int k = 0; k < set->n_varied; k++) set->varied[i * set->n_varied + k] = varied[k];
}
