/* Shapes and types of the arrays in the file, checked against each other, and their places in the window.  Rank 0
 * reads them when a data set is opened, and each rank that reads rows compares its file with them. */
#include <stdio.h>
#include <string.h>

#include "base/names.h"
#include "base/text.h"
#include "data/dataset_impl.h"

enum { LIST_BYTES = 600, ALIGNMENT = 64 };

// --- messages

/** Write " [60000, 28, 28]". */
static void append_shape(char *text, size_t bytes, const tutti_array_shape *shape) {
  tutti_text_append(text, bytes, " [");
  for (int i = 0; i < shape->n_dims; i++)
    tutti_text_append(text, bytes, "%s%lld", i ? ", " : "", (long long)shape->dims[i]);
  tutti_text_append(text, bytes, "]");
}

/** Write "x_train [60000, 28, 28], y_train [60000]", the arrays in the root of the file, and the hint at the one that
 * `wanted` probably means. */
static void describe(const tutti_file *file, const char *wanted, char list[LIST_BYTES],
                     char hint[TUTTI_HINT_BYTES]) {
  tutti_texts names;
  list[0] = hint[0] = '\0';
  if (tutti_file_list(file, "/", &names) != TUTTI_OK) return;
  for (int i = 0; i < names.n; i++) {
    tutti_array_shape shape;
    if (tutti_file_shape(file, names.list[i], &shape) != TUTTI_OK) continue;
    tutti_text_append_name(list, LIST_BYTES, names.list[i]);
    append_shape(list, LIST_BYTES, &shape);
  }
  tutti_name_hint(tutti_name_nearest(wanted, (const char *const *)names.list, names.n), hint);
  tutti_texts_clear(&names);
}

static tutti_status fail_missing(const tutti_file *file, const char *name) {
  char list[LIST_BYTES], hint[TUTTI_HINT_BYTES];
  describe(file, name, list, hint);
  TUTTI_FAIL(TUTTI_ERR_DATA, "%s: there is no array '%s'%s; arrays there: %s", tutti_file_path(file), name,
             hint, list[0] ? list : "none");
}

/** @param[in] expected  the right shape, in words */
static tutti_status fail_shape(const tutti_file *file, const char *name, const tutti_array_shape *shape,
                               const char *expected) {
  char text[LIST_BYTES] = "";
  append_shape(text, sizeof text, shape);
  TUTTI_FAIL(TUTTI_ERR_DATA, "%s: array '%s' has shape%s, expected %s", tutti_file_path(file), name, text,
             expected);
}

// --- shapes

/** Find the type of the array's numbers in memory: bytes stay bytes, and the others become the smallest float that is
 * exact. */
static tutti_status memory_type(const tutti_file *file, const char *name, const tutti_array_shape *shape,
                                tutti_type *type) {
  TUTTI_CHECK(shape->type_class != TUTTI_CLASS_OTHER, TUTTI_ERR_DATA,
              "%s: array '%s' has no numbers (it has texts or records), expected bytes, integers or floats",
              tutti_file_path(file), name);
  const bool integer = shape->type_class == TUTTI_CLASS_INTEGER;
  if (integer && shape->type_bytes == 1 && !shape->type_signed)
    *type = TUTTI_U8;
  else
    *type = shape->type_bytes <= (integer ? 2 : 4) ? TUTTI_F32 : TUTTI_F64;
  return TUTTI_OK;
}

/** Read the shape of an array of numbers, which has at least one sample, and their type in memory. */
static tutti_status array_shape(const tutti_file *file, const char *name, tutti_array_shape *shape,
                                tutti_type *type) {
  if (!tutti_file_has(file, name)) return fail_missing(file, name);
  TUTTI_TRY(tutti_file_shape(file, name, shape));
  if (shape->n_dims < 1) return fail_shape(file, name, shape, "[N, ...] with N samples");
  for (int i = 0; i < shape->n_dims; i++)
    if (shape->dims[i] < 1) return fail_shape(file, name, shape, "at least 1 in each dimension");
  return memory_type(file, name, shape, type);
}

