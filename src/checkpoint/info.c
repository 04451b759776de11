/* Reads the content of a checkpoint except for the weights of a model: the state of the training, the config, names of
 * weights and optimizer slots, and single arrays and tables.  Resume, eval, predict, sharpness and `tutti info` call it
 * before they load, or instead. */
#include <stdio.h>
#include <string.h>

#include "base/names.h"
#include "checkpoint/checkpoint_impl.h"

// --- the state and the texts

/** Files of earlier versions lack the attribute, and have the last weights. */
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
  TUTTI_TRY(tutti_checkpoint_read_state(file, &info->state));
  TUTTI_TRY(tutti_file_get_text(file, "/", "config", &info->config));
  info->has_sums = tutti_file_has_checksum(file, "/", "config");
  TUTTI_TRY(tutti_file_get_text(file, "/", "time", &info->time));
  TUTTI_TRY(tutti_file_get_text(file, "/", "version", &info->version));
  if (tutti_file_has_attribute(file, "/", "classes"))
    TUTTI_TRY(tutti_file_get_texts(file, "/", "classes", &info->classes));
  if (tutti_file_has_attribute(file, "/", "features"))
    TUTTI_TRY(tutti_file_get_text(file, "/", "features", &info->features));
  if (tutti_file_has_attribute(file, "/", "products"))
    TUTTI_TRY(tutti_file_get_text(file, "/", "products", &info->products));
  TUTTI_TRY(read_is_average(file, &info->is_average));
  return tutti_table_rows(file, "/history", &info->n_history);
}

tutti_status tutti_checkpoint_read_info(const char *path, tutti_checkpoint_info *info) {
  tutti_file *file = NULL;
  memset(info, 0, sizeof *info);
  TUTTI_TRY(tutti_checkpoint_open(path, &file));
  const tutti_status status = tutti_checkpoint_close(&file, read_info(file, info));
  if (status != TUTTI_OK) tutti_checkpoint_info_clear(info);
  return status;
}

void tutti_checkpoint_info_clear(tutti_checkpoint_info *info) {
  tutti_free(info->config);
  tutti_free(info->time);
  tutti_free(info->version);
  tutti_free(info->features);
  tutti_free(info->products);
  tutti_texts_clear(&info->classes);
  memset(info, 0, sizeof *info);
}

// --- names

tutti_status tutti_checkpoint_list_slots(const char *path, tutti_texts *names) {
  tutti_file *file = NULL;
  *names = (tutti_texts){0};
  TUTTI_TRY(tutti_checkpoint_open(path, &file));
  const bool has_slots = tutti_file_has(file, TUTTI_CHECKPOINT_OPTIMIZER);
  return tutti_checkpoint_close(&file, has_slots ? tutti_file_list(file, TUTTI_CHECKPOINT_OPTIMIZER, names)
                                                 : TUTTI_OK);
}

tutti_status tutti_checkpoint_history_columns(const char *path, tutti_texts *names) {
  tutti_file *file = NULL;
  *names = (tutti_texts){0};
  TUTTI_TRY(tutti_checkpoint_open(path, &file));
  return tutti_checkpoint_close(&file, tutti_table_columns(file, "/history", names));
}

/** The weights that were found so far. */
typedef struct {
  tutti_view *views; // NULL: they are only counted
  int64_t n;
} weight_list;

/** Keep the name and the shape of one array. */
static tutti_status list_weight(const tutti_file *file, const char *name, const tutti_array_shape *shape,
                                void *context) {
  weight_list *list = context;
  tutti_view view = {.n_dims = shape->n_dims};
  TUTTI_CHECK(strlen(name) < sizeof view.name && shape->n_dims <= 2, TUTTI_ERR_DATA,
              "%s: %s is not an array of a network: its name is too long, or it has more than two dimensions",
              tutti_file_path(file), name);
  TUTTI_TRY(tutti_file_check_stored(file, name));
  snprintf(view.name, sizeof view.name, "%s", name);
  for (int i = 0; i < shape->n_dims; i++) view.dims[i] = shape->dims[i];
  if (list->views) list->views[list->n] = view;
  list->n++;
  return TUTTI_OK;
}

