#pragma once
/** Files of HDF5: typed arrays, tables and attributes, and files that are complete or absent.  The only room that
 * includes hdf5.h.  Local: one process, no MPI.
 *
 * Every array and table has a Fletcher-32 checksum.  Files are written with H5F_LIBVER_V110 bounds and without time
 * stamps, so equal content gives equal bytes.  Files are never locked by HDF5, because network file systems may not
 * support it.  One thread at a time: not every HDF5 library is built for more.
 *
 * A write that fails (full disk, quota) may be reported by a later call, at the latest by tutti_file_commit, and then
 * by every call for that file: ERR_IO.  The process can continue, and so can other files. */
#include <stdbool.h>

#include "tutti/base.h"
#include "tutti/texts.h"

typedef struct tutti_file tutti_file;

typedef enum { TUTTI_U8, TUTTI_I32, TUTTI_I64, TUTTI_F32, TUTTI_F64 } tutti_type;

size_t tutti_io_type_bytes(tutti_type type);

/** Open for reading.
 * @param[out] file  owned by the caller; NULL after a failure
 * @return ERR_MISSING no such file; ERR_DATA empty, truncated, damaged, not HDF5, or not closed by another writer;
 * ERR_IO a folder, or the system cannot read it */
TUTTI_NODISCARD
tutti_status tutti_file_open(const char *path, tutti_file **file);

/** For a handler of signals, after a crash: the files that HDF5 may have been reading, the latest one first.
 * @param[in] after  the file before; NULL: begin
 * @return NULL: there is none, or HDF5 was not running */
const tutti_file *tutti_file_in_use(const tutti_file *after);

/** Limit the processor time of one call of HDF5, or of a few that belong together, except for reading numbers, while
 * files are read.  From then on, SIGVTALRM comes again and again, and its handler asks whether the time is up.
 * @param[in] seconds  0: no limit, as at the start */
void tutti_file_limit_time(double seconds);

/** For this handler: whether the thread that called HDF5 has computed for longer than the limit. */
bool tutti_file_time_is_up(void);

/** What a file may make the program do beyond reading the file: a sum of these. */
enum { TUTTI_TRUST_EXTERNAL = 1, TUTTI_TRUST_PLUGINS = 2 };
typedef unsigned tutti_trust;

static inline tutti_trust tutti_trust_of(bool external, bool plugins) {
  return (external ? TUTTI_TRUST_EXTERNAL : 0u) | (plugins ? TUTTI_TRUST_PLUGINS : 0u);
}

/** Say how far a file is trusted; without this call not at all.
 *
 * EXTERNAL: its links, virtual arrays and external numbers may lead to any file.  Otherwise they may lead only to
 * files in its own folder and below, so that a file from elsewhere cannot make the program read other files.
 * PLUGINS: while it is open, HDF5 may load the filters that files name, as libraries from the folders of
 * HDF5_PLUGIN_PATH.  Otherwise no code is loaded because of a file. */
void tutti_file_trust(tutti_file *file, tutti_trust trust);

/** Begin a new file beside `path`, under a temporary name; `path` itself does not change until tutti_file_commit.
 * Missing parent folders are made.  If `path` is a link, its target is replaced, and the new file gets the mode of
 * the old one.  If a process of this host was killed in an earlier attempt, its temporary file (PATH.tmp-HOST-PID) is
 * removed.
 * @param[out] file  owned by the caller; NULL after a failure
 * @return ERR_CREATE with the reason of the system, also if `path` is a folder or a device */
TUTTI_NODISCARD
tutti_status tutti_file_create(const char *path, tutti_file **file);

/** As tutti_file_create, for one of so many small files in a folder that to look after the folder takes longer than the
 * file: what killed processes have left stays until tutti_io_sweep, and if the machine fails before tutti_io_flush_folder,
 * the file may be missing after it, but is never half. */
TUTTI_NODISCARD
tutti_status tutti_file_create_among_many(const char *path, tutti_file **file);

/** Write texts without checksums, because other programs may change the texts of this new file. */
void tutti_file_leave_texts_open(tutti_file *file);

/** As tutti_file_create, but the new file begins as a copy of `path` if that exists: for appending that is complete or
 * does not happen.
 * @return ERR_CREATE; ERR_DATA or ERR_IO as tutti_file_open, for the old file */
TUTTI_NODISCARD
tutti_status tutti_file_update(const char *path, tutti_file **file);

