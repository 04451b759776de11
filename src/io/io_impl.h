#pragma once
/** Declarations that the files of this room share.  Private to this room and its tests.  All Local. */
#include <hdf5.h>

#include "tutti/io.h"

// --- temporary.c: a new file that replaces another one as a whole

/** A new file beside `path`, open for reading and writing. */
typedef struct {
  char *path; // owned; the final path, after links
  char *name; // owned; the temporary path, NULL: there is none
  int fd;     // owned
  bool among_many;
} tutti_temporary;

/** Open a temporary file beside `path`.  Missing parent folders are made.
 * @param[in]  among_many  else temporary files of `path` are removed if their process on this host has ended, and the
 * folder is flushed at the commit
 * @param[out] temporary   empty after a failure
 * @return ERR_CREATE */
TUTTI_NODISCARD
tutti_status tutti_io_temporary_begin(const char *path, bool among_many, tutti_temporary *temporary);

/** Write n bytes at the current position of the file.
 * @return ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_io_temporary_write(tutti_temporary *temporary, const void *data, size_t n);

/** Flush to disk, close, rename, and flush the folder unless it is one among many files.
 * @param[in,out] temporary  empty after it in any case
 * @return ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_io_temporary_commit(tutti_temporary *temporary);

/** Close and remove; accepts an empty one. */
void tutti_io_temporary_drop(tutti_temporary *temporary);

/** @param[in] action  "write", for the text
 * @param[in] error   of errno.h
 * @return ERR_IO, with a text for a write that failed */
tutti_status tutti_io_write_failed(const char *path, const char *action, int error);

// --- paths.c

/** Find the folder of `path`, "." for a bare name.
 * @param[out] folder  owned by the caller */
TUTTI_NODISCARD
tutti_status tutti_io_parent_folder(const char *path, char **folder);

/** Whether the path leads to the file that is open as `fd`. */
bool tutti_io_is_open_file(const char *path, int fd);

// --- claims.c

struct tutti_claims {
  char *path; // owned
  int fd;     // owned; -1: there was no such file
};

// --- driver.c: how HDF5 writes

/** The disk below a file that is being written.  It keeps the first error, and later writes are dropped: see
 * driver.c. */
typedef struct {
  int fd;    // borrowed from the temporary file
  int error; // errno of the first failure; 0: there was none
} tutti_disk;

/** Make a driver that writes to `disk`, and an access list with it.  `disk` outlives both.  The caller releases the
 * driver after the file is closed. */
TUTTI_NODISCARD
tutti_status tutti_io_driver_access(const char *path, tutti_disk *disk, hid_t *driver, hid_t *access);

// --- external.c: other files to which a file leads

enum { TUTTI_PATH_BYTES = 4096 };

/** Find the file `name` to which an array or a link of `file` leads, as HDF5 does.
 * @param[in] variable  of the environment, which lists the folders where HDF5 looks first
 * @return false: there is none */
bool tutti_io_external_find(const char *file, const char *name, const char *variable,
                            char path[TUTTI_PATH_BYTES]);

/** The same for a file with the numbers of an array, without any format. */
bool tutti_io_external_find_raw(const char *file, const char *name, char path[TUTTI_PATH_BYTES]);

/** The files to which a file may lead. */
typedef struct {
  bool anywhere;
  char within[TUTTI_PATH_BYTES]; // a file: if not anywhere, only files in its folder and below are allowed
  int depth;                     // length of the chain of virtual arrays from the caller's file to this one
  tutti_status status;           // of the last link that HDF5 followed: OK, or why it was refused
  char reason[1024];
} tutti_bounds;

/** Whether a file that was found may be read. */
bool tutti_io_external_allowed(const tutti_bounds *bounds, const char *path);

/** Make an access list with which HDF5 follows only links to existing files that `bounds` allows; `bounds` outlives
 * it. */
TUTTI_NODISCARD
tutti_status tutti_io_external_access(tutti_bounds *bounds, hid_t *access);

/** @param[in] status  of a call with that access list
 * @return the reason if a link was refused, else `status` */
TUTTI_NODISCARD
tutti_status tutti_io_external_check_links(tutti_bounds *bounds, tutti_status status);

/** The end of a message about a file that is out of bounds. */
#define TUTTI_EXTERNAL_ADVICE                                                                                \
  "which is outside of the folder of %s; if that is intended, set data.external: yes (or "                   \
  "--data.external=yes)"

// --- file.c

struct tutti_file {
  char *path;           // as the caller gave it
  hid_t id;             // H5F
  hid_t access;         // list for opening objects in it
  tutti_bounds *bounds; // files to which its links may lead
  tutti_file *next;     // in a list of files
  char checked[256];    // its array that was checked last as the source of another one
  bool plugins;         // HDF5 may load filters while it is open
  tutti_file *older;    // in the list of files that are read, the latest first
  bool writable;        // the other members are for writable files
  bool sums_texts;      // texts get a checksum
  tutti_temporary temporary;
  tutti_disk disk;
  hid_t driver;
};

