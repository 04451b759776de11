/* Arrays of numbers: their shape, their rows, and new arrays in chunks.  HDF5 converts the numbers to the type that the caller
 * asks for.  The data set, checkpoints and import call it. */
#include <string.h>

#include "io/io_impl.h"

/* A chunk is read, checked and decompressed as one.  It is small enough that a piece of an array costs little more than the
 * piece, large enough that the index is short, and fits into HDF5's cache of 1 MiB. */
enum { CHUNK_BYTES = 1 << 19 };

// --- shapes

static tutti_status describe_type(const tutti_file *file, const char *name, hid_t type,
                                  tutti_array_shape *shape) {
  tutti_status status = TUTTI_OK;
  hid_t base = H5I_INVALID_HID;
  H5T_class_t type_class = H5Tget_class(type);
  // h5py stores booleans as an enumeration of bytes.
  if (type_class == H5T_ENUM) {
    TUTTI_H5_GET(done, base, H5Tget_super(type), TUTTI_ERR_DATA, "%s: type of '%s'", file->path, name);
    type = base;
    type_class = H5Tget_class(type);
  }
  shape->type_class = type_class == H5T_INTEGER ? TUTTI_CLASS_INTEGER
                      : type_class == H5T_FLOAT ? TUTTI_CLASS_REAL
                                                : TUTTI_CLASS_OTHER;
  shape->type_bytes = (int)H5Tget_size(type);
  shape->type_signed = type_class == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_2;
done:
  tutti_io_h5_release(base);
  return status;
}

/** A null data space has no numbers and no shape, so it cannot be a data set. */
static tutti_status describe_space(const tutti_file *file, const char *name, hid_t space,
                                   tutti_array_shape *shape) {
  tutti_status status = TUTTI_OK;
  hsize_t dims[H5S_MAX_RANK];
  TUTTI_CHECK(H5Sget_simple_extent_type(space) != H5S_NULL, TUTTI_ERR_DATA, "%s: array '%s' has no content",
              file->path, name);
  TUTTI_H5_GET(done, shape->n_dims, H5Sget_simple_extent_dims(space, dims, NULL), TUTTI_ERR_DATA,
               "%s: shape of '%s'", file->path, name);
  TUTTI_CHECK(shape->n_dims <= TUTTI_MAX_DIMS, TUTTI_ERR_DATA,
              "%s: array '%s' has %d dimensions, at most %d can be read", file->path, name, shape->n_dims,
              (int)TUTTI_MAX_DIMS);
  for (int i = 0; i < shape->n_dims; i++) shape->dims[i] = (int64_t)dims[i];
done:
  return status;
}

/** Read the type and the shape of an open array. */
static tutti_status describe(const tutti_file *file, const char *name, hid_t dataset,
                             tutti_array_shape *shape) {
  tutti_status status = TUTTI_OK;
  hid_t type = H5I_INVALID_HID, space = H5I_INVALID_HID;
  memset(shape, 0, sizeof *shape);
  TUTTI_H5_GET(done, type, H5Dget_type(dataset), TUTTI_ERR_DATA, "%s: type of '%s'", file->path, name);
  TUTTI_H5_GET(done, space, H5Dget_space(dataset), TUTTI_ERR_DATA, "%s: shape of '%s'", file->path, name);
  TUTTI_TRY_GOTO(done, describe_type(file, name, type, shape));
  TUTTI_TRY_GOTO(done, describe_space(file, name, space, shape));
done:
  tutti_io_h5_release(space);
  tutti_io_h5_release(type);
  return status;
}

tutti_status tutti_file_shape(const tutti_file *file, const char *name, tutti_array_shape *shape) {
  hid_t dataset = H5I_INVALID_HID;
  TUTTI_TRY(tutti_io_object_open(file, "array", name, H5P_DEFAULT, &dataset));
  const tutti_status status = describe(file, name, dataset, shape);
  tutti_io_h5_release(dataset);
  return status;
}

