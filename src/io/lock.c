/* FOLDER/.lock: only one training at a time writes to a folder.
 *
 * It is a record lock of POSIX.  The kernel, or the server of a network file system, takes it back when its process ends, so a
 * killed job never excludes the next one.  The one line of the file, "HOST PID", is only for the message; a file without a
 * lock on it means nothing.  A training and a study take the lock of their folder when they start. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "io/io_impl.h"

enum { LINE_BYTES = 128, MAX_TRIES = 100 };

struct tutti_lock {
  char *path; // owned
  int fd;     // owned; -1: the file system has no locks
};

typedef enum { TAKEN, HELD, NO_LOCKS, FAILED } outcome; // FAILED: errno says why

static outcome try_lock(int fd) {
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  if (fcntl(fd, F_SETLK, &whole) == 0) return TAKEN;
  if (errno == EACCES || errno == EAGAIN) return HELD;
  return tutti_io_has_no_locks(errno) ? NO_LOCKS : FAILED;
}

/** A job that is restarted at once may meet processes of the last job that are still ending: wait two seconds for them. */
static outcome try_lock_for_a_while(int fd) {
  enum { TRIES = 40 };
  const struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};
  outcome got = try_lock(fd);
  for (int i = 0; i < TRIES && got == HELD; i++) {
    nanosleep(&pause, NULL);
    got = try_lock(fd);
  }
  return got;
}

/** The line in the file may be missing, because its writer has just begun. */
static tutti_status refuse(const char *folder, int fd) {
  static const char advice[] = "another training writes there; wait for it, or choose another run.directory";
  char line[LINE_BYTES] = "", host[64];
  long process;
  const ssize_t got = pread(fd, line, sizeof line - 1, 0);
  line[got > 0 ? got : 0] = '\0';
  if (sscanf(line, "%63s %ld", host, &process) == 2)
    TUTTI_FAIL(TUTTI_ERR_CREATE, "%s is in use by process %ld on %s: %s", folder, process, host, advice);
  TUTTI_FAIL(TUTTI_ERR_CREATE, "%s is in use by another process: %s", folder, advice);
}

/** The lock is valid even if the line cannot be written. */
static void write_holder(const tutti_lock *lock) {
  char host[64] = "", line[LINE_BYTES];
  if (gethostname(host, sizeof host - 1) != 0) snprintf(host, sizeof host, "unknown");
  const int n = snprintf(line, sizeof line, "%s %ld\n", host, (long)getpid());
  if (ftruncate(lock->fd, 0) != 0 || pwrite(lock->fd, line, (size_t)n, 0) != n)
    tutti_log(TUTTI_LOG_DEBUG, "%s: cannot write who holds it: %s", lock->path, strerror(errno));
}

static void close_file(tutti_lock *lock) {
  if (lock->fd >= 0) close(lock->fd);
  lock->fd = -1;
}

/** @param[out] done  false: somebody removed the file in between
 * @return ERR_CREATE */
static tutti_status take_once(const char *folder, tutti_lock *lock, bool *done) {
  lock->fd = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  TUTTI_CHECK(lock->fd >= 0, TUTTI_ERR_CREATE, "%s: cannot create: %s", lock->path, strerror(errno));
  *done = true;
  switch (try_lock_for_a_while(lock->fd)) {
  case TAKEN:
    // Its last holder may have removed the file after we opened it and before we locked it, and the next process would then
    // lock another file.
    *done = tutti_io_is_open_file(lock->path, lock->fd);
    if (*done) write_holder(lock);
    return TUTTI_OK;
  case HELD:
    return refuse(folder, lock->fd);
  case NO_LOCKS:
    unlink(lock->path);
    close_file(lock);
    return TUTTI_OK;
  case FAILED:
    break;
  }
  TUTTI_FAIL(TUTTI_ERR_CREATE, "%s: cannot lock: %s", lock->path, strerror(errno));
}

tutti_status tutti_io_lock_take(const char *folder, tutti_lock **lock) {
  tutti_status status = TUTTI_OK;
  tutti_lock *made = NULL;
  bool done = false;
  *lock = NULL;
  TUTTI_TRY_GOTO(done, tutti_io_make_folder(folder));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(made, 1));
  made->fd = -1;
  const size_t bytes = strlen(folder) + sizeof "/.lock";
  TUTTI_TRY_GOTO(done, TUTTI_NEW(made->path, (int64_t)bytes));
  snprintf(made->path, bytes, "%s/.lock", folder);
  for (int i = 0; i < MAX_TRIES && !done; i++) {
    close_file(made);
    TUTTI_TRY_GOTO(done, take_once(folder, made, &done));
  }
  TUTTI_CHECK_GOTO(
      done, done, TUTTI_ERR_CREATE,
      "%s: cannot lock: the file was removed %d times while it was opened; is another job ending just now?",
      made->path, (int)MAX_TRIES);
  tutti_io_temporary_sweep(folder);
  *lock = made;
  made = NULL;
done:
  if (made) {
    close_file(made);
    tutti_free(made->path);
    tutti_free(made);
  }
  return status;
}

void tutti_io_lock_release(tutti_lock **lock) {
  if (!*lock) return;
  // Remove the file before the lock ends, because afterwards it may belong to the next process.
  if ((*lock)->fd >= 0) unlink((*lock)->path);
  close_file(*lock);
  tutti_free((*lock)->path);
  tutti_free(*lock);
  *lock = NULL;
}
