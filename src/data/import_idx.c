/* IDX, the format of MNIST's files: two zero bytes, the type of the items, the number of dimensions, each dimension as
 * a big-endian 32-bit integer, then the items, with the last dimension fastest.  Source: the page of MNIST by LeCun,
 * Cortes and Burges.  `tutti import idx` calls it through formats.def. */
#include "data/import_impl.h"

enum { IDX_UBYTE = 0x08, HEADER_BYTES = 4 };

/** An empty file is a frequent result of a failed download, so it has a message of its own. */
static tutti_status read_head(tutti_data_input *input, uint8_t head[HEADER_BYTES]) {
  int64_t got = 0;
  TUTTI_TRY(tutti_data_input_read(input, head, 1, &got));
  TUTTI_CHECK(got > 0, TUTTI_ERR_DATA, "%s: is empty, expected an IDX file", tutti_data_input_path(input));
  return tutti_data_input_read_exactly(input, head + 1, HEADER_BYTES - 1, "IDX header");
}

/** Read everything before the items.  Only bytes are read, the type of MNIST. */
static tutti_status read_header(tutti_import_array *a) {
  const char *path = tutti_data_input_path(a->input);
  uint8_t head[HEADER_BYTES] = {0}, b[4];
  TUTTI_TRY(read_head(a->input, head));
  TUTTI_CHECK(head[0] == 0 && head[1] == 0, TUTTI_ERR_DATA,
              "%s: is not an IDX file: it begins with %02x %02x, expected 00 00", path, head[0], head[1]);
  TUTTI_CHECK(head[2] == IDX_UBYTE, TUTTI_ERR_DATA,
              "%s: contains IDX items of type 0x%02x, expected bytes (0x08)", path, head[2]);
  a->n_dims = head[3];
  TUTTI_TRY(tutti_import_check_n_dims(a, 1));
  for (int i = 0; i < a->n_dims; i++) {
    TUTTI_TRY(tutti_data_input_read_exactly(a->input, b, sizeof b, "IDX header"));
    a->dims[i] = (int64_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
  }
  a->type = TUTTI_U8;
  a->file_bytes = 1;
  return TUTTI_OK;
}

static tutti_status read_rows(tutti_import_array *a, int64_t n, void *rows) {
  return tutti_data_input_read_exactly(a->input, rows, n * a->row_items, "items");
}

static tutti_status import(const tutti_import_request *request, tutti_import_result *result) {
  static const tutti_array_format idx = {
      .name = "IDX", .numbers = "items", .read_header = read_header, .read_rows = read_rows};
  return tutti_import_pairs(&idx, tutti_format_idx.options, request->values, 2, request->output, result);
}

const tutti_format tutti_format_idx = {
    .files = "",
    .options = {{"x_train", "FILE", true},
                {"y_train", "FILE", true},
                {"x_test", "FILE", false},
                {"y_test", "FILE", false}},
    .help = "The files contain bytes, in any number of dimensions.",
    .import = import,
};
