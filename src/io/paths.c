#define _XOPEN_SOURCE 700 // realpath
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/io_impl.h"

static bool is_folder(const char *path) {
  struct stat state;
  return stat(path, &state) == 0 && S_ISDIR(state.st_mode);
}

bool tutti_same_file(const char *a, const char *b) {
  struct stat state_a, state_b;
  return stat(a, &state_a) == 0 && stat(b, &state_b) == 0 && state_a.st_dev == state_b.st_dev &&
         state_a.st_ino == state_b.st_ino;
}

/** mkdir that is content with a folder that is there: another process may be making it, too. */
static tutti_status make_one(const char *path) {
  if (mkdir(path, 0777) == 0) return TUTTI_OK;
  const int error = errno;
  TUTTI_CHECK(is_folder(path), TUTTI_ERR_CREATE, "%s: cannot make this folder: %s", path,
              error == EEXIST ? "there is a file of that name" : strerror(error));
  return TUTTI_OK;
}

tutti_status tutti_make_folder(const char *path) {
  tutti_status status = TUTTI_OK;
  if (is_folder(path)) return TUTTI_OK;
  char *part = tutti_strdup(path);
  if (!part) return TUTTI_ERR_MEMORY;
  for (char *slash = strchr(part + (part[0] == '/'), '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    TUTTI_TRY_GOTO(done, make_one(part));
    *slash = '/';
  }
  TUTTI_TRY_GOTO(done, make_one(part));
done:
  tutti_free(part);
  return status;
}

tutti_status tutti_parent_folder(const char *path, char **folder) {
  const char *slash = strrchr(path, '/');
  *folder = tutti_strdup(slash ? path : ".");
  if (!*folder) return TUTTI_ERR_MEMORY;
  if (slash) (*folder)[slash == path ? 1 : slash - path] = '\0';
  return TUTTI_OK;
}

static bool has_parent(const char *path, const char *folder) {
  char *parent = NULL;
  const bool is_it = tutti_parent_folder(path, &parent) == TUTTI_OK && tutti_same_file(parent, folder);
  tutti_free(parent);
  return is_it;
}

bool tutti_file_is_in(const char *path, const char *folder) {
  char *real = realpath(path, NULL);
  const bool is_in = real && (has_parent(path, folder) || has_parent(real, folder));
  free(real);
  return is_in;
}

tutti_status tutti_write_text(const char *path, const char *text) {
  tutti_temporary temporary;
  TUTTI_TRY(tutti_temporary_begin(path, &temporary));
  const tutti_status status = tutti_temporary_write(&temporary, text, strlen(text));
  if (status != TUTTI_OK) {
    tutti_temporary_drop(&temporary);
    return status;
  }
  TUTTI_TRY(tutti_temporary_commit(&temporary));
  return TUTTI_OK;
}

/** Twice the room, the text kept. */
static tutti_status grow(char **text, size_t used, size_t *capacity) {
  char *larger = NULL;
  TUTTI_TRY(TUTTI_NEW(larger, (int64_t)(2 * *capacity)));
  memcpy(larger, *text, used);
  tutti_free(*text);
  *text = larger;
  *capacity *= 2;
  return TUTTI_OK;
}

/** Read to the end, not to the size: a pipe has none. */
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

tutti_status tutti_read_text(const char *path, char **text) {
  *text = NULL;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  TUTTI_CHECK(fd >= 0, errno == ENOENT || errno == ENOTDIR ? TUTTI_ERR_MISSING : TUTTI_ERR_IO,
              "%s: cannot read: %s", path, strerror(errno));
  const tutti_status status = read_all(path, fd, text);
  close(fd);
  TUTTI_TRY(status);
  return TUTTI_OK;
}