/** Close a file from create or update, flush it to disk, rename it to its path, and flush the folder.  Before that
 * moment the old file is complete under its name, after it the new one.  After a failure the temporary file is
 * removed.
 * @param[in,out] file  NULL after it in any case
 * @return ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_file_commit(tutti_file **file);

/** Close.  A file from create or update without a commit is removed.  Accepts NULL inside; nulls the handle. */
void tutti_file_close(tutti_file **file);

/** The path with which it was opened (the final one); borrowed. */
const char *tutti_file_path(const tutti_file *file);

// --- arrays

enum { TUTTI_MAX_DIMS = 8 };

typedef enum { TUTTI_CLASS_INTEGER, TUTTI_CLASS_REAL, TUTTI_CLASS_OTHER } tutti_type_class;

typedef struct {
  int n_dims;
  int64_t dims[TUTTI_MAX_DIMS];
  tutti_type_class type_class;
  int type_bytes;
  bool type_signed; // for integers
} tutti_array_shape;

/** Whether a file has an array or group.
 * @param[in] name  path in the file, "x_train" or "/model/weights/dense/kernel"
 * @return true also if the file is damaged at that place: reading then reports it, and nothing is skipped */
bool tutti_file_has(const tutti_file *file, const char *name);

/** The shape and type of an array.  A scalar has no dimensions, and one row.
 * @return ERR_DATA no such array, too many dimensions */
TUTTI_NODISCARD
tutti_status tutti_file_shape(const tutti_file *file, const char *name, tutti_array_shape *shape);

/** Read rows [first, first + n) along the first dimension.  A number that `type` cannot hold is clipped by HDF5, so
 * ask for a type that can.
 * @param[out] data  row-major, converted to `type`; unspecified after a failure
 * @return ERR_DATA no such array, not numbers, out of range, or damaged according to the checksum; ERR_IO the system
 * cannot read */
TUTTI_NODISCARD
tutti_status tutti_file_read_rows(const tutti_file *file, const char *name, tutti_type type, int64_t first,
                                  int64_t n, void *data);

/** Check that all numbers of an array were stored, and are where HDF5 looks for them.  HDF5 reads missing numbers as
 * zeros.
 * @return ERR_DATA chunks or blocks that were never written; numbers in files that are too short or not regular; a
 * virtual array that is made of itself, or has numbers without a source; a file outside that is not allowed;
 * ERR_MISSING a file with some of the numbers does not exist; as tutti_file_open and tutti_file_shape for such files */
TUTTI_NODISCARD
tutti_status tutti_file_check_stored(const tutti_file *file, const char *name);

/** Find out whether two names lead to one array: by links of any kind, or by a virtual array that is another one as a
 * whole.
 * @return ERR_DATA no such array, as tutti_file_shape */
TUTTI_NODISCARD
tutti_status tutti_file_same_array(const tutti_file *file, const char *a, const char *b, bool *same);

/** Write a whole new array.  Missing groups are made.
 * @param[in] n_dims   1 to TUTTI_MAX_DIMS
 * @param[in] dims     [n_dims]; each may be 0
 * @param[in] deflate  0 none, 1-9 zlib level
 * @param[in] data     row-major, of `type`
 * @return ERR_INTERNAL an array of that name exists; ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_file_write(tutti_file *file, const char *name, tutti_type type, int n_dims,
                              const int64_t *dims, int deflate, const void *data);

/** Make a new array for tutti_file_write_rows, if the data does not fit in memory.  Rows that are never written are
 * zeros.  Pieces of some megabytes are fast.  Arguments and errors as for tutti_file_write. */
TUTTI_NODISCARD
tutti_status tutti_file_create_array(tutti_file *file, const char *name, tutti_type type, int n_dims,
                                     const int64_t *dims, int deflate);

/** Write rows [first, first + n).
 * @param[in] data  row-major, of `type`
 * @return as tutti_file_read_rows */
TUTTI_NODISCARD
tutti_status tutti_file_write_rows(tutti_file *file, const char *name, tutti_type type, int64_t first,
                                   int64_t n, const void *data);

/** List the members of a group, in order of name.
 * @param[out] names  owned by the caller (tutti_texts_clear); empty after a failure
 * @return ERR_DATA no such group */
TUTTI_NODISCARD
tutti_status tutti_file_list(const tutti_file *file, const char *group, tutti_texts *names);

