/* Other files to which a file leads: by links, by virtual arrays, and by arrays whose numbers are outside.  They are
 * searched in the same places and order as HDF5 does, so the file that is checked here is the one that HDF5 reads.
 * file.c, virtual.c and storage.c call it. */
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

/** Look in the folders that a variable of the environment lists, separated by colons. */
static bool exists_in_list(const char *variable, const char *name, char path[TUTTI_PATH_BYTES]) {
  char list[TUTTI_PATH_BYTES], *rest = NULL;
  const char *value = getenv(variable);
  snprintf(list, sizeof list, "%s", value ? value : "");
  for (char *folder = strtok_r(list, ":", &rest); folder; folder = strtok_r(NULL, ":", &rest))
    if (exists_in(folder, name, path)) return true;
  return false;
}

bool tutti_io_external_find(const char *file, const char *name, const char *variable,
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

bool tutti_io_external_find_raw(const char *file, const char *name, char path[TUTTI_PATH_BYTES]) {
  static const char origin[] = "${ORIGIN}";
  char beside[TUTTI_PATH_BYTES], folder[TUTTI_PATH_BYTES];
  const char *prefix = getenv("HDF5_EXTFILE_PREFIX");
  if (name[0] == '/' || !prefix || !prefix[0] || strcmp(prefix, ".") == 0) return exists_in("", name, path);
  if (strncmp(prefix, origin, sizeof origin - 1) != 0) return exists_in(prefix, name, path);
  folder_of(file, beside);
  const int n = snprintf(folder, sizeof folder, "%s%s", beside[0] ? beside : ".", prefix + sizeof origin - 1);
  return n < TUTTI_PATH_BYTES && exists_in(folder, name, path);
}

// --- what may be read

/** Whether a real path is in the folder of `file` or below. */
static bool beside(const char *file, const char *path) {
  char folder[TUTTI_PATH_BYTES], real[TUTTI_PATH_BYTES];
  folder_of(file, folder);
  if (!realpath(folder[0] ? folder : ".", real)) return false;
  const size_t n = strcmp(real, "/") == 0 ? 0 : strlen(real);
  return strncmp(real, path, n) == 0 && path[n] == '/';
}

bool tutti_io_external_allowed(const tutti_bounds *bounds, const char *path) {
  char real[TUTTI_PATH_BYTES], within[TUTTI_PATH_BYTES];
  if (bounds->anywhere) return true;
  if (!realpath(path, real)) return false;
  // If the file itself is a link, its neighbours may be beside the link or beside its target.
  return beside(bounds->within, real) || (realpath(bounds->within, within) && beside(within, real));
}

// --- links to other files

/** Check the target of a link before HDF5 opens it: it exists, is allowed, and is a regular file, not a pipe. */
static tutti_status check_link(const tutti_bounds *bounds, const char *file, const char *name,
                               const char *object) {
  char path[TUTTI_PATH_BYTES];
  struct stat state;
  TUTTI_CHECK(tutti_io_external_find(file, name, "HDF5_EXT_PREFIX", path) && stat(path, &state) == 0,
              TUTTI_ERR_MISSING,
              "%s: links to '%s' of %s, which does not exist; put that file beside this one", file, object,
              name);
  TUTTI_CHECK(tutti_io_external_allowed(bounds, path), TUTTI_ERR_DATA,
              "%s: links to '%s' of %s, " TUTTI_EXTERNAL_ADVICE, file, object, path, bounds->within);
  TUTTI_CHECK(S_ISREG(state.st_mode), TUTTI_ERR_DATA,
              "%s: links to '%s' of %s, which is not a regular file; expected an HDF5 file", file, object,
              path);
  return TUTTI_OK;
}

/** HDF5 calls this before it opens the target of a link. */
static herr_t follow(const char *file, const char *group, const char *name, const char *object,
                     unsigned *flags, hid_t access, void *data) {
  tutti_bounds *bounds = data;
  (void)group;
  (void)flags;
  (void)access;
  bounds->status = check_link(bounds, file, name, object);
  if (bounds->status == TUTTI_OK) return 0;
  snprintf(bounds->reason, sizeof bounds->reason, "%s", tutti_fail_text());
  return -1;
}

tutti_status tutti_io_external_access(tutti_bounds *bounds, hid_t *access) {
  TUTTI_H5_TRY(*access = H5Pcreate(H5P_DATASET_ACCESS), TUTTI_ERR_SYSTEM, "%s: access list", bounds->within);
  TUTTI_H5_TRY(H5Pset_elink_cb(*access, follow, bounds), TUTTI_ERR_SYSTEM, "%s: access list", bounds->within);
  return TUTTI_OK;
}

tutti_status tutti_io_external_check_links(tutti_bounds *bounds, tutti_status status) {
  const tutti_status refused = bounds->status;
  bounds->status = TUTTI_OK;
  if (refused == TUTTI_OK) return status;
  TUTTI_FAIL(refused, "%s", bounds->reason);
}
