/* Gives files to a harness, one after another: the seeds, and what the fuzzer has found earlier.  So the tests need no
 * clang.  replay FILE...  A folder stands for its files. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static int replay_file(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) return 0;
  enum { MOST = 1 << 22 };
  uint8_t *data = malloc(MOST);
  const size_t n = data ? fread(data, 1, MOST, file) : 0;
  fclose(file);
  fprintf(stderr, "%s: %zu bytes\n", path, n); // the last line names the file that crashed
  // Exactly as large as the bytes, so that a sanitizer sees what reads beyond them.
  uint8_t *bytes = malloc(n ? n : 1);
  if (bytes && data) memcpy(bytes, data, n);
  free(data);
  if (bytes) LLVMFuzzerTestOneInput(bytes, n);
  free(bytes);
  return 1;
}

static int replay(const char *path) {
  DIR *folder = opendir(path);
  int n = 0;
  if (!folder) return replay_file(path);
  for (const struct dirent *entry; (entry = readdir(folder));) {
    char name[1024];
    snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
    if (entry->d_name[0] != '.') n += replay_file(name);
  }
  closedir(folder);
  return n;
}

int main(int argc, char **argv) {
  int n = 0;
  for (int i = 1; i < argc; i++) n += replay(argv[i]);
  fprintf(stderr, "%d files\n", n);
  return n > 0 ? 0 : 1;
}
