#include "rundir/weights.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "rundir/restore.h"
#include "rundir/rundir_impl.h"

#define WEIGHTS "/model/weights"

enum { NAME_BYTES = sizeof((tutti_view *)0)->name, LIST_BYTES = 2048 };

/** The arrays of a network beside those of a file. */
typedef struct {
  const char *path, *skip;
  tutti_view *views;  // [n_views] of the network; after the comparison the first n_taken are to be read
  tutti_view *stored; // [n_stored] of the file
  int64_t n_views, n_taken, n_stored;
  const char *first;        // layer with weights of the network
  bool takes_first;         // some of its arrays are among those
  char misfits[LIST_BYTES]; // what would be refused, and the layers of these
  char layers[LIST_BYTES];
  char anew[LIST_BYTES], unused[LIST_BYTES]; // named by `skip`: arrays of the network, others of the file
} match;

// --- names -----------------------------------------------------------------------------------------------

/** "dense/kernel" of a view. */
static const char *short_name(const tutti_view *view) {
  return view->name + strlen(WEIGHTS "/");
}

/** Whether `name`, a layer or one of its arrays, is what the array is called or is in. */
static bool is_of(const char *array, const char *name) {
  const size_t n = strlen(name);
  return strncmp(array, name, n) == 0 && (array[n] == '\0' || array[n] == '/');
}

/** The next name of a list, which moves on.  False: there is none. */
static bool next_name(const char **list, char name[NAME_BYTES]) {
  if (!*list) return false;
  *list += strspn(*list, ", ");
  const int n = (int)strcspn(*list, ", ");
  snprintf(name, NAME_BYTES, "%.*s", n < NAME_BYTES ? n : NAME_BYTES - 1, *list);
  *list += n;
  return n > 0;
}

static bool is_in(const char *list, const char *array) {
  char name[NAME_BYTES];
  while (next_name(&list, name))
    if (is_of(array, name)) return true;
  return false;
}

static const tutti_view *find(const tutti_view *views, int64_t n, const char *name) {
  for (int64_t i = 0; i < n; i++)
    if (strcmp(views[i].name, name) == 0) return &views[i];
  return NULL;
}

// --- the comparison --------------------------------------------------------------------------------------

static bool same_shape(const tutti_view *a, const tutti_view *b) {
  bool same = a->n_dims == b->n_dims;
  for (int i = 0; same && i < a->n_dims; i++) same = a->dims[i] == b->dims[i];
  return same;
}

static const char *shape_text(const tutti_view *view, char text[64]) {
  snprintf(text, 64, view->n_dims == 2 ? "%lld x %lld" : "%lld", (long long)view->dims[0],
           (long long)view->dims[1]);
  return text;
}

static void add_misfit(match *m, const tutti_view *view, const char *what) {
  char layer[NAME_BYTES];
  const char *name = short_name(view);
  snprintf(layer, sizeof layer, "%.*s", (int)strcspn(name, "/"), name);
  tutti_text_append(m->misfits, sizeof m->misfits, "%s%s %s", m->misfits[0] ? ", " : "", name, what);
  if (!is_in(m->layers, name)) tutti_text_append_name(m->layers, LIST_BYTES, layer);
}

/** Whether the array is to be read. */
static bool compare(match *m, const tutti_view *view) {
  const tutti_view *there = find(m->stored, m->n_stored, view->name);
  char a[64], b[64], what[160];
  if (is_in(m->skip, short_name(view))) {
    tutti_text_append_name(m->anew, LIST_BYTES, short_name(view));
    return false;
  }
  if (there && same_shape(there, view)) return true;
  snprintf(what, sizeof what, "is not in it");
  if (there)
    snprintf(what, sizeof what, "is %s there and %s here", shape_text(there, a), shape_text(view, b));
  add_misfit(m, view, what);
  return false;
}

static void compare_all(match *m) {
  for (int64_t i = 0; i < m->n_stored; i++) {
    const tutti_view *stored = &m->stored[i];
    if (find(m->views, m->n_views, stored->name)) continue;
    if (is_in(m->skip, short_name(stored)))
      tutti_text_append_name(m->unused, LIST_BYTES, short_name(stored));
    else
      add_misfit(m, stored, "is not in this network");
  }
  for (int64_t i = 0; i < m->n_views; i++) {
    const tutti_view view = m->views[i];
    if (!compare(m, &view)) continue;
    m->takes_first = m->takes_first || is_of(short_name(&view), m->first);
    m->views[m->n_taken++] = view;
  }
}