/** Read the shape of features.  A sample may have any dimensions; its numbers are one row of the window. */
static tutti_status read_x(const tutti_file *file, const char *name, tutti_part *part, int64_t *n_features) {
  tutti_array_shape shape = {0};
  TUTTI_TRY(array_shape(file, name, &shape, &part->type));
  int64_t width = 1;
  for (int i = 1; i < shape.n_dims; i++) {
    if (shape.dims[i] > INT32_MAX / width)
      return fail_shape(file, name, &shape, "less than 2^31 numbers in a sample");
    width *= shape.dims[i];
  }
  if (shape.dims[0] > (INT64_C(1) << 50) / width)
    return fail_shape(file, name, &shape, "what fits in memory");
  TUTTI_CHECK(*n_features == 0 || *n_features == width, TUTTI_ERR_DATA,
              "%s: array '%s' has %lld features, the training samples have %lld", tutti_file_path(file), name,
              (long long)width, (long long)*n_features);
  *n_features = width;
  part->n_file = shape.dims[0];
  return TUTTI_OK;
}

/** Find out whether the targets are the features, as for an autoencoder, and check that this is the same for all
 * sets. */
static tutti_status read_y_of_x(const tutti_file *file, const tutti_dataset *d, tutti_rows which,
                                tutti_layout *layout) {
  tutti_part *const part = &layout->parts[which], *const train = &layout->parts[TUTTI_ROWS_TRAIN];
  const char *other = which == TUTTI_ROWS_TEST ? "test" : "val";
  if (tutti_file_has(file, d->y_name[which]))
    TUTTI_TRY(tutti_file_same_array(file, d->x_name[which], d->y_name[which], &part->y_is_x));
  if (which == TUTTI_ROWS_TRAIN || train->n_file == 0 || part->y_is_x == train->y_is_x) return TUTTI_OK;
  TUTTI_FAIL(
      TUTTI_ERR_DATA,
      "%s: data.y_%s is '%s', the array of the features, but data.y_%s is '%s', which is not: expected the "
      "features as targets of all rows",
      tutti_file_path(file), part->y_is_x ? other : "train",
      d->x_name[part->y_is_x ? which : TUTTI_ROWS_TRAIN], part->y_is_x ? "train" : other,
      d->y_name[part->y_is_x ? TUTTI_ROWS_TRAIN : which]);
}

/** Read the shape of labels: one number per sample, or one row of numbers. */
static tutti_status read_y(const tutti_file *file, const char *x_name, const char *name,
                           const tutti_part *part, int64_t *n_targets) {
  tutti_array_shape shape = {0};
  tutti_type type = TUTTI_F32;
  TUTTI_TRY(array_shape(file, name, &shape, &type));
  if (shape.n_dims > 2)
    return fail_shape(
        file, name, &shape,
        "[N] or [N, K]; for an autoencoder name the features as targets, data.y_train: x_train");
  TUTTI_CHECK(shape.dims[0] == part->n_file, TUTTI_ERR_DATA,
              "%s: array '%s' has %lld rows, but '%s' has %lld; each sample needs a label",
              tutti_file_path(file), name, (long long)shape.dims[0], x_name, (long long)part->n_file);
  const int64_t width = shape.n_dims == 2 ? shape.dims[1] : 1;
  TUTTI_CHECK(*n_targets == 0 || *n_targets == width, TUTTI_ERR_DATA,
              "%s: array '%s' has %lld columns, the training labels have %lld", tutti_file_path(file), name,
              (long long)width, (long long)*n_targets);
  *n_targets = width;
  return TUTTI_OK;
}

/** Read the shape of the weights, one number per training row. */
static tutti_status read_weights(const tutti_file *file, const char *name, tutti_part *part) {
  tutti_array_shape shape = {0};
  tutti_type type = TUTTI_F32;
  TUTTI_TRY(array_shape(file, name, &shape, &type));
  const bool column = shape.n_dims == 1 || (shape.n_dims == 2 && shape.dims[1] == 1);
  if (!column || shape.dims[0] != part->n_file)
    return fail_shape(file, name, &shape, "[N], a weight for each of the training rows");
  part->has_weights = true;
  return TUTTI_OK;
}

static tutti_status check_numbers(const tutti_file *file, const char *name, bool stored) {
  return stored ? tutti_file_check_stored(file, name) : TUTTI_OK;
}

