/* Where HDF5 finds the files that a file names: those of its links, of its virtual arrays and of arrays whose
 * numbers lie outside.  It takes the first that is there, so what is looked at here is what it will read. */
#define _XOPEN_SOURCE 700 // realpath
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/io_impl.h"

static bool exists_in(const char *folder, const char *name, char path[TUTTI_PATH_BYTES]) {
  struct stat state;
  const int n = snprintf(path, TUTTI_PATH_BYTES, "%s%s%s", folder, folder[0] ? "/" : "", name);
  return n < TUTTI_PATH_BYTES && stat(path, &state) == 0;
}

/** "" for a bare name. */
static void folder_of(const char *path, char folder[TUTTI_PATH_BYTES]) {
  snprintf(folder, TUTTI_PATH_BYTES, "%s", path);
  char *slash = strrchr(folder, '/');
  if (slash == folder) slash++; // the root
  *(slash ? slash : folder) = '\0';
}

static bool exists_beside(const char *file, const char *name, char path[TUTTI_PATH_BYTES]) {
  char folder[TUTTI_PATH_BYTES];
  folder_of(file, folder);
  return exists_in(folder, name, path);
}

/** In one of the folders that a variable of the environment lists, with colons between them. */
static bool exists_in_list(const char *variable, const char *name, char path[TUTTI_PATH_BYTES]) {
  char list[TUTTI_PATH_BYTES], *rest = NULL;
  const char *value = getenv(variable);
  snprintf(list, sizeof list, "%s", value ? value : "");
  for (char *folder = strtok_r(list, ":", &rest); folder; folder = strtok_r(NULL, ":", &rest))
    if (exists_in(folder, name, path)) return true;
  return false;
}

bool tutti_external_find(const char *file, const char *name, const char *variable,
                         char path[TUTTI_PATH_BYTES]) {
  char real[TUTTI_PATH_BYTES];
  if (name[0] == '/') {
    if (exists_in("", name, path)) return true;
    name = strrchr(name, '/') + 1;
  }
  if (exists_in_list(variable, name, path)) return true;
  if (exists_beside(file, name, path) || exists_in("", name, path)) return true;
  return realpath(file, real) && exists_beside(real, name, path);
}

bool tutti_external_find_raw(const char *file, const char *name, char path[TUTTI_PATH_BYTES]) {
  static const char origin[] = "${ORIGIN}";
  char beside[TUTTI_PATH_BYTES], folder[TUTTI_PATH_BYTES];
  const char *prefix = getenv("HDF5_EXTFILE_PREFIX");
  if (name[0] == '/' || !prefix || !prefix[0] || strcmp(prefix, ".") == 0) return exists_in("", name, path);
  if (strncmp(prefix, origin, sizeof origin - 1) != 0) return exists_in(prefix, name, path);
  folder_of(file, beside);
  const int n = snprintf(folder, sizeof folder, "%s%s", beside[0] ? beside : ".", prefix + sizeof origin - 1);
  return n < TUTTI_PATH_BYTES && exists_in(folder, name, path);
}
