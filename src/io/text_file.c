/* Whole text files: written like all other files here, complete or not at all, and read without trusting their size.
 * Other rooms keep configs and tables of results in them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "io/io_impl.h"

tutti_status tutti_io_write_text(const char *path, const char *text) {
  tutti_temporary temporary;
  TUTTI_TRY(tutti_io_temporary_begin(path, false, &temporary));
  const tutti_status status = tutti_io_temporary_write(&temporary, text, strlen(text));
  if (status != TUTTI_OK) {
    tutti_io_temporary_drop(&temporary);
    return status;
  }
  return tutti_io_temporary_commit(&temporary);
}

/** Double the buffer. */
static tutti_status grow(char **text, size_t used, size_t *capacity) {
  char *larger = NULL;
  TUTTI_TRY(TUTTI_NEW(larger, (int64_t)(2 * *capacity)));
  memcpy(larger, *text, used);
  tutti_free(*text);
  *text = larger;
  *capacity *= 2;
  return TUTTI_OK;
}

/** Read to the end and not to the size, because a pipe has no size. */
static tutti_status read_all(const char *path, int fd, char **text) {
  tutti_status status = TUTTI_OK;
  size_t used = 0, capacity = 4096;
  char *buffer = NULL;
  TUTTI_TRY_GOTO(done, TUTTI_NEW(buffer, (int64_t)capacity));
  for (;;) {
    const ssize_t got = read(fd, buffer + used, capacity - used - 1);
    if (got < 0 && errno == EINTR) continue;
    TUTTI_CHECK_GOTO(done, got >= 0, TUTTI_ERR_IO, "%s: cannot read: %s", path, strerror(errno));
    if (got == 0) break;
    used += (size_t)got;
    if (used + 1 == capacity) TUTTI_TRY_GOTO(done, grow(&buffer, used, &capacity));
  }
  TUTTI_CHECK_GOTO(done, strlen(buffer) == used, TUTTI_ERR_DATA, "%s: byte %zu is zero, expected a text file",
                   path, strlen(buffer));
  *text = buffer;
  buffer = NULL;
done:
  tutti_free(buffer);
  return status;
}

tutti_status tutti_io_read_text(const char *path, char **text) {
  *text = NULL;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  TUTTI_CHECK(fd >= 0, errno == ENOENT || errno == ENOTDIR ? TUTTI_ERR_MISSING : TUTTI_ERR_IO,
              "%s: cannot read: %s", path, strerror(errno));
  const tutti_status status = read_all(path, fd, text);
  close(fd);
  return status;
}
