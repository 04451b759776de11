/* Arrays of numbers: their shape, their rows, and new arrays in chunks.  HDF5 converts the numbers to the type that
 * the caller asks for.  The data set, checkpoints and import call it. */
#include <stdio.h>

#include "io/io_impl.h"

/* A chunk is read, checked and decompressed as one.  It is small enough that a piece of an array costs little more
 * than the piece, large enough that the index is short, and fits into HDF5's cache of 1 MiB. */
enum { CHUNK_BYTES = 1 << 19 };

// --- shapes

#define ABOUT "%s: array '%s'", file->path, name

static tutti_status describe_type(const tutti_file *file, const char *name, hid_t type,
                                  tutti_array_shape *shape) {
  hid_t base = H5I_INVALID_HID;
  // h5py stores booleans as an enumeration of bytes.
  if (H5Tget_class(type) == H5T_ENUM) TUTTI_H5_TRY(base = H5Tget_super(type), TUTTI_ERR_DATA, ABOUT);
  const hid_t number = base >= 0 ? base : type;
  const H5T_class_t type_class = H5Tget_class(number);
  shape->type_class = type_class == H5T_INTEGER ? TUTTI_CLASS_INTEGER
                      : type_class == H5T_FLOAT ? TUTTI_CLASS_REAL
                                                : TUTTI_CLASS_OTHER;
  shape->type_bytes = (int)H5Tget_size(number);
  shape->type_signed = type_class == H5T_INTEGER && H5Tget_sign(number) == H5T_SGN_2;
  tutti_io_h5_release(base);
  return TUTTI_OK;
}

/** Open an array and describe it.  A null data space has no numbers and no shape, so it cannot be a data set.
 * @param[in,out] array  was TUTTI_NO_STORAGE; to be closed also after a failure */
static tutti_status open_array(const tutti_file *file, const char *name, tutti_array_storage *array,
                               tutti_array_shape *shape) {
  *shape = (tutti_array_shape){0};
  TUTTI_TRY(tutti_array_storage_open(file, "array", name, H5P_DEFAULT, array));
  TUTTI_TRY(describe_type(file, name, array->type, shape));
  TUTTI_CHECK(H5Sget_simple_extent_type(array->space) != H5S_NULL, TUTTI_ERR_DATA,
              "%s: array '%s' has no content", file->path, name);
  TUTTI_CHECK(array->n_dims <= TUTTI_MAX_DIMS, TUTTI_ERR_DATA,
              "%s: array '%s' has %d dimensions, at most %d can be read", file->path, name, array->n_dims,
              (int)TUTTI_MAX_DIMS);
  shape->n_dims = array->n_dims;
  for (int i = 0; i < shape->n_dims; i++) shape->dims[i] = (int64_t)array->dims[i];
  return TUTTI_OK;
}

tutti_status tutti_file_shape(const tutti_file *file, const char *name, tutti_array_shape *shape) {
  tutti_array_storage array = TUTTI_NO_STORAGE;
  const tutti_status status = open_array(file, name, &array, shape);
  tutti_array_storage_close(&array);
  return status;
}

// --- rows

/** Open an array of numbers and select rows.  The caller closes both, also after a failure. */
static tutti_status select_rows(const tutti_file *file, const char *name, int64_t first, int64_t n,
                                tutti_array_storage *array, tutti_io_rows *rows) {
  tutti_array_shape shape;
  TUTTI_TRY(open_array(file, name, array, &shape));
  TUTTI_CHECK(shape.type_class != TUTTI_CLASS_OTHER, TUTTI_ERR_DATA,
              "%s: array '%s' contains texts or records, expected numbers", file->path, name);
  return tutti_io_rows_select(file, "array", name, array->dataset, first, n, rows);
}

tutti_status tutti_file_read_rows(const tutti_file *file, const char *name, tutti_type type, int64_t first,
                                  int64_t n, void *data) {
  tutti_status status = TUTTI_OK;
  tutti_array_storage array = TUTTI_NO_STORAGE;
  tutti_io_rows rows = TUTTI_NO_ROWS;
  char what[1024];
  const hid_t number = tutti_io_h5_memory_type(type);
  TUTTI_TRY_GOTO(done, select_rows(file, name, first, n, &array, &rows));
  snprintf(what, sizeof what, "%s: array '%s': cannot read %lld rows from row %lld on", file->path, name,
           (long long)n, (long long)first);
  status = tutti_io_rows_read(file, array.dataset, number, &rows, H5P_DEFAULT, data, what);
done:
  tutti_io_rows_close(&rows);
  tutti_array_storage_close(&array);
  return status;
}

tutti_status tutti_file_write_rows(tutti_file *file, const char *name, tutti_type type, int64_t first,
                                   int64_t n, const void *data) {
  tutti_status status = TUTTI_OK;
  tutti_array_storage array = TUTTI_NO_STORAGE;
  tutti_io_rows rows = TUTTI_NO_ROWS;
  const hid_t number = tutti_io_h5_memory_type(type);
  TUTTI_TRY(tutti_file_writable(file));
  TUTTI_TRY_GOTO(done, select_rows(file, name, first, n, &array, &rows));
  if (!rows.empty)
    TUTTI_H5(done, H5Dwrite(array.dataset, number, rows.in_memory, rows.in_file, H5P_DEFAULT, data),
             TUTTI_ERR_IO, "%s: array '%s': cannot write", file->path, name);
  const hid_t closing = array.dataset;
  array.dataset = H5I_INVALID_HID;
  // Filters run when the chunks leave the cache, at the latest here, and may fail.
  TUTTI_H5(done, H5Dclose(closing), TUTTI_ERR_IO, "%s: array '%s': cannot write", file->path, name);
done:
  tutti_io_rows_close(&rows);
  tutti_array_storage_close(&array);
  return tutti_file_check_write(file, status);
}

// --- new arrays

/** A chunk is whole rows, as many as fit into CHUNK_BYTES, in equal shares so that the last chunk is not mostly
 * empty.  A row that is larger is cut along its own dimensions. */
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
  const tutti_array_form form = {
      .n_dims = n_dims, .dims = extent, .chunk = empty ? NULL : chunk, .deflate = deflate};
  hid_t dataset;
  const tutti_status status =
      tutti_io_object_create(file, "array", name, tutti_io_h5_file_type(type), &form, &dataset);
  tutti_io_h5_release(dataset);
  return tutti_file_check_write(file, status);
}

tutti_status tutti_file_write(tutti_file *file, const char *name, tutti_type type, int n_dims,
                              const int64_t *dims, int deflate, const void *data) {
  TUTTI_TRY(tutti_file_create_array(file, name, type, n_dims, dims, deflate));
  return tutti_file_write_rows(file, name, type, 0, dims[0], data);
}
