/* Tables: one-dimensional arrays of records with named columns.  A table grows, and a reader may know fewer columns
 * than the file has.  Metrics, checkpoints and studies store their rows in tables. */
#include "base/names.h"
#include "base/text.h"
#include "io/io_impl.h"

/* One chunk holds the epochs of most runs, and a short table does not make a large file. */
enum { CHUNK_BYTES = 1 << 14 };

/** As a number of rows. */
enum { GROWS = -1 };

/** @param[in,out] t  was TUTTI_NO_STORAGE; to be closed also after a failure */
static tutti_status table_open(const tutti_file *file, const char *name, tutti_array_storage *t) {
  TUTTI_TRY(tutti_array_storage_open(file, "table", name, H5P_DEFAULT, t));
  TUTTI_CHECK(H5Tget_class(t->type) == H5T_COMPOUND && t->n_dims == 1, TUTTI_ERR_DATA,
              "%s: '%s' is not a table: expected one dimension of records", file->path, name);
  return TUTTI_OK;
}

static int64_t n_rows_of(const tutti_array_storage *t) {
  return (int64_t)t->dims[0];
}

/** Make the type of a record: that of the caller, where HDF5 does not touch bytes between the columns, or that of the
 * file, which has no gaps and one byte order.
 * @param[in]  record_bytes  of the caller; 0: make the type of the file
 * @param[out] type          to be released also after a failure */
static tutti_status make_record(const tutti_file *file, const tutti_column *columns, int n_columns,
                                size_t record_bytes, hid_t *type) {
  const bool in_file = record_bytes == 0;
  size_t offset = 0;
  for (int i = 0; in_file && i < n_columns; i++) record_bytes += tutti_io_type_bytes(columns[i].type);
  TUTTI_H5_TRY(*type = H5Tcreate(H5T_COMPOUND, record_bytes), TUTTI_ERR_SYSTEM, "%s: a record", file->path);
  for (int i = 0; i < n_columns; i++) {
    const tutti_column *c = &columns[i];
    const hid_t number = in_file ? tutti_io_h5_file_type(c->type) : tutti_io_h5_memory_type(c->type);
    // A caller may have the name from a damaged file.
    TUTTI_H5_TRY(H5Tinsert(*type, c->name, in_file ? offset : c->offset, number),
                 in_file ? TUTTI_ERR_INTERNAL : TUTTI_ERR_DATA, "%s: column '%s'", file->path, c->name);
    offset += tutti_io_type_bytes(c->type);
  }
  return TUTTI_OK;
}

/** Make a list for moving n records.  HDF5 would take and clear a megabyte for records that have other columns than the
 * file, however few they are.
 * @param[in]  type      of a record in the file
 * @param[in]  record    of one in memory
 * @param[out] transfer  H5P_DEFAULT for none and for many; others are to be released also after a failure */
static tutti_status make_transfer(const tutti_file *file, hid_t type, hid_t record, int64_t n,
                                  hid_t *transfer) {
  enum { DEFAULT_BYTES = 1 << 20 };
  const size_t in_file = H5Tget_size(type), in_memory = H5Tget_size(record),
               bytes = in_file > in_memory ? in_file : in_memory;
  *transfer = H5P_DEFAULT;
  if (n == 0 || bytes == 0 || (uint64_t)n > DEFAULT_BYTES / bytes) return TUTTI_OK;
  TUTTI_H5_TRY(*transfer = H5Pcreate(H5P_DATASET_XFER), TUTTI_ERR_SYSTEM, "%s: transfer list", file->path);
  TUTTI_H5_TRY(H5Pset_buffer(*transfer, (size_t)n * bytes, NULL, NULL), TUTTI_ERR_SYSTEM, "%s: transfer list",
               file->path);
  return TUTTI_OK;
}

/** Make a table without values, in chunks with checksums.
 * @param[in]  n        its rows for ever, or GROWS: it is empty and can grow
 * @param[out] dataset  owned by the caller; invalid after a failure */
