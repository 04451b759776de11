#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "checkpoint/checkpoint_impl.h"

#define WEIGHTS   "/model/weights"
#define OPTIMIZER "/optimizer"

static tutti_status check_format(const tutti_file *file) {
  const char *path = tutti_file_path(file);
  int64_t format = 0;
  TUTTI_CHECK(tutti_file_has_attribute(file, "/", "format") && tutti_file_has_attribute(file, "/", "step"),
              TUTTI_ERR_DATA, "%s: is no checkpoint of tutti: its root has no attributes 'format' and 'step'",
              path);
  TUTTI_TRY(tutti_file_get_integer(file, "/", "format", &format));
  TUTTI_CHECK(format >= 1 && format <= TUTTI_CHECKPOINT_FORMAT, TUTTI_ERR_DATA,
              "%s: is a checkpoint of format %lld, tutti %s reads formats up to %d; use a newer tutti", path,
              (long long)format, TUTTI_VERSION, TUTTI_CHECKPOINT_FORMAT);
  return TUTTI_OK;
}

tutti_status tutti_checkpoint_open(const char *path, tutti_file **file) {
  TUTTI_TRY(tutti_file_open(path, file));
  const tutti_status status = check_format(*file);
  if (status != TUTTI_OK) tutti_file_close(file);
  TUTTI_TRY(status);
  return TUTTI_OK;
}

// --- what a file holds

static tutti_status read_is_average(const tutti_file *file, bool *is_average) {
  char *text = NULL;
  *is_average = false;
  if (!tutti_file_has_attribute(file, "/", TUTTI_WEIGHTS_ATTRIBUTE)) return TUTTI_OK;
  TUTTI_TRY(tutti_file_get_text(file, "/", TUTTI_WEIGHTS_ATTRIBUTE, &text));
  *is_average = strcmp(text, TUTTI_WEIGHTS_AVERAGE) == 0;
  tutti_free(text);
  return TUTTI_OK;
}

static tutti_status read_info(const tutti_file *file, tutti_checkpoint_info *info) {
  TUTTI_TRY(tutti_state_read(file, &info->state));
  TUTTI_TRY(tutti_file_get_text(file, "/", "config", &info->config));
  TUTTI_TRY(tutti_file_get_text(file, "/", "time", &info->time));
  TUTTI_TRY(tutti_file_get_text(file, "/", "version", &info->version));
  if (tutti_file_has_attribute(file, "/", "classes"))
    TUTTI_TRY(tutti_file_get_texts(file, "/", "classes", &info->classes, &info->n_classes));
  if (tutti_file_has_attribute(file, "/", "features"))
    TUTTI_TRY(tutti_file_get_text(file, "/", "features", &info->features));
  TUTTI_TRY(read_is_average(file, &info->is_average));
  TUTTI_TRY(tutti_table_rows(file, "/history", &info->n_history));
  return TUTTI_OK;
}

tutti_status tutti_checkpoint_read_info(const char *path, tutti_checkpoint_info *info) {
  tutti_file *file = NULL;
  memset(info, 0, sizeof *info);
  TUTTI_TRY(tutti_checkpoint_open(path, &file));
  const tutti_status status = read_info(file, info);
  tutti_file_close(&file);
  if (status != TUTTI_OK) tutti_checkpoint_info_clear(info);
  TUTTI_TRY(status);
  return TUTTI_OK;
}

void tutti_checkpoint_info_clear(tutti_checkpoint_info *info) {
  tutti_free(info->config);
  tutti_free(info->time);
  tutti_free(info->version);
  tutti_free(info->features);
  tutti_file_list_free(&info->classes, info->n_classes);
  memset(info, 0, sizeof *info);
}

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
  const char *begin = name + strlen(OPTIMIZER "/");
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

/** A layer that was frozen has no numbers in a slot that others have. */
static bool is_slot_of_others(const tutti_file *file, const char *name) {
  char slot[64], group[128];
  snprintf(group, sizeof group, OPTIMIZER "/%s", slot_of(name, slot));
  return tutti_file_has(file, group);
}

static tutti_status check_there(const tutti_file *file, const char *name) {
  const char *path = tutti_file_path(file);
  char slot[64];
  if (tutti_file_has(file, name)) return TUTTI_OK;
  TUTTI_CHECK(
      !is_below(name, OPTIMIZER) || !is_slot_of_others(file, name), TUTTI_ERR_DATA,
      "%s: the optimizer slot '%s' has no %s: that layer had trainable=no there, or is another model's; "
      "leave model.layers as they were, or begin anew, with model.weights from the weights alone",
      path, slot_of(name, slot), name);
  TUTTI_CHECK(
      !is_below(name, OPTIMIZER), TUTTI_ERR_DATA,
      "%s: has no optimizer slot '%s' (%s is missing): the checkpoint was made with another optimizer; go on "
      "with that one, or begin anew",
      path, slot_of(name, slot), name);
  TUTTI_FAIL(TUTTI_ERR_DATA, "%s: has no %s, which this model wants: a checkpoint of another model", path,
             name);
}

