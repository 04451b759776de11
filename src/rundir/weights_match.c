/** Which arrays of a checkpoint a network can begin with.  Arrays are compared by name and shape.  The user may leave
 * some out by model.weights_skip; any other difference is refused with the full list, so that it can be fixed at once.
 * weights.c uses it, with or without reading the arrays. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "rundir/rundir_impl.h"

#define WEIGHTS "/model/weights"

enum { NAME_BYTES = sizeof((tutti_view *)0)->name, LIST_BYTES = TUTTI_RUNDIR_LIST_BYTES };

// --- names -----------------------------------------------------------------------------------------------

/** "dense/kernel" of a view. */
static const char *short_name(const tutti_view *view) {
  return view->name + strlen(WEIGHTS "/");
}

/** Whether `name` is the array, or the layer that the array is in. */
static bool is_of(const char *array, const char *name) {
  const size_t n = strlen(name);
  return strncmp(array, name, n) == 0 && (array[n] == '\0' || array[n] == '/');
}

/** Take the next name from a list separated by commas or spaces, and advance *list.  @return false: there is none */
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

static void add_misfit(tutti_rundir_match *m, const tutti_view *view, const char *what) {
  char layer[NAME_BYTES];
  const char *name = short_name(view);
  snprintf(layer, sizeof layer, "%.*s", (int)strcspn(name, "/"), name);
  tutti_text_append(m->misfits, sizeof m->misfits, "%s%s %s", m->misfits[0] ? ", " : "", name, what);
  if (!is_in(m->layers, name)) tutti_text_append_name(m->layers, LIST_BYTES, layer);
}

/** Compare an array of the network with the file.  @return whether it is read */
static bool compare(tutti_rundir_match *m, const tutti_view *view) {
  const tutti_view *there = find(m->stored, m->n_stored, view->name);
  char a[64], b[64], what[160];
  if (is_in(m->skip, short_name(view))) {
    tutti_text_append_name(m->initial, LIST_BYTES, short_name(view));
    return false;
  }
  if (there && same_shape(there, view)) return true;
  snprintf(what, sizeof what, "is not in it");
  if (there)
    snprintf(what, sizeof what, "is %s there and %s here", shape_text(there, a), shape_text(view, b));
  add_misfit(m, view, what);
  return false;
}

static void compare_all(tutti_rundir_match *m) {
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

/** A name in weights_skip that fits no array is probably misspelt. */
static tutti_status check_skipped(const tutti_rundir_match *m) {
  const char *rest = m->skip;
  char name[NAME_BYTES], all[LIST_BYTES] = "";
  for (int64_t i = 0; i < m->n_views; i++) tutti_text_append_name(all, sizeof all, short_name(&m->views[i]));
  while (next_name(&rest, name)) {
    bool known = false;
    for (int64_t i = 0; i < m->n_views; i++) known = known || is_of(short_name(&m->views[i]), name);
    for (int64_t i = 0; i < m->n_stored; i++) known = known || is_of(short_name(&m->stored[i]), name);
    TUTTI_CHECK(
        known, TUTTI_ERR_CONFIG,
        "model.weights_skip: '%s' is not a layer or array of this network or of %s; the network has %s", name,
        m->path, all);
  }
  return TUTTI_OK;
}

/** The first layer with arrays: the scaling of the rows belongs to it. */
static const char *first_layer(const tutti_model *model) {
  tutti_layer_info info;
  int i = 0;
  do tutti_model_layer(model, i++, &info);
  while (info.n_trainable + info.n_other == 0);
  return info.name;
}

tutti_status tutti_rundir_match_create(const tutti_config *config, tutti_model *model, float *weights,
                                       tutti_rundir_match *m) {
  *m = (tutti_rundir_match){
      .path = config->model.weights, .skip = config->model.weights_skip, .first = first_layer(model)};
  TUTTI_TRY(tutti_checkpoint_list_weights(m->path, &m->stored, &m->n_stored));
  TUTTI_TRY(TUTTI_NEW(m->views, tutti_model_n_arrays(model)));
  tutti_rundir_add_views(model, WEIGHTS, true, weights, m->views, &m->n_views);
  TUTTI_TRY(check_skipped(m));
  compare_all(m);
  TUTTI_CHECK(!m->misfits[0], TUTTI_ERR_CONFIG,
              "model.weights: %s does not fit this network: %s; give model.weights_skip=%s to leave these "
              "out, so that they begin with their usual values, or give the model.layers of the file",
              m->path, m->misfits, m->layers);
  return TUTTI_OK;
}

void tutti_rundir_match_clear(tutti_rundir_match *m) {
  tutti_free(m->views);
  tutti_free(m->stored);
}
