/* How a save replaces the one before it; save.c calls it.  In a run directory with checkpoint.h5 = A and
 * checkpoint.prev.h5 = O:
 *
 *   hold    checkpoint.held.h5 = A, a second name of the file (or its only name, if the file system has no
 *           hard links)
 *   commit  checkpoint.h5 = the new N, by one rename; until then checkpoint.h5 is A
 *   settle  checkpoint.prev.h5 = A, by one rename from the held name; until then checkpoint.prev.h5 is O
 *
 * So no file is given up before the new one is complete on disk and has its name, and after a kill between any two
 * calls settle can finish the work. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "checkpoint/checkpoint_impl.h"

#define SUFFIX ".h5"

/** "X<word>.h5" for "X.h5", "X<word>" for any other X. */
static bool insert_word(const char *path, const char *word, tutti_path name) {
  const size_t length = strlen(path), suffix = strlen(SUFFIX);
  const bool has_suffix = length > suffix && strcmp(path + length - suffix, SUFFIX) == 0;
  const size_t stem = has_suffix ? length - suffix : length;
  if (stem + strlen(word) + suffix >= sizeof(tutti_path)) {
    errno = ENAMETOOLONG;
    return false;
  }
  snprintf(name, sizeof(tutti_path), "%.*s%s%s", (int)stem, path, word, has_suffix ? SUFFIX : "");
  return true;
}

bool tutti_checkpoint_rotated_name(const char *path, int64_t age, tutti_path name) {
  char word[40] = "";
  if (age == 1) snprintf(word, sizeof word, ".prev");
  if (age > 1) snprintf(word, sizeof word, ".prev%lld", (long long)age);
  return insert_word(path, word, name);
}

bool tutti_checkpoint_held_name(const char *path, tutti_path name) {
  return insert_word(path, ".held", name);
}

/** @param[out] about  NULL: not wanted
 * @return false with errno 0 if there is none; with another errno if the system cannot say */
static bool exists(const char *path, struct stat *about) {
  struct stat unused;
  errno = 0;
  if (stat(path, about ? about : &unused) == 0) return true;
  if (errno == ENOENT) errno = 0;
  return false;
}

static bool remove_file(const char *path) {
  return unlink(path) == 0 || errno == ENOENT;
}

bool tutti_checkpoint_hold(const char *path) {
  tutti_path held;
  if (!tutti_checkpoint_held_name(path, held)) return false;
  if (!exists(path, NULL)) return errno == 0;
  const bool may_link = tutti_fault("checkpoint.link") == TUTTI_OK;
  if (may_link && linkat(AT_FDCWD, path, AT_FDCWD, held, AT_SYMLINK_FOLLOW) == 0) return true;
  return rename(path, held) == 0;
}

/** Make the name X.prev.h5 free for the held file: the files from there on get the next older name, up to the first
 * unused name or the oldest that is kept. */
static bool make_room(const char *path, int64_t keep) {
  tutti_path from, to;
  int64_t gap = 1;
  for (; gap < keep - 1; gap++) {
    if (!tutti_checkpoint_rotated_name(path, gap, to)) return false;
    if (!exists(to, NULL)) {
      if (errno != 0) return false;
      break;
    }
  }
  for (; gap > 1; gap--) {
    if (!tutti_checkpoint_rotated_name(path, gap - 1, from) || !tutti_checkpoint_rotated_name(path, gap, to))
      return false;
    if (rename(from, to) != 0) return false;
  }
  return true;
}

bool tutti_checkpoint_settle(const char *path, int64_t keep) {
  tutti_path held, before;
  struct stat of_path, of_held;
  if (!tutti_checkpoint_held_name(path, held) || !tutti_checkpoint_rotated_name(path, 1, before))
    return false;
  if (!exists(held, &of_held)) return errno == 0;
  if (!exists(path, &of_path)) return errno == 0 && rename(held, path) == 0;
  const bool same = of_path.st_dev == of_held.st_dev && of_path.st_ino == of_held.st_ino;
  if (same || keep == 1) return remove_file(held);
  return make_room(path, keep) && rename(held, before) == 0;
}

bool tutti_checkpoint_drop(const char *path, int64_t keep) {
  tutti_path name;
  for (int64_t age = keep;; age++) {
    if (!tutti_checkpoint_rotated_name(path, age, name)) return false;
    if (!exists(name, NULL)) return errno == 0;
    if (!remove_file(name)) return false;
  }
}