/** @return ERR_INTERNAL the file is open for reading; ERR_IO a write has failed before */
TUTTI_NODISCARD
tutti_status tutti_file_writable(const tutti_file *file);

/** The end of a function that writes.
 * @return ERR_IO if the disk has failed, else `status` */
TUTTI_NODISCARD
tutti_status tutti_file_check_write(const tutti_file *file, tutti_status status);

// --- crash.c: what HDF5 is reading

/** HDF5 runs between these two, which may be nested; tutti_io_h5_mute and tutti_io_h5_unmute call them.
 * @return whether it is the outermost one */
bool tutti_io_crash_enter(void);
void tutti_io_crash_leave(void);

/** The call that follows may take long, because it reads many numbers. */
void tutti_io_crash_take_time(void);

/** A file is read from now on, until tutti_io_crash_forget, which accepts any file. */
void tutti_io_crash_watch(tutti_file *file);
void tutti_io_crash_forget(tutti_file *file);

// --- plugins.c: what HDF5 may load

/** Keep HDF5 from loading libraries.  h5.c calls it once, before all other calls of HDF5 but H5dont_atexit. */
void tutti_io_plugins_start(void);

/** Let HDF5 load filters until this file is closed, or forbid it again; the second one accepts any file. */
void tutti_io_plugins_allow(tutti_file *file);
void tutti_io_plugins_forbid(tutti_file *file);
bool tutti_io_plugins_allowed(void);

// --- filters.c: what compresses arrays

/** Fail because HDF5 lacks a filter of an array or table: which one, and what to do.
 * @param[in] what     the beginning of the message, with file and array
 * @return ERR_DATA */
tutti_status tutti_io_filter_fail(const tutti_file *file, hid_t dataset, const char *what);

// --- selection.c: the numbers that one source gives to a virtual array

/** A selection, clipped to the array. */
typedef struct {
  int64_t n_numbers, n_blocks; // n_blocks: along the dimension without end; 1: there is no such dimension
  bool endless;
} tutti_io_extent;

bool tutti_io_selection_is_endless(hid_t space);

/** @param[in] dims  [n_dims] of the array */
tutti_io_extent tutti_io_selection_extent(hid_t space, int n_dims, const hsize_t *dims);

/** Add a selection, clipped to the array, to the selection of `covered`, a space of `dims`.
 * @return below 0 after a failure, as HDF5 does */
herr_t tutti_io_selection_add(hid_t covered, hid_t space, int n_dims, const hsize_t *dims);

/** @return number of selected numbers inside the array; below 0 after a failure, as HDF5 does */
int64_t tutti_io_selection_count(hid_t covered, int n_dims, const hsize_t *dims);

// --- h5.c: HDF5's errors and types

typedef struct {
  H5E_auto2_t print;
  void *data;
  bool muted; // HDF5 did not print before
} tutti_h5_printer;

/** Stop HDF5 from printing, until tutti_io_h5_unmute.  It comes before all other calls of HDF5, because it sets how HDF5
 * starts.  Around several calls it makes each of them cheaper. */
tutti_h5_printer tutti_io_h5_mute(void);

/** Let HDF5 print as before. */
void tutti_io_h5_unmute(tutti_h5_printer printer);

/** Why a call of HDF5 failed. */
typedef enum {
  TUTTI_H5_SYSTEM,    // the system failed: the content of the file may be fine
  TUTTI_H5_NO_FILTER, // the library lacks the filter that decompresses, also as a plugin
  TUTTI_H5_CHECKSUM,  // wrong checksum of numbers, of a compressed chunk or of the file's structure
  TUTTI_H5_REFUSED,   // HDF5 recognised the file, but did not open it
  TUTTI_H5_OTHER
} tutti_h5_cause;

/** The cause, from the error stack, which the next call of HDF5 clears. */
tutti_h5_cause tutti_io_h5_why(void);

/** Write the cause as one sentence: our own, or that of the innermost entry of the error stack. */
void tutti_io_h5_sentence(char *text, size_t bytes);

/** tutti_fail with the sentence of HDF5 after the text.
 * @return `status`; but ERR_IO instead of ERR_DATA if the system failed, and ERR_DATA for a wrong checksum */
tutti_status tutti_io_h5_fail(tutti_status status, const char *function, const char *file, int line,
                              const char *format, ...) TUTTI_PRINTF(5, 6);

/** Close an id of any kind; accepts a negative one. */
void tutti_io_h5_release(hid_t id);

hid_t tutti_io_h5_file_type(tutti_type type);
hid_t tutti_io_h5_memory_type(tutti_type type);

/** status = outcome of a call of HDF5, without its printing.  The call may be an assignment, `id = H5Dopen2(...)`.  A
 * result below zero is a failure with the text, to which HDF5's own sentence is added. */
