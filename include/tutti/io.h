#pragma once
/** Typed HDF5 arrays, tables and attributes, and the atomic replace of a file.  The only room that sees
 * hdf5.h.  Local: one process, no MPI.
 *
 * Every array and table carries a Fletcher-32 checksum; files are written with H5F_LIBVER_V110 bounds and
 * without time stamps, so equal content is equal bytes.  File locking never stands in the way on network file
 * systems.  One thread at a time: not every HDF5 is built for more.
 *
 * A write that fails (full disk, quota) may be reported by a later call, at the latest by tutti_file_commit,
 * and then by every call for that file: ERR_IO.  The process, and other files, go on. */
#include <stdbool.h>

#include "tutti/base.h"

typedef struct tutti_file tutti_file;

typedef enum { TUTTI_U8, TUTTI_I32, TUTTI_I64, TUTTI_F32, TUTTI_F64 } tutti_type;

size_t tutti_type_bytes(tutti_type type);

/** Open for reading.
 * @return ERR_MISSING no such file; ERR_DATA empty, truncated, damaged, not HDF5, or left open by another
 * writer; ERR_IO a folder, or the system cannot read it.  *file is then NULL */
TUTTI_NODISCARD
tutti_status tutti_file_open(const char *path, tutti_file **file);

/** Let its links, its virtual arrays and arrays with their numbers outside lead to any file; else only to those in
 * its own folder and below, so that a file from elsewhere cannot have others read. */
void tutti_file_allow_external(tutti_file *file);

/** Begin a new file beside `path` under a temporary name; `path` itself stays as it is until
 * tutti_file_commit. Missing parent folders are made; where `path` is a link, what it leads to is replaced,
 * and the new file takes over the old one's mode.  What a killed process of this host has left of an earlier
 * attempt at `path` (PATH.tmp-HOST-PID) is removed.
 * @return ERR_CREATE with the reason of the system, also where `path` is a folder or a device */
TUTTI_NODISCARD
tutti_status tutti_file_create(const char *path, tutti_file **file);

/** The new file is for other programs, which may change its texts: these get no checksum. */
void tutti_file_leave_texts_open(tutti_file *file);

/** As tutti_file_create, but beginning with a copy of `path` where that exists: to append and replace as one.
 * @return ERR_CREATE; ERR_DATA or ERR_IO where the old file cannot be read, as tutti_file_open */
TUTTI_NODISCARD
tutti_status tutti_file_update(const char *path, tutti_file **file);

/** Close what create or update began, flush it to disk, rename it to its path and flush the folder: after
 * this the new file is whole under its name, before it the old one is.  *file is NULL after it in any case;
 * on failure the temporary file is removed.
 * @return ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_file_commit(tutti_file **file);

/** Close.  A file from create or update that was not committed is dropped.  Accepts NULL inside; nulls the
 * handle. */
void tutti_file_close(tutti_file **file);

/** The path it was opened with (the final one), borrowed. */
const char *tutti_file_path(const tutti_file *file);

// --- arrays

enum { TUTTI_MAX_DIMS = 8 };

typedef enum { TUTTI_CLASS_INTEGER, TUTTI_CLASS_REAL, TUTTI_CLASS_OTHER } tutti_type_class;

typedef struct {
  int n_dims;
  int64_t dims[TUTTI_MAX_DIMS];
  tutti_type_class type_class;
  int type_bytes;
  bool type_signed; // of integers
} tutti_array_shape;

/** @param[in] name  path in the file, "x_train" or "/model/weights/dense/kernel"
 * @return true also where the file is damaged at that place, so that reading tells and nothing is skipped */
bool tutti_file_has(const tutti_file *file, const char *name);

/** A scalar has no dimensions, and one row.
 * @return ERR_DATA no such array, too many dimensions */
TUTTI_NODISCARD
tutti_status tutti_file_shape(const tutti_file *file, const char *name, tutti_array_shape *shape);

/** Rows [first, first + n) along the first dimension, converted to `type`, row-major into data.  A number
 * that `type` cannot hold is clipped as HDF5 does: ask for a type that holds it.
 * @return ERR_DATA no such array, not of numbers, out of range, or damaged as its checksum tells; ERR_IO the
 * system cannot read (data is unspecified after either) */
TUTTI_NODISCARD
tutti_status tutti_file_read_rows(const tutti_file *file, const char *name, tutti_type type, int64_t first,
                                  int64_t n, void *data);

/** All numbers of an array were stored, and are where HDF5 will look for them: what is missing it would read as
 * zeros.
 * @return ERR_DATA chunks or blocks that nobody wrote; numbers in files that are too short or no regular files;
 * a virtual array that is made of itself, or has numbers without a source; files outside that are not allowed;
 * ERR_MISSING a file that holds some of the numbers is not there; as tutti_file_open and tutti_file_shape for such files */
