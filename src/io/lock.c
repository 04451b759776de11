/* FOLDER/.lock: only one training at a time writes to a folder.
 *
 * It is a claim on the first byte of the file (claims.c), which ends with its process, so a killed job never excludes
 * the next one.  The one line of the file, "HOST PID", is only for the message; a file without a claim on it means
 * nothing.  A training and a study take the lock of their folder when they start. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "io/io_impl.h"

enum { LINE_BYTES = 128, MAX_TRIES = 100 };

struct tutti_lock {
  tutti_claims *claims; // owned; NULL: the file system has no locks
};

/** A job that is restarted at once may meet processes of the last job that are still ending: wait two seconds for
 * them. */
static tutti_status take_for_a_while(tutti_claims *claims, bool *taken) {
  enum { TRIES = 41 };
  const struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};
  *taken = false;
  for (int i = 0; i < TRIES && !*taken; i++) {
    if (i > 0) nanosleep(&pause, NULL);
    TUTTI_TRY(tutti_io_claims_take(claims, 0, taken));
  }
  return TUTTI_OK;
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
static void write_holder(const tutti_claims *claims) {
  char host[64] = "", line[LINE_BYTES];
  if (gethostname(host, sizeof host - 1) != 0) snprintf(host, sizeof host, "unknown");
  const int n = snprintf(line, sizeof line, "%s %ld\n", host, (long)getpid());
  if (ftruncate(claims->fd, 0) != 0 || pwrite(claims->fd, line, (size_t)n, 0) != n)
    tutti_log(TUTTI_LOG_DEBUG, "%s: cannot write who holds it: %s", claims->path, strerror(errno));
}

/** @param[out] done  false: somebody removed the file in between
 * @return ERR_CREATE */
static tutti_status take_once(const char *folder, const char *path, tutti_lock *lock, bool *done) {
  bool taken = false;
  tutti_io_claims_close(&lock->claims);
  TUTTI_TRY(tutti_io_claims_open(path, true, &lock->claims));
  if (!tutti_io_claims_work(lock->claims)) {
    unlink(path);
    tutti_io_claims_close(&lock->claims);
    *done = true;
    return TUTTI_OK;
  }
  TUTTI_TRY(take_for_a_while(lock->claims, &taken));
  if (!taken) return refuse(folder, lock->claims->fd);
  // Its last holder may have removed the file after we opened it and before we locked it, and the next process would
  // then lock another file.
  *done = tutti_io_claims_current(lock->claims);
  if (*done) write_holder(lock->claims);
  return TUTTI_OK;
}

tutti_status tutti_io_lock_take(const char *folder, tutti_lock **lock) {
  tutti_status status = TUTTI_OK;
  tutti_lock *made = NULL;
  char *path = NULL;
  bool done = false;
  *lock = NULL;
  TUTTI_TRY_GOTO(done, tutti_io_make_folder(folder));
  TUTTI_TRY_GOTO(done, TUTTI_NEW(made, 1));
  const size_t bytes = strlen(folder) + sizeof "/.lock";
  TUTTI_TRY_GOTO(done, TUTTI_NEW(path, (int64_t)bytes));
  snprintf(path, bytes, "%s/.lock", folder);
  for (int i = 0; i < MAX_TRIES && !done; i++) TUTTI_TRY_GOTO(done, take_once(folder, path, made, &done));
  TUTTI_CHECK_GOTO(
      done, done, TUTTI_ERR_CREATE,
      "%s: cannot lock: the file was removed %d times while it was opened; is another job ending just now?",
      path, (int)MAX_TRIES);
  tutti_io_sweep(folder);
  *lock = made;
  made = NULL;
done:
  if (made) tutti_io_claims_close(&made->claims);
  tutti_free(made);
  tutti_free(path);
  return status;
}

bool tutti_io_lock_is_current(const tutti_lock *lock) {
  return !lock->claims || tutti_io_claims_current(lock->claims);
}

void tutti_io_lock_release(tutti_lock **lock) {
  if (!*lock) return;
  // Remove the file before the lock ends, because afterwards it may belong to the next process.  It belongs to another
  // process already if somebody has removed ours.
  if ((*lock)->claims && tutti_io_claims_current((*lock)->claims)) unlink((*lock)->claims->path);
  tutti_io_claims_close(&(*lock)->claims);
  tutti_free(*lock);
  *lock = NULL;
}
