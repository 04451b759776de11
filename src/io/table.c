/* Tables: one-dimensional arrays of records with named columns.  A table grows, and a reader may know fewer columns than the
 * file has.  Metrics, checkpoints and studies store their rows in tables. */
#include "base/text.h"
#include "io/io_impl.h"

/* One chunk holds the epochs of most runs, and a short table does not make a large file. */
enum { CHUNK_BYTES = 1 << 14 };

typedef struct {
  hid_t dataset, type;
  int64_t n_rows;
} table;

static const table no_table = {H5I_INVALID_HID, H5I_INVALID_HID, 0};

static void table_close(table *t) {
  tutti_io_h5_release(t->type);
  tutti_io_h5_release(t->dataset);
  *t = no_table;
}

/** @param[out] t  empty before */
static tutti_status table_open(const tutti_file *file, const char *name, table *t) {
  tutti_status status = TUTTI_OK;
  hid_t space = H5I_INVALID_HID;
  TUTTI_TRY_GOTO(done, tutti_io_object_open(file, "table", name, H5P_DEFAULT, &t->dataset));
  TUTTI_H5_GET(done, t->type, H5Dget_type(t->dataset), TUTTI_ERR_DATA, "%s: table '%s'", file->path, name);
  TUTTI_H5_GET(done, space, H5Dget_space(t->dataset), TUTTI_ERR_DATA, "%s: table '%s'", file->path, name);
  TUTTI_CHECK_GOTO(done, H5Tget_class(t->type) == H5T_COMPOUND && H5Sget_simple_extent_ndims(space) == 1,
                   TUTTI_ERR_DATA, "%s: '%s' is not a table: expected one dimension of records", file->path,
                   name);
  TUTTI_H5_GET(done, t->n_rows, H5Sget_simple_extent_npoints(space), TUTTI_ERR_DATA, "%s: table '%s'",
               file->path, name);
done:
  tutti_io_h5_release(space);
  if (status != TUTTI_OK) table_close(t);
  return status;
}

/** The index of a column in the file, or -1. */
static int column_index(const table *t, const char *name) {
  const tutti_h5_printer printer = tutti_io_h5_mute();
  const int index = H5Tget_member_index(t->type, name);
  tutti_io_h5_unmute(printer);
  return index;
}

/** The type of a record of the caller.  HDF5 does not touch bytes between the columns. */
static tutti_status memory_type(const tutti_file *file, const tutti_column *columns, int n_columns,
                                size_t record_bytes, hid_t *type) {
  tutti_status status = TUTTI_OK;
  TUTTI_H5_GET(done, *type, H5Tcreate(H5T_COMPOUND, record_bytes), TUTTI_ERR_SYSTEM, "%s: a record",
               file->path);
  for (int i = 0; i < n_columns; i++) {
    const tutti_column *c = &columns[i];
    TUTTI_H5(done, H5Tinsert(*type, c->name, c->offset, tutti_io_h5_memory_type(c->type)), TUTTI_ERR_INTERNAL,
             "%s: column '%s'", file->path, c->name);
  }
done:
  return status;
}

/** The type of a record in the file: no gaps, one byte order. */
static tutti_status file_type(const tutti_file *file, const tutti_column *columns, int n_columns, hid_t *type,
                              size_t *bytes) {
  tutti_status status = TUTTI_OK;
  size_t offset = 0;
  *bytes = 0;
  for (int i = 0; i < n_columns; i++) *bytes += tutti_io_type_bytes(columns[i].type);
  TUTTI_H5_GET(done, *type, H5Tcreate(H5T_COMPOUND, *bytes), TUTTI_ERR_INTERNAL, "%s: a record", file->path);
  for (int i = 0; i < n_columns; i++) {
    const tutti_column *c = &columns[i];
    TUTTI_H5(done, H5Tinsert(*type, c->name, offset, tutti_io_h5_file_type(c->type)), TUTTI_ERR_INTERNAL,
             "%s: column '%s'", file->path, c->name);
    offset += tutti_io_type_bytes(c->type);
  }
done:
  return status;
}

/** Make an empty table that can grow, in chunks with checksums. */
static tutti_status create_table(tutti_file *file, const char *name, const tutti_column *columns,
                                 int n_columns) {
  tutti_status status = TUTTI_OK;
  hid_t type = H5I_INVALID_HID, space = H5I_INVALID_HID, creation = H5I_INVALID_HID,
        dataset = H5I_INVALID_HID;
  const hsize_t none = 0, unlimited = H5S_UNLIMITED;
  size_t bytes = 0;
  TUTTI_TRY_GOTO(done, file_type(file, columns, n_columns, &type, &bytes));
  const hsize_t chunk = bytes < CHUNK_BYTES ? CHUNK_BYTES / bytes : 1;
  TUTTI_TRY_GOTO(done, tutti_io_object_creation(file, name, 1, &chunk, false, 0, &creation));
  TUTTI_H5_GET(done, space, H5Screate_simple(1, &none, &unlimited), TUTTI_ERR_SYSTEM, "%s: table '%s'",
               file->path, name);
  TUTTI_TRY_GOTO(done, tutti_io_object_create(file, "table", name, type, space, creation, &dataset));
done:
  tutti_io_h5_release(dataset);
  tutti_io_h5_release(space);
  tutti_io_h5_release(creation);
  tutti_io_h5_release(type);
  return status;
}