/** Two passes: the first one counts. */
static tutti_status list_weights(const tutti_file *file, weight_list *list) {
  TUTTI_CHECK(tutti_file_has(file, TUTTI_CHECKPOINT_WEIGHTS), TUTTI_ERR_DATA,
              "%s: has no " TUTTI_CHECKPOINT_WEIGHTS ": the file is damaged", tutti_file_path(file));
  TUTTI_TRY(tutti_checkpoint_walk(file, TUTTI_CHECKPOINT_WEIGHTS, list_weight, list));
  TUTTI_TRY(TUTTI_NEW(list->views, list->n));
  list->n = 0;
  return tutti_checkpoint_walk(file, TUTTI_CHECKPOINT_WEIGHTS, list_weight, list);
}

tutti_status tutti_checkpoint_list_weights(const char *path, tutti_view **views, int64_t *n) {
  weight_list list = {0};
  tutti_file *file = NULL;
  TUTTI_TRY(tutti_checkpoint_open(path, &file));
  const tutti_status status = tutti_checkpoint_close(&file, list_weights(file, &list));
  if (status != TUTTI_OK) tutti_free(list.views);
  TUTTI_TRY(status);
  *views = list.views;
  *n = list.n;
  return TUTTI_OK;
}

// --- an array

static tutti_status read_vector(const tutti_file *file, const char *name, double **values, int64_t *n) {
  tutti_array_shape shape;
  TUTTI_TRY(tutti_file_shape(file, name, &shape));
  TUTTI_CHECK(shape.n_dims == 1 && shape.type_class == TUTTI_CLASS_REAL, TUTTI_ERR_DATA,
              "%s: %s is not a one-dimensional array of floating-point numbers", tutti_file_path(file), name);
  *n = shape.dims[0];
  TUTTI_TRY(tutti_file_check_stored(file, name)); // before memory is taken for what its shape announces
  TUTTI_TRY(TUTTI_NEW(*values, *n));
  return tutti_checkpoint_read_array(file, name, TUTTI_F64, *n, *values);
}

tutti_status tutti_checkpoint_read_vector(const char *path, const char *name, double **values, int64_t *n) {
  tutti_file *file = NULL;
  *values = NULL;
  *n = 0;
  TUTTI_TRY(tutti_checkpoint_open(path, &file));
  const tutti_status status = tutti_checkpoint_close(&file, read_vector(file, name, values, n));
  if (status != TUTTI_OK) {
    tutti_free(*values);
    *values = NULL;
    *n = 0;
  }
  return status;
}

// --- tables of named records

/** Read one row of the table into the record of the same name, if there is one. */
static tutti_status read_record(const tutti_file *file, const tutti_checkpoint_table *table, const char *name,
                                int64_t row) {
  const tutti_table_layout *layout = &table->layout;
  const int i = tutti_name_find(name, table->names, table->n);
  if (i < 0) return TUTTI_OK;
  return tutti_table_read(file, table->name, layout->columns, layout->n_columns, layout->record_bytes, row, 1,
                          (char *)table->records + (size_t)i * layout->record_bytes);
}

static tutti_status read_records(const tutti_file *file, const tutti_checkpoint_table *table) {
  tutti_texts names;
  tutti_status status = TUTTI_OK;
  if (!tutti_file_has(file, table->name)) return TUTTI_OK;
  TUTTI_TRY(tutti_file_check_stored(file, table->name));
  TUTTI_TRY(tutti_file_get_texts(file, table->name, "names", &names));
  for (int row = 0; row < names.n && status == TUTTI_OK; row++)
    status = read_record(file, table, names.list[row], row);
  tutti_texts_clear(&names);
  return status;
}

tutti_status tutti_checkpoint_read_table(const char *path, const tutti_checkpoint_table *table) {
  tutti_file *file = NULL;
  if (table->n == 0) return TUTTI_OK;
  TUTTI_TRY(tutti_checkpoint_open(path, &file));
  return tutti_checkpoint_close(&file, read_records(file, table));
}
