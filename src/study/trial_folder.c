/** The run directories of trials under way, in the folder of a study.  From its checkpoint there, any job continues a
 * trial that another job has left.  trial_run.c and store.c call this. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "study/store_impl.h"

static const char extension[] = ".run";

tutti_status tutti_study_trial_folder(const char *output, uint64_t hash, char **path) {
  const size_t bytes = strlen(output) + sizeof ".d/0123456789abcdef.run";
  TUTTI_TRY(TUTTI_NEW(*path, (int64_t)bytes));
  snprintf(*path, bytes, "%s.d/%016" PRIx64 "%s", output, hash, extension);
  return TUTTI_OK;
}

bool tutti_study_trial_folder_exists(const char *output, uint64_t hash) {
  char *path = NULL;
  if (tutti_study_trial_folder(output, hash, &path) != TUTTI_OK) return false;
  const bool there = access(path, F_OK) == 0;
  tutti_free(path);
  return there;
}

/** Whether a file is one that a run makes in its directory.  Others stay. */
static bool is_of_run(const char *name) {
  static const char *const begins[] = {"checkpoint", "best", "metrics.h5", "config.yaml", ".lock"};
  for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++)
    if (strncmp(name, begins[i], strlen(begins[i])) == 0) return true;
  return false;
}

/** Remove a run directory with all files in it that are ours.
 * @param[in] at  open folder that `name` is relative to */
static void remove_directory(int at, const char *name) {
  const int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return;
  DIR *directory = fdopendir(fd);
  if (!directory) {
    close(fd);
    return;
  }
  for (struct dirent *entry; (entry = readdir(directory));)
    if (is_of_run(entry->d_name)) (void)unlinkat(fd, entry->d_name, 0);
  closedir(directory);
  (void)unlinkat(at, name, AT_REMOVEDIR);
}

void tutti_study_trial_folder_remove(const char *output, uint64_t hash) {
  char *path = NULL;
  if (tutti_study_trial_folder(output, hash, &path) != TUTTI_OK) return;
  remove_directory(AT_FDCWD, path);
  tutti_free(path);
}

static bool is_run_directory(const char *name) {
  enum { DIGITS = 16 };
  return strspn(name, "0123456789abcdef") == DIGITS && strcmp(name + DIGITS, extension) == 0;
}

void tutti_study_trial_folder_remove_all(DIR *folder) {
  rewinddir(folder);
  for (struct dirent *entry; (entry = readdir(folder));)
    if (is_run_directory(entry->d_name)) remove_directory(dirfd(folder), entry->d_name);
}
