/** How the training of a checkpoint differs from this run.  Without a difference, the run continues as if it had never
 * stopped.  With a difference, the user must have named the file, and its training must be at the end of an epoch,
 * because the rest of an epoch has a meaning only with the same order of samples.  load.c calls it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "measure/meter.h"
#include "rundir/resume_impl.h"
#include "rundir/rundir_impl.h"

// The config names the data file, but not its contents, so the fingerprints of the contents are compared as well.
void tutti_rundir_find_differences(const tutti_run *run, const tutti_config *old,
                                   const tutti_checkpoint_info *info, tutti_differences *found) {
  const int64_t data = tutti_dataset_fingerprint(run->dataset, info->state.data_hash);
  tutti_config_differences(old, run->config, found);
  if (info->state.data == data) return;
  tutti_difference *one = &found->list[found->n++];
  *one = (tutti_difference){.key = "the contents of data.file"};
  snprintf(one->then, sizeof one->then, "%016llx", (unsigned long long)info->state.data);
  snprintf(one->now, sizeof one->now, "%016llx", (unsigned long long)data);
}

/** The weights come from the checkpoint, so that those of model.weights would be ignored without a message. */
static tutti_status check_weights(const tutti_run *run, const char *path, const tutti_differences *found) {
  TUTTI_CHECK(!run->config->model.weights || !tutti_config_differences_have(found, "model.weights"),
              TUTTI_ERR_CONFIG,
              "model.weights: %s would not be used, because run.resume continues from the weights of %s; "
              "give only one of them: model.weights starts from scratch with these weights, run.resume "
              "continues optimizer and epochs",
              run->config->model.weights, path);
  return TUTTI_OK;
}

/** Refuse a run that would validate on rows which the weights were trained on: its val_loss would be too good. */
static tutti_status check_rows(const tutti_run *run, const char *path, const tutti_config *old,
                               const tutti_checkpoint_info *info, const tutti_differences *found) {
  const bool same_data = tutti_rundir_same_data(run, &info->state);
  char text[512];
  if (!tutti_rundir_was_trained(old, &info->state)) return TUTTI_OK;
  if (!tutti_rundir_leaks(run, old, same_data, found)) {
    if (!same_data && tutti_rundir_validates_on_train(run))
      tutti_log(TUTTI_LOG_WARNING,
                "run.resume: %s was trained on other data than those of %s; a row that is in both may be a "
                "validation row now, and then val_loss is too good: give validation rows as an array, with "
                "data.x_val and data.validation_split=0, or judge by the test rows",
                path, run->config->data.file);
    return TUTTI_OK;
  }
  tutti_rundir_leak_text(found, text, sizeof text);
  TUTTI_FAIL(TUTTI_ERR_CONFIG,
             "%s was trained on rows that would be validation rows now: %s; leave these keys as they were, "
             "or give data.validation_split=0",
             path, text);
}

/** Check that the checkpoint belongs to this run.  If the user named the file, its weights may continue with other
 * hyperparameters and other data, from the end of an epoch. */
static tutti_status compare_config(const tutti_run *run, const tutti_rundir_choice *chosen,
                                   const tutti_config *old, const tutti_checkpoint_info *info,
                                   tutti_rundir_comparison *with) {
  const char *path = chosen->path;
  // The keys that decide which samples an epoch has, and in which order.
  static const char *const ordering[] = {"train.seed", "train.shuffle", "data.validation_split",
                                         "data.validation_take"};
  char text[1024];
  tutti_differences found;
  tutti_rundir_find_differences(run, old, info, &found);
  tutti_config_differences_text(&found, text, sizeof text);
  with->differs = found.n > 0;
  with->warms = tutti_config_differences_have(&found, "schedule.warmup");
  with->same_order = tutti_rundir_same_data(run, &info->state);
  for (size_t i = 0; i < sizeof ordering / sizeof *ordering; i++)
    if (tutti_config_differences_have(&found, ordering[i])) with->same_order = false;
  if (!with->differs) return TUTTI_OK;
  TUTTI_CHECK(chosen->named, TUTTI_ERR_CONFIG,
              "%s belongs to another training: %s; choose another run.directory, and continue from this file "
              "there with run.resume=%s, or give run.resume=no to start from scratch here",
              path, text, path);
  TUTTI_TRY(check_weights(run, path, &found));
  TUTTI_CHECK(info->state.step_in_epoch == 0, TUTTI_ERR_CONFIG,
              "%s was written within an epoch, so that its training can only continue unchanged, but %s; "
              "leave these keys as they were, or start from scratch with its weights, by model.weights=%s",
              path, text, path);
  TUTTI_TRY(check_rows(run, path, old, info, &found));
  tutti_log(TUTTI_LOG_INFO, "continues from %s as another training: %s", path, text);
  return TUTTI_OK;
}

static bool same_text(const char *a, const char *b) {
  return a == b || (a && b && strcmp(a, b) == 0);
}

// State that means nothing for this run is reset: the best value of another quantity or another training, and sums over
// rows that this run would end at another step.
tutti_status tutti_rundir_compare(tutti_run *run, const tutti_rundir_choice *chosen,
                                  tutti_checkpoint_info *info, tutti_rundir_comparison *with) {
  tutti_config old = {0};
  TUTTI_TRY(tutti_config_parse(info->config, chosen->path, NULL, 0, &old));
  with->optimizer = old.optimizer;
  with->same_scale = old.data.scale == run->config->data.scale;
  const tutti_status status = compare_config(run, chosen, &old, info, with);
  with->base = old.schedule.scaling == TUTTI_SCALING_ADASCALE ? (double)old.schedule.base_batch_size : 0;
  if (with->differs || !same_text(old.train.monitor, run->config->train.monitor)) {
    info->state.best = info->state.plateau_best = NAN;
    info->state.plateau_waited = info->state.plateau_cooling = 0;
    info->state.evaluations_since_best = 0;
  }
  const tutti_count then = old.run.metrics_every, now = run->config->run.metrics_every;
  const bool other_rows = then.value != now.value || then.unit != now.unit;
  tutti_config_clear(&old);
  TUTTI_TRY(status);
  if (!with->differs) {
    const tutti_checkpoint_table measured = tutti_meter_state(run);
    TUTTI_TRY(tutti_checkpoint_read_table(chosen->path, &measured));
  }
  if (!other_rows) return TUTTI_OK;
  info->state.in_row = (tutti_checkpoint_sums){0};
  tutti_meter_clear(run, TUTTI_METER_STEPS);
  return TUTTI_OK;
}