// --- attributes; `object` is "/" or the path of an existing array or group

/* A text has a checksum, the attribute NAME_checksum.  If it exists, reading the text compares it (ERR_DATA).  All
 * setters return ERR_IO, ERR_INTERNAL. */
TUTTI_NODISCARD
tutti_status tutti_file_set_text(tutti_file *file, const char *object, const char *name, const char *text);
TUTTI_NODISCARD
tutti_status tutti_file_set_integer(tutti_file *file, const char *object, const char *name, int64_t value);
TUTTI_NODISCARD
tutti_status tutti_file_set_real(tutti_file *file, const char *object, const char *name, double value);

/** @param[in] texts  [n] */
TUTTI_NODISCARD
tutti_status tutti_file_set_texts(tutti_file *file, const char *object, const char *name,
                                  const char *const *texts, int n);

bool tutti_file_has_attribute(const tutti_file *file, const char *object, const char *name);

/** Whether the attribute exists and is a list of texts; true also if the file is damaged there, as tutti_file_has. */
bool tutti_file_has_texts(const tutti_file *file, const char *object, const char *name);

/** Whether a text has a checksum, which is compared when it is read.  Files of earlier versions have none. */
bool tutti_file_has_checksum(const tutti_file *file, const char *object, const char *name);

/** @param[out] text  owned by the caller (tutti_free)
 * @return ERR_DATA no such attribute, or of another type; the same for the next three */
TUTTI_NODISCARD
tutti_status tutti_file_get_text(const tutti_file *file, const char *object, const char *name, char **text);
TUTTI_NODISCARD
tutti_status tutti_file_get_integer(const tutti_file *file, const char *object, const char *name,
                                    int64_t *value);
TUTTI_NODISCARD
tutti_status tutti_file_get_real(const tutti_file *file, const char *object, const char *name, double *value);

/** @param[out] texts  owned by the caller (tutti_texts_clear); empty after a failure */
TUTTI_NODISCARD
tutti_status tutti_file_get_texts(const tutti_file *file, const char *object, const char *name,
                                  tutti_texts *texts);

// --- tables: one-dimensional arrays of records with named columns

/** One column, and its place in a record of the caller. */
typedef struct {
  const char *name;
  tutti_type type;
  size_t offset; // in bytes
} tutti_column;

/** Append records to a table, which is made if it does not exist (chunked, unlimited), also for n = 0.
 * @param[in] record_bytes  sizeof one record
 * @param[in] records       [n]
 * @return ERR_DATA the table has other columns (their order does not matter), or does not grow because
 * tutti_table_replace has made it; ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_table_append(tutti_file *file, const char *name, const tutti_column *columns,
                                int n_columns, size_t record_bytes, const void *records, int64_t n);

/** Write all records of a table that does not grow.  They replace the table of that name, which may have had other
 * columns.  Such a table has no room for more rows, so a short one takes little of the file.
 * @return ERR_IO, ERR_DATA */
TUTTI_NODISCARD
tutti_status tutti_table_replace(tutti_file *file, const char *name, const tutti_column *columns,
                                 int n_columns, size_t record_bytes, const void *records, int64_t n);

/** @param[out] n  number of rows; 0 if there is no such table
 * @return ERR_DATA it is not a table */
TUTTI_NODISCARD
tutti_status tutti_table_rows(const tutti_file *file, const char *name, int64_t *n);

/** List the columns of a table, in their order.
 * @param[out] names  owned by the caller (tutti_texts_clear); empty after a failure
 * @return ERR_DATA no such table */
TUTTI_NODISCARD
tutti_status tutti_table_columns(const tutti_file *file, const char *name, tutti_texts *names);

/** Read rows [first, first + n).
 * @param[out] records  [n]; members of columns that the file lacks stay as they are
 * @return ERR_DATA no such table, out of range, or damaged according to the checksum; ERR_IO the system cannot read */
TUTTI_NODISCARD
tutti_status tutti_table_read(const tutti_file *file, const char *name, const tutti_column *columns,
                              int n_columns, size_t record_bytes, int64_t first, int64_t n, void *records);

/** Keep the first n rows.
 * @return ERR_DATA no such table, fewer rows, or it does not grow; ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_table_truncate(tutti_file *file, const char *name, int64_t n);

// --- paths

/** Make a folder and its parents.  An existing folder is fine.
 * @return ERR_CREATE with the path that could not be made */
