/* Temporary files PATH.tmp-HOST-PID.  A new file is written beside the file that it will replace, flushed and
 * renamed: readers see the old or the new file, never a part.  HDF5 files and text files are written in this way. */
#define _XOPEN_SOURCE 700 // realpath
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/process.h"
#include "io/io_impl.h"

enum { MARK_BYTES = 96, MAX_TRIES = 100 };

/** ".tmp-HOST-", the text between the path and the process id. */
static void make_mark(char mark[MARK_BYTES]) {
  char host[64] = "";
  if (gethostname(host, sizeof host - 1) != 0) snprintf(host, sizeof host, "unknown");
  snprintf(mark, MARK_BYTES, ".tmp-%s-", host);
}

/** The target of a link; a copy of `path` if it is not a link. */
static tutti_status follow(const char *path, char **final) {
  struct stat state;
  const bool is_link = lstat(path, &state) == 0 && S_ISLNK(state.st_mode);
  char *real = is_link ? realpath(path, NULL) : NULL;
  TUTTI_CHECK(real || !is_link, TUTTI_ERR_CREATE,
              "%s: is a link that leads nowhere (%s); remove it or make its target", path, strerror(errno));
  *final = tutti_strdup(real ? real : path);
  free(real);
  return *final ? TUTTI_OK : TUTTI_ERR_MEMORY;
}

/** The rename would replace a device, and fail at a folder: report that now and not after hours of work.
 * @param[out] mode  of the old file; 0: there is none */
static tutti_status check_target(const char *path, mode_t *mode) {
  struct stat state;
  *mode = 0;
  if (stat(path, &state) != 0) {
    TUTTI_CHECK(errno == ENOENT || errno == ENOTDIR, TUTTI_ERR_CREATE, "%s: cannot create: %s", path,
                strerror(errno));
    return TUTTI_OK;
  }
  TUTTI_CHECK(S_ISREG(state.st_mode), TUTTI_ERR_CREATE, "%s: cannot create: %s of that name exists", path,
              S_ISDIR(state.st_mode) ? "a folder" : "something other than a file");
  *mode = state.st_mode & 0777;
  return TUTTI_OK;
}

/** A killed process stays in the table of processes until its parent asks how it ended; in a container without a
 * proper first process it stays for ever. */
static bool has_ended(long pid) {
  tutti_process process;
  return tutti_process_read(pid, &process) && (process.state == 'Z' || process.state == 'X');
}

/** Whether a process of this host has ended.
 * @param[in] rest  the text after the mark, which begins with the process id */
static bool is_of_the_dead(const char *rest) {
  char *end = NULL;
  const long process = strtol(rest, &end, 10);
  if (end == rest || process <= 0 || (*end && *end != '-')) return false;
  return kill((pid_t)process, 0) != 0 ? errno == ESRCH : has_ended(process);
}

/** A job that was killed during a save leaves its temporary file, which is as large as a checkpoint.  Remove such
 * files; one that cannot be removed is no reason to stop.
 * @param[in] base  of this file alone; NULL: of all files */
static void sweep(const char *folder, const char *base) {
  char mark[MARK_BYTES];
  make_mark(mark);
  DIR *entries = opendir(folder);
  if (!entries) return;
  for (const struct dirent *entry; (entry = readdir(entries));) {
    const char *found = strstr(entry->d_name, mark);
    if (!found || !is_of_the_dead(found + strlen(mark))) continue;
    const size_t n_base = (size_t)(found - entry->d_name);
    if (base && (strlen(base) != n_base || strncmp(entry->d_name, base, n_base) != 0)) continue;
    (void)unlinkat(dirfd(entries), entry->d_name, 0);
  }
  closedir(entries);
}

void tutti_io_sweep(const char *folder) {
  sweep(folder, NULL);
}