static tutti_status create_table(tutti_file *file, const char *name, const tutti_column *columns,
                                 int n_columns, int64_t n, hid_t *dataset) {
  tutti_status status = TUTTI_OK;
  hid_t type = H5I_INVALID_HID;
  const bool grows = n == GROWS;
  const hsize_t rows = grows ? 0 : (hsize_t)n, unlimited = H5S_UNLIMITED;
  *dataset = H5I_INVALID_HID;
  TUTTI_TRY_GOTO(done, make_record(file, columns, n_columns, 0, &type));
  const size_t bytes = H5Tget_size(type);
  hsize_t chunk = bytes < CHUNK_BYTES ? CHUNK_BYTES / bytes : 1;
  if (!grows && rows < chunk) chunk = rows > 0 ? rows : 1; // no room for more
  const tutti_array_form form = {
      .n_dims = 1, .dims = &rows, .max_dims = grows ? &unlimited : NULL, .chunk = &chunk};
  TUTTI_TRY_GOTO(done, tutti_io_object_create(file, "table", name, type, &form, dataset));
done:
  tutti_io_h5_release(type);
  return status;
}

/** Make an empty table that can grow, unless there is one. */
static tutti_status begin_table(tutti_file *file, const char *name, const tutti_column *columns,
                                int n_columns) {
  hid_t dataset = H5I_INVALID_HID;
  bool there = false;
  TUTTI_TRY(tutti_io_object_find(file, name, &there));
  if (!there) TUTTI_TRY(create_table(file, name, columns, n_columns, GROWS, &dataset));
  tutti_io_h5_release(dataset);
  return TUTTI_OK;
}

/** List the columns of the table in the file. */
static tutti_status list_columns(const tutti_array_storage *t, tutti_texts *names) {
  const int n = H5Tget_nmembers(t->type);
  for (int i = 0; i < n; i++) {
    char *name = H5Tget_member_name(t->type, (unsigned)i);
    if (!name) return TUTTI_ERR_MEMORY;
    const tutti_status status = tutti_texts_add(names, name);
    H5free_memory(name);
    TUTTI_TRY(status);
  }
  return TUTTI_OK;
}

/** Check that the table has the same columns with the same types.  Their order does not matter: HDF5 finds them by
 * name. */
static tutti_status check_columns(const tutti_file *file, const char *name, const tutti_array_storage *t,
                                  const tutti_column *columns, int n_columns) {
  tutti_status status = TUTTI_OK;
  tutti_texts there = {0};
  char list[512];
  TUTTI_TRY_GOTO(done, list_columns(t, &there));
  const char *const *names = (const char *const *)there.list;
  tutti_text_list(list, sizeof list, names, there.n);
  TUTTI_CHECK_GOTO(done, there.n == n_columns, TUTTI_ERR_DATA,
                   "%s: table '%s' has %d columns, cannot append records of %d; it has: %s", file->path, name,
                   there.n, n_columns, list);
  for (int i = 0; i < n_columns; i++) {
    const int index = tutti_name_find(columns[i].name, names, there.n);
    TUTTI_CHECK_GOTO(done, index >= 0, TUTTI_ERR_DATA,
                     "%s: table '%s' has no column '%s', cannot append records that have it; it has: %s",
                     file->path, name, columns[i].name, list);
    const hid_t type = H5Tget_member_type(t->type, (unsigned)index);
    const bool same = type >= 0 && H5Tequal(type, tutti_io_h5_file_type(columns[i].type)) > 0;
    tutti_io_h5_release(type);
    TUTTI_CHECK_GOTO(done, same, TUTTI_ERR_DATA,
                     "%s: table '%s': column '%s' has another type than in the records to be appended",
                     file->path, name, columns[i].name);
  }
done:
  tutti_texts_clear(&there);
  return status;
}

static tutti_status set_rows(const tutti_file *file, const char *name, const tutti_array_storage *t,
                             int64_t n) {
  const hsize_t extent = (hsize_t)n;
  hsize_t most = 0;
  const bool grows = H5Sget_simple_extent_dims(t->space, NULL, &most) == 1 && most == H5S_UNLIMITED;
  TUTTI_CHECK(grows, TUTTI_ERR_DATA,
              "%s: table '%s' was written as a whole and cannot get or lose rows; replace it", file->path,
              name);
  TUTTI_H5_TRY(H5Dset_extent(t->dataset, &extent), TUTTI_ERR_IO, "%s: table '%s': cannot set its length",
               file->path, name);
  return TUTTI_OK;
}

