/** The weights that a training begins with if model.weights names a checkpoint (transfer learning, or the second half
 * of a training with another optimizer).  Weights without their scaling and their validation rows would be trained or
 * judged wrongly, so both come along.  Rank 0 reads, then all ranks get what it found.  resume.c calls it before it
 * loads a checkpoint of the run itself, and setup in train checks in advance. */
#include "rundir/weights.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "rundir/restore.h"
#include "rundir/rundir_impl.h"

/** The file of model.weights. */
typedef struct {
  tutti_checkpoint_info info;
  tutti_config config; // of its training
  tutti_rundir_match match;
} source;

static void clear(source *s) {
  tutti_rundir_match_clear(&s->match);
  tutti_config_clear(&s->config);
  tutti_checkpoint_info_clear(&s->info);
}

/** Everything that can be checked without the contents of the arrays.  The caller clears the source, also after a
 * failure. */
static tutti_status check(const tutti_config *config, tutti_model *model, float *weights, source *s) {
  const char *path = config->model.weights;
  TUTTI_TRY(tutti_checkpoint_read_info(path, &s->info));
  TUTTI_TRY(tutti_rundir_match_create(config, model, weights, &s->match));
  TUTTI_TRY(tutti_config_parse(s->info.config, path, NULL, 0, &s->config));
  // The rows must be scaled as they were when the first layer was trained.
  const tutti_scale then = s->config.data.scale, now = config->data.scale;
  TUTTI_CHECK(!s->match.takes_first || now == TUTTI_SCALE_AUTO || now == then, TUTTI_ERR_CONFIG,
              "data.scale: %s, but the weights of %s (model.weights) were trained on rows scaled by %s, and "
              "the file has its numbers; leave data.scale out",
              tutti_data_scale_names[now], path, tutti_data_scale_names[then]);
  return TUTTI_OK;
}

static void report(const tutti_rundir_match *m, const tutti_checkpoint_info *info) {
  tutti_log_once(TUTTI_LOG_INFO, "begins with the weights of %s, of its step %lld%s%s%s%s", m->path,
                 (long long)info->state.step, m->initial[0] ? "; these begin with their usual values: " : "",
                 m->initial, m->unused[0] ? "; not taken from it: " : "", m->unused);
}

/** What rank 0 found, for all ranks. */
typedef struct {
  bool takes_scaling;
  tutti_features features;
  uint64_t split_seed; // that draws the validation rows
  int64_t hash;        // of the arrays taken
} found;

/** A run that continues compares this hash to find out whether the file still has the same weights. */
static int64_t hash_of_taken(const tutti_rundir_match *m) {
  uint64_t hash = 0;
  for (int64_t i = 0; i < m->n_taken; i++) {
    const tutti_view *view = &m->views[i];
    const int64_t n = view->dims[0] * (view->n_dims > 1 ? view->dims[1] : 1);
    hash = tutti_hash(hash, view->data, n * (int64_t)sizeof(float));
  }
  return (int64_t)hash;
}

/** This is a warning only: fine-tuning on more data than before is legitimate. */
static void warn_of_rows(const char *path, const tutti_differences *differences) {
  char text[512];
  tutti_rundir_leak_text(differences, text, sizeof text);
  tutti_log_once(TUTTI_LOG_WARNING,
                 "model.weights: %s was trained on rows that are validation rows now, so that val_loss is "
                 "too good: %s; leave these keys as they were, or give data.validation_split=0",
                 path, text);
}

/** If the data are those that the weights were trained on, the validation rows stay those of the file, whose seed drew
 * them. */
static void find_split(const tutti_run *run, const source *s, uint64_t *seed) {
  const bool same_data = tutti_rundir_same_data(run, &s->info.state);
  tutti_differences differences;
  tutti_config_differences(&s->config, run->config, &differences);
  if (!tutti_rundir_was_trained(&s->config, &s->info.state)) return;
  if (tutti_rundir_leaks(run, &s->config, same_data, &differences))
    warn_of_rows(run->config->model.weights, &differences);
  else if (same_data && tutti_rundir_validates_on_train(run))
    *seed = s->info.state.split_seed;
}

static tutti_status load(const tutti_run *run, float *weights, bool begins, found *result) {
  source s = {0};
  const tutti_rundir_match *m = &s.match;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, check(run->config, run->network.model, weights, &s));
  TUTTI_TRY_GOTO(done, tutti_checkpoint_read_arrays(m->path, m->views, m->n_taken));
  result->takes_scaling = m->takes_first;
  result->hash = hash_of_taken(m);
  result->features = tutti_rundir_restore_features(s.info.features);
  if (begins) find_split(run, &s, &result->split_seed);
  report(m, &s.info);
done:
  clear(&s);
  return status;
}

/** A message about the file begins with the key that names it. */
static tutti_status name_key(tutti_status status) {
  char text[4096];
  if (status == TUTTI_OK || status == TUTTI_ERR_CONFIG) return status;
  snprintf(text, sizeof text, "model.weights: %s", tutti_fail_text());
  tutti_fail_set_text(text);
  return status;
}

tutti_status tutti_rundir_load_weights(tutti_run *run, float *weights, bool begins) {
  const char *path = run->config->model.weights;
  found result = {.split_seed = run->state.at.split_seed};
  if (!path) return TUTTI_OK;
  const bool root = run->rank == 0;
  TUTTI_TRY(
      tutti_comm_agree_from(run->comm, 0, root ? name_key(load(run, weights, begins, &result)) : TUTTI_OK));
  TUTTI_TRY(tutti_comm_bcast(run->comm, 0, &result, sizeof result));
  run->state.at.split_seed = result.split_seed;
  run->state.at.weights_hash = result.hash;
  // The seed of the split may now be that of the file, so the rows are drawn again.
  if (begins) TUTTI_TRY(tutti_run_keep_rows(run));
  if (!result.takes_scaling) return TUTTI_OK;
  return tutti_rundir_restore_scaling(run->comm, path, result.features, run->dataset);
}

tutti_status tutti_rundir_check_weights(const tutti_config *config, tutti_model *model) {
  source s = {0};
  if (!config->model.weights) return TUTTI_OK;
  const tutti_status status = name_key(check(config, model, NULL, &s));
  clear(&s);
  return status;
}
