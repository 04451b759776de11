/* FOLDER/.lock: one training at a time writes to a folder.
 *
 * A record lock of POSIX: the kernel, or the server of a network file system, takes it back when its process
 * dies, so that a killed job never locks out its successor.  The file's one line, "HOST PID", only serves the
 * message; a file without a lock on it means nothing. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "io/io_impl.h"

enum { LINE_BYTES = 128, MAX_TRIES = 100 };

struct tutti_lock {
  char *path; // owned
  int fd;     // owned; -1: the file system knows no locks
};

typedef enum { TAKEN, HELD, NO_LOCKS, FAILED } outcome; // FAILED: errno says why

static outcome try_lock(int fd) {
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  if (fcntl(fd, F_SETLK, &whole) == 0) return TAKEN;
  switch (errno) {
  case EACCES:
  case EAGAIN:
    return HELD;
  case ENOLCK:
  case ENOSYS:
  case EOPNOTSUPP:
  case EINVAL:
    return NO_LOCKS;
  default:
    return FAILED;
  }
}

/** A job that is started again at once may meet the last processes of the one before, which are still being
 * ended: wait two seconds for these. */
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

/** Whether the file of that name is still the one that is open: its last holder may have removed it between
 * our opening and our locking it, and then the next process would lock another one. */
static bool is_current(const char *path, int fd) {
  struct stat named, opened;
  return stat(path, &named) == 0 && fstat(fd, &opened) == 0 && named.st_dev == opened.st_dev &&
         named.st_ino == opened.st_ino;
}

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

/** Where the line cannot be written the lock holds all the same. */
static void write_holder(const tutti_lock *lock) {
  char host[64] = "", line[LINE_BYTES];
  if (gethostname(host, sizeof host - 1) != 0) snprintf(host, sizeof host, "unknown");
  const int n = snprintf(line, sizeof line, "%s %ld\n", host, (long)getpid());
  if (ftruncate(lock->fd, 0) != 0 || pwrite(lock->fd, line, (size_t)n, 0) != n)
    tutti_log(TUTTI_LOG_DEBUG, "%s: cannot write who holds it: %s", lock->path, strerror(errno));
}

static void let_go(tutti_lock *lock) {
  if (lock->fd >= 0) close(lock->fd);
  lock->fd = -1;
}

/** @return ERR_CREATE; *done is false where the file went away meanwhile */
static tutti_status take_once(const char *folder, tutti_lock *lock, bool *done) {
  lock->fd = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  TUTTI_CHECK(lock->fd >= 0, TUTTI_ERR_CREATE, "%s: cannot create: %s", lock->path, strerror(errno));
  *done = true;
  switch (try_lock_for_a_while(lock->fd)) {
  case TAKEN:
    *done = is_current(lock->path, lock->fd);
    if (*done) write_holder(lock);
    return TUTTI_OK;
  case HELD:
    return refuse(folder, lock->fd);
  case NO_LOCKS:
    unlink(lock->path);
    let_go(lock);
    return TUTTI_OK;
  case FAILED:
    break;
  }
  TUTTI_FAIL(TUTTI_ERR_CREATE, "%s: cannot lock: %s", lock->path, strerror(errno));
}

tutti_status tutti_lock_take(const char *folder, tutti_lock **lock) {
  tutti_status status = TUTTI_OK;
  tutti_lock *made = NULL;
  bool done = false;
  *lock = NULL;
  TUTTI_TRY_GOTO(done, tutti_make_folder(folder));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(made, 1));
  made->fd = -1;
  const size_t bytes = strlen(folder) + sizeof "/.lock";
  TUTTI_TRY_GOTO(done, TUTTI_NEW(made->path, (int64_t)bytes));
  snprintf(made->path, bytes, "%s/.lock", folder);
  for (int i = 0; i < MAX_TRIES && !done; i++) {
    let_go(made);
    TUTTI_TRY_GOTO(done, take_once(folder, made, &done));
  }
  TUTTI_CHECK_GOTO(done, done, TUTTI_ERR_CREATE, "%s: cannot lock: the file goes away again and again",
                   made->path);
  tutti_temporary_sweep(folder);
  *lock = made;
  made = NULL;
done:
  if (made) {
    let_go(made);
    tutti_free(made->path);
    tutti_free(made);
  }
  return status;
}

void tutti_lock_release(tutti_lock **lock) {
  if (!*lock) return;
  // Removed while it is still ours: afterwards it could be the next process's.
  if ((*lock)->fd >= 0) unlink((*lock)->path);
  let_go(*lock);
  tutti_free((*lock)->path);
  tutti_free(*lock);
  *lock = NULL;
}