/** Write rows [first, first + n) of an open table, which has them already.  HDF5 may write them later. */
static tutti_status write_rows(tutti_file *file, const char *name, hid_t dataset, const tutti_column *columns,
                               int n_columns, size_t record_bytes, const void *records, int64_t first,
                               int64_t n) {
  tutti_status status = TUTTI_OK;
  tutti_io_rows rows = TUTTI_NO_ROWS;
  hid_t record = H5I_INVALID_HID;
  TUTTI_TRY_GOTO(done, make_record(file, columns, n_columns, record_bytes, &record));
  TUTTI_TRY_GOTO(done, tutti_io_rows_select(file, "table", name, dataset, first, n, &rows));
  TUTTI_H5(done, H5Dwrite(dataset, record, rows.in_memory, rows.in_file, H5P_DEFAULT, records), TUTTI_ERR_IO,
           "%s: table '%s': cannot write", file->path, name);
done:
  tutti_io_rows_close(&rows);
  tutti_io_h5_release(record);
  return status;
}

tutti_status tutti_table_append(tutti_file *file, const char *name, const tutti_column *columns,
                                int n_columns, size_t record_bytes, const void *records, int64_t n) {
  tutti_status status = TUTTI_OK;
  tutti_array_storage t = TUTTI_NO_STORAGE;
  const tutti_h5_printer printer = tutti_io_h5_mute();
  TUTTI_TRY_GOTO(done, tutti_file_writable(file));
  TUTTI_TRY_GOTO(done, begin_table(file, name, columns, n_columns));
  TUTTI_TRY_GOTO(done, table_open(file, name, &t));
  TUTTI_TRY_GOTO(done, check_columns(file, name, &t, columns, n_columns));
  if (n == 0) goto done;
  const int64_t first = n_rows_of(&t);
  TUTTI_TRY_GOTO(done, set_rows(file, name, &t, first + n));
  TUTTI_TRY_GOTO(done,
                 write_rows(file, name, t.dataset, columns, n_columns, record_bytes, records, first, n));
  TUTTI_H5(done, H5Dflush(t.dataset), TUTTI_ERR_IO, "%s: table '%s': cannot append", file->path, name);
done:
  tutti_array_storage_close(&t);
  tutti_io_h5_unmute(printer);
  return tutti_file_check_write(file, status);
}

/** Open the table of that name if it has these columns and n rows, so that it can be written over.
 * @param[out] dataset  owned by the caller; invalid: there is another table */
static tutti_status open_like(const tutti_file *file, const char *name, const tutti_column *columns,
                              int n_columns, int64_t n, hid_t *dataset) {
  tutti_array_storage t = TUTTI_NO_STORAGE;
  const tutti_status status = table_open(file, name, &t);
  *dataset = H5I_INVALID_HID;
  if (status == TUTTI_OK && n_rows_of(&t) == n &&
      check_columns(file, name, &t, columns, n_columns) == TUTTI_OK) {
    *dataset = t.dataset;
    t.dataset = H5I_INVALID_HID;
  }
  tutti_array_storage_close(&t);
  return status;
}

/** Open a table of n rows.  HDF5 cannot change the columns of a table, nor the length of one that does not grow, so
 * another table of that name is removed.
 * @param[out] dataset  owned by the caller; invalid after a failure */
static tutti_status make_room(tutti_file *file, const char *name, const tutti_column *columns, int n_columns,
                              int64_t n, hid_t *dataset) {
  bool there = false;
  *dataset = H5I_INVALID_HID;
  TUTTI_TRY(tutti_io_object_find(file, name, &there));
  if (there) TUTTI_TRY(open_like(file, name, columns, n_columns, n, dataset));
  if (*dataset >= 0) return TUTTI_OK;
  if (there)
    TUTTI_H5_TRY(H5Ldelete(file->id, name, H5P_DEFAULT), TUTTI_ERR_IO,
                 "%s: table '%s': cannot be replaced by another one", file->path, name);
  return create_table(file, name, columns, n_columns, n, dataset);
}