static tutti_status check_view(const tutti_file *file, const tutti_view *view) {
  tutti_array_shape shape;
  char there[128], wanted[128];
  TUTTI_TRY(check_there(file, view->name));
  TUTTI_TRY(tutti_file_shape(file, view->name, &shape));
  TUTTI_CHECK(shape.type_class == TUTTI_CLASS_REAL, TUTTI_ERR_DATA,
              "%s: %s does not hold floating-point numbers", tutti_file_path(file), view->name);
  bool same = shape.n_dims == view->n_dims;
  for (int i = 0; same && i < view->n_dims; i++) same = shape.dims[i] == view->dims[i];
  TUTTI_CHECK(same, TUTTI_ERR_DATA, "%s: %s is %s, this model wants %s", tutti_file_path(file), view->name,
              shape_text(shape.n_dims, shape.dims, there), shape_text(view->n_dims, view->dims, wanted));
  return TUTTI_OK;
}

static tutti_status check_wanted(const tutti_file *file, const char *name, const tutti_array_shape *shape,
                                 void *context) {
  const view_list *list = context;
  const char *path = tutti_file_path(file);
  char slot[64];
  (void)shape;
  for (int64_t i = 0; i < list->n; i++)
    if (strcmp(list->views[i].name, name) == 0) return TUTTI_OK;
  TUTTI_CHECK(!is_below(name, OPTIMIZER), TUTTI_ERR_DATA,
              "%s: has the optimizer slot '%s' (%s), which this optimizer does not keep: the checkpoint was "
              "made with "
              "another optimizer; go on with that one, or begin anew",
              path, slot_of(name, slot), name);
  TUTTI_FAIL(TUTTI_ERR_DATA, "%s: has %s, which this model does not have: a checkpoint of another model",
             path, name);
}

/** Nothing is left over in the file: all weights are asked for, and all slots where any is (an evaluation
 * wants none). */
static tutti_status check_nothing_left(const tutti_file *file, view_list *list) {
  bool wants_slots = false;
  for (int64_t i = 0; i < list->n; i++) wants_slots = wants_slots || is_below(list->views[i].name, OPTIMIZER);
  if (tutti_file_has(file, WEIGHTS)) TUTTI_TRY(tutti_checkpoint_walk(file, WEIGHTS, check_wanted, list));
  if (wants_slots) TUTTI_TRY(tutti_checkpoint_walk(file, OPTIMIZER, check_wanted, list));
  return TUTTI_OK;
}

// --- reading

/** A file that went through other hands may have lost numbers, which would be read as zeros. */
static tutti_status read_array(const tutti_file *file, const char *name, tutti_type type, int64_t rows,
                               void *data) {
  TUTTI_TRY(tutti_file_check_stored(file, name));
  return tutti_file_read_rows(file, name, type, 0, rows, data);
}

static tutti_status read_arrays(const tutti_file *file, const view_list *list) {
  for (int64_t i = 0; i < list->n; i++) {
    const tutti_view *view = &list->views[i];
    const int64_t rows = view->n_dims > 0 ? view->dims[0] : 1;
    TUTTI_TRY(read_array(file, view->name, tutti_view_type(view), rows, view->data));
  }
  return TUTTI_OK;
}

static tutti_status read_history(const tutti_file *file, const tutti_table_layout *layout, void *history) {
  int64_t n = 0;
  TUTTI_TRY(tutti_table_rows(file, "/history", &n));
  if (n == 0) return TUTTI_OK;
  TUTTI_TRY(tutti_file_check_stored(file, "/history"));
  TUTTI_TRY(tutti_table_read(file, "/history", layout->columns, layout->n_columns, layout->record_bytes, 0, n,
                             history));
  return TUTTI_OK;
}

tutti_status tutti_checkpoint_list_slots(const char *path, char ***names, int *n) {
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  *names = NULL;
  *n = 0;
  TUTTI_TRY(tutti_checkpoint_open(path, &file));
  if (tutti_file_has(file, OPTIMIZER)) status = tutti_file_list(file, OPTIMIZER, names, n);
  tutti_file_close(&file);
  TUTTI_TRY(status);
  return TUTTI_OK;
}

tutti_status tutti_checkpoint_history_columns(const char *path, char ***names, int *n) {
  tutti_file *file = NULL;
  *names = NULL;
  *n = 0;
  TUTTI_TRY(tutti_checkpoint_open(path, &file));
  const tutti_status status = tutti_table_columns(file, "/history", names, n);
  tutti_file_close(&file);
  TUTTI_TRY(status);
  return TUTTI_OK;
}

tutti_status tutti_checkpoint_load(const char *path, const tutti_view *views, int64_t n_views,
                                   const tutti_table_layout *layout, void *history) {
  view_list list = {views, n_views};
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_checkpoint_open(path, &file));
  for (int64_t i = 0; i < n_views; i++) TUTTI_TRY_GOTO(done, check_view(file, &views[i]));
  TUTTI_TRY_GOTO(done, check_nothing_left(file, &list));
  TUTTI_TRY_GOTO(done, read_arrays(file, &list));
  if (history) TUTTI_TRY_GOTO(done, read_history(file, layout, history));
done:
  tutti_file_close(&file);
  return status;
}

