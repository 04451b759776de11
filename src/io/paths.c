/* Folders and paths: makes folders, compares files, finds parents, asks for free room.  Files in the making
 * (temporary.c), the lock and other rooms call it. */
#define _XOPEN_SOURCE 700 // realpath
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "io/io_impl.h"

static bool is_folder(const char *path) {
  struct stat state;
  return stat(path, &state) == 0 && S_ISDIR(state.st_mode);
}

static bool is_same(const struct stat *a, const struct stat *b) {
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

bool tutti_io_same_file(const char *a, const char *b) {
  struct stat state_a, state_b;
  return stat(a, &state_a) == 0 && stat(b, &state_b) == 0 && is_same(&state_a, &state_b);
}

bool tutti_io_is_open_file(const char *path, int fd) {
  struct stat named, opened;
  return stat(path, &named) == 0 && fstat(fd, &opened) == 0 && is_same(&named, &opened);
}

/** mkdir that accepts an existing folder, which another process may make at the same time. */
static tutti_status make_one(const char *path) {
  if (mkdir(path, 0777) == 0) return TUTTI_OK;
  const int error = errno;
  TUTTI_CHECK(is_folder(path), TUTTI_ERR_CREATE, "%s: cannot make this folder: %s", path,
              error == EEXIST ? "a file of that name exists" : strerror(error));
  return TUTTI_OK;
}

tutti_status tutti_io_make_folder(const char *path) {
  tutti_status status = TUTTI_OK;
  char *part = NULL;
  if (is_folder(path)) return TUTTI_OK;
  TUTTI_TRY(TUTTI_COPY(part, path));
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

// Some network file systems report no blocks at all, although they can be written.
bool tutti_io_free_bytes(const char *folder, double *bytes) {
  struct statvfs about;
  if (statvfs(folder, &about) != 0 || about.f_blocks == 0) return false;
  *bytes = (double)about.f_bavail * (double)about.f_frsize;
  return true;
}

tutti_status tutti_io_parent_folder(const char *path, char **folder) {
  const char *slash = strrchr(path, '/');
  TUTTI_TRY(TUTTI_COPY(*folder, slash ? path : "."));
  if (slash) (*folder)[slash == path ? 1 : slash - path] = '\0';
  return TUTTI_OK;
}

static bool has_parent(const char *path, const char *folder) {
  char *parent = NULL;
  const bool is_it = tutti_io_parent_folder(path, &parent) == TUTTI_OK && tutti_io_same_file(parent, folder);
  tutti_free(parent);
  return is_it;
}

bool tutti_file_is_in(const char *path, const char *folder) {
  char *real = realpath(path, NULL);
  const bool is_in = real && (has_parent(path, folder) || has_parent(real, folder));
  free(real);
  return is_in;
}