tutti_status tutti_table_replace(tutti_file *file, const char *name, const tutti_column *columns,
                                 int n_columns, size_t record_bytes, const void *records, int64_t n) {
  tutti_status status = TUTTI_OK;
  hid_t dataset = H5I_INVALID_HID;
  const tutti_h5_printer printer = tutti_io_h5_mute();
  TUTTI_TRY_GOTO(done, tutti_file_writable(file));
  TUTTI_TRY_GOTO(done, make_room(file, name, columns, n_columns, n, &dataset));
  if (n > 0) status = write_rows(file, name, dataset, columns, n_columns, record_bytes, records, 0, n);
done:
  tutti_io_h5_release(dataset);
  tutti_io_h5_unmute(printer);
  return tutti_file_check_write(file, status);
}

tutti_status tutti_table_rows(const tutti_file *file, const char *name, int64_t *n) {
  tutti_array_storage t = TUTTI_NO_STORAGE;
  bool there = false;
  *n = 0;
  TUTTI_TRY(tutti_io_object_find(file, name, &there));
  if (!there) return TUTTI_OK;
  if (!file->writable) TUTTI_TRY(tutti_file_check_stored(file, name)); // callers take memory for the rows
  const tutti_status status = table_open(file, name, &t);
  if (status == TUTTI_OK) *n = n_rows_of(&t);
  tutti_array_storage_close(&t);
  return status;
}

tutti_status tutti_table_columns(const tutti_file *file, const char *name, tutti_texts *names) {
  tutti_status status = TUTTI_OK;
  tutti_array_storage t = TUTTI_NO_STORAGE;
  *names = (tutti_texts){0};
  const tutti_h5_printer printer = tutti_io_h5_mute();
  TUTTI_TRY_GOTO(done, table_open(file, name, &t));
  TUTTI_TRY_GOTO(done, list_columns(&t, names));
done:
  if (status != TUTTI_OK) tutti_texts_clear(names);
  tutti_array_storage_close(&t);
  tutti_io_h5_unmute(printer);
  return status;
}

tutti_status tutti_table_read(const tutti_file *file, const char *name, const tutti_column *columns,
                              int n_columns, size_t record_bytes, int64_t first, int64_t n, void *records) {
  tutti_status status = TUTTI_OK;
  tutti_array_storage t = TUTTI_NO_STORAGE;
  tutti_io_rows rows = TUTTI_NO_ROWS;
  hid_t record = H5I_INVALID_HID, transfer = H5P_DEFAULT;
  char what[1024];
  const tutti_h5_printer printer = tutti_io_h5_mute();
  TUTTI_TRY_GOTO(done, table_open(file, name, &t));
  TUTTI_TRY_GOTO(done, tutti_io_rows_select(file, "table", name, t.dataset, first, n, &rows));
  TUTTI_TRY_GOTO(done, make_record(file, columns, n_columns, record_bytes, &record));
  TUTTI_TRY_GOTO(done, make_transfer(file, t.type, record, n, &transfer));
  snprintf(what, sizeof what, "%s: table '%s': cannot read", file->path, name);
  status = tutti_io_rows_read(file, t.dataset, record, &rows, transfer, records, what);
done:
  tutti_io_rows_close(&rows);
  if (transfer != H5P_DEFAULT) tutti_io_h5_release(transfer);
  tutti_io_h5_release(record);
  tutti_array_storage_close(&t);
  tutti_io_h5_unmute(printer);
  return status;
}

tutti_status tutti_table_truncate(tutti_file *file, const char *name, int64_t n) {
  tutti_status status = TUTTI_OK;
  tutti_array_storage t = TUTTI_NO_STORAGE;
  TUTTI_TRY_GOTO(done, tutti_file_writable(file));
  TUTTI_TRY_GOTO(done, table_open(file, name, &t));
  TUTTI_CHECK_GOTO(done, n >= 0 && n <= n_rows_of(&t), TUTTI_ERR_DATA,
                   "%s: table '%s' has %lld rows, cannot keep the first %lld", file->path, name,
                   (long long)n_rows_of(&t), (long long)n);
  TUTTI_TRY_GOTO(done, set_rows(file, name, &t, n));
done:
  tutti_array_storage_close(&t);
  return tutti_file_check_write(file, status);
}
