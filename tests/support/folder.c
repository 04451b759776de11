#define _XOPEN_SOURCE 700 // nftw
#include "support/folder.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/check.h"

int folder_make(void **state) {
  const char *above = getenv("TMPDIR");
  char path[1024];
  snprintf(path, sizeof path, "%s/tutti-test-XXXXXX", above ? above : "/tmp");
  if (!mkdtemp(path)) return -1;
  *state = tutti_strdup(path);
  return *state ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *state, int kind, struct FTW *where) {
  (void)state;
  (void)kind;
  (void)where;
  return remove(path);
}

int folder_remove(void **state) {
  const int failed = nftw(*state, remove_one, 8, FTW_DEPTH | FTW_PHYS);
  tutti_free(*state);
  *state = NULL;
  return failed;
}

const char *folder_path(void *const *state, const char *name) {
  static char paths[8][1280];
  static unsigned next;
  char *path = paths[next++ % 8];
  snprintf(path, sizeof paths[0], "%s/%s", (const char *)*state, name);
  return path;
}

int folder_count(void *const *state) {
  DIR *entries = opendir(*state);
  if (!entries) fail_msg("%s: cannot list", (const char *)*state);
  int n = 0;
  for (const struct dirent *entry; (entry = readdir(entries));)
    n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
  closedir(entries);
  return n;
}

unsigned char *folder_bytes(const char *path, size_t *n) {
  FILE *file = fopen(path, "rb");
  if (!file) fail_msg("%s: cannot open", path);
  fseek(file, 0, SEEK_END);
  *n = (size_t)ftell(file);
  rewind(file);
  unsigned char *data = tutti_calloc((int64_t)*n, 1);
  assert_non_null(data);
  const size_t got = fread(data, 1, *n, file);
  fclose(file);
  assert_int_equal(got, *n);
  return data;
}

void folder_put(const char *path, const void *data, size_t n) {
  FILE *file = fopen(path, "wb");
  if (!file) fail_msg("%s: cannot create", path);
  const size_t put = fwrite(data, 1, n, file);
  assert_int_equal(fclose(file), 0);
  assert_int_equal(put, n);
}

void folder_put_text(void *const *state, const char *path, const char *text) {
  char name[512];
  snprintf(name, sizeof name, "%s", folder_path(state, path));
  for (char *slash = name + strlen(*state) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
    *slash = '\0';
    mkdir(name, 0700);
  }
  folder_put(name, text, strlen(text));
}
