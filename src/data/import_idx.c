/* IDX, the format of MNIST's files: two zero bytes, the type of the items, the number of dimensions, each
 * dimension as a big-endian 32-bit integer, then the items, the last dimension fastest. */
#include <stdio.h>
#include <string.h>

#include "data/format.h"
#include "data/input.h"
#include "data/write.h"

enum { IDX_UBYTE = 0x08, HEADER_BYTES = 4 };

typedef struct {
  tutti_input *input;
  int n_dims;
  int64_t dims[TUTTI_MAX_DIMS];
  int64_t row_bytes; // product of the dims after the first
} idx;

static const char header_name[] = "IDX header";

static tutti_status check_whole(const tutti_input *input, int64_t got, int64_t n, const char *what) {
  TUTTI_CHECK(got == n, TUTTI_ERR_DATA, "%s: ends inside its %s: the file is truncated",
              tutti_input_path(input), what);
  return TUTTI_OK;
}

static tutti_status read_exactly(tutti_input *input, void *data, int64_t n, const char *what) {
  int64_t got = 0;
  TUTTI_TRY(tutti_input_read(input, data, n, &got));
  return check_whole(input, got, n, what);
}

static tutti_status read_head(tutti_input *input, uint8_t head[HEADER_BYTES]) {
  int64_t got = 0;
  TUTTI_TRY(tutti_input_read(input, head, HEADER_BYTES, &got));
  TUTTI_CHECK(got > 0, TUTTI_ERR_DATA, "%s: is empty, expected an IDX file", tutti_input_path(input));
  return check_whole(input, got, HEADER_BYTES, header_name);
}

static tutti_status read_dims(idx *f) {
  f->row_bytes = 1;
  for (int i = 0; i < f->n_dims; i++) {
    uint8_t b[4];
    TUTTI_TRY(read_exactly(f->input, b, sizeof b, header_name));
    f->dims[i] = (int64_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
    TUTTI_CHECK(f->dims[i] > 0, TUTTI_ERR_DATA, "%s: dimension %d of %d is 0, there are no data",
                tutti_input_path(f->input), i + 1, f->n_dims);
    if (i > 0) f->row_bytes *= f->dims[i];
    TUTTI_CHECK(f->row_bytes <= INT32_MAX, TUTTI_ERR_DATA,
                "%s: one sample has more than %d bytes; is this an IDX file?", tutti_input_path(f->input),
                INT32_MAX);
  }
  return TUTTI_OK;
}

/** Open and read the header.  `f` is empty after a failure.
 * @param[in] option  whose file it is, for messages */
static tutti_status idx_open(const char *path, const char *option, bool labels, idx *f) {
  tutti_status status = TUTTI_OK;
  uint8_t head[HEADER_BYTES] = {0};
  TUTTI_TRY_GOTO(done, tutti_input_open(path, &f->input));
  TUTTI_TRY_GOTO(done, read_head(f->input, head));
  TUTTI_CHECK_GOTO(done, head[0] == 0 && head[1] == 0, TUTTI_ERR_DATA,
                   "%s: is no IDX file: it begins with %02x %02x, expected 00 00", path, head[0], head[1]);
  TUTTI_CHECK_GOTO(done, head[2] == IDX_UBYTE, TUTTI_ERR_DATA,
                   "%s: holds IDX items of type 0x%02x, only bytes (0x08) are read", path, head[2]);
  f->n_dims = head[3];
  const int least = labels ? 1 : 2, most = labels ? 1 : TUTTI_MAX_DIMS;
  TUTTI_CHECK_GOTO(done, f->n_dims >= least && f->n_dims <= most, TUTTI_ERR_DATA,
                   "%s: has %d dimensions, %s needs %s; are samples and labels swapped?", path, f->n_dims,
                   option, labels ? "1" : "2 to 8");
  TUTTI_TRY_GOTO(done, read_dims(f));
done:
  if (status != TUTTI_OK) tutti_input_close(&f->input);
  return status;
}

static tutti_status check_end(tutti_input *input) {
  char more = 0;
  int64_t got = 0;
  TUTTI_TRY(tutti_input_read(input, &more, 1, &got));
  TUTTI_CHECK(got == 0, TUTTI_ERR_DATA, "%s: goes on after the last item that its header announces",
              tutti_input_path(input));
  return TUTTI_OK;
}

/** The items from file to array in pieces; the largest byte is what labels need. */
static tutti_status copy_array(idx *f, tutti_file *file, const char *name, int *largest) {
  const int64_t n = f->dims[0], piece = tutti_write_piece(f->row_bytes);
  uint8_t *rows = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(rows, (n < piece ? n : piece) * f->row_bytes));
  TUTTI_TRY_GOTO(
      done, tutti_file_create_array(file, name, TUTTI_U8, f->n_dims, f->dims, tutti_write_level(TUTTI_U8)));
  for (int64_t first = 0; first < n; first += piece) {
    const int64_t now = n - first < piece ? n - first : piece;
    TUTTI_TRY_GOTO(done, read_exactly(f->input, rows, now * f->row_bytes, "items"));
    for (int64_t i = 0; i < now * f->row_bytes; i++)
      if (rows[i] > *largest) *largest = rows[i];
    TUTTI_TRY_GOTO(done, tutti_file_write_rows(file, name, TUTTI_U8, first, now, rows));
  }
  TUTTI_TRY_GOTO(done, check_end(f->input));
done:
  tutti_free(rows);
  return status;
}

