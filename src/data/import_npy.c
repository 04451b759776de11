/* The .npy files of NumPy, versions 1 to 3: "\x93NUMPY", two bytes for the version, the length of the header
 * (little-endian, two bytes in version 1, else four), the header, which is a Python dict with the type, the order and
 * the shape, then the numbers.  Source: "NPY format", numpy.lib.format in NumPy's documentation.  `tutti import npy`
 * calls it through formats.def. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/import_impl.h"

enum { MAGIC_BYTES = 6, MAX_HEADER_BYTES = 1 << 20, DESCR_BYTES = 16, STEP_BYTES = 1 << 22 };

static const char magic[] = "\x93NUMPY";

/** A type of numbers, and the smallest types of the output that hold all of them exactly. */
typedef struct {
  char kind; // b: bool, i: signed, u: unsigned, f: real
  int bytes;
  tutti_type x, y; // for samples, for labels
} number_type;

// The training keeps integers of up to two bytes as float32, but those of int32 as float64: see memory_type in
// layout.c.
static const number_type number_types[] = {
    {'b', 1, TUTTI_U8, TUTTI_U8},   {'u', 1, TUTTI_U8, TUTTI_U8},   {'u', 2, TUTTI_F32, TUTTI_I32},
    {'u', 4, TUTTI_I64, TUTTI_I64}, {'u', 8, TUTTI_I64, TUTTI_I64}, {'i', 1, TUTTI_F32, TUTTI_I32},
    {'i', 2, TUTTI_F32, TUTTI_I32}, {'i', 4, TUTTI_I32, TUTTI_I32}, {'i', 8, TUTTI_I64, TUTTI_I64},
    {'f', 2, TUTTI_F32, TUTTI_F32}, {'f', 4, TUTTI_F32, TUTTI_F32}, {'f', 8, TUTTI_F64, TUTTI_F64}};

typedef struct {
  const number_type *number;
  bool big_endian, columns_first; // columns_first: the first dimension is the fastest one, as in Fortran
  int64_t n_read;                 // rows
  tutti_data_array bytes;         // of the rows of one call; of the whole array if columns_first
} npy;

// --- the header

/** Read the magic bytes, the version and the length of the header.  All minor numbers are accepted. */
static tutti_status read_start(tutti_data_input *input, int64_t *header_bytes) {
  const char *path = tutti_data_input_path(input);
  uint8_t start[MAGIC_BYTES + 2], length[4] = {0};
  int64_t got = 0;
  TUTTI_TRY(tutti_data_input_read(input, start, sizeof start, &got));
  TUTTI_CHECK(got < 2 || memcmp(start, "PK", 2) != 0, TUTTI_ERR_DATA,
              "%s: is an archive such as an .npz file, expected a .npy file; write each of its arrays with "
              "numpy.save",
              path);
  TUTTI_CHECK(got == sizeof start && memcmp(start, magic, MAGIC_BYTES) == 0, TUTTI_ERR_DATA,
              "%s: is not a .npy file: it does not begin with \\x93NUMPY; write it with numpy.save", path);
  const int version = start[MAGIC_BYTES];
  TUTTI_CHECK(version >= 1 && version <= 3, TUTTI_ERR_DATA,
              "%s: has version %d.%d of the .npy format, expected 1.0, 2.0 or 3.0", path, version,
              start[MAGIC_BYTES + 1]);
  TUTTI_TRY(tutti_data_input_read_exactly(input, length, version == 1 ? 2 : 4, "header"));
  *header_bytes = (int64_t)length[3] << 24 | length[2] << 16 | length[1] << 8 | length[0];
  TUTTI_CHECK(*header_bytes <= MAX_HEADER_BYTES, TUTTI_ERR_DATA,
              "%s: the header has %lld bytes, expected at most %d: the file is damaged", path,
              (long long)*header_bytes, MAX_HEADER_BYTES);
  return TUTTI_OK;
}

/** Find the beginning of the value of a quoted key in the header. */
static tutti_status find_value(const char *path, const char *header, const char *key, const char **value) {
  const char *at = strstr(header, key);
  if (at) at += strlen(key) + strspn(at + strlen(key), " :");
  TUTTI_CHECK(at, TUTTI_ERR_DATA, "%s: the header has no %s; it begins with %.60s", path, key, header);
  *value = at;
  return TUTTI_OK;
}