TUTTI_NODISCARD
tutti_status tutti_file_check_stored(const tutti_file *file, const char *name);

/** Whether two names lead to one array: by links of any kind, or by a virtual array that is another one as a whole.
 * @return ERR_DATA no such array, as tutti_file_shape */
TUTTI_NODISCARD
tutti_status tutti_file_same_array(const tutti_file *file, const char *a, const char *b, bool *same);

/** A whole new array of 1 to TUTTI_MAX_DIMS dimensions, each may be 0.  Missing groups are made; an array of
 * that name is an ERR_INTERNAL.
 * @param[in] deflate  0 none, 1-9 zlib level
 * @return ERR_INTERNAL, ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_file_write(tutti_file *file, const char *name, tutti_type type, int n_dims,
                              const int64_t *dims, int deflate, const void *data);

/** A new array to be filled in pieces with tutti_file_write_rows: for what does not fit in memory.  Rows that
 * are never written are zeros.  Pieces of some megabytes are fast. */
TUTTI_NODISCARD
tutti_status tutti_file_create_array(tutti_file *file, const char *name, tutti_type type, int n_dims,
                                     const int64_t *dims, int deflate);
TUTTI_NODISCARD
tutti_status tutti_file_write_rows(tutti_file *file, const char *name, tutti_type type, int64_t first,
                                   int64_t n, const void *data);

/** Names of the members of a group, in order of name; *names [n] is the caller's (tutti_file_list_free).
 * @return ERR_DATA no such group */
TUTTI_NODISCARD
tutti_status tutti_file_list(const tutti_file *file, const char *group, char ***names, int *n);

/** Frees what tutti_file_list gave; accepts NULL inside. */
void tutti_file_list_free(char ***names, int n);

// --- attributes; `object` is "/" or the path of an array or group that exists

/* Texts have a checksum beside them, the attribute NAME_checksum: one that is there is compared when they are read
 * (ERR_DATA). */
TUTTI_NODISCARD
tutti_status tutti_file_set_text(tutti_file *file, const char *object, const char *name, const char *text);
TUTTI_NODISCARD
tutti_status tutti_file_set_integer(tutti_file *file, const char *object, const char *name, int64_t value);
TUTTI_NODISCARD
tutti_status tutti_file_set_real(tutti_file *file, const char *object, const char *name, double value);

/** A list of texts, [n]. */
TUTTI_NODISCARD
tutti_status tutti_file_set_texts(tutti_file *file, const char *object, const char *name,
                                  const char *const *texts, int n);

bool tutti_file_has_attribute(const tutti_file *file, const char *object, const char *name);

/** The attribute is there and a list of texts, or damaged, as for tutti_file_has. */
bool tutti_file_has_texts(const tutti_file *file, const char *object, const char *name);

/** *text is the caller's (tutti_free).  @return ERR_DATA where it is missing or of another type */
TUTTI_NODISCARD
tutti_status tutti_file_get_text(const tutti_file *file, const char *object, const char *name, char **text);
TUTTI_NODISCARD
tutti_status tutti_file_get_integer(const tutti_file *file, const char *object, const char *name,
                                    int64_t *value);
TUTTI_NODISCARD
tutti_status tutti_file_get_real(const tutti_file *file, const char *object, const char *name, double *value);
TUTTI_NODISCARD
tutti_status tutti_file_get_texts(const tutti_file *file, const char *object, const char *name, char ***texts,
                                  int *n); // free with tutti_file_list_free

// --- tables: one-dimensional arrays of records with named columns

/** One column: where it stands in a record of the caller's. */
typedef struct {
  const char *name;
  tutti_type type;
  size_t offset;
} tutti_column;

/** Append records [n] to table `name`, which is made when it is not there (chunked, unlimited), also for n =
 * 0.
 * @param[in] record_bytes  sizeof one record
 * @return ERR_DATA where the table there has other columns (their order does not matter) */
TUTTI_NODISCARD
tutti_status tutti_table_append(tutti_file *file, const char *name, const tutti_column *columns,
                                int n_columns, size_t record_bytes, const void *records, int64_t n);

/** The same as all of the table: what is there goes, also where it has other columns.  @return ERR_IO, ERR_DATA */
TUTTI_NODISCARD
tutti_status tutti_table_replace(tutti_file *file, const char *name, const tutti_column *columns,
                                 int n_columns, size_t record_bytes, const void *records, int64_t n);

/** Rows of a table; 0 where it is not there.  @return ERR_DATA it is no table */
TUTTI_NODISCARD
tutti_status tutti_table_rows(const tutti_file *file, const char *name, int64_t *n);

