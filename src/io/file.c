/* Opening, creating and committing files.  Before HDF5 opens a file it is checked here, since HDF5's own messages do
 * not say what to do.  A new file is written under a temporary name (temporary.c) through a driver of our own
 * (driver.c), and appears as a whole.  All other files of this room work on a file from here. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/text.h"
#include "io/io_impl.h"

enum { HEAD_BYTES = 8, COPY_BYTES = 1 << 20, MOST_ATTRIBUTES = 200 };

// --- opening for reading

/** Write the first bytes as in C, so that a person recognises a gzip, NumPy or text file. */
static void describe_head(const unsigned char *head, ssize_t n, char *text, size_t bytes) {
  text[0] = '\0';
  for (ssize_t i = 0; i < n; i++)
    tutti_text_append(text, bytes, isprint(head[i]) ? "%c" : "\\x%02x", head[i]);
}

/** The limit on open files is a frequent reason that is easy to change, so the text says how. */
static tutti_status fail_unreadable(const char *path, const char *of_system) {
  char reason[512];
  snprintf(reason, sizeof reason, "%s", of_system); // another call of strerror may overwrite it
  const char *advice =
      strcmp(reason, strerror(EMFILE)) == 0
          ? "; 'ulimit -n' shows how many files a process may have open, and raises the number"
          : "";
  TUTTI_FAIL(TUTTI_ERR_IO, "%s: cannot read: %s%s", path, reason, advice);
}

static tutti_status read_head(const char *path, unsigned char head[HEAD_BYTES], ssize_t *n) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail_unreadable(path, strerror(errno));
  *n = pread(fd, head, HEAD_BYTES, 0);
  const int error = errno;
  close(fd);
  return *n < 0 ? fail_unreadable(path, strerror(error)) : TUTTI_OK;
}

/** A user often gives a file of another format: say what it is and how to convert it. */
static tutti_status check_signature(const char *path) {
  unsigned char head[HEAD_BYTES];
  char text[4 * HEAD_BYTES + 1];
  ssize_t n = 0;
  TUTTI_TRY(read_head(path, head, &n));
  TUTTI_CHECK(n > 0, TUTTI_ERR_DATA, "%s: is empty, expected an HDF5 file; copy it or make it again", path);
  const tutti_h5_printer printer = tutti_io_h5_mute();
#if H5_VERSION_GE(1, 12, 0)
  const bool signature = H5Fis_accessible(path, H5P_DEFAULT) > 0;
#else
  const bool signature = H5Fis_hdf5(path) > 0;
#endif
  tutti_io_h5_unmute(printer);
  describe_head(head, n, text, sizeof text);
  TUTTI_CHECK(signature, TUTTI_ERR_DATA,
              "%s: is not an HDF5 file (it begins with \"%s\"); 'tutti import' makes one from other formats",
              path, text);
  return TUTTI_OK;
}

/** Report failures that HDF5 would report in its own words, or not at all. */
static tutti_status check_readable(const char *path) {
  struct stat state;
  TUTTI_CHECK(stat(path, &state) == 0, errno == ENOENT || errno == ENOTDIR ? TUTTI_ERR_MISSING : TUTTI_ERR_IO,
              "%s: cannot read: %s", path, strerror(errno));
  TUTTI_CHECK(S_ISREG(state.st_mode), TUTTI_ERR_IO, "%s: is %s, expected an HDF5 file", path,
              S_ISDIR(state.st_mode) ? "a folder" : "not a regular file");
  return check_signature(path);
}

/** A link or a virtual array may lead back to its own file.  HDF5 then opens the file a second time, and succeeds only
 * if the first access list has what HDF5 itself sets: weak closing, and no property for locks (see
 * tutti_io_h5_mute).  Otherwise HDF5 would read a virtual array of its own file as zeros. */
static tutti_status reading_access(const char *path, hid_t *access) {
  TUTTI_H5_TRY(*access = H5Pcreate(H5P_FILE_ACCESS), TUTTI_ERR_SYSTEM, "%s: access list", path);
  TUTTI_H5_TRY(H5Pset_fclose_degree(*access, H5F_CLOSE_WEAK), TUTTI_ERR_SYSTEM, "%s: access list", path);
  return TUTTI_OK;
}

/** A writer sets a mark in the file until it closes it: a byte of the superblock, which is at the beginning of the
 * file or after a block of user data. */
