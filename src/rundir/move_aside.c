/** The files of an earlier training move to DIRECTORY/before-N when a run of another training begins in their
 * directory.  Checkpoints move last: as long as one is in the directory, a run that was interrupted in the middle of
 * the moves is still seen there, and the next start completes the moves into the same folder.  resume.c calls it on
 * rank 0. */
#include "rundir/rundir_impl.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "tutti/io.h"

/** The rest of `name` behind `word`; NULL if it does not begin with that word. */
static const char *skip(const char *name, const char *word) {
  const size_t length = strlen(word);
  return strncmp(name, word, length) == 0 ? name + length : NULL;
}

/** Whether the name is STEM.h5, or that of a rotated or held checkpoint; see checkpoint/rotate.c. */
static bool is_checkpoint(const char *name, const char *stem) {
  const char *rest = skip(name, stem);
  if (!rest) return false;
  const char *held = skip(rest, ".held"), *rotated = skip(rest, ".prev");
  if (held) rest = held;
  if (rotated) rest = rotated + strspn(rotated, "0123456789");
  return strcmp(rest, ".h5") == 0;
}

static bool is_last(const char *name) {
  return is_checkpoint(name, "checkpoint");
}

static bool is_of_run(const char *name) {
  return strcmp(name, "config.yaml") == 0 || strcmp(name, "metrics.h5") == 0 || is_checkpoint(name, "best") ||
         is_last(name);
}

static tutti_status join(const char *folder, const char *name, char path[TUTTI_RUNDIR_PATH_BYTES]) {
  const int length = snprintf(path, TUTTI_RUNDIR_PATH_BYTES, "%s/%s", folder, name);
  TUTTI_CHECK(length < TUTTI_RUNDIR_PATH_BYTES, TUTTI_ERR_CREATE, "%s/%s: the path is too long", folder,
              name);
  return TUTTI_OK;
}

/** Called with each file of the run. */
typedef tutti_status visitor(const char *folder, const char *name, void *context);

/** Call `see` with files of the run.
 * @param[in] last  only the checkpoints that a run continues from; else only the other files */
static tutti_status visit(const char *folder, bool last, visitor *see, void *context) {
  DIR *all = opendir(folder);
  tutti_status status = TUTTI_OK;
  TUTTI_CHECK(all, TUTTI_ERR_CREATE, "%s: cannot read this folder: %s", folder, strerror(errno));
  for (const struct dirent *one = readdir(all); one && status == TUTTI_OK; one = readdir(all))
    if (is_of_run(one->d_name) && is_last(one->d_name) == last) status = see(folder, one->d_name, context);
  closedir(all);
  return status;
}

/** A folder that the files may move to. */
typedef struct {
  const char *place;
  bool taken; // by files of the same names
} candidate;

static tutti_status see_taken(const char *folder, const char *name, void *context) {
  (void)folder;
  candidate *c = context;
  char path[TUTTI_RUNDIR_PATH_BYTES];
  struct stat about;
  TUTTI_TRY(join(c->place, name, path));
  // A name that cannot be looked at counts as taken.
  if (lstat(path, &about) == 0 || errno != ENOENT) c->taken = true;
  return TUTTI_OK;
}

tutti_status tutti_rundir_find_aside(const char *folder, char place[TUTTI_RUNDIR_PATH_BYTES]) {
  struct stat about;
  for (int i = 1;; i++) {
    char name[32];
    candidate c = {.place = place};
    snprintf(name, sizeof name, "before-%d", i);
    TUTTI_TRY(join(folder, name, place));
    if (lstat(place, &about) != 0 && errno == ENOENT) return TUTTI_OK;
    TUTTI_TRY(visit(folder, false, see_taken, &c));
    TUTTI_TRY(visit(folder, true, see_taken, &c));
    if (!c.taken) return TUTTI_OK;
  }
}

static tutti_status move(const char *folder, const char *name, void *context) {
  const candidate *to = context;
  char from[TUTTI_RUNDIR_PATH_BYTES], path[TUTTI_RUNDIR_PATH_BYTES];
  TUTTI_TRY(join(folder, name, from));
  TUTTI_TRY(join(to->place, name, path));
  TUTTI_TRY(tutti_fault("move_aside"));
  TUTTI_CHECK(rename(from, path) == 0, TUTTI_ERR_CREATE,
              "%s: cannot move it to %s: %s; nothing is lost, but some files of the run may be there "
              "already; choose another run.directory",
              from, path, strerror(errno));
  return TUTTI_OK;
}

tutti_status tutti_rundir_move_aside(const char *folder, const char *place) {
  candidate to = {.place = place};
  TUTTI_TRY(tutti_io_make_folder(place));
  TUTTI_TRY(visit(folder, false, move, &to));
  return visit(folder, true, move, &to);
}
