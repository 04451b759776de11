/* Claims: record locks of POSIX on single bytes of one file.  The kernel, or the server of a network file system,
 * takes a lock back when its process ends.  The file may be empty, because a byte can be locked that does not exist.
 * The ranks and jobs of a study share out its trials with them, and the lock of a folder is the first claim of its
 * file. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/io_impl.h"

/** Whether an error of fcntl means that the file system has no locks. */
static bool has_no_locks(int error) {
  return error == ENOLCK || error == ENOSYS || error == EOPNOTSUPP || error == EINVAL;
}

_Static_assert(sizeof(off_t) >= 8, "a study claims its trials at offsets of 62 bits");

static struct flock one_byte(short type, int64_t i) {
  return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)i, .l_len = 1};
}

/** Open the file itself and never what a link of its name leads to: whoever may write to the folder could make such a
 * link, and the lock is emptied by its holder.  A second name of the file is such a link as well. */
static tutti_status open_file(const char *path, bool create, int *fd) {
  static const char advice[] =
      "remove it, because it leads to another file, and locks are files of their own";
  struct stat about;
  *fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (create ? O_CREAT : 0), 0666);
  TUTTI_CHECK(*fd >= 0 || errno != ELOOP, TUTTI_ERR_CREATE, "%s: is a link: %s", path, advice);
  TUTTI_CHECK(*fd >= 0 || (!create && errno == ENOENT), TUTTI_ERR_CREATE, "%s: cannot %s: %s", path,
              create ? "create" : "open", strerror(errno));
  if (*fd < 0 || fstat(*fd, &about) != 0) return TUTTI_OK;
  TUTTI_CHECK(S_ISREG(about.st_mode) && about.st_nlink <= 1, TUTTI_ERR_CREATE, "%s: is %s: %s", path,
              S_ISREG(about.st_mode) ? "a second name of a file" : "not a regular file", advice);
  return TUTTI_OK;
}

tutti_status tutti_io_claims_open(const char *path, bool create, tutti_claims **claims) {
  tutti_claims *made = NULL;
  tutti_status status = TUTTI_OK;
  *claims = NULL;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(made, 1));
  made->fd = -1;
  TUTTI_TRY_GOTO(done, TUTTI_COPY(made->path, path));
  TUTTI_TRY_GOTO(done, open_file(path, create, &made->fd));
  *claims = made;
  made = NULL;
done:
  tutti_io_claims_close(&made);
  return status;
}

void tutti_io_claims_close(tutti_claims **claims) {
  if (!*claims) return;
  if ((*claims)->fd >= 0) close((*claims)->fd);
  tutti_free((*claims)->path);
  tutti_free(*claims);
  *claims = NULL;
}

bool tutti_io_claims_current(const tutti_claims *claims) {
  return claims->fd >= 0 && tutti_io_is_open_file(claims->path, claims->fd);
}

bool tutti_io_claims_work(const tutti_claims *claims) {
  struct flock byte = one_byte(F_WRLCK, 0);
  return claims->fd < 0 || fcntl(claims->fd, F_GETLK, &byte) == 0 || !has_no_locks(errno);
}

/** Try to lock one byte, without waiting.  EACCES and EAGAIN mean that another process has it. */
static tutti_status take(tutti_claims *claims, short type, int64_t i, bool *taken) {
  struct flock byte = one_byte(type, i);
  int result;
  *taken = false;
  if (claims->fd < 0) return TUTTI_OK;
  do result = fcntl(claims->fd, F_SETLK, &byte);
  while (result != 0 && errno == EINTR);
  const int error = result == 0 ? 0 : errno;
  if (error == EACCES || error == EAGAIN) return TUTTI_OK;
  TUTTI_CHECK(error == 0 || has_no_locks(error), TUTTI_ERR_CREATE, "%s: cannot lock: %s", claims->path,
              strerror(error));
  *taken = true;
  return TUTTI_OK;
}

tutti_status tutti_io_claims_take(tutti_claims *claims, int64_t i, bool *taken) {
  return take(claims, F_WRLCK, i, taken);
}

tutti_status tutti_io_claims_share(tutti_claims *claims, int64_t i, bool *taken) {
  return take(claims, F_RDLCK, i, taken);
}

void tutti_io_claims_give_back(tutti_claims *claims, int64_t i) {
  struct flock byte = one_byte(F_UNLCK, i);
  if (claims->fd >= 0) (void)fcntl(claims->fd, F_SETLK, &byte);
}

bool tutti_io_claims_held(const tutti_claims *claims, int64_t i) {
  struct flock byte = one_byte(F_WRLCK, i);
  return claims->fd >= 0 && fcntl(claims->fd, F_GETLK, &byte) == 0 && byte.l_type != F_UNLCK;
}