// --- rows

typedef struct {
  hid_t dataset, file_space, memory_space;
  bool empty; // nothing to move
} selection;

static const selection no_selection = {H5I_INVALID_HID, H5I_INVALID_HID, H5I_INVALID_HID, true};

static void selection_close(selection *rows) {
  tutti_io_h5_release(rows->memory_space);
  tutti_io_h5_release(rows->file_space);
  tutti_io_h5_release(rows->dataset);
  *rows = no_selection;
}

/** Open the array and select its rows [first, first + n); a scalar has one row. */
static tutti_status select_rows(const tutti_file *file, const char *name, int64_t first, int64_t n,
                                selection *rows) {
  tutti_status status = TUTTI_OK;
  tutti_array_shape shape;
  hsize_t start[TUTTI_MAX_DIMS] = {(hsize_t)first}, count[TUTTI_MAX_DIMS] = {(hsize_t)n};
  TUTTI_TRY_GOTO(done, tutti_io_object_open(file, "array", name, H5P_DEFAULT, &rows->dataset));
  TUTTI_TRY_GOTO(done, describe(file, name, rows->dataset, &shape));
  TUTTI_CHECK_GOTO(done, shape.type_class != TUTTI_CLASS_OTHER, TUTTI_ERR_DATA,
                   "%s: array '%s' contains texts or records, expected numbers", file->path, name);
  const int64_t n_rows = shape.n_dims > 0 ? shape.dims[0] : 1;
  TUTTI_CHECK_GOTO(done, first >= 0 && n >= 0 && first <= n_rows && n <= n_rows - first, TUTTI_ERR_DATA,
                   "%s: array '%s' has %lld rows, expected at least %lld from row %lld on", file->path, name,
                   (long long)n_rows, (long long)n, (long long)first);
  rows->empty = n == 0;
  for (int i = 1; i < shape.n_dims; i++) {
    count[i] = (hsize_t)shape.dims[i];
    rows->empty = rows->empty || count[i] == 0;
  }
  TUTTI_H5_GET(done, rows->file_space, H5Dget_space(rows->dataset), TUTTI_ERR_DATA, "%s: shape of '%s'",
               file->path, name);
  TUTTI_H5_GET(done, rows->memory_space, H5Screate_simple(shape.n_dims, count, NULL), TUTTI_ERR_SYSTEM,
               "%s: shape of '%s'", file->path, name);
  if (shape.n_dims > 0)
    TUTTI_H5(done, H5Sselect_hyperslab(rows->file_space, H5S_SELECT_SET, start, NULL, count, NULL),
             TUTTI_ERR_SYSTEM, "%s: rows of '%s'", file->path, name);
done:
  return status;
}

tutti_status tutti_file_read_rows(const tutti_file *file, const char *name, tutti_type type, int64_t first,
                                  int64_t n, void *data) {
  tutti_status status = TUTTI_OK;
  selection rows = no_selection;
  TUTTI_TRY_GOTO(done, select_rows(file, name, first, n, &rows));
  if (!rows.empty)
    TUTTI_H5(done,
             H5Dread(rows.dataset, tutti_io_h5_memory_type(type), rows.memory_space, rows.file_space,
                     H5P_DEFAULT, data),
             TUTTI_ERR_DATA, "%s: array '%s': cannot read %lld rows from row %lld on", file->path, name,
             (long long)n, (long long)first);
done:
  selection_close(&rows);
  return status;
}