#define TUTTI_H5_STATUS(status, call, code, ...)                                                             \
  do {                                                                                                       \
    const tutti_h5_printer tutti_h5_printer_ = tutti_io_h5_mute();                                           \
    (status) = (call) < 0 ? tutti_io_h5_fail((code), __func__, __FILE__, __LINE__, __VA_ARGS__) : TUTTI_OK;  \
    tutti_io_h5_unmute(tutti_h5_printer_);                                                                   \
  } while (0)

/** TUTTI_TRY_GOTO for a call of HDF5. */
#define TUTTI_H5(label, call, code, ...)                                                                     \
  do {                                                                                                       \
    TUTTI_H5_STATUS(status, call, code, __VA_ARGS__);                                                        \
    if (status != TUTTI_OK) goto label;                                                                      \
  } while (0)

/** TUTTI_TRY for a call of HDF5. */
#define TUTTI_H5_TRY(call, code, ...)                                                                        \
  do {                                                                                                       \
    tutti_status tutti_h5_status_;                                                                           \
    TUTTI_H5_STATUS(tutti_h5_status_, call, code, __VA_ARGS__);                                              \
    if (tutti_h5_status_ != TUTTI_OK) return tutti_h5_status_;                                               \
  } while (0)

// --- virtual.c: opening an array, which may be made of others

/** @param[in]  kind     for messages, "array" or "table"
 * @param[in]  access   list for opening it, or H5P_DEFAULT: that of the file
 * @param[out] dataset  owned by the caller; invalid after a failure
 * @return ERR_DATA no such data set; the text lists the members of the root */
TUTTI_NODISCARD
tutti_status tutti_io_object_open(const tutti_file *file, const char *kind, const char *name, hid_t access,
                                  hid_t *dataset);

/** An open array or table, and how it is stored. */
typedef struct {
  hid_t dataset, type, creation, space;
  hsize_t dims[H5S_MAX_RANK]; // [n_dims]
  int n_dims;
} tutti_array_storage;

#define TUTTI_NO_STORAGE                                                                                     \
  ((tutti_array_storage){H5I_INVALID_HID, H5I_INVALID_HID, H5I_INVALID_HID, H5I_INVALID_HID, {0}, 0})

/** Open a data set with all that is known of it.  Arguments and errors as for tutti_io_object_open.
 * @param[in,out] storage  was TUTTI_NO_STORAGE; to be closed also after a failure */
TUTTI_NODISCARD
tutti_status tutti_array_storage_open(const tutti_file *file, const char *kind, const char *name,
                                      hid_t access, tutti_array_storage *storage);
void tutti_array_storage_close(tutti_array_storage *storage);

// --- object.c: names in a file

/** Find out whether a link of that name leads to an object.
 * @return ERR_DATA the file is damaged there */
TUTTI_NODISCARD
tutti_status tutti_io_object_find(const tutti_file *file, const char *name, bool *there);

/** The shape of a new data set, and how it is stored. */
typedef struct {
  int n_dims;
  const hsize_t *dims;     // [n_dims]
  const hsize_t *max_dims; // [n_dims]; NULL: it does not grow
  const hsize_t *chunk;    // [n_dims]; NULL: no chunks, hence no checksum
  int deflate;             // level; 0: it is not compressed
} tutti_array_form;

/** Make the groups above `name`, and in them a data set of that name: without time stamps, and in chunks with
 * Fletcher-32.
 * @param[in]  kind     for messages, "array" or "table"
 * @param[out] dataset  owned by the caller; invalid after a failure
 * @return ERR_INTERNAL it already exists; ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_io_object_create(tutti_file *file, const char *kind, const char *name, hid_t type,
                                    const tutti_array_form *form, hid_t *dataset);

// --- rows.c: some rows of an open array or table

typedef struct {
  hid_t in_file, in_memory; // H5S, with the rows selected
  bool empty;               // there is nothing to move
} tutti_io_rows;

#define TUTTI_NO_ROWS ((tutti_io_rows){H5I_INVALID_HID, H5I_INVALID_HID, true})

/** Select rows [first, first + n); a scalar has one row.
 * @param[in]  kind  for messages, "array" or "table"
 * @param[out] rows  was TUTTI_NO_ROWS; to be closed also after a failure
 * @return ERR_DATA the data set has fewer rows */
TUTTI_NODISCARD
tutti_status tutti_io_rows_select(const tutti_file *file, const char *kind, const char *name, hid_t dataset,
                                  int64_t first, int64_t n, tutti_io_rows *rows);

/** Read the selected rows.
 * @param[in]  type      of the numbers or records in memory
 * @param[in]  transfer  list for reading, or H5P_DEFAULT
 * @param[in]  what      what cannot be done, for the message
 * @return ERR_DATA damaged, or HDF5 lacks a filter; ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_io_rows_read(const tutti_file *file, hid_t dataset, hid_t type, const tutti_io_rows *rows,
                                hid_t transfer, void *data, const char *what);
void tutti_io_rows_close(tutti_io_rows *rows);
