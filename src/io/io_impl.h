#pragma once
/** What the files of this room share; nobody else includes it. */
#include <hdf5.h>

#include "tutti/io.h"

// --- temporary.c: a file that takes the place of another as a whole

/** A new file beside `path`, open for reading and writing. */
typedef struct {
  char *path; // owned; the final one, links followed
  char *name; // owned; the temporary one, NULL where there is none
  int fd;     // owned
} tutti_temporary;

/** Open a temporary file beside `path`; missing parent folders are made, and those temporary files of `path`
 * are removed whose process on this host has died.
 * @return ERR_CREATE; *temporary is then empty */
TUTTI_NODISCARD
tutti_status tutti_temporary_begin(const char *path, tutti_temporary *temporary);

/** Remove all temporary files in `folder` whose process on this host has died. */
void tutti_temporary_sweep(const char *folder);

/** Write n bytes at the file's position.  @return ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_temporary_write(tutti_temporary *temporary, const void *data, size_t n);

/** Flush to disk, close, rename, flush the folder.  *temporary is empty after it in any case.  @return
 * ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_temporary_commit(tutti_temporary *temporary);

/** Close and remove; accepts an empty one. */
void tutti_temporary_drop(tutti_temporary *temporary);

/** ERR_IO with the text for a write that failed with `error` of errno.h. */
tutti_status tutti_write_failed(const char *path, const char *action, int error);

// --- paths.c

/** The folder `path` lies in, "." for a bare name; *folder is the caller's. */
TUTTI_NODISCARD
tutti_status tutti_parent_folder(const char *path, char **folder);

// --- driver.c: how HDF5 reaches a file that is being written

/** The disk below a file being written.  The first error is kept and later writes are dropped: see
 * driver.c. */
typedef struct {
  int fd;    // borrowed from the temporary file
  int error; // errno of the first failure, 0 while all is well
} tutti_disk;

/** Access list and driver for writing to `disk`, which outlives both.  The driver is unregistered after the
 * file is closed. */
TUTTI_NODISCARD
tutti_status tutti_driver_access(const char *path, tutti_disk *disk, hid_t *driver, hid_t *access);

// --- external.c: files that a file names

enum { TUTTI_PATH_BYTES = 4096 };

/** The file `name` that an array or a link of `file` leads to, as HDF5 finds it.
 * @param[in] variable  of the environment, which lists folders where HDF5 looks first
 * @return false: there is none */
bool tutti_external_find(const char *file, const char *name, const char *variable,
                         char path[TUTTI_PATH_BYTES]);

/** The same for a file that holds the numbers of an array without any format. */
bool tutti_external_find_raw(const char *file, const char *name, char path[TUTTI_PATH_BYTES]);

/** What a file may lead to. */
typedef struct {
  bool anywhere;
  char within[TUTTI_PATH_BYTES]; // the file in whose folder it is, and below
  int depth;                     // how many virtual arrays take theirs from the file, one from the other
  tutti_status status;           // of the last link that was followed: OK, or why it was not
  char reason[1024];
} tutti_bounds;

/** Whether a file that was found may be read. */
bool tutti_external_allowed(const tutti_bounds *bounds, const char *path);

/** An access list for arrays with which HDF5 follows only links that `bounds` allows to files that are there;
 * `bounds` outlives it. */
TUTTI_NODISCARD
tutti_status tutti_external_access(tutti_bounds *bounds, hid_t *access);

/** `status` of a call with that list, unless a link is to blame: then why it was not followed. */
TUTTI_NODISCARD
tutti_status tutti_external_settle(tutti_bounds *bounds, tutti_status status);

/** What ends a message about a file that is out of bounds. */
#define TUTTI_EXTERNAL_ADVICE                                                                                \
  "which is outside of the folder of %s; where that is meant say data.external: yes (or "                    \
  "--data.external=yes)"

// --- file.c

struct tutti_file {
  char *path;           // as the caller gave it
  hid_t id;             // H5F
  hid_t access;         // list for whatever is opened in it
  tutti_bounds *bounds; // what its links may lead to
  tutti_file *next;     // in a list of files
  char checked[256];    // its array that was looked at last as the source of another
  bool writable;        // the rest is for these
  bool sums_texts;      // those that are written get a checksum
  tutti_temporary temporary;
  tutti_disk disk;
  hid_t driver;
};

/** ERR_INTERNAL where the file is open for reading, ERR_IO where a write has failed before. */
TUTTI_NODISCARD
tutti_status tutti_file_writable(const tutti_file *file);

/** The end of a function that writes: `status`, unless the disk has failed. */
TUTTI_NODISCARD
tutti_status tutti_file_settle(const tutti_file *file, tutti_status status);

// --- selection.c: which numbers of an array the source of a virtual one gives

