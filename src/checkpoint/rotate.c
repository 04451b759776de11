/** How saves replace each other.  For a run directory with checkpoint.h5 = A, checkpoint.prev.h5 = O:
 *
 *   hold    checkpoint.held.h5 = A, a second name of the file (or its only one, where a file system has no
 *           hard links)
 *   commit  checkpoint.h5 = the new N, by one rename; before it checkpoint.h5 is A
 *   settle  checkpoint.prev.h5 = A, by one rename from the held name; before it checkpoint.prev.h5 is O
 *
 * So nothing is given up before the new file is whole on disk and under its name, and a kill between any two
 * calls leaves a state from which settle goes on. */
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

bool tutti_rotated_name(const char *path, int64_t age, tutti_path name) {
  char word[40] = "";
  if (age == 1) snprintf(word, sizeof word, ".prev");
  if (age > 1) snprintf(word, sizeof word, ".prev%lld", (long long)age);
  return insert_word(path, word, name);
}

bool tutti_held_name(const char *path, tutti_path name) {
  return insert_word(path, ".held", name);
}

/** False with errno 0 where there is none, with another errno where that cannot be told. */
static bool exists(const char *path, struct stat *about) {
  errno = 0;
  if (stat(path, about) == 0) return true;
  if (errno == ENOENT) errno = 0;
  return false;
}

static bool remove_file(const char *path) {
  return unlink(path) == 0 || errno == ENOENT;
}

bool tutti_rotate_hold(const char *path) {
  tutti_path held;
  struct stat about;
  if (!tutti_held_name(path, held)) return false;
  if (!exists(path, &about)) return errno == 0;
  const bool may_link = tutti_fault("checkpoint.link") == TUTTI_OK;
  if (may_link && linkat(AT_FDCWD, path, AT_FDCWD, held, AT_SYMLINK_FOLLOW) == 0) return true;
  return rename(path, held) == 0;
}

/** Make X.prev.h5 free for the held file: what stands there and behind it moves on by one, up to the first
 * gap or to the oldest that is kept. */
static bool make_room(const char *path, int64_t keep) {
  tutti_path from, to;
  struct stat about;
  int64_t gap = 1;
  for (; gap < keep - 1; gap++) {
    if (!tutti_rotated_name(path, gap, to)) return false;
    if (!exists(to, &about)) {
      if (errno != 0) return false;
      break;
    }
  }
  for (; gap > 1; gap--) {
    if (!tutti_rotated_name(path, gap - 1, from) || !tutti_rotated_name(path, gap, to)) return false;
    if (rename(from, to) != 0) return false;
  }
  return true;
}

bool tutti_rotate_settle(const char *path, int64_t keep) {
  tutti_path held, before;
  struct stat of_path, of_held;
  if (!tutti_held_name(path, held) || !tutti_rotated_name(path, 1, before)) return false;
  if (!exists(held, &of_held)) return errno == 0;
  if (!exists(path, &of_path)) return errno == 0 && rename(held, path) == 0;
  const bool same = of_path.st_dev == of_held.st_dev && of_path.st_ino == of_held.st_ino;
  if (same || keep == 1) return remove_file(held);
  return make_room(path, keep) && rename(held, before) == 0;
}

bool tutti_rotate_drop(const char *path, int64_t keep) {
  tutti_path name;
  struct stat about;
  for (int64_t age = keep;; age++) {
    if (!tutti_rotated_name(path, age, name)) return false;
    if (!exists(name, &about)) return errno == 0;
    if (!remove_file(name)) return false;
  }
}