/** Each name of weights_skip means something. */
static tutti_status check_skipped(const match *m) {
  const char *rest = m->skip;
  char name[NAME_BYTES], all[LIST_BYTES] = "";
  for (int64_t i = 0; i < m->n_views; i++) tutti_text_append_name(all, sizeof all, short_name(&m->views[i]));
  while (next_name(&rest, name)) {
    bool known = false;
    for (int64_t i = 0; i < m->n_views; i++) known = known || is_of(short_name(&m->views[i]), name);
    for (int64_t i = 0; i < m->n_stored; i++) known = known || is_of(short_name(&m->stored[i]), name);
    TUTTI_CHECK(known, TUTTI_ERR_CONFIG,
                "model.weights_skip: '%s' is no layer or array of this network or of %s; the network has %s",
                name, m->path, all);
  }
  return TUTTI_OK;
}

/** Of the model's. */
static const char *first_layer(const tutti_model *model) {
  tutti_layer_info info;
  int i = 0;
  do tutti_model_layer(model, i++, &info);
  while (info.n_trainable + info.n_other == 0);
  return info.name;
}

static tutti_status make_match(const tutti_config *config, tutti_model *model, float *weights, match *m) {
  *m =
      (match){.path = config->model.weights, .skip = config->model.weights_skip, .first = first_layer(model)};
  TUTTI_TRY(tutti_checkpoint_list_weights(m->path, &m->stored, &m->n_stored));
  TUTTI_TRY(TUTTI_NEW(m->views, tutti_model_n_arrays(model)));
  tutti_rundir_add_views(model, WEIGHTS, true, weights, m->views, &m->n_views);
  TUTTI_TRY(check_skipped(m));
  compare_all(m);
  TUTTI_CHECK(
      !m->misfits[0], TUTTI_ERR_CONFIG,
      "model.weights: %s does not fit this network: %s; give model.weights_skip=%s to leave these out, so "
      "that what the network has of them begins as usual, or the model.layers of the file",
      m->path, m->misfits, m->layers);
  return TUTTI_OK;
}

static void free_match(match *m) {
  tutti_free(m->views);
  tutti_free(m->stored);
}

// --- the file --------------------------------------------------------------------------------------------

/** The rows have to be what the first layer was trained on. */
static tutti_status check_scale(const tutti_config *config, const tutti_checkpoint_info *info) {
  tutti_config old = {0};
  TUTTI_TRY(tutti_config_parse(info->config, config->model.weights, NULL, 0, &old));
  const tutti_scale then = old.data.scale, now = config->data.scale;
  tutti_config_clear(&old);
  TUTTI_CHECK(now == TUTTI_SCALE_AUTO || now == then, TUTTI_ERR_CONFIG,
              "data.scale: %s, but the weights of %s (model.weights) were trained on rows scaled by %s, "
              "whose numbers "
              "the file has; leave data.scale out",
              tutti_scale_names[now], config->model.weights, tutti_scale_names[then]);
  return TUTTI_OK;
}

/** All that can be told without the arrays' contents. */
static tutti_status check(const tutti_config *config, tutti_model *model, float *weights,
                          tutti_checkpoint_info *info, match *m) {
  TUTTI_TRY(tutti_checkpoint_read_info(config->model.weights, info));
  TUTTI_TRY(make_match(config, model, weights, m));
  return m->takes_first ? check_scale(config, info) : TUTTI_OK;
}

static void tell(const match *m, const tutti_checkpoint_info *info) {
  tutti_log_once(TUTTI_LOG_INFO, "begins with the weights of %s, of its step %lld%s%s%s%s", m->path,
                 (long long)info->state.step, m->anew[0] ? "; as usual begin: " : "", m->anew,
                 m->unused[0] ? "; not taken from it: " : "", m->unused);
}

/** What rank 0 found. */
typedef struct {
  bool takes_scaling;
  tutti_features features;
  uint64_t split_seed; // that draws the validation rows
  int64_t hash;        // of the arrays taken
} found;