/** A selection as it is clipped to the array: what may go on without end. */
typedef struct {
  int64_t n_numbers, n_blocks; // blocks along the dimension without end; 1 where there is none
  bool endless;
} tutti_extent;

bool tutti_selection_is_endless(hid_t space);
tutti_extent tutti_selection_extent(hid_t space, int n_dims, const hsize_t *dims);

/** Adds it, clipped to the array, to what is selected in `covered` [dims].  @return below 0 as HDF5 does */
herr_t tutti_selection_add(hid_t covered, hid_t space, int n_dims, const hsize_t *dims);

/** How many numbers are selected, and inside of the array.  @return below 0 as HDF5 does */
int64_t tutti_selection_count(hid_t covered, int n_dims, const hsize_t *dims);

// --- h5.c: HDF5's errors and types

typedef struct {
  H5E_auto2_t print;
  void *data;
} tutti_h5_printer;

/** HDF5's own printing off, and back as it was.  Before all else that HDF5 does: it sets how HDF5 starts. */
tutti_h5_printer tutti_h5_mute(void);
void tutti_h5_unmute(tutti_h5_printer printer);

/** Why a call of HDF5 failed. */
typedef enum {
  TUTTI_H5_SYSTEM,    // a call of the system: not the file's content, but the way to it is at fault
  TUTTI_H5_NO_FILTER, // what would decompress is neither part of the library nor found as a plugin
  TUTTI_H5_CHECKSUM,  // of numbers, of a compressed chunk or of the file's structure
  TUTTI_H5_REFUSED,   // a file that HDF5 recognised, and did not want to open
  TUTTI_H5_OTHER
} tutti_h5_cause;

/** From the error stack, which the next call of HDF5 clears. */
tutti_h5_cause tutti_h5_why(void);

/** The cause as one sentence, of our own or that of the innermost entry of HDF5's error stack. */
void tutti_h5_sentence(char *text, size_t bytes);

/** tutti_fail with HDF5's sentence after the text; an ERR_DATA that comes from the system is an ERR_IO, and what comes from
 * a checksum an ERR_DATA. */
tutti_status tutti_h5_fail(tutti_status status, const char *function, const char *file, int line,
                           const char *format, ...) TUTTI_PRINTF(5, 6);

/** Close an id of any kind; accepts a negative one. */
void tutti_h5_release(hid_t id);

hid_t tutti_h5_file_type(tutti_type type);
hid_t tutti_h5_memory_type(tutti_type type);

/** result = call of HDF5, without its printing; below zero sets the variable `status` and leaves by the
 * label. */
#define TUTTI_H5_GET(label, result, call, code, ...)                                                         \
  do {                                                                                                       \
    const tutti_h5_printer tutti_h5_printer_ = tutti_h5_mute();                                              \
    (result) = (call);                                                                                       \
    if ((result) < 0) status = tutti_h5_fail((code), __func__, __FILE__, __LINE__, __VA_ARGS__);             \
    tutti_h5_unmute(tutti_h5_printer_);                                                                      \
    if ((result) < 0) goto label;                                                                            \
  } while (0)

/** The same for a call whose result says no more than that. */
#define TUTTI_H5(label, call, code, ...)                                                                     \
  do {                                                                                                       \
    herr_t tutti_h5_result_;                                                                                 \
    TUTTI_H5_GET(label, tutti_h5_result_, call, code, __VA_ARGS__);                                          \
  } while (0)

// --- virtual.c: opening an array, which may be made of others

/** @param[in] kind   what the text calls it, "array" or "table"
 * @param[in] access  list for opening it, or H5P_DEFAULT: that of the file
 * @return ERR_DATA no such data set; the text lists what is there */
TUTTI_NODISCARD
tutti_status tutti_object_open(const tutti_file *file, const char *kind, const char *name, hid_t access,
                               hid_t *dataset);

// --- object.c: names in a file

/** Whether a link of that name leads to an object.  @return ERR_DATA where the file cannot tell */
TUTTI_NODISCARD
tutti_status tutti_object_find(const tutti_file *file, const char *name, bool *there);

/** Make the groups above `name`, and a data set of that name in them.
 * @return ERR_INTERNAL there is one */
TUTTI_NODISCARD
tutti_status tutti_object_create(tutti_file *file, const char *kind, const char *name, hid_t type,
                                 hid_t space, hid_t creation, hid_t *dataset);

/** A creation list for data sets: no time stamps, chunks [n_dims] with shuffle and deflate where asked, and
 * Fletcher-32; n_dims = 0 for no chunks, hence no checksum. */
TUTTI_NODISCARD
tutti_status tutti_object_creation(const tutti_file *file, const char *name, int n_dims, const hsize_t *chunk,
                                   bool shuffle, int deflate, hid_t *creation);
