/** Whether a run validates on rows that the weights of a checkpoint were trained on.  The validation loss would then be
 * too good, and nothing else would show it.  compare.c refuses such a run, and weights.c warns. */
#include "rundir/rundir_impl.h"

#include <string.h>

bool tutti_rundir_same_data(const tutti_run *run, const tutti_checkpoint_state *state) {
  return state->data == tutti_dataset_fingerprint(run->dataset, state->data_hash);
}

bool tutti_rundir_validates_on_train(const tutti_run *run) {
  return run->samples.validation.n > 0 && run->samples.validation.which == TUTTI_ROWS_TRAIN;
}

bool tutti_rundir_was_trained(const tutti_config *old, const tutti_checkpoint_state *state) {
  return state->step > 0 || old->model.weights;
}

// Rows can only leak within the same array.  They do not if the validation rows are a part of those of the checkpoint:
// the seed is kept, so a smaller split with the same rule draws a subset.
bool tutti_rundir_leaks(const tutti_run *run, const tutti_config *old, bool same_data,
                        const tutti_differences *found) {
  const bool same_array = same_data || (tutti_config_differences_have(found, "data.limit_train") &&
                                        !tutti_config_differences_have(found, "data.file") &&
                                        !tutti_config_differences_have(found, "data.x_train"));
  const bool within = same_data && !tutti_config_differences_have(found, "data.validation_take") &&
                      old->data.validation_split >= run->config->data.validation_split;
  return tutti_rundir_validates_on_train(run) && same_array && !within;
}

void tutti_rundir_leak_text(const tutti_differences *found, char *text, size_t bytes) {
  static const char *const keys[] = {"data.validation_split", "data.validation_take", "data.limit_train"};
  tutti_differences decide = {0};
  for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
    for (int i = 0; i < found->n; i++)
      if (strcmp(found->list[i].key, keys[k]) == 0) decide.list[decide.n++] = found->list[i];
  tutti_config_differences_text(&decide, text, bytes);
}
