/** The config of one trial: the study's text and options, then the overrides of the trial, which win.
 * The study calls this for each trial that it checks or runs. */
#include <string.h>

#include "tutti/space.h"

static bool is_budget(const char *key) {
  return strcmp(key, "train.epochs") == 0 || strcmp(key, "train.steps") == 0 ||
         strcmp(key, "train.samples") == 0;
}

tutti_status tutti_space_trial_config(const tutti_trial *trial, const char *text, const char *name,
                                      const tutti_override *overrides, int n_overrides,
                                      tutti_config *config) {
  tutti_status status = TUTTI_OK;
  tutti_override *all = NULL;
  int n = 0;
  memset(config, 0, sizeof *config);
  TUTTI_TRY_GOTO(done, TUTTI_NEW(all, n_overrides + trial->n_overrides));
  // The trial has a budget of its own, and a config takes one only.
  for (int i = 0; i < n_overrides; i++)
    if (!is_budget(overrides[i].key)) all[n++] = overrides[i];
  for (int i = 0; i < trial->n_overrides; i++) all[n++] = trial->overrides[i];
  TUTTI_TRY_GOTO(done, tutti_config_parse(text, name, all, n, config));
  tutti_config_for_study(config);
done:
  tutti_free(all);
  return status;
}