tutti_status tutti_file_write_rows(tutti_file *file, const char *name, tutti_type type, int64_t first,
                                   int64_t n, const void *data) {
  tutti_status status = TUTTI_OK;
  selection rows = no_selection;
  TUTTI_TRY(tutti_file_writable(file));
  TUTTI_TRY_GOTO(done, select_rows(file, name, first, n, &rows));
  if (!rows.empty)
    TUTTI_H5(done,
             H5Dwrite(rows.dataset, tutti_io_h5_memory_type(type), rows.memory_space, rows.file_space,
                      H5P_DEFAULT, data),
             TUTTI_ERR_IO, "%s: array '%s': cannot write", file->path, name);
  const hid_t dataset = rows.dataset;
  rows.dataset = H5I_INVALID_HID;
  // Filters run when the chunks leave the cache, at the latest here, and may fail.
  TUTTI_H5(done, H5Dclose(dataset), TUTTI_ERR_IO, "%s: array '%s': cannot write", file->path, name);
done:
  selection_close(&rows);
  return tutti_file_check_write(file, status);
}

// --- new arrays

/** A chunk is whole rows, as many as fit into CHUNK_BYTES, in equal shares so that the last chunk is not mostly empty.  A row
 * that is larger is cut along its own dimensions. */
static void choose_chunk(int n_dims, const int64_t *dims, size_t type_bytes, hsize_t *chunk) {
  int64_t inner = (int64_t)type_bytes; // bytes of one index of dimension i
  for (int i = n_dims - 1; i >= 0; i--) {
    const int64_t fit = inner < CHUNK_BYTES ? CHUNK_BYTES / inner : 1;
    const int64_t pieces = (dims[i] + fit - 1) / fit;
    chunk[i] = (hsize_t)((dims[i] + pieces - 1) / pieces);
    inner *= (int64_t)chunk[i];
  }
}

tutti_status tutti_file_create_array(tutti_file *file, const char *name, tutti_type type, int n_dims,
                                     const int64_t *dims, int deflate) {
  tutti_status status = TUTTI_OK;
  hid_t space = H5I_INVALID_HID, creation = H5I_INVALID_HID, dataset = H5I_INVALID_HID;
  hsize_t extent[TUTTI_MAX_DIMS], chunk[TUTTI_MAX_DIMS];
  bool empty = false;
  TUTTI_TRY(tutti_file_writable(file));
  TUTTI_CHECK(n_dims >= 1 && n_dims <= TUTTI_MAX_DIMS && deflate >= 0 && deflate <= 9, TUTTI_ERR_INTERNAL,
              "%s: array '%s': %d dimensions, expected 1 to %d; deflate %d, expected 0 to 9", file->path,
              name, n_dims, (int)TUTTI_MAX_DIMS, deflate);
  for (int i = 0; i < n_dims; i++) {
    TUTTI_CHECK(dims[i] >= 0, TUTTI_ERR_INTERNAL, "%s: array '%s': dimension %d is %lld", file->path, name, i,
                (long long)dims[i]);
    extent[i] = (hsize_t)dims[i];
    empty = empty || dims[i] == 0;
  }
  // A chunk is not larger than its array, and not empty, so an array without numbers has no chunks.
  if (!empty) choose_chunk(n_dims, dims, tutti_io_type_bytes(type), chunk);
  const bool shuffle = deflate > 0 && tutti_io_type_bytes(type) > 1;
  TUTTI_TRY_GOTO(
      done, tutti_io_object_creation(file, name, empty ? 0 : n_dims, chunk, shuffle, deflate, &creation));
  TUTTI_H5_GET(done, space, H5Screate_simple(n_dims, extent, NULL), TUTTI_ERR_SYSTEM, "%s: shape of '%s'",
               file->path, name);
  TUTTI_TRY_GOTO(done, tutti_io_object_create(file, "array", name, tutti_io_h5_file_type(type), space,
                                              creation, &dataset));
done:
  tutti_io_h5_release(dataset);
  tutti_io_h5_release(space);
  tutti_io_h5_release(creation);
  return tutti_file_check_write(file, status);
}

tutti_status tutti_file_write(tutti_file *file, const char *name, tutti_type type, int n_dims,
                              const int64_t *dims, int deflate, const void *data) {
  TUTTI_TRY(tutti_file_create_array(file, name, type, n_dims, dims, deflate));
  return tutti_file_write_rows(file, name, type, 0, dims[0], data);
}