/** Read the type, "'<f4'" in the header: the order of bytes, the kind and the number of bytes. */
static tutti_status read_number_type(const char *path, const char *value, npy *f) {
  char descr[DESCR_BYTES] = "";
  TUTTI_CHECK(
      *value != '[', TUTTI_ERR_DATA,
      "%s: contains records (a structured type), expected numbers; write each field as an array of its own",
      path);
  if (*value == '\'') snprintf(descr, sizeof descr, "%.*s", (int)strcspn(value + 1, "'"), value + 1);
  TUTTI_CHECK(
      !strchr(descr, 'O'), TUTTI_ERR_DATA,
      "%s: contains Python objects, expected numbers; convert them, for example with x.astype('float32')",
      path);
  TUTTI_CHECK(!strpbrk(descr, "US"), TUTTI_ERR_DATA,
              "%s: contains texts, expected numbers; number the classes, for example with "
              "numpy.unique(y, return_inverse=True)[1]",
              path);
  f->big_endian = *descr == '>';
  for (size_t i = 0; i < sizeof number_types / sizeof *number_types && strchr("<>|", *descr) && *descr; i++)
    if (descr[1] == number_types[i].kind && descr[2] == '0' + number_types[i].bytes && descr[3] == '\0')
      f->number = &number_types[i];
  TUTTI_CHECK(f->number, TUTTI_ERR_DATA,
              "%s: contains values of type '%s', expected bool, int8 to int64, uint8 to uint64, or float16 "
              "to float64; "
              "convert them, for example with x.astype('float32')",
              path, descr);
  return TUTTI_OK;
}

/** "(60000, 28, 28)", or "(60000,)". */
static tutti_status read_shape(const char *text, tutti_import_array *a) {
  const char *at = text + 1;
  for (a->n_dims = 0; *text == '(' && *at >= '0' && *at <= '9'; a->n_dims++) {
    char *end = NULL;
    errno = 0;
    const long long dim = strtoll(at, &end, 10);
    if (errno != 0) break;
    if (a->n_dims < TUTTI_MAX_DIMS) a->dims[a->n_dims] = dim;
    at = end + strspn(end, "L, "); // Python 2 wrote 60000L
  }
  TUTTI_CHECK(*text == '(' && *at == ')', TUTTI_ERR_DATA,
              "%s: the header has a shape that cannot be read: %.*s", tutti_data_input_path(a->input),
              (int)strcspn(text, "}"), text);
  return tutti_import_check_n_dims(a, 2);
}

/** Read the three values that the format requires; their order in the dict does not matter. */
static tutti_status parse_header(const char *header, tutti_import_array *a) {
  npy *f = a->state;
  const char *path = tutti_data_input_path(a->input), *descr = NULL, *order = NULL, *shape = NULL;
  TUTTI_TRY(find_value(path, header, "'descr'", &descr));
  TUTTI_TRY(read_number_type(path, descr, f));
  TUTTI_TRY(find_value(path, header, "'fortran_order'", &order));
  TUTTI_CHECK(*order == 'T' || *order == 'F', TUTTI_ERR_DATA,
              "%s: the header has fortran_order: %.*s, expected True or False", path,
              (int)strcspn(order, ",}"), order);
  f->columns_first = *order == 'T';
  TUTTI_TRY(find_value(path, header, "'shape'", &shape));
  a->file_bytes = f->number->bytes;
  a->type = a->is_labels ? f->number->y : f->number->x;
  return read_shape(shape, a);
}

/** The length of the header was checked before, so memory for it is small. */
static tutti_status read_header(tutti_import_array *a) {
  int64_t n = 0;
  char *header = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, read_start(a->input, &n));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(header, n + 1));
  TUTTI_TRY_GOTO(done, tutti_data_input_read_exactly(a->input, header, n, "header"));
  npy *state = NULL;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(state, 1));
  state->bytes = TUTTI_DATA_ARRAY_OF(uint8_t);
  a->state = state;
  TUTTI_TRY_GOTO(done, parse_header(header, a));
done:
  tutti_free(header);
  return status;
}

/** The state may be missing, if the header could not be read. */
static void free_state(tutti_import_array *a) {
  npy *f = a->state;
  if (f) tutti_data_array_free(&f->bytes);
  tutti_free(f);
}

// --- the numbers

/** Byte by byte, so that it works on processors of either byte order. */
static uint64_t bits_of(const npy *f, const uint8_t *from) {
  const int bytes = f->number->bytes;
  uint64_t bits = 0;
  for (int i = 0; i < bytes; i++) bits = bits << 8 | from[f->big_endian ? i : bytes - 1 - i];
  return bits;
}

/** IEEE 754 binary16: sign, five bits of exponent, ten of the fraction. */
static double half_of(uint64_t bits) {
  const int exponent = (int)(bits >> 10 & 31), fraction = (int)(bits & 1023);
  const double size = exponent == 0    ? ldexp(fraction, -24)
                      : exponent == 31 ? (fraction ? NAN : INFINITY)
                                       : ldexp(1024 + fraction, exponent - 25);
  return bits >> 15 ? -size : size;
}

/** The number is IEEE 754 in all three sizes, and so are float and double here. */
static double real_of(const npy *f, uint64_t bits) {
  const uint32_t low = (uint32_t)bits;
  float single = 0;
  double value = 0;
  if (f->number->bytes == 2) return half_of(bits);
  memcpy(&single, &low, sizeof single);
  memcpy(&value, &bits, sizeof value);
  return f->number->bytes == 4 ? single : value;
}