typedef struct {
  const char *x_path, *y_path; // as the user gave them
  const char *x_name, *y_name; // options and arrays alike
} pair;

static tutti_status import_pair(const pair *p, tutti_file *file, int64_t *n, int64_t *n_features,
                                int *largest_label) {
  idx x = {0}, y = {0};
  int largest = 0;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, idx_open(p->x_path, p->x_name, false, &x));
  TUTTI_TRY_GOTO(done, idx_open(p->y_path, p->y_name, true, &y));
  TUTTI_CHECK_GOTO(done, x.dims[0] == y.dims[0], TUTTI_ERR_DATA,
                   "%s has %lld samples, but %s has %lld labels", p->x_path, (long long)x.dims[0], p->y_path,
                   (long long)y.dims[0]);
  TUTTI_CHECK_GOTO(done, *n_features == 0 || *n_features == x.row_bytes, TUTTI_ERR_DATA,
                   "%s: samples have %lld bytes, those for training have %lld", p->x_path,
                   (long long)x.row_bytes, (long long)*n_features);
  TUTTI_TRY_GOTO(done, copy_array(&y, file, p->y_name, largest_label));
  TUTTI_TRY_GOTO(done, copy_array(&x, file, p->x_name, &largest));
  *n = x.dims[0];
  *n_features = x.row_bytes;
done:
  tutti_input_close(&x.input);
  tutti_input_close(&y.input);
  return status;
}

static tutti_status check_options(const tutti_import_idx_options *o) {
  TUTTI_CHECK(o->x_train && o->y_train, TUTTI_ERR_USAGE, "import idx: both x_train and y_train are needed");
  TUTTI_CHECK(!o->x_test == !o->y_test, TUTTI_ERR_USAGE, "import idx: %s is given without %s",
              o->x_test ? "x_test" : "y_test", o->x_test ? "y_test" : "x_test");
  const char *const inputs[] = {o->x_train, o->y_train, o->x_test, o->y_test};
  return tutti_write_check_output(o->output, inputs, 4);
}

tutti_status tutti_import_idx(const tutti_import_idx_options *options, tutti_import_result *result) {
  const pair train = {options->x_train, options->y_train, "x_train", "y_train"};
  const pair test = {options->x_test, options->y_test, "x_test", "y_test"};
  tutti_import_result made = {0};
  tutti_file *file = NULL;
  int largest_label = 0;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, check_options(options));
  TUTTI_TRY_GOTO(done, tutti_file_create(options->output, &file));
  TUTTI_TRY_GOTO(done, import_pair(&train, file, &made.n_train, &made.n_features, &largest_label));
  if (options->x_test)
    TUTTI_TRY_GOTO(done, import_pair(&test, file, &made.n_test, &made.n_features, &largest_label));
  TUTTI_TRY_GOTO(done, tutti_file_commit(&file));
  made.n_classes = largest_label + 1;
  *result = made;
done:
  tutti_file_close(&file);
  return status;
}

// --- as a format -----------------------------------------------------------------------------------------------

enum { X_TRAIN, Y_TRAIN, X_TEST, Y_TEST };

static tutti_status import(const tutti_import_request *request, tutti_import_result *result) {
  const tutti_import_idx_options given = {.x_train = request->values[X_TRAIN],
                                          .y_train = request->values[Y_TRAIN],
                                          .x_test = request->values[X_TEST],
                                          .y_test = request->values[Y_TEST],
                                          .output = request->output};
  return tutti_import_idx(&given, result);
}

const tutti_format tutti_format_idx = {
    .files = "",
    .options = {[X_TRAIN] = {"x_train", "FILE", true},
                [Y_TRAIN] = {"y_train", "FILE", true},
                [X_TEST] = {"x_test", "FILE", false},
                [Y_TEST] = {"y_test", "FILE", false}},
    .help = "IDX files are those of MNIST: bytes, of any number of dimensions.",
    .import = import,
};