/** Write "epoch, loss, ...", the columns of the table in the file. */
static void list_columns(const table *t, char *text, size_t bytes) {
  text[0] = '\0';
  const int n = H5Tget_nmembers(t->type);
  for (int i = 0; i < n; i++) {
    char *name = H5Tget_member_name(t->type, (unsigned)i);
    tutti_text_append(text, bytes, "%s%s", i ? ", " : "", name ? name : "?");
    if (name) H5free_memory(name);
  }
}

/** Check that the table has the same columns with the same types.  Their order does not matter: HDF5 finds them by name. */
static tutti_status check_columns(const tutti_file *file, const char *name, const table *t,
                                  const tutti_column *columns, int n_columns) {
  char there[512];
  list_columns(t, there, sizeof there);
  TUTTI_CHECK(H5Tget_nmembers(t->type) == n_columns, TUTTI_ERR_DATA,
              "%s: table '%s' has %d columns, cannot append records of %d; it has: %s", file->path, name,
              H5Tget_nmembers(t->type), n_columns, there);
  for (int i = 0; i < n_columns; i++) {
    const int index = column_index(t, columns[i].name);
    TUTTI_CHECK(index >= 0, TUTTI_ERR_DATA,
                "%s: table '%s' has no column '%s', cannot append records that have it; it has: %s",
                file->path, name, columns[i].name, there);
    const hid_t type = H5Tget_member_type(t->type, (unsigned)index);
    const bool same = type >= 0 && H5Tequal(type, tutti_io_h5_file_type(columns[i].type)) > 0;
    tutti_io_h5_release(type);
    TUTTI_CHECK(same, TUTTI_ERR_DATA,
                "%s: table '%s': column '%s' has another type than in the records to be appended", file->path,
                name, columns[i].name);
  }
  return TUTTI_OK;
}

typedef struct {
  hid_t type, memory_space, file_space;
} transfer;

static const transfer no_transfer = {H5I_INVALID_HID, H5I_INVALID_HID, H5I_INVALID_HID};

static void transfer_close(transfer *move) {
  tutti_io_h5_release(move->file_space);
  tutti_io_h5_release(move->memory_space);
  tutti_io_h5_release(move->type);
  *move = no_transfer;
}

/** Select rows [first, first + n), which exist. */
static tutti_status select_rows(const tutti_file *file, const char *name, const table *t, int64_t first,
                                int64_t n, transfer *move) {
  tutti_status status = TUTTI_OK;
  const hsize_t start = (hsize_t)first, count = (hsize_t)n;
  TUTTI_H5_GET(done, move->memory_space, H5Screate_simple(1, &count, NULL), TUTTI_ERR_SYSTEM,
               "%s: table '%s'", file->path, name);
  TUTTI_H5_GET(done, move->file_space, H5Dget_space(t->dataset), TUTTI_ERR_DATA, "%s: table '%s'", file->path,
               name);
  TUTTI_H5(done, H5Sselect_hyperslab(move->file_space, H5S_SELECT_SET, &start, NULL, &count, NULL),
           TUTTI_ERR_SYSTEM, "%s: table '%s'", file->path, name);
done:
  return status;
}

static tutti_status set_rows(const tutti_file *file, const char *name, const table *t, int64_t n) {
  tutti_status status = TUTTI_OK;
  const hsize_t extent = (hsize_t)n;
  TUTTI_H5(done, H5Dset_extent(t->dataset, &extent), TUTTI_ERR_IO, "%s: table '%s': cannot set its length",
           file->path, name);
done:
  return status;
}

tutti_status tutti_table_append(tutti_file *file, const char *name, const tutti_column *columns,
                                int n_columns, size_t record_bytes, const void *records, int64_t n) {
  tutti_status status = TUTTI_OK;
  table t = no_table;
  transfer move = no_transfer;
  bool there = false;
  TUTTI_TRY_GOTO(done, tutti_file_writable(file));
  TUTTI_TRY_GOTO(done, tutti_io_object_find(file, name, &there));
  if (!there) TUTTI_TRY_GOTO(done, create_table(file, name, columns, n_columns));
  TUTTI_TRY_GOTO(done, table_open(file, name, &t));
  TUTTI_TRY_GOTO(done, check_columns(file, name, &t, columns, n_columns));
  if (n == 0) goto done;
  TUTTI_TRY_GOTO(done, set_rows(file, name, &t, t.n_rows + n));
  TUTTI_TRY_GOTO(done, memory_type(file, columns, n_columns, record_bytes, &move.type));
  TUTTI_TRY_GOTO(done, select_rows(file, name, &t, t.n_rows, n, &move));
  TUTTI_H5(done, H5Dwrite(t.dataset, move.type, move.memory_space, move.file_space, H5P_DEFAULT, records),
           TUTTI_ERR_IO, "%s: table '%s': cannot append", file->path, name);
  TUTTI_H5(done, H5Dflush(t.dataset), TUTTI_ERR_IO, "%s: table '%s': cannot append", file->path, name);
done:
  transfer_close(&move);
  table_close(&t);
  return tutti_file_check_write(file, status);
}