TUTTI_NODISCARD
tutti_status tutti_io_make_folder(const char *path);

/** Remove all temporary files in a folder whose process on this host has ended. */
void tutti_io_sweep(const char *folder);

/** Flush the names of new files to disk.
 * @return ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_io_flush_folder(const char *folder);

/** Get the bytes that this user may still write to the file system of a folder.  Quotas are not seen.
 * @return false: the system does not say */
bool tutti_io_free_bytes(const char *folder, double *bytes);

/** Write a text file, complete or not at all, as tutti_file_create and tutti_file_commit do.
 * @return ERR_CREATE, ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_io_write_text(const char *path, const char *text);

/** Read a whole text file.
 * @param[out] text  owned by the caller (tutti_free)
 * @return ERR_MISSING, ERR_IO; ERR_DATA a zero byte, which a text does not contain */
TUTTI_NODISCARD
tutti_status tutti_io_read_text(const char *path, char **text);

/** Whether both paths lead to the same file or folder; false if one of them leads nowhere. */
bool tutti_io_same_file(const char *a, const char *b);

/** Whether `path` is a file in the folder itself, or a link to one; false if it leads nowhere. */
bool tutti_file_is_in(const char *path, const char *folder);

// --- one writer at a time

/** The right to write to a folder.  It ends with the process that has it, also if that is killed. */
typedef struct tutti_lock tutti_lock;

/** Take the advisory lock of a folder, which is made if it does not exist: a POSIX record lock on the file
 * FOLDER/.lock, whose one line is "HOST PID".  It works between the hosts of a network file system.  On a file system
 * without locks the call succeeds and excludes nobody.  Temporary files of killed processes are removed.
 *
 * The lock is one between processes: a second lock in this process also succeeds, and this process loses the lock if
 * it closes any descriptor of that file.
 * @param[out] lock  owned by the caller; NULL after a failure
 * @return ERR_CREATE with process and host if another process has the lock, or with the reason of the system */
TUTTI_NODISCARD
tutti_status tutti_io_lock_take(const char *folder, tutti_lock **lock);

/** Whether the folder still has the file of the lock; true on a file system without locks. */
bool tutti_io_lock_is_current(const tutti_lock *lock);

/** Remove the file, if it is still that of the lock, and give up the lock.  Accepts NULL inside; nulls the handle. */
void tutti_io_lock_release(tutti_lock **lock);

/** Claims to numbered things, by which several processes share them out.  A claim ends with the process that has it,
 * also if that is killed. */
typedef struct tutti_claims tutti_claims;

/** Open the file of the claims, which stays empty: claim i is a POSIX record lock on byte i.  As for
 * tutti_io_lock_take, claims are between processes, and lost if this process closes any other descriptor of that
 * file.
 * @param[in]  create  make the file if it does not exist; otherwise a missing file has no claims, and none can be
 * taken
 * @param[out] claims  owned by the caller
 * @return ERR_CREATE */
TUTTI_NODISCARD
tutti_status tutti_io_claims_open(const char *path, bool create, tutti_claims **claims);

/** Give all claims back.  Accepts NULL inside; nulls the handle. */
void tutti_io_claims_close(tutti_claims **claims);

/** Whether the path still leads to the file that is open. */
bool tutti_io_claims_current(const tutti_claims *claims);

/** Whether the file system has locks, even if only for this host. */
bool tutti_io_claims_work(const tutti_claims *claims);

/** Take claim i.  On a file system without locks everybody gets it.
 * @param[out] taken  false: another process has it
 * @return ERR_CREATE with the reason of the system */
TUTTI_NODISCARD
tutti_status tutti_io_claims_take(tutti_claims *claims, int64_t i, bool *taken);

/** Share claim i with others.  While one process shares it, no process can take it for itself.
 * @param[out] taken  false: another process has it for itself
 * @return as tutti_io_claims_take */
TUTTI_NODISCARD
tutti_status tutti_io_claims_share(tutti_claims *claims, int64_t i, bool *taken);
void tutti_io_claims_give_back(tutti_claims *claims, int64_t i);

/** Whether another process has claim i, shared or for itself, as far as the file system can say. */
bool tutti_io_claims_held(const tutti_claims *claims, int64_t i);

/** The version of the HDF5 library that runs, "1.10.8"; valid until the next call. */
const char *tutti_io_hdf5_version(void);
