#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "tutti/base.h"

static char folder[256];

static void remove_files(void) {
  char command[sizeof folder + 16];
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  if (folder[0] && system(command) != 0) fprintf(stderr, "%s is left\n", folder);
}

static void give_up(const char *what) {
  fprintf(stderr, "fuzz: %s\n", what);
  abort();
}

const char *fuzz_folder(void) {
  if (folder[0]) return folder;
  const char *base = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/tutti-fuzz-%ld", base ? base : "/tmp", (long)getpid());
  if (mkdir(folder, 0700) != 0) give_up("no folder for its files");
  atexit(remove_files);
  tutti_log_set_level(TUTTI_LOG_ERROR); // warnings about the input say nothing here
  return folder;
}

const char *fuzz_file(const char *name, const uint8_t *data, size_t n) {
  static char paths[8][sizeof folder + 64];
  static int next;
  char *path = paths[next++ % 8];
  snprintf(path, sizeof paths[0], "%s/%s", fuzz_folder(), name);
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(data, 1, n, file) != n || fclose(file) != 0) give_up("its file cannot be written");
  return path;
}

char *fuzz_text(const uint8_t *data, size_t n) {
  if (memchr(data, '\0', n)) return NULL;
  char *text = malloc(n + 1);
  if (!text) give_up("no memory");
  memcpy(text, data, n);
  text[n] = '\0';
  return text;
}

void fuzz_end(void) {
  if (tutti_alloc_live() != 0) give_up("memory is left allocated");
}