/** Whether the table has these columns and no others. */
static tutti_status has_columns(const tutti_file *file, const char *name, const tutti_column *columns,
                                int n_columns, bool *same) {
  table t = no_table;
  *same = true;
  TUTTI_TRY(table_open(file, name, &t));
  *same = check_columns(file, name, &t, columns, n_columns) == TUTTI_OK;
  table_close(&t);
  return TUTTI_OK;
}

/** Remove all rows.  HDF5 cannot change the columns of a table, so with other columns the table is removed. */
static tutti_status clear_table(tutti_file *file, const char *name, const tutti_column *columns,
                                int n_columns) {
  tutti_status status = TUTTI_OK;
  bool there = false, same = false;
  TUTTI_TRY(tutti_io_object_find(file, name, &there));
  if (!there) return TUTTI_OK;
  TUTTI_TRY(has_columns(file, name, columns, n_columns, &same));
  if (same) return tutti_table_truncate(file, name, 0);
  TUTTI_H5(done, H5Ldelete(file->id, name, H5P_DEFAULT), TUTTI_ERR_IO,
           "%s: table '%s': cannot be replaced by one with other columns", file->path, name);
done:
  return status;
}

tutti_status tutti_table_replace(tutti_file *file, const char *name, const tutti_column *columns,
                                 int n_columns, size_t record_bytes, const void *records, int64_t n) {
  TUTTI_TRY(tutti_file_writable(file));
  TUTTI_TRY(tutti_file_check_write(file, clear_table(file, name, columns, n_columns)));
  return tutti_table_append(file, name, columns, n_columns, record_bytes, records, n);
}

tutti_status tutti_table_rows(const tutti_file *file, const char *name, int64_t *n) {
  table t = no_table;
  bool there = false;
  *n = 0;
  TUTTI_TRY(tutti_io_object_find(file, name, &there));
  if (!there) return TUTTI_OK;
  TUTTI_TRY(table_open(file, name, &t));
  *n = t.n_rows;
  table_close(&t);
  return TUTTI_OK;
}

static tutti_status add_column_name(const table *t, int i, tutti_texts *names) {
  char *name = H5Tget_member_name(t->type, (unsigned)i);
  if (!name) return TUTTI_ERR_MEMORY;
  const tutti_status status = tutti_texts_add(names, name);
  H5free_memory(name);
  return status;
}

tutti_status tutti_table_columns(const tutti_file *file, const char *name, tutti_texts *names) {
  tutti_status status = TUTTI_OK;
  table t = no_table;
  *names = (tutti_texts){0};
  TUTTI_TRY_GOTO(done, table_open(file, name, &t));
  const int n = H5Tget_nmembers(t.type);
  for (int i = 0; i < n; i++) TUTTI_TRY_GOTO(done, add_column_name(&t, i, names));
done:
  if (status != TUTTI_OK) tutti_texts_clear(names);
  table_close(&t);
  return status;
}

tutti_status tutti_table_read(const tutti_file *file, const char *name, const tutti_column *columns,
                              int n_columns, size_t record_bytes, int64_t first, int64_t n, void *records) {
  tutti_status status = TUTTI_OK;
  table t = no_table;
  transfer move = no_transfer;
  TUTTI_TRY_GOTO(done, table_open(file, name, &t));
  TUTTI_CHECK_GOTO(done, first >= 0 && n >= 0 && first <= t.n_rows && n <= t.n_rows - first, TUTTI_ERR_DATA,
                   "%s: table '%s' has %lld rows, expected at least %lld from row %lld on", file->path, name,
                   (long long)t.n_rows, (long long)n, (long long)first);
  TUTTI_TRY_GOTO(done, memory_type(file, columns, n_columns, record_bytes, &move.type));
  if (n == 0) goto done;
  TUTTI_TRY_GOTO(done, select_rows(file, name, &t, first, n, &move));
  TUTTI_H5(done, H5Dread(t.dataset, move.type, move.memory_space, move.file_space, H5P_DEFAULT, records),
           TUTTI_ERR_DATA, "%s: table '%s': cannot read", file->path, name);
done:
  transfer_close(&move);
  table_close(&t);
  return status;
}

tutti_status tutti_table_truncate(tutti_file *file, const char *name, int64_t n) {
  tutti_status status = TUTTI_OK;
  table t = no_table;
  TUTTI_TRY_GOTO(done, tutti_file_writable(file));
  TUTTI_TRY_GOTO(done, table_open(file, name, &t));
  TUTTI_CHECK_GOTO(done, n >= 0 && n <= t.n_rows, TUTTI_ERR_DATA,
                   "%s: table '%s' has %lld rows, cannot keep the first %lld", file->path, name,
                   (long long)t.n_rows, (long long)n);
  TUTTI_TRY_GOTO(done, set_rows(file, name, &t, n));
done:
  table_close(&t);
  return tutti_file_check_write(file, status);
}
