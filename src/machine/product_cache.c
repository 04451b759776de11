/** The file in the user's cache folder that keeps what was measured on this machine.
 *
 * It only grows, by whole lines, under a lock.  The first line of a shape is the right one, so that all programs that
 * run now or later choose alike, also if two have measured a shape at the same time.  Whoever removes the file lets
 * everything be measured again.  Nothing here fails but for want of memory: without the file a program measures. */
#define _GNU_SOURCE // flock, O_NOFOLLOW, O_CLOEXEC
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "linalg/blas.h"
#include "linalg/matmul.h"
#include "machine/cpu.h"
#include "machine/product_times_impl.h"

enum { MOST_BYTES = 4 << 20, LOCK_TRIES = 50, OWN_FOLDER_MODE = 0700, FOLDER_MODE = 0777, FILE_MODE = 0666 };

/** Builds with checks compute more slowly. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
#define BUILD "-checked"
#else
#define BUILD ""
#endif

/** Raised when our own loops become faster or slower, because the times that a file has are then those of others. */
enum { LOOPS_REVISION = 2 };

/** "AMD_EPYC_9R14-OpenBLAS_0.3.21-AVX-512-tutti_0.1.0-2.txt": what the times depend on. */
static void name_file(char *name, size_t bytes) {
  tutti_machine_cpu cpu;
  tutti_blas_facts blas;
  tutti_machine_cpu_get(&cpu);
  tutti_blas_get(&blas);
  snprintf(name, bytes, "%s-%s %s-%s-tutti %s-%d" BUILD ".txt", cpu.model, blas.name, blas.version,
           tutti_matmul_own_loops(), TUTTI_VERSION, LOOPS_REVISION);
  for (char *c = name; *c; c++)
    if (!isalnum((unsigned char)*c) && *c != '-' && *c != '.') *c = '_';
}

bool tutti_product_cache_path(char *path, size_t bytes) {
  const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  // As the XDG Base Directory Specification has it, a relative path counts as none.
  const bool has_cache = cache && cache[0] == '/', has_home = home && home[0] == '/';
  if (!has_cache && !has_home) return false;
  char name[256];
  name_file(name, sizeof name);
  const int n = has_cache ? snprintf(path, bytes, "%s/tutti/%s", cache, name)
                          : snprintf(path, bytes, "%s/.cache/tutti/%s", home, name);
  return n > 0 && (size_t)n < bytes;
}

/** The folder of the file is the user's alone; those above it are as the user wants new folders. */
static void make_folders(const char *path) {
  char folder[4096];
  snprintf(folder, sizeof folder, "%s", path);
  for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    // It may be there; if it cannot be made, the file cannot be opened.
    (void)mkdir(folder, strchr(slash + 1, '/') ? FOLDER_MODE : OWN_FOLDER_MODE);
    *slash = '/';
  }
}

/** Add the lines of an open file.
 * @param[out] ends_whole  the file is empty, or its last line has its end */
static tutti_status read_lines(int file, tutti_product_times *times, bool *ends_whole) {
  char line[TUTTI_PRODUCT_LINE];
  *ends_whole = true;
  FILE *in = fdopen(dup(file), "r");
  if (!in) return TUTTI_OK;
  rewind(in);
  tutti_status status = TUTTI_OK;
  while (status == TUTTI_OK && ftello(in) < MOST_BYTES && fgets(line, sizeof line, in)) {
    const size_t n = strlen(line); // less than what was read if there are zeros in it
    tutti_product_time time;
    *ends_whole = n > 0 && line[n - 1] == '\n';
    if (!*ends_whole) continue; // cut off, or too long to be one of ours
    line[n - 1] = '\0';
    if (tutti_product_time_parse(line, &time)) status = tutti_product_times_add(times, &time);
  }
  (void)fclose(in);
  return status;
}

tutti_status tutti_product_cache_read(const char *path, tutti_product_times *times) {
  const int file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return TUTTI_OK;
  struct stat info;
  bool whole = false;
  const bool regular = fstat(file, &info) == 0 && S_ISREG(info.st_mode);
  const tutti_status status = regular ? read_lines(file, times, &whole) : TUTTI_OK;
  (void)close(file);
  return status;
}

/** A program that was stopped may hold the lock for ever, and some file systems have none.  Lines are appended whole
 * without it too; only the first one of two that measure at the same moment may then have chosen otherwise. */
static void lock(int file) {
  const struct timespec pause = {0, 2000000};
  for (int i = 0; i < LOCK_TRIES && flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK; i++)
    (void)nanosleep(&pause, NULL);
}

/** One write for all lines, which the system appends as a whole.
 * @param[in]  ends_whole  the file does; else its last line was cut off
 * @param[out] problem     set if they are not in the file */
static tutti_status append(int file, bool ends_whole, const tutti_product_times *times,
                           const char **problem) {
  char *text = NULL;
  TUTTI_TRY(TUTTI_NEW(text, (times->n + 1) * TUTTI_PRODUCT_LINE));
  size_t length = 0;
  if (!ends_whole)
    length = (size_t)snprintf(text, TUTTI_PRODUCT_LINE, " -\n"); // makes no line of what was cut off
  for (int64_t i = 0; i < times->n; i++) {
    tutti_product_time_print(&times->list[i], text + length);
    length += strlen(text + length);
    text[length++] = '\n';
  }
  const ssize_t written = write(file, text, length);
  if (written != (ssize_t)length) *problem = written < 0 ? strerror(errno) : "the disk is full";
  tutti_free(text);
  return TUTTI_OK;
}

/** Replace times by those of the file; append the others to it. */
static tutti_status merge(int file, tutti_product_times *times, const char **problem) {
  bool ends_whole = true;
  tutti_product_times in_file = {0}, added = {0};
  tutti_status status = read_lines(file, &in_file, &ends_whole);
  for (int64_t i = 0; i < times->n && status == TUTTI_OK; i++) {
    const tutti_product_time *first = tutti_product_times_find(&in_file, &times->list[i]);
    if (first)
      times->list[i] = *first;
    else
      status = tutti_product_times_add(&added, &times->list[i]);
  }
  if (status == TUTTI_OK && added.n > 0) status = append(file, ends_whole, &added, problem);
  tutti_product_times_clear(&in_file);
  tutti_product_times_clear(&added);
  return status;
}

/** @return what keeps lines from being appended to an open file; NULL: nothing */
static const char *find_problem(int file) {
  struct stat info;
  if (file < 0) return errno == ELOOP ? "it is a link" : strerror(errno);
  if (fstat(file, &info) != 0) return strerror(errno);
  if (!S_ISREG(info.st_mode)) return "it is not a file";
  return info.st_size < MOST_BYTES ? NULL : "it has become too large: remove it";
}

/** What is not kept is measured again by the next run, which may choose otherwise. */
tutti_status tutti_product_cache_write(const char *path, tutti_product_times *times) {
  make_folders(path);
  const int file = open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, FILE_MODE);
  const char *problem = find_problem(file);
  tutti_status status = TUTTI_OK;
  if (!problem) {
    lock(file);
    status = merge(file, times, &problem);
  }
  if (file >= 0) (void)close(file); // and unlock
  if (problem)
    tutti_log_once(
        TUTTI_LOG_INFO,
        "%s: cannot keep how long matrix products take (%s); the next training measures again, and "
        "may choose otherwise.  Mend that, or set XDG_CACHE_HOME to another folder",
        path, problem);
  return status;
}
