/* PATH.tmp-HOST-PID: a new file beside the one it will replace, so that the rename stays in one folder. */
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

/** ".tmp-HOST-": what stands between the path and the process id. */
static void make_mark(char mark[MARK_BYTES]) {
  char host[64] = "";
  if (gethostname(host, sizeof host - 1) != 0) snprintf(host, sizeof host, "unknown");
  snprintf(mark, MARK_BYTES, ".tmp-%s-", host);
}

/** Where `path` leads; a copy of it where it is no link. */
static tutti_status follow(const char *path, char **final) {
  struct stat state;
  const bool is_link = lstat(path, &state) == 0 && S_ISLNK(state.st_mode);
  char *real = is_link ? realpath(path, NULL) : NULL;
  TUTTI_CHECK(real || !is_link, TUTTI_ERR_CREATE,
              "%s: is a link that leads nowhere (%s); remove it or make what it leads to", path,
              strerror(errno));
  *final = tutti_strdup(real ? real : path);
  free(real);
  return *final ? TUTTI_OK : TUTTI_ERR_MEMORY;
}

/** A rename would put the new file in the place of a device or fail at a folder: say so now and not after
 * hours of work.  *mode is 0 where there is nothing yet. */
static tutti_status check_target(const char *path, mode_t *mode) {
  struct stat state;
  *mode = 0;
  if (stat(path, &state) != 0) {
    TUTTI_CHECK(errno == ENOENT || errno == ENOTDIR, TUTTI_ERR_CREATE, "%s: cannot create: %s", path,
                strerror(errno));
    return TUTTI_OK;
  }
  TUTTI_CHECK(S_ISREG(state.st_mode), TUTTI_ERR_CREATE, "%s: cannot create: there is %s of that name", path,
              S_ISDIR(state.st_mode) ? "a folder" : "something other than a file");
  *mode = state.st_mode & 0777;
  return TUTTI_OK;
}

/** A process that was killed stays a while, in a container without a proper first process for ever, until somebody
 * asks how it ended. */
static bool has_ended(long pid) {
  tutti_process process;
  return tutti_process_read(pid, &process) && (process.state == 'Z' || process.state == 'X');
}

/** Whether `rest`, what follows the mark, names a process of this host that is gone. */
static bool is_of_the_dead(const char *rest) {
  char *end = NULL;
  const long process = strtol(rest, &end, 10);
  if (end == rest || process <= 0 || (*end && *end != '-')) return false;
  return kill((pid_t)process, 0) != 0 ? errno == ESRCH : has_ended(process);
}

/** A job that was killed while it saved has left its temporary file, as large as a checkpoint: remove those of
 * the file `base`, of any file where it is NULL.  What cannot be removed is no reason to stop. */
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

void tutti_temporary_sweep(const char *folder) {
  sweep(folder, NULL);
}

/** Under a name that is not in use: an earlier process may have had this one's number. */
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
  tutti_free(temporary->name); // so that it is not removed: it is not ours
  temporary->name = NULL;
  return status;
}

tutti_status tutti_temporary_begin(const char *path, tutti_temporary *temporary) {
  tutti_status status = TUTTI_OK;
  char *folder = NULL;
  mode_t mode = 0;
  *temporary = (tutti_temporary){NULL, NULL, -1};
  TUTTI_TRY_GOTO(done, follow(path, &temporary->path));
  TUTTI_TRY_GOTO(done, check_target(temporary->path, &mode));
  TUTTI_TRY_GOTO(done, tutti_parent_folder(temporary->path, &folder));
  TUTTI_TRY_GOTO(done, tutti_make_folder(folder));
  const char *slash = strrchr(temporary->path, '/');
  sweep(folder, slash ? slash + 1 : temporary->path);
  TUTTI_TRY_GOTO(done, open_new(temporary));
  // Who may read the old file may read the new one; where the system refuses, the usual mode remains.
  if (mode) (void)fchmod(temporary->fd, mode);
done:
  tutti_free(folder);
  if (status != TUTTI_OK) tutti_temporary_drop(temporary);
  return status;
}

tutti_status tutti_write_failed(const char *path, const char *action, int error) {
  TUTTI_FAIL(TUTTI_ERR_IO, "%s: cannot %s: %s; a file that had this name before is unchanged%s", path, action,
             strerror(error),
             error == ENOSPC || error == EDQUOT ? "; free some space or write elsewhere" : "");
}

tutti_status tutti_temporary_write(tutti_temporary *temporary, const void *data, size_t n) {
  const char *from = data;
  while (n > 0) {
    const ssize_t put = write(temporary->fd, from, n);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return tutti_write_failed(temporary->path, "write", put < 0 ? errno : ENOSPC);
    from += put;
    n -= (size_t)put;
  }
  return TUTTI_OK;
}

/** A rename is on disk when its folder is.  File systems without this call answer EINVAL. */
static tutti_status flush_folder(const char *path, const char *folder) {
  const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const int error = fd < 0 || (fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP) ? errno : 0;
  if (fd >= 0) close(fd);
  TUTTI_CHECK(error == 0, TUTTI_ERR_IO,
              "%s: the new file is there, but its folder cannot be flushed to disk: %s", path,
              strerror(error));
  return TUTTI_OK;
}

tutti_status tutti_temporary_commit(tutti_temporary *temporary) {
  tutti_status status = TUTTI_OK;
  char *folder = NULL; // before the rename: after it nothing of ours should fail
  TUTTI_TRY_GOTO(done, tutti_parent_folder(temporary->path, &folder));
  if (fsync(temporary->fd) != 0) {
    status = tutti_write_failed(temporary->path, "flush to disk", errno);
    goto done;
  }
  // Network file systems may keep the news of a full quota until the file is closed.
  const int closed = close(temporary->fd);
  temporary->fd = -1;
  if (closed != 0) {
    status = tutti_write_failed(temporary->path, "close", errno);
    goto done;
  }
  if (rename(temporary->name, temporary->path) != 0) {
    status = tutti_write_failed(temporary->path, "rename the new file", errno);
    goto done;
  }
  tutti_free(temporary->name);
  temporary->name = NULL;
  TUTTI_TRY_GOTO(done, flush_folder(temporary->path, folder));
done:
  tutti_free(folder);
  tutti_temporary_drop(temporary);
  return status;
}

void tutti_temporary_drop(tutti_temporary *temporary) {
  if (temporary->fd >= 0) close(temporary->fd);
  if (temporary->name) unlink(temporary->name);
  tutti_free(temporary->name);
  tutti_free(temporary->path);
  *temporary = (tutti_temporary){NULL, NULL, -1};
}