/** Read the shapes of one pair x, y, and of the weights if these are the training rows.  The numbers of an array are
 * checked before the next array is opened: what HDF5 has open decides what it finds in a virtual array. */
static tutti_status read_part(const tutti_file *file, const tutti_dataset *d, tutti_rows which, bool stored,
                              tutti_layout *layout) {
  const char *x = d->x_name[which], *y = d->y_name[which];
  tutti_part *part = &layout->parts[which];
  if (!x) return TUTTI_OK;
  // A file may lack a test or validation set, but not an array that is read alone or under a name of its own.
  const bool usual = which == TUTTI_ROWS_TEST || strcmp(x, TUTTI_X_VAL) == 0;
  const bool optional = which != TUTTI_ROWS_TRAIN && usual && d->x_name[TUTTI_ROWS_TRAIN];
  if (optional && !tutti_file_has(file, x) && !tutti_file_has(file, y)) return TUTTI_OK;
  TUTTI_TRY(read_x(file, x, part, &layout->n_features));
  TUTTI_TRY(check_numbers(file, x, stored));
  if (y) TUTTI_TRY(read_y_of_x(file, d, which, layout));
  if (part->y_is_x)
    layout->n_targets = layout->n_features;
  else if (y) {
    TUTTI_TRY(read_y(file, x, y, part, &layout->n_targets));
    TUTTI_TRY(check_numbers(file, y, stored));
  }
  if (d->w_name && which == TUTTI_ROWS_TRAIN) {
    TUTTI_TRY(read_weights(file, d->w_name, part));
    TUTTI_TRY(check_numbers(file, d->w_name, stored));
  }
  part->n = d->limit[which] > 0 && d->limit[which] < part->n_file ? d->limit[which] : part->n_file;
  return TUTTI_OK;
}

/** Reserve `bytes` at the end of the window.  @return where they begin */
static int64_t reserve(int64_t *end, int64_t bytes) {
  const int64_t at = *end;
  *end += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  return at;
}

tutti_status tutti_dataset_read_layout(const tutti_file *file, const tutti_dataset *d, bool stored,
                                       tutti_layout *layout) {
  *layout = (tutti_layout){0};
  for (tutti_rows which = 0; which < TUTTI_N_ROWS; which++)
    TUTTI_TRY(read_part(file, d, which, stored, layout));
  for (tutti_rows which = 0; which < TUTTI_N_ROWS; which++) {
    tutti_part *part = &layout->parts[which];
    part->x_at =
        reserve(&layout->bytes, part->n * layout->n_features * (int64_t)tutti_io_type_bytes(part->type));
    if (part->has_weights) part->w_at = reserve(&layout->bytes, part->n * (int64_t)sizeof(float));
    if (!part->y_is_x)
      part->y_at = reserve(&layout->bytes, part->n * layout->n_targets * (int64_t)sizeof(float));
  }
  layout->stamp_at = reserve(&layout->bytes, sizeof(tutti_file_stamp));
  return TUTTI_OK;
}

tutti_status tutti_data_only_array(const tutti_file *file, char **name) {
  tutti_texts names = {0};
  char list[LIST_BYTES], hint[TUTTI_HINT_BYTES];
  int n_arrays = 0, only = 0;
  tutti_array_shape shape;
  tutti_status status = TUTTI_OK;
  *name = NULL;
  TUTTI_TRY_GOTO(done, tutti_file_list(file, "/", &names));
  for (int i = 0; i < names.n; i++)
    if (tutti_file_shape(file, names.list[i], &shape) == TUTTI_OK) only = ++n_arrays == 1 ? i : only;
  describe(file, "", list, hint);
  TUTTI_CHECK_GOTO(done, n_arrays == 1 || tutti_file_has(file, "x_test"), TUTTI_ERR_DATA,
                   "%s: which array? Name it after the file, as FILE:ARRAY; arrays there: %s",
                   tutti_file_path(file), list[0] ? list : "none");
  TUTTI_TRY_GOTO(done, TUTTI_COPY(*name, n_arrays == 1 ? names.list[only] : "x_test"));
done:
  tutti_texts_clear(&names);
  return status;
}
