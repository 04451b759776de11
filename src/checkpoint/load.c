/* Reads the arrays of a checkpoint into a model and its optimizer.  All names and shapes are compared first, so that a
 * checkpoint of another model fails before it has changed anything.  Resume, eval, predict and model.weights call
 * it. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "checkpoint/checkpoint_impl.h"

// --- does it fit the views?

typedef struct {
  const tutti_view *views; // [n]
  int64_t n;
} view_list;

static bool is_below(const char *name, const char *group) {
  const size_t length = strlen(group);
  return strncmp(name, group, length) == 0 && name[length] == '/';
}

/** "velocity" of "/optimizer/velocity/dense/kernel", into `slot`. */
static const char *slot_of(const char *name, char slot[64]) {
  const char *begin = name + strlen(TUTTI_CHECKPOINT_OPTIMIZER "/");
  slot[0] = '\0';
  tutti_text_append(slot, 64, "%.*s", (int)strcspn(begin, "/"), begin);
  return slot;
}

/** "784 x 512" */
static const char *shape_text(int n_dims, const int64_t *dims, char text[128]) {
  text[0] = '\0';
  for (int i = 0; i < n_dims; i++) tutti_text_append(text, 128, "%s%lld", i ? " x " : "", (long long)dims[i]);
  return n_dims > 0 ? text : "a single number";
}

/** A layer that was frozen has no numbers in a slot, but other layers have. */
static bool is_slot_of_others(const tutti_file *file, const char *name) {
  char slot[64], group[128];
  snprintf(group, sizeof group, TUTTI_CHECKPOINT_OPTIMIZER "/%s", slot_of(name, slot));
  return tutti_file_has(file, group);
}

/** A missing weight means another model, a missing slot another optimizer or a frozen layer; the text says which. */
static tutti_status check_there(const tutti_file *file, const char *name) {
  const char *path = tutti_file_path(file);
  char slot[64];
  if (tutti_file_has(file, name)) return TUTTI_OK;
  TUTTI_CHECK(
      !is_below(name, TUTTI_CHECKPOINT_OPTIMIZER) || !is_slot_of_others(file, name), TUTTI_ERR_DATA,
      "%s: the optimizer slot '%s' has no %s: that layer had trainable=no there, or belongs to another "
      "model; leave model.layers as they were, or start a new run, with model.weights from the weights alone",
      path, slot_of(name, slot), name);
  TUTTI_CHECK(!is_below(name, TUTTI_CHECKPOINT_OPTIMIZER), TUTTI_ERR_DATA,
              "%s: has no optimizer slot '%s' (%s is missing): the checkpoint was made with another "
              "optimizer; continue with that one, or start a new run",
              path, slot_of(name, slot), name);
  TUTTI_FAIL(TUTTI_ERR_DATA, "%s: has no %s, which this model has: a checkpoint of another model", path,
             name);
}

/** Compare one array of the file with the view, before any number is read. */
static tutti_status check_view(const tutti_file *file, const tutti_view *view) {
  tutti_array_shape shape;
  char there[128], wanted[128];
  TUTTI_TRY(check_there(file, view->name));
  TUTTI_TRY(tutti_file_shape(file, view->name, &shape));
  TUTTI_CHECK(shape.type_class == TUTTI_CLASS_REAL, TUTTI_ERR_DATA,
              "%s: %s does not contain floating-point numbers", tutti_file_path(file), view->name);
  bool same = shape.n_dims == view->n_dims;
  for (int i = 0; same && i < view->n_dims; i++) same = shape.dims[i] == view->dims[i];
  TUTTI_CHECK(same, TUTTI_ERR_DATA, "%s: %s is %s, this model has %s", tutti_file_path(file), view->name,
              shape_text(shape.n_dims, shape.dims, there), shape_text(view->n_dims, view->dims, wanted));
  return TUTTI_OK;
}