tutti_status tutti_checkpoint_read_arrays(const char *path, const tutti_view *views, int64_t n) {
  const view_list list = {views, n};
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_checkpoint_open(path, &file));
  for (int64_t i = 0; i < n; i++) TUTTI_TRY_GOTO(done, check_view(file, &views[i]));
  TUTTI_TRY_GOTO(done, read_arrays(file, &list));
done:
  tutti_file_close(&file);
  return status;
}

/** views NULL: they are only counted. */
typedef struct {
  tutti_view *views;
  int64_t n;
} weight_list;

static tutti_status list_weight(const tutti_file *file, const char *name, const tutti_array_shape *shape,
                                void *context) {
  weight_list *list = context;
  tutti_view view = {.n_dims = shape->n_dims};
  TUTTI_CHECK(strlen(name) < sizeof view.name && shape->n_dims <= 2, TUTTI_ERR_DATA,
              "%s: %s is no array of a network: its name is too long, or it has over two dimensions",
              tutti_file_path(file), name);
  snprintf(view.name, sizeof view.name, "%s", name);
  for (int i = 0; i < shape->n_dims; i++) view.dims[i] = shape->dims[i];
  if (list->views) list->views[list->n] = view;
  list->n++;
  return TUTTI_OK;
}

static tutti_status list_weights(const tutti_file *file, weight_list *list) {
  TUTTI_CHECK(tutti_file_has(file, WEIGHTS), TUTTI_ERR_DATA, "%s: has no " WEIGHTS ": damaged",
              tutti_file_path(file));
  TUTTI_TRY(tutti_checkpoint_walk(file, WEIGHTS, list_weight, list));
  TUTTI_TRY(TUTTI_NEW(list->views, list->n));
  list->n = 0;
  return tutti_checkpoint_walk(file, WEIGHTS, list_weight, list);
}

tutti_status tutti_checkpoint_list_weights(const char *path, tutti_view **views, int64_t *n) {
  weight_list list = {0};
  tutti_file *file = NULL;
  TUTTI_TRY(tutti_checkpoint_open(path, &file));
  const tutti_status status = list_weights(file, &list);
  tutti_file_close(&file);
  if (status != TUTTI_OK) tutti_free(list.views);
  TUTTI_TRY(status);
  *views = list.views;
  *n = list.n;
  return TUTTI_OK;
}

static tutti_status read_vector(const tutti_file *file, const char *name, double **values, int64_t *n) {
  tutti_array_shape shape;
  TUTTI_TRY(tutti_file_shape(file, name, &shape));
  TUTTI_CHECK(shape.n_dims == 1 && shape.type_class == TUTTI_CLASS_REAL, TUTTI_ERR_DATA,
              "%s: %s is no one-dimensional array of floating-point numbers", tutti_file_path(file), name);
  *n = shape.dims[0];
  TUTTI_TRY(TUTTI_NEW(*values, *n));
  TUTTI_TRY(read_array(file, name, TUTTI_F64, *n, *values));
  return TUTTI_OK;
}

tutti_status tutti_checkpoint_read_vector(const char *path, const char *name, double **values, int64_t *n) {
  tutti_file *file = NULL;
  *values = NULL;
  *n = 0;
  TUTTI_TRY(tutti_checkpoint_open(path, &file));
  const tutti_status status = read_vector(file, name, values, n);
  tutti_file_close(&file);
  if (status != TUTTI_OK) {
    tutti_free(*values);
    *values = NULL;
    *n = 0;
  }
  TUTTI_TRY(status);
  return TUTTI_OK;
}

// --- tables of named records

static tutti_status read_record(const tutti_file *file, const tutti_checkpoint_table *table, const char *name,
                                int64_t row) {
  for (int i = 0; i < table->n; i++)
    if (strcmp(table->names[i], name) == 0)
      TUTTI_TRY(tutti_table_read(file, table->name, table->layout.columns, table->layout.n_columns,
                                 table->layout.record_bytes, row, 1,
                                 (char *)table->records + (size_t)i * table->layout.record_bytes));
  return TUTTI_OK;
}

static tutti_status read_records(const tutti_file *file, const tutti_checkpoint_table *table) {
  char **names = NULL;
  int n = 0;
  tutti_status status = TUTTI_OK;
  if (!tutti_file_has(file, table->name)) return TUTTI_OK;
  TUTTI_TRY(tutti_file_check_stored(file, table->name));
  TUTTI_TRY(tutti_file_get_texts(file, table->name, "names", &names, &n));
  for (int row = 0; row < n && status == TUTTI_OK; row++) status = read_record(file, table, names[row], row);
  tutti_file_list_free(&names, n);
  TUTTI_TRY(status);
  return TUTTI_OK;
}

tutti_status tutti_checkpoint_read_table(const char *path, const tutti_checkpoint_table *table) {
  tutti_file *file = NULL;
  if (table->n == 0) return TUTTI_OK;
  TUTTI_TRY(tutti_checkpoint_open(path, &file));
  const tutti_status status = read_records(file, table);
  tutti_file_close(&file);
  TUTTI_TRY(status);
  return TUTTI_OK;
}
