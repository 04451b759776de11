/** Memory files that the processes of a node map together.
 *
 * A file of memfd_create has no name, so nothing is left if the job is killed, and it does not need the space of
 * /dev/shm, which is 64 MB in many containers.  The other processes open it as /proc/PROCESS/fd/FILE.  If they
 * cannot, because they are in a container of their own, or if the system has no such files, the file gets a name in
 * /dev/shm until all have mapped it.  A job that is killed in between leaves the name, and the next job on the node
 * removes it.  window.c calls this. */
#define _GNU_SOURCE // memfd_create
#include "par/segment_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/fault.h"

#define FOLDER "/dev/shm"
#define PREFIX "tutti."

tutti_status tutti_par_segment_no_memory(size_t length, int error) {
  TUTTI_FAIL(TUTTI_ERR_MEMORY,
             "no %zu bytes of memory for the ranks of a node to share: %s; look at the free memory, at the "
             "memory limit of the job, and at the size of /dev/shm",
             length, strerror(error));
}

/** There are always so many bytes, and to look at the limits takes longer than to create a small network. */
static const size_t FEW_BYTES = 1 << 20;

bool tutti_par_segment_has_memory(size_t length) {
  return length <= FEW_BYTES || length <= tutti_memory_available("");
}

// --- names in /dev/shm -----------------------------------------------------------------------------

/** Whether the process in a name of ours runs here. */
static bool runs(const char *name) {
  long process = 0;
  return sscanf(name, PREFIX "%ld", &process) == 1 && process > 0 &&
         (kill((pid_t)process, 0) == 0 || errno == EPERM);
}

/** A process holds a lock on its file as long as the name exists, so a file without a lock was left by a process that
 * was killed.  Process ids alone would not do: containers that share /dev/shm count their processes each from 1.  But
 * earlier versions take no lock, so their processes must have ended, too. */
static void remove_left_names(void) {
  DIR *entries = opendir(FOLDER);
  if (!entries) return;
  for (const struct dirent *entry; (entry = readdir(entries));) {
    if (strncmp(entry->d_name, PREFIX, sizeof PREFIX - 1) != 0 || runs(entry->d_name)) continue;
    const int file = openat(dirfd(entries), entry->d_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0) continue;
    if (flock(file, LOCK_EX | LOCK_NB) == 0) (void)unlinkat(dirfd(entries), entry->d_name, 0);
    close(file);
  }
  closedir(entries);
}

/** Another process may remove the name before the lock is there; then the file has no name any more. */
static bool holds_name(int file) {
  struct stat about;
  return flock(file, LOCK_EX | LOCK_NB) == 0 && fstat(file, &about) == 0 && about.st_nlink > 0;
}

/** Another process may own a name, so several are tried. */
static int create_named(char *name, size_t bytes) {
  enum { MAX_TRIES = 100 };
  for (int attempt = 0; attempt < MAX_TRIES; attempt++) {
    snprintf(name, bytes, "/" PREFIX "%ld.%d", (long)getpid(), attempt);
    const int file = shm_open(name, O_CREAT | O_EXCL | O_RDWR, S_IRUSR | S_IWUSR);
    if (file >= 0 && holds_name(file)) return file;
    if (file < 0 && errno != EEXIST) break;
    if (file >= 0) close(file);
  }
  name[0] = '\0'; // not ours to remove
  return -1;
}

// --- both kinds ------------------------------------------------------------------------------------

static int create_nameless(void) {
#ifdef MFD_CLOEXEC
  if (tutti_fault("segment.nameless") == TUTTI_OK) return memfd_create("tutti", MFD_CLOEXEC);
#endif
  return -1;
}

static bool is_file_of(const tutti_segment_key *key, int file) {
  struct stat about;
  return fstat(file, &about) == 0 && (uint64_t)about.st_dev == key->device &&
         (uint64_t)about.st_ino == key->number;
}

tutti_status tutti_par_segment_make(size_t length, bool named, tutti_segment_key *key, int *file) {
  struct stat about;
  *key = (tutti_segment_key){.process = (int64_t)getpid(), .file = -1};
  if (!tutti_par_segment_has_memory(length)) return tutti_par_segment_no_memory(length, ENOMEM);
  remove_left_names();
  *file = named ? create_named(key->name, sizeof key->name) : create_nameless();
  TUTTI_CHECK(*file >= 0, TUTTI_ERR_SYSTEM, "shared memory cannot be created: %s; look at " FOLDER,
              strerror(errno));
  key->file = *file;
  if (ftruncate(*file, (off_t)length) != 0 || fstat(*file, &about) != 0)
    return tutti_par_segment_no_memory(length, errno);
  key->device = (uint64_t)about.st_dev;
  key->number = (uint64_t)about.st_ino;
  return TUTTI_OK;
}

tutti_status tutti_par_segment_open(const tutti_segment_key *key, int *file) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%lld/fd/%d", (long long)key->process, key->file);
  *file = key->name[0] ? shm_open(key->name, O_RDWR, 0) : open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
  // In another container the process of this number is another one.
  if (*file >= 0 && is_file_of(key, *file)) return TUTTI_OK;
  TUTTI_FAIL(TUTTI_ERR_SYSTEM,
             "%s: the shared memory of the first rank of this node cannot be opened: %s; do all ranks on "
             "this host see "
             "the same " FOLDER "?",
             key->name[0] ? key->name : path, *file < 0 ? strerror(errno) : "this is another file");
}

void tutti_par_segment_forget(const tutti_segment_key *key) {
  if (key->name[0]) shm_unlink(key->name);
}