static bool has_mark_of_writer(const char *path) {
  static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  enum { VERSION = sizeof signature, FLAGS = VERSION + 3, FLAG_WRITER = 1 | 4, MAX_USER_BLOCK = 1 << 30 };
  unsigned char head[FLAGS + 1];
  bool found = false;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  for (off_t at = 0; fd >= 0 && !found && at <= MAX_USER_BLOCK; at = at ? 2 * at : 512) {
    if (pread(fd, head, sizeof head, at) != (ssize_t)sizeof head) break;
    if (memcmp(head, signature, sizeof signature) != 0) continue;
    found = head[VERSION] >= 3 && (head[FLAGS] & FLAG_WRITER);
    break;
  }
  if (fd >= 0) close(fd);
  return found;
}

/** H5Fopen, with a message for each of the three reasons why it refuses a file with the signature of HDF5. */
static tutti_status open_h5(const char *path, unsigned flags, hid_t access, hid_t *id) {
  char reason[512];
  const tutti_h5_printer printer = tutti_io_h5_mute();
  *id = H5Fopen(path, flags, access);
  const tutti_h5_cause cause = *id < 0 ? tutti_io_h5_why() : TUTTI_H5_OTHER;
  if (*id < 0) tutti_io_h5_sentence(reason, sizeof reason);
  tutti_io_h5_unmute(printer);
  if (*id >= 0) return TUTTI_OK;
  if (cause == TUTTI_H5_SYSTEM) return fail_unreadable(path, reason);
  TUTTI_CHECK(cause != TUTTI_H5_REFUSED || !has_mark_of_writer(path), TUTTI_ERR_DATA,
              "%s: another program is writing to it, or died while writing (%s); end that program, or run "
              "'h5clear -s' on the file",
              path, reason);
  TUTTI_FAIL(TUTTI_ERR_DATA, "%s: is truncated or damaged: %s; copy it or make it again", path, reason);
}

/** Make a handle with nothing open, so that tutti_file_close works after any failure. */
static tutti_status new_file(const char *path, tutti_file **file) {
  *file = NULL;
  tutti_file *f = NULL;
  TUTTI_TRY(TUTTI_NEW(f, 1));
  f->id = f->driver = f->access = H5I_INVALID_HID;
  f->temporary.fd = -1;
  *file = f;
  TUTTI_TRY(TUTTI_COPY(f->path, path));
  TUTTI_TRY(TUTTI_NEW(f->bounds, 1));
  snprintf(f->bounds->within, sizeof f->bounds->within, "%s", path);
  return tutti_io_external_access(f->bounds, &f->access);
}

tutti_status tutti_file_open(const char *path, tutti_file **file) {
  tutti_status status = TUTTI_OK;
  hid_t access = H5I_INVALID_HID;
  *file = NULL;
  TUTTI_TRY_GOTO(done, tutti_fault("file.open"));
  TUTTI_TRY_GOTO(done, new_file(path, file));
  tutti_io_crash_watch(*file);
  TUTTI_TRY_GOTO(done, reading_access(path, &access));
  TUTTI_TRY_GOTO(done, check_readable(path));
  TUTTI_TRY_GOTO(done, open_h5(path, H5F_ACC_RDONLY, access, &(*file)->id));
done:
  tutti_io_h5_release(access);
  if (status != TUTTI_OK) tutti_file_close(file);
  return status;
}

// --- writing

/** Copy the old file into the temporary one. */
static tutti_status copy_into(const char *path, tutti_temporary *temporary) {
  tutti_status status = TUTTI_OK;
  char *buffer = NULL;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  TUTTI_CHECK_GOTO(done, fd >= 0, TUTTI_ERR_IO, "%s: cannot read: %s", path, strerror(errno));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(buffer, COPY_BYTES));
  for (;;) {
    const ssize_t got = read(fd, buffer, COPY_BYTES);
    if (got < 0 && errno == EINTR) continue;
    TUTTI_CHECK_GOTO(done, got >= 0, TUTTI_ERR_IO, "%s: cannot read: %s", path, strerror(errno));
    if (got == 0) break;
    TUTTI_TRY_GOTO(done, tutti_io_temporary_write(temporary, buffer, (size_t)got));
  }
done:
  tutti_free(buffer);
  if (fd >= 0) close(fd);
  return status;
}

/** The root group would have a time stamp without the first property.
 * @param[in] among_many  it is small: its attributes, of which a trial of a study has more than thirty, are stored one
 *                        after another and not in a tree, which is larger and slower */
