/* Selects rows of an array or a table, for a call of HDF5 that moves them between the file and the memory of the
 * caller.  array.c and table.c call it. */
#include "io/io_impl.h"

#define ABOUT "%s: %s '%s'", file->path, kind, name

tutti_status tutti_io_rows_select(const tutti_file *file, const char *kind, const char *name, hid_t dataset,
                                  int64_t first, int64_t n, tutti_io_rows *rows) {
  const hsize_t start[H5S_MAX_RANK] = {(hsize_t)first};
  hsize_t count[H5S_MAX_RANK] = {1}; // HDF5 does not set it for a scalar
  int n_dims = 0;
  TUTTI_H5_TRY(rows->in_file = H5Dget_space(dataset), TUTTI_ERR_DATA, ABOUT);
  TUTTI_H5_TRY(n_dims = H5Sget_simple_extent_dims(rows->in_file, count, NULL), TUTTI_ERR_DATA, ABOUT);
  const int64_t n_rows = (int64_t)count[0];
  TUTTI_CHECK(first >= 0 && n >= 0 && first <= n_rows && n <= n_rows - first, TUTTI_ERR_DATA,
              "%s: %s '%s' has %lld rows, expected at least %lld from row %lld on", file->path, kind, name,
              (long long)n_rows, (long long)n, (long long)first);
  count[0] = (hsize_t)n;
  TUTTI_H5_TRY(rows->in_memory = H5Screate_simple(n_dims, count, NULL), TUTTI_ERR_SYSTEM, ABOUT);
  rows->empty = n == 0 || H5Sget_simple_extent_npoints(rows->in_memory) == 0;
  // A scalar is always selected as a whole.
  if (n_dims > 0)
    TUTTI_H5_TRY(H5Sselect_hyperslab(rows->in_file, H5S_SELECT_SET, start, NULL, count, NULL),
                 TUTTI_ERR_SYSTEM, ABOUT);
  return TUTTI_OK;
}

tutti_status tutti_io_rows_read(const tutti_file *file, hid_t dataset, hid_t type, const tutti_io_rows *rows,
                                hid_t transfer, void *data, const char *what) {
  tutti_status status = TUTTI_OK;
  if (rows->empty) return TUTTI_OK;
  const tutti_h5_printer printer = tutti_io_h5_mute();
  tutti_io_crash_take_time();
  const bool failed = H5Dread(dataset, type, rows->in_memory, rows->in_file, transfer, data) < 0;
  const bool lacks_filter = failed && tutti_io_h5_why() == TUTTI_H5_NO_FILTER;
  if (lacks_filter)
    status = tutti_io_filter_fail(file, dataset, what);
  else if (failed)
    status = tutti_io_h5_fail(TUTTI_ERR_DATA, __func__, __FILE__, __LINE__, "%s", what);
  tutti_io_h5_unmute(printer);
  return status;
}

void tutti_io_rows_close(tutti_io_rows *rows) {
  tutti_io_h5_release(rows->in_memory);
  tutti_io_h5_release(rows->in_file);
  *rows = TUTTI_NO_ROWS;
}
