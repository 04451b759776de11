/* Importing from formats that store one array per file: opens the files in pairs of samples and labels, checks that
 * they belong together, and copies them in pieces, since they may be larger than the memory (a reader may need a
 * whole array at once all the same).  import_idx.c and import_npy.c add how a file is read. */
#include "data/dataset_impl.h"
#include "data/import_impl.h"

tutti_status tutti_import_check_n_dims(const tutti_import_array *a, int max_label_dims) {
  const int least = a->is_labels ? 1 : 2, most = a->is_labels ? max_label_dims : TUTTI_MAX_DIMS;
  TUTTI_CHECK(a->n_dims >= least && a->n_dims <= most, TUTTI_ERR_DATA,
              "%s: has %d dimensions, %s needs %s; are samples and labels swapped?",
              tutti_data_input_path(a->input), a->n_dims, a->option,
              !a->is_labels ? "2 to 8"
              : most == 1   ? "1"
                            : "1 or 2");
  return TUTTI_OK;
}

/** Check the shape before any memory depends on it, because a damaged header may announce anything. */
static tutti_status check_dims(const tutti_array_format *format, tutti_import_array *a) {
  const char *path = tutti_data_input_path(a->input);
  a->row_items = 1;
  for (int i = 0; i < a->n_dims; i++) {
    TUTTI_CHECK(a->dims[i] > 0, TUTTI_ERR_DATA, "%s: dimension %d of %d is 0, there are no data", path, i + 1,
                a->n_dims);
    if (i == 0) continue;
    TUTTI_CHECK(a->dims[i] <= INT32_MAX / a->row_items, TUTTI_ERR_DATA,
                "%s: one sample has more than %d numbers; is this an %s file?", path, INT32_MAX,
                format->name);
    a->row_items *= a->dims[i];
  }
  // Sizes in bytes fit into 64 bits then.
  TUTTI_CHECK(a->dims[0] <= (INT64_C(1) << 50) / a->row_items, TUTTI_ERR_DATA,
              "%s: the header announces more than 2^50 numbers; is this an %s file?", path, format->name);
  return TUTTI_OK;
}

/** A row is read into memory as a whole, so the memory must not follow from what a header announces alone. */
static tutti_status check_size(const tutti_array_format *format, const tutti_import_array *a) {
  const int64_t wanted = a->dims[0] * a->row_items * a->file_bytes;
  const int64_t most = tutti_data_input_most_bytes(a->input);
  TUTTI_CHECK(wanted <= most, TUTTI_ERR_DATA,
              "%s: ends inside its %s: the file is truncated, or its header is damaged: it announces %lld "
              "bytes of them, but the file can have at most %lld",
              tutti_data_input_path(a->input), format->numbers, (long long)wanted, (long long)most);
  return TUTTI_OK;
}

/** The state of the format goes first, because it may use the input. */
static void array_close(const tutti_array_format *format, tutti_import_array *a) {
  if (format->free_state) format->free_state(a);
  tutti_data_input_close(&a->input);
}

/** @param[out] a  only option and is_labels are set; to be closed also after a failure */
static tutti_status array_open(const tutti_array_format *format, const char *path, tutti_import_array *a) {
  TUTTI_TRY(tutti_data_input_open(path, &a->input));
  TUTTI_TRY(format->read_header(a));
  TUTTI_TRY(check_dims(format, a));
  return check_size(format, a);
}

/** The largest label so far, or INT64_MAX if one of the labels is not an integer that may be the id of a class.
 * @param[in] rows     [n] labels
 * @param[in] largest  of the labels before */
static int64_t largest_label(const tutti_import_array *a, const void *rows, int64_t n, int64_t largest) {
  for (int64_t i = 0; i < n; i++) {
    const int64_t label = a->type == TUTTI_U8    ? ((const uint8_t *)rows)[i]
                          : a->type == TUTTI_I32 ? ((const int32_t *)rows)[i]
                          : a->type == TUTTI_I64 ? ((const int64_t *)rows)[i]
                                                 : INT64_MAX;
    if (label < 0 || label > largest) largest = label < 0 ? INT64_MAX : label;
  }
  return largest;
}

/** Copy the rows of a file to the array in pieces.
 * @param[in,out] largest  label so far, see largest_label; NULL for samples */