/** An array of the file that no view names would be lost silently. */
static tutti_status check_is_viewed(const tutti_file *file, const char *name, const tutti_array_shape *shape,
                                    void *context) {
  const view_list *list = context;
  const char *path = tutti_file_path(file);
  char slot[64];
  (void)shape;
  for (int64_t i = 0; i < list->n; i++)
    if (strcmp(list->views[i].name, name) == 0) return TUTTI_OK;
  TUTTI_CHECK(!is_below(name, TUTTI_CHECKPOINT_OPTIMIZER), TUTTI_ERR_DATA,
              "%s: has the optimizer slot '%s' (%s), which this optimizer does not keep: the checkpoint was "
              "made with another optimizer; continue with that one, or start a new run",
              path, slot_of(name, slot), name);
  TUTTI_FAIL(TUTTI_ERR_DATA, "%s: has %s, which this model does not have: a checkpoint of another model",
             path, name);
}

/** The views include all weights of the file, and all slots or none: an evaluation needs no slots. */
static tutti_status check_nothing_left(const tutti_file *file, view_list *list) {
  bool wants_slots = false;
  for (int64_t i = 0; i < list->n; i++)
    wants_slots = wants_slots || is_below(list->views[i].name, TUTTI_CHECKPOINT_OPTIMIZER);
  if (tutti_file_has(file, TUTTI_CHECKPOINT_WEIGHTS))
    TUTTI_TRY(tutti_checkpoint_walk(file, TUTTI_CHECKPOINT_WEIGHTS, check_is_viewed, list));
  if (wants_slots) TUTTI_TRY(tutti_checkpoint_walk(file, TUTTI_CHECKPOINT_OPTIMIZER, check_is_viewed, list));
  return TUTTI_OK;
}

// --- reading

static tutti_status read_history(const tutti_file *file, const tutti_table_layout *layout, void *history) {
  int64_t n = 0;
  TUTTI_TRY(tutti_table_rows(file, "/history", &n));
  if (n == 0) return TUTTI_OK;
  TUTTI_TRY(tutti_file_check_stored(file, "/history"));
  return tutti_table_read(file, "/history", layout->columns, layout->n_columns, layout->record_bytes, 0, n,
                          history);
}

/** @param[in] whole  the views have to name all arrays, see check_nothing_left */
static tutti_status check(const tutti_file *file, view_list list, bool whole) {
  for (int64_t i = 0; i < list.n; i++) TUTTI_TRY(check_view(file, &list.views[i]));
  return whole ? check_nothing_left(file, &list) : TUTTI_OK;
}

static tutti_status load(const tutti_file *file, view_list list, bool whole) {
  TUTTI_TRY(check(file, list, whole));
  for (const tutti_view *view = list.views; view < list.views + list.n; view++)
    TUTTI_TRY(tutti_checkpoint_read_array(file, view->name, tutti_view_type(view),
                                          view->n_dims > 0 ? view->dims[0] : 1, view->data));
  return TUTTI_OK;
}

tutti_status tutti_checkpoint_load(const char *path, const tutti_view *views, int64_t n_views,
                                   const tutti_table_layout *layout, void *history) {
  tutti_file *file = NULL;
  TUTTI_TRY(tutti_checkpoint_open(path, &file));
  tutti_status status = load(file, (view_list){views, n_views}, true);
  if (status == TUTTI_OK && history) status = read_history(file, layout, history);
  return tutti_checkpoint_close(&file, status);
}

tutti_status tutti_checkpoint_read_arrays(const char *path, const tutti_view *views, int64_t n) {
  tutti_file *file = NULL;
  TUTTI_TRY(tutti_checkpoint_open(path, &file));
  return tutti_checkpoint_close(&file, load(file, (view_list){views, n}, false));
}

tutti_status tutti_checkpoint_compare(const char *path, const tutti_view *views, int64_t n_views) {
  tutti_file *file = NULL;
  TUTTI_TRY(tutti_checkpoint_open(path, &file));
  return tutti_checkpoint_close(&file, check(file, (view_list){views, n_views}, true));
}