/** Names of the columns of a table, in their order; *names [n] is the caller's (tutti_file_list_free).
 * @return ERR_DATA no such table */
TUTTI_NODISCARD
tutti_status tutti_table_columns(const tutti_file *file, const char *name, char ***names, int *n);

/** Read rows [first, first + n) into records: each column of `columns` that the file has; others stay
 * untouched.
 * @return ERR_DATA no such table, out of range, or damaged as its checksum tells; ERR_IO the system cannot
 * read */
TUTTI_NODISCARD
tutti_status tutti_table_read(const tutti_file *file, const char *name, const tutti_column *columns,
                              int n_columns, size_t record_bytes, int64_t first, int64_t n, void *records);

/** Keep the first n rows.  @return ERR_DATA no such table, fewer rows */
TUTTI_NODISCARD
tutti_status tutti_table_truncate(tutti_file *file, const char *name, int64_t n);

// --- paths

/** Make a folder and its parents; fine where it is there.  @return ERR_CREATE with the path that could not be
 * made */
TUTTI_NODISCARD
tutti_status tutti_make_folder(const char *path);

/** Write a text file whole or not at all, in the way of tutti_file_create and tutti_file_commit.
 * @return ERR_CREATE, ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_write_text(const char *path, const char *text);

/** Read a whole text file; *text is the caller's (tutti_free).
 * @return ERR_MISSING, ERR_IO; ERR_DATA a zero byte in it, which no text has */
TUTTI_NODISCARD
tutti_status tutti_read_text(const char *path, char **text);

/** Whether both paths lead to one file or folder; false where one of them leads nowhere. */
bool tutti_same_file(const char *a, const char *b);

/** Whether `path` names a file right in `folder`, or a link leads it to one; false where it leads nowhere. */
bool tutti_file_is_in(const char *path, const char *folder);

// --- one writer at a time

/** The right to write to a folder; ends with the process that has it, however that dies. */
typedef struct tutti_lock tutti_lock;

/** Take the advisory lock of `folder`, which is made where it is missing: a POSIX record lock on the file
 * FOLDER/.lock, whose one line is "HOST PID".  It works between the hosts of a network file system; on one
 * without locks the call succeeds and keeps nobody out.  Temporary files of killed processes are removed.
 *
 * It is a lock between processes: a second one in this process succeeds, too, and the lock is lost as soon as
 * this process closes any descriptor of that file.
 * @return ERR_CREATE with process and host where another process has it, or with the reason of the system;
 * *lock is then NULL.  The caller owns it. */
TUTTI_NODISCARD
tutti_status tutti_lock_take(const char *folder, tutti_lock **lock);

/** Remove the file and let the folder go.  Accepts NULL inside; nulls the handle. */
void tutti_lock_release(tutti_lock **lock);

/** Claims to numbered things that several processes share out among them; each ends with the process that has it, however
 * that dies. */
typedef struct tutti_claims tutti_claims;

/** Open the file PATH, which stays empty: claim i is a POSIX record lock on byte i.  As tutti_lock_take, between
 * processes alone, and lost when this process closes any other descriptor of that file.
 * @param[in] create  make the file where it is missing; else a missing file is nobody's, and no claim can be taken
 * @return ERR_CREATE.  The caller owns it. */
TUTTI_NODISCARD
tutti_status tutti_claims_open(const char *path, bool create, tutti_claims **claims);
void tutti_claims_close(
    tutti_claims **claims); // Gives all claims back.  Accepts NULL inside; nulls the handle.

/** Whether the file of that name is still the one that is open. */
bool tutti_claims_current(const tutti_claims *claims);

/** Whether the file system has locks at all, be it for this host alone. */
bool tutti_claims_work(const tutti_claims *claims);

/** Take claim i.  Where the file system has no locks everybody gets it.
 * @param[out] taken  false: another process has it
 * @return ERR_CREATE with the reason of the system */
TUTTI_NODISCARD
tutti_status tutti_claims_take(tutti_claims *claims, int64_t i, bool *taken);

/** Take claim i beside others who share it: while anybody has it so, nobody takes it alone.
 * @param[out] taken  false: another process has it alone */
TUTTI_NODISCARD
tutti_status tutti_claims_share(tutti_claims *claims, int64_t i, bool *taken);
void tutti_claims_give_back(tutti_claims *claims, int64_t i);

/** Whether another process has claim i, alone or beside others, as far as the file system tells. */
bool tutti_claims_held(const tutti_claims *claims, int64_t i);

/** The version of the HDF5 library that runs, "1.10.8"; valid until the next call. */
const char *tutti_hdf5_version(void);