static int64_t integer_of(const npy *f, uint64_t bits) {
  const uint64_t sign = f->number->kind == 'i' ? UINT64_C(1) << (8 * f->number->bytes - 1) : 0;
  return (int64_t)((bits ^ sign) - sign); // extends the sign
}

/** Store one number.  The types of the output were chosen so that no number changes; a double would not hold all of
 * int64. */
static void put(const npy *f, uint64_t bits, tutti_type type, void *rows, int64_t i) {
  if (type == TUTTI_I64)
    ((int64_t *)rows)[i] = integer_of(f, bits);
  else
    tutti_import_put(type, f->number->kind == 'f' ? real_of(f, bits) : (double)integer_of(f, bits), rows, i);
}

/** The place of an item in f->bytes.
 * @param[in] i  row, from the first one of this call on
 * @param[in] j  item of the row */
static const uint8_t *item_at(const npy *f, const tutti_import_array *a, int64_t i, int64_t j) {
  const uint8_t *bytes = f->bytes.data;
  if (!f->columns_first) return bytes + (i * a->row_items + j) * f->number->bytes;
  int64_t at = 0, stride = a->row_items,
          rest = j; // at: of the item among those of its row, first dimension fastest
  for (int d = a->n_dims - 1; d > 0; d--) {
    stride /= a->dims[d];
    at += rest % a->dims[d] * stride;
    rest /= a->dims[d];
  }
  return bytes + (f->n_read + i + at * a->dims[0]) * f->number->bytes;
}

/** Rows in C's order come in pieces; an array in Fortran's order is read as a whole, since a row is all over the
 * file.  The memory grows with what the file really has, because a damaged header may announce anything. */
static tutti_status read_bytes(tutti_import_array *a, int64_t n_rows) {
  npy *f = a->state;
  const int64_t n_bytes = (f->columns_first ? a->dims[0] : n_rows) * a->row_items * f->number->bytes;
  if (f->columns_first && f->bytes.n == n_bytes) return TUTTI_OK;
  for (f->bytes.n = 0; f->bytes.n < n_bytes;) {
    const int64_t left = n_bytes - f->bytes.n, now = left < STEP_BYTES ? left : STEP_BYTES;
    TUTTI_CHECK(
        tutti_data_array_reserve(&f->bytes, f->bytes.n + now) == TUTTI_OK, TUTTI_ERR_MEMORY,
        "%s: no memory for %lld bytes; an array in Fortran's order is needed as a whole, save it with "
        "numpy.ascontiguousarray(x), which is read in pieces",
        tutti_data_input_path(a->input), (long long)n_bytes);
    TUTTI_TRY(tutti_data_input_read_exactly(a->input, (uint8_t *)f->bytes.data + f->bytes.n, now, "numbers"));
    f->bytes.n += now;
  }
  return TUTTI_OK;
}

static tutti_status read_rows(tutti_import_array *a, int64_t n_rows, void *rows) {
  npy *f = a->state;
  TUTTI_TRY(read_bytes(a, n_rows));
  for (int64_t i = 0; i < n_rows; i++)
    for (int64_t j = 0; j < a->row_items; j++) {
      const uint64_t bits = bits_of(f, item_at(f, a, i, j));
      TUTTI_CHECK(f->number->kind != 'u' || bits <= INT64_MAX, TUTTI_ERR_DATA,
                  "%s: row %lld has %llu, expected numbers below 2^63; convert them, for example with "
                  "x.astype('float64')",
                  tutti_data_input_path(a->input), (long long)(f->n_read + i), (unsigned long long)bits);
      put(f, bits, a->type, rows, i * a->row_items + j);
    }
  f->n_read += n_rows;
  return TUTTI_OK;
}

static tutti_status import(const tutti_import_request *request, tutti_import_result *result) {
  static const tutti_array_format format = {.name = ".npy",
                                            .numbers = "numbers",
                                            .read_header = read_header,
                                            .read_rows = read_rows,
                                            .free_state = free_state};
  return tutti_import_pairs(&format, tutti_format_npy.options, request->values, 3, request->output, result);
}

const tutti_format tutti_format_npy = {
    .files = "",
    .options = {{"x_train", "FILE", true},
                {"y_train", "FILE", true},
                {"x_test", "FILE", false},
                {"y_test", "FILE", false},
                {"x_val", "FILE", false},
                {"y_val", "FILE", false}},
    .help = "The first dimension of an array counts the samples; a sample may have any shape.  A label is\n"
            "one number, or one row of numbers.  Types are bool, integers, and floats of 16 to 64 bits.\n"
            "An array in Fortran's order has to fit into memory.",
    .import = import,
};