static tutti_status create_h5(const char *path, hid_t access, bool among_many, hid_t *id) {
  tutti_status status = TUTTI_OK;
  hid_t creation = H5I_INVALID_HID;
  TUTTI_H5(done, creation = H5Pcreate(H5P_FILE_CREATE), TUTTI_ERR_CREATE, "%s: creation list", path);
  TUTTI_H5(done, H5Pset_obj_track_times(creation, false), TUTTI_ERR_CREATE, "%s: creation list", path);
  if (among_many)
    TUTTI_H5(done, H5Pset_attr_phase_change(creation, MOST_ATTRIBUTES, MOST_ATTRIBUTES), TUTTI_ERR_CREATE,
             "%s: creation list", path);
  TUTTI_H5(done, *id = H5Fcreate(path, H5F_ACC_TRUNC, creation, access), TUTTI_ERR_CREATE,
           "%s: cannot create", path);
done:
  tutti_io_h5_release(creation);
  return status;
}

/** Begin a new file, empty or as a copy, with HDF5 on top of the temporary file. */
static tutti_status begin_writing(const char *path, bool copy, bool among_many, tutti_file **file) {
  tutti_status status = TUTTI_OK;
  hid_t access = H5I_INVALID_HID;
  TUTTI_TRY_GOTO(done, tutti_fault("file.create"));
  TUTTI_TRY_GOTO(done, new_file(path, file));
  tutti_file *f = *file;
  f->writable = f->sums_texts = true;
  TUTTI_TRY_GOTO(done, tutti_io_temporary_begin(path, among_many, &f->temporary));
  if (copy) TUTTI_TRY_GOTO(done, copy_into(path, &f->temporary));
  f->disk.fd = f->temporary.fd;
  TUTTI_TRY_GOTO(done, tutti_io_driver_access(f->path, &f->disk, &f->driver, &access));
  status =
      copy ? open_h5(f->path, H5F_ACC_RDWR, access, &f->id) : create_h5(f->path, access, among_many, &f->id);
  // If the disk has failed, its error explains the failure of HDF5.
  TUTTI_CHECK_GOTO(done, f->disk.error == 0, TUTTI_ERR_CREATE, "%s: cannot create: %s", path,
                   strerror(f->disk.error));
done:
  tutti_io_h5_release(access);
  if (status != TUTTI_OK) tutti_file_close(file);
  return status;
}

tutti_status tutti_file_create(const char *path, tutti_file **file) {
  *file = NULL;
  return begin_writing(path, false, false, file);
}

tutti_status tutti_file_create_among_many(const char *path, tutti_file **file) {
  *file = NULL;
  return begin_writing(path, false, true, file);
}

tutti_status tutti_file_update(const char *path, tutti_file **file) {
  *file = NULL;
  const bool exists = access(path, F_OK) == 0;
  if (exists) TUTTI_TRY(check_readable(path));
  return begin_writing(path, exists, false, file);
}

tutti_status tutti_file_writable(const tutti_file *file) {
  TUTTI_CHECK(file->writable, TUTTI_ERR_INTERNAL, "%s: is open for reading, and cannot be written",
              file->path);
  return tutti_file_check_write(file, TUTTI_OK);
}

tutti_status tutti_file_check_write(const tutti_file *file, tutti_status status) {
  return file->writable && file->disk.error ? tutti_io_write_failed(file->path, "write", file->disk.error)
                                            : status;
}

// --- closing

tutti_status tutti_file_commit(tutti_file **file) {
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_file_writable(*file));
  TUTTI_TRY_GOTO(done, tutti_fault("file.commit"));
  const hid_t id = (*file)->id;
  (*file)->id = H5I_INVALID_HID; // not closed a second time, even if closing fails
  TUTTI_H5(done, H5Fclose(id), TUTTI_ERR_IO, "%s: cannot close", (*file)->path);
  TUTTI_TRY_GOTO(done, tutti_file_check_write(*file, TUTTI_OK));
  TUTTI_TRY_GOTO(done, tutti_io_temporary_commit(&(*file)->temporary));
done:
  tutti_file_close(file);
  return status;
}

void tutti_file_close(tutti_file **file) {
  tutti_file *f = *file;
  if (!f) return;
  f->disk.error = ECANCELED; // so that HDF5 writes no more
  tutti_io_plugins_forbid(f);
  tutti_io_h5_release(f->id);
  tutti_io_h5_release(f->driver); // after the file that it serves
  tutti_io_h5_release(f->access);
  tutti_io_temporary_drop(&f->temporary);
  tutti_io_crash_forget(f);
  tutti_free(f->bounds);
  tutti_free(f->path);
  tutti_free(f);
  *file = NULL;
}

void tutti_file_trust(tutti_file *file, tutti_trust trust) {
  file->bounds->anywhere = trust & TUTTI_TRUST_EXTERNAL;
  if (trust & TUTTI_TRUST_PLUGINS) tutti_io_plugins_allow(file);
}

void tutti_file_leave_texts_open(tutti_file *file) {
  file->sums_texts = false;
}

const char *tutti_file_path(const tutti_file *file) {
  return file->path;
}
