/* Writes the data set file of an import, in pieces of rows, with names of classes and columns as attributes.  The
 * imports of CSV and svmlight call it with all rows in memory. */
#include "data/import_impl.h"

enum { PIECE_BYTES = 1 << 22 };

int tutti_import_level(tutti_type type) {
  return type == TUTTI_U8 ? 7 : 6;
}

/** Pieces of some megabytes are as fast as the whole array, and need little memory. */
int64_t tutti_import_rows_at_once(int64_t row_bytes) {
  return row_bytes < PIECE_BYTES ? PIECE_BYTES / row_bytes : 1;
}

tutti_status tutti_import_check_output(const char *output, const char *const *inputs, int n) {
  TUTTI_CHECK(output, TUTTI_ERR_USAGE, "no output file is given");
  for (int i = 0; i < n; i++)
    TUTTI_CHECK(!inputs[i] || !tutti_io_same_file(inputs[i], output), TUTTI_ERR_USAGE,
                "%s is both input and output; give the output another name", output);
  return TUTTI_OK;
}

static int64_t row_at(const tutti_import_table *w, int64_t i) {
  return w->order ? w->order[i] : i;
}

void tutti_import_put(tutti_type type, double value, void *to, int64_t i) {
  if (type == TUTTI_U8)
    ((uint8_t *)to)[i] = (uint8_t)value;
  else if (type == TUTTI_I32)
    ((int32_t *)to)[i] = (int32_t)value;
  else if (type == TUTTI_F32)
    ((float *)to)[i] = (float)value;
  else
    ((double *)to)[i] = value;
}

/** Write features of rows [first, first + n) of the output, in pieces. */
static tutti_status write_x(tutti_file *file, const char *name, const tutti_import_table *w, int64_t first,
                            int64_t n) {
  const int64_t width = w->n_features, row_bytes = width * (int64_t)tutti_io_type_bytes(w->type);
  const int64_t piece = tutti_import_rows_at_once(row_bytes), dims[] = {n, width};
  double *row = NULL;
  char *rows = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(row, width));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(rows, (n < piece ? n : piece) * row_bytes));
  TUTTI_TRY_GOTO(done, tutti_file_create_array(file, name, w->type, 2, dims, tutti_import_level(w->type)));
  for (int64_t at = 0; at < n; at += piece) {
    const int64_t now = n - at < piece ? n - at : piece;
    for (int64_t i = 0; i < now; i++) {
      w->fill(w->context, row_at(w, first + at + i), row);
      for (int64_t j = 0; j < width; j++) tutti_import_put(w->type, row[j], rows, i * width + j);
    }
    TUTTI_TRY_GOTO(done, tutti_file_write_rows(file, name, w->type, at, now, rows));
  }
  if (w->columns)
    TUTTI_TRY_GOTO(done, tutti_file_set_texts(file, name, "columns", (const char *const *)w->columns->list,
                                              w->columns->n));
done:
  tutti_free(row);
  tutti_free(rows);
  return status;
}

/** Bytes hold the ids of most data sets, and make the file small. */
static tutti_type label_type(int n_classes) {
  if (n_classes == 0) return TUTTI_F32;
  return n_classes <= 256 ? TUTTI_U8 : TUTTI_I32;
}

/** Write labels of rows [first, first + n) of the output, with the names of the classes. */
static tutti_status write_y(tutti_file *file, const char *name, const tutti_import_table *w, int64_t first,
                            int64_t n) {
  const tutti_texts *classes = &w->labels->names;
  const tutti_type type = label_type(classes->n);
  char *y = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(y, n * (int64_t)tutti_io_type_bytes(type)));
  for (int64_t i = 0; i < n; i++)
    tutti_import_put(type, (double)w->labels->values[row_at(w, first + i)], y, i);
  TUTTI_TRY_GOTO(done, tutti_file_write(file, name, type, 1, &n, tutti_import_level(type), y));
  if (classes->n > 0)
    TUTTI_TRY_GOTO(
        done, tutti_file_set_texts(file, name, "classes", (const char *const *)classes->list, classes->n));
  if (w->label_name) TUTTI_TRY_GOTO(done, tutti_file_set_text(file, name, "label", w->label_name));
done:
  tutti_free(y);
  return status;
}

tutti_status tutti_import_write(const char *path, const tutti_import_table *w, tutti_import_result *result) {
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_file_create(path, &file));
  tutti_file_leave_texts_open(file);
  TUTTI_TRY_GOTO(done, write_x(file, "x_train", w, 0, w->n_train));
  TUTTI_TRY_GOTO(done, write_y(file, "y_train", w, 0, w->n_train));
  if (w->n_test > 0) {
    TUTTI_TRY_GOTO(done, write_x(file, "x_test", w, w->n_train, w->n_test));
    TUTTI_TRY_GOTO(done, write_y(file, "y_test", w, w->n_train, w->n_test));
  }
  TUTTI_TRY_GOTO(done, tutti_file_commit(&file));
  *result = (tutti_import_result){.n_train = w->n_train,
                                  .n_test = w->n_test,
                                  .n_features = w->n_features,
                                  .n_classes = w->labels->names.n};
done:
  tutti_file_close(&file);
  return status;
}