static tutti_status copy_array(const tutti_array_format *format, tutti_import_array *a, tutti_file *file,
                               int64_t *largest) {
  const int64_t n = a->dims[0], row_bytes = a->row_items * (int64_t)tutti_io_type_bytes(a->type);
  const int64_t piece = tutti_import_rows_at_once(row_bytes);
  char *rows = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(rows, (n < piece ? n : piece) * row_bytes));
  TUTTI_TRY_GOTO(done, tutti_file_create_array(file, a->option, a->type, a->n_dims, a->dims,
                                               tutti_import_level(a->type)));
  for (int64_t first = 0; first < n; first += piece) {
    const int64_t now = n - first < piece ? n - first : piece;
    TUTTI_TRY_GOTO(done, format->read_rows(a, now, rows));
    TUTTI_TRY_GOTO(done, tutti_data_check_finite(tutti_data_input_path(a->input), a->option, a->type, rows,
                                                 first, now, a->row_items));
    if (a->is_labels) *largest = a->row_items > 1 ? INT64_MAX : largest_label(a, rows, now, *largest);
    TUTTI_TRY_GOTO(done, tutti_file_write_rows(file, a->option, a->type, first, now, rows));
  }
  TUTTI_TRY_GOTO(done, tutti_data_input_check_end(a->input));
done:
  tutti_free(rows);
  return status;
}

/** Open both files of a pair, compare their shapes, and copy them.
 * @param[out]    n           number of samples
 * @param[in,out] n_features  0: these are the first samples */
static tutti_status import_pair(const tutti_array_format *format, const tutti_format_option *options,
                                const char *const *paths, tutti_file *file, int64_t *n, int64_t *n_features,
                                int64_t *largest) {
  tutti_import_array x = {.option = options[0].name}, y = {.option = options[1].name, .is_labels = true};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, array_open(format, paths[0], &x));
  TUTTI_TRY_GOTO(done, array_open(format, paths[1], &y));
  TUTTI_CHECK_GOTO(done, x.dims[0] == y.dims[0], TUTTI_ERR_DATA,
                   "%s has %lld samples, but %s has %lld labels", paths[0], (long long)x.dims[0], paths[1],
                   (long long)y.dims[0]);
  TUTTI_CHECK_GOTO(done, *n_features == 0 || *n_features == x.row_items, TUTTI_ERR_DATA,
                   "%s: samples have %lld features, those for training have %lld", paths[0],
                   (long long)x.row_items, (long long)*n_features);
  // Labels are small, so a wrong label is found before the long copy of the samples.
  TUTTI_TRY_GOTO(done, copy_array(format, &y, file, largest));
  TUTTI_TRY_GOTO(done, copy_array(format, &x, file, NULL));
  *n = x.dims[0];
  *n_features = x.row_items;
done:
  array_close(format, &x);
  array_close(format, &y);
  return status;
}

/** Both files of a pair are given, or none.  i ^ 1 is the other option of the pair. */
static tutti_status check_options(const tutti_format_option *options, const char *const *values, int n_pairs,
                                  const char *output) {
  TUTTI_CHECK(values[0] && values[1], TUTTI_ERR_USAGE, "import: both %s and %s are needed", options[0].name,
              options[1].name);
  for (int i = 2; i < 2 * n_pairs; i++)
    TUTTI_CHECK(!values[i] || values[i ^ 1], TUTTI_ERR_USAGE, "import: %s is given without %s",
                options[i].name, options[i ^ 1].name);
  return tutti_import_check_output(output, values, 2 * n_pairs);
}

tutti_status tutti_import_pairs(const tutti_array_format *format, const tutti_format_option *options,
                                const char *const *values, int n_pairs, const char *output,
                                tutti_import_result *result) {
  int64_t n[TUTTI_MAX_FORMAT_OPTIONS / 2] = {0}, n_features = 0, largest = 0;
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, check_options(options, values, n_pairs, output));
  TUTTI_TRY_GOTO(done, tutti_file_create(output, &file));
  for (int i = 0; i < n_pairs; i++)
    if (values[2 * i])
      TUTTI_TRY_GOTO(
          done, import_pair(format, options + 2 * i, values + 2 * i, file, n + i, &n_features, &largest));
  TUTTI_TRY_GOTO(done, tutti_file_commit(&file));
  *result = (tutti_import_result){.n_train = n[0],
                                  .n_test = n[1],
                                  .n_validation = n[2],
                                  .n_features = n_features,
                                  .n_classes = largest < TUTTI_IMPORT_MAX_CLASSES ? (int)largest + 1 : 0};
done:
  tutti_file_close(&file);
  return status;
}