/** By it a run that goes on knows whether the file still has them. */
static int64_t hash_of_taken(const match *m) {
  uint64_t hash = 0;
  for (int64_t i = 0; i < m->n_taken; i++) {
    const tutti_view *view = &m->views[i];
    const int64_t n = view->dims[0] * (view->n_dims > 1 ? view->dims[1] : 1);
    hash = tutti_hash(hash, view->data, n * (int64_t)sizeof(float));
  }
  return (int64_t)hash;
}

static void warn_of_rows(const char *path, const tutti_differences *differences) {
  char text[512];
  tutti_rundir_leak_text(differences, text, sizeof text);
  tutti_log_once(
      TUTTI_LOG_WARNING,
      "model.weights: %s was trained on rows that are validation rows now, so val_loss is too good: %s; "
      "leave these keys as they were, or give data.validation_split=0",
      path, text);
}

/** In the data that they were trained on, weights keep their validation rows, which the seed of the file drew. */
static tutti_status find_split(const tutti_run *run, const tutti_checkpoint_info *info, uint64_t *seed) {
  const char *path = run->fixed.config->model.weights;
  const bool same_data = tutti_rundir_same_data(run, &info->state);
  tutti_config old = {0};
  tutti_differences differences;
  TUTTI_TRY(tutti_config_parse(info->config, path, NULL, 0, &old));
  tutti_config_differences(&old, run->fixed.config, &differences);
  const bool trained = tutti_rundir_was_trained(&old, &info->state);
  const bool loses = trained && tutti_rundir_leaks(run, &old, same_data, &differences);
  if (trained && same_data && !loses && tutti_rundir_validates_on_train(run)) *seed = info->state.split_seed;
  if (loses) warn_of_rows(path, &differences);
  tutti_config_clear(&old);
  return TUTTI_OK;
}

static tutti_status load(const tutti_run *run, float *weights, bool begins, found *result) {
  tutti_checkpoint_info info = {0};
  match m = {0};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, check(run->fixed.config, run->fixed.network.model, weights, &info, &m));
  TUTTI_TRY_GOTO(done, tutti_checkpoint_read_arrays(m.path, m.views, m.n_taken));
  result->takes_scaling = m.takes_first;
  result->hash = hash_of_taken(&m);
  result->features = tutti_rundir_restore_features(info.features);
  if (begins) TUTTI_TRY_GOTO(done, find_split(run, &info, &result->split_seed));
  tell(&m, &info);
done:
  free_match(&m);
  tutti_checkpoint_info_clear(&info);
  return status;
}

/** A failure of the file says which key has named it. */
static tutti_status name_key(tutti_status status) {
  char text[4096];
  if (status == TUTTI_OK || status == TUTTI_ERR_CONFIG) return status;
  snprintf(text, sizeof text, "model.weights: %s", tutti_fail_text());
  tutti_fail_set_text(text);
  return status;
}

tutti_status tutti_rundir_load_weights(tutti_run *run, float *weights, bool begins) {
  const char *path = run->fixed.config->model.weights;
  found result = {.split_seed = run->state.at.split_seed};
  if (!path) return TUTTI_OK;
  const tutti_status local = run->fixed.rank == 0 ? name_key(load(run, weights, begins, &result)) : TUTTI_OK;
  TUTTI_TRY(tutti_agree_from(run->fixed.comm, 0, local));
  TUTTI_TRY(tutti_bcast(run->fixed.comm, 0, &result, sizeof result));
  run->state.at.split_seed = result.split_seed;
  run->state.at.weights_hash = result.hash;
  if (begins) TUTTI_TRY(tutti_run_keep_rows(run));
  if (!result.takes_scaling) return TUTTI_OK;
  return tutti_rundir_restore_scaling(run->fixed.comm, path, result.features, run->fixed.dataset);
}

tutti_status tutti_rundir_check_weights(const tutti_config *config, tutti_model *model) {
  tutti_checkpoint_info info = {0};
  match m = {0};
  if (!config->model.weights) return TUTTI_OK;
  const tutti_status status = name_key(check(config, model, NULL, &info, &m));
  free_match(&m);
  tutti_checkpoint_info_clear(&info);
  return status;
}