/** Use a name that does not exist, because an earlier process may have had the same id. */
static tutti_status open_new(tutti_temporary *temporary) {
  char mark[MARK_BYTES];
  make_mark(mark);
  const size_t bytes = strlen(temporary->path) + MARK_BYTES + 32;
  TUTTI_TRY(TUTTI_NEW(temporary->name, (int64_t)bytes));
  for (int i = 0; i < MAX_TRIES && temporary->fd < 0; i++) {
    const int used = snprintf(temporary->name, bytes, "%s%s%ld", temporary->path, mark, (long)getpid());
    if (i > 0) snprintf(temporary->name + used, bytes - (size_t)used, "-%d", i);
    temporary->fd = open(temporary->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (temporary->fd < 0 && errno != EEXIST) break;
  }
  if (temporary->fd >= 0) return TUTTI_OK;
  const tutti_status status = tutti_fail(TUTTI_ERR_CREATE, __func__, __FILE__, __LINE__,
                                         "%s: cannot create: %s", temporary->name, strerror(errno));
  tutti_free(temporary->name); // so that it is not removed, because it belongs to somebody else
  temporary->name = NULL;
  return status;
}

tutti_status tutti_io_temporary_begin(const char *path, bool among_many, tutti_temporary *temporary) {
  tutti_status status = TUTTI_OK;
  char *folder = NULL;
  mode_t mode = 0;
  *temporary = (tutti_temporary){NULL, NULL, -1, among_many};
  TUTTI_TRY_GOTO(done, follow(path, &temporary->path));
  TUTTI_TRY_GOTO(done, check_target(temporary->path, &mode));
  TUTTI_TRY_GOTO(done, tutti_io_parent_folder(temporary->path, &folder));
  TUTTI_TRY_GOTO(done, tutti_io_make_folder(folder));
  const char *slash = strrchr(temporary->path, '/');
  if (!among_many) sweep(folder, slash ? slash + 1 : temporary->path);
  TUTTI_TRY_GOTO(done, open_new(temporary));
  // The new file has the permissions of the old one; if the system refuses, the default ones remain.
  if (mode) (void)fchmod(temporary->fd, mode);
done:
  tutti_free(folder);
  if (status != TUTTI_OK) tutti_io_temporary_drop(temporary);
  return status;
}

tutti_status tutti_io_write_failed(const char *path, const char *action, int error) {
  TUTTI_FAIL(TUTTI_ERR_IO, "%s: cannot %s: %s; a file that had this name before is unchanged%s", path, action,
             strerror(error),
             error == ENOSPC || error == EDQUOT ? "; free some space or write elsewhere" : "");
}

tutti_status tutti_io_temporary_write(tutti_temporary *temporary, const void *data, size_t n) {
  const char *from = data;
  while (n > 0) {
    const ssize_t put = write(temporary->fd, from, n);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return tutti_io_write_failed(temporary->path, "write", put < 0 ? errno : ENOSPC);
    from += put;
    n -= (size_t)put;
  }
  return TUTTI_OK;
}

/** A rename is on disk when its folder is.  File systems without this call return EINVAL.
 * @return 0, or the error of the system */
static int flush_folder(const char *folder) {
  const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const int error = fd < 0 || (fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP) ? errno : 0;
  if (fd >= 0) close(fd);
  return error;
}

tutti_status tutti_io_flush_folder(const char *folder) {
  const int error = flush_folder(folder);
  TUTTI_CHECK(error == 0, TUTTI_ERR_IO,
              "%s: this folder cannot be flushed to disk: %s; its new files may be missing if the machine "
              "fails: make sure that the disk works, or write elsewhere",
              folder, strerror(error));
  return TUTTI_OK;
}

/** Flush the folder in which a file has got its name. */
static tutti_status flush_name(const char *path, const char *folder) {
  const int error = flush_folder(folder);
  TUTTI_CHECK(error == 0, TUTTI_ERR_IO,
              "%s: is written, but its folder cannot be flushed to disk: %s; the file may be missing or the "
              "earlier one if the machine fails: make sure that the disk works, or write elsewhere",
              path, strerror(error));
  return TUTTI_OK;
}

/** Flush, close and rename.  A network file system may report a full quota only when the file is closed. */
static tutti_status give_name(tutti_temporary *temporary) {
  const char *path = temporary->path;
  if (fsync(temporary->fd) != 0) return tutti_io_write_failed(path, "flush to disk", errno);
  const int closed = close(temporary->fd);
  temporary->fd = -1;
  if (closed != 0) return tutti_io_write_failed(path, "close", errno);
  if (rename(temporary->name, path) != 0) return tutti_io_write_failed(path, "rename the new file", errno);
  tutti_free(temporary->name);
  temporary->name = NULL;
  return TUTTI_OK;
}

tutti_status tutti_io_temporary_commit(tutti_temporary *temporary) {
  tutti_status status = TUTTI_OK;
  char *folder = NULL; // allocated before the rename, because nothing should fail after it
  TUTTI_TRY_GOTO(done, tutti_io_parent_folder(temporary->path, &folder));
  TUTTI_TRY_GOTO(done, give_name(temporary));
  if (!temporary->among_many) TUTTI_TRY_GOTO(done, flush_name(temporary->path, folder));
done:
  tutti_free(folder);
  tutti_io_temporary_drop(temporary);
  return status;
}

void tutti_io_temporary_drop(tutti_temporary *temporary) {
  if (temporary->fd >= 0) close(temporary->fd);
  if (temporary->name) unlink(temporary->name);
  tutti_free(temporary->name);
  tutti_free(temporary->path);
  *temporary = (tutti_temporary){NULL, NULL, -1, false};
}
