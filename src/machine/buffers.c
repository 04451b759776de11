/** Whether the libraries can get the address space that they take for themselves.  OpenBLAS maps 128 MB for each thread when
 * it computes for the first time.  If a limit on address space forbids that, it tries again without end, so the job would
 * wait for ever.  threads.c calls the check before the first product.  Open MPI crashes if it finds no room. */
#define _DEFAULT_SOURCE // MAP_ANONYMOUS
#include "machine/buffers_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "linalg/blas.h"

/** Of the builds for processors with wide vectors; others take less. */
#define BUFFER_BYTES ((size_t)128 << 20)

/** With less Open MPI crashes or hangs while it starts; measured. */
#define START_BYTES ((size_t)450 << 20)

/** "300000 kB (ulimit -v)", or that there is none. */
static const char *limit_text(char *text, size_t bytes) {
  struct rlimit limit;
  const bool limited = getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  if (limited)
    snprintf(text, bytes, "the limit on address space is %llu kB; 'ulimit -v' shows it, and raises it",
             (unsigned long long)limit.rlim_cur / 1024);
  else
    snprintf(text, bytes, "look at the free memory and at vm.overcommit_memory");
  return text;
}

tutti_status tutti_machine_check_room(void) {
  char advice[160];
  struct rlimit limit;
  tutti_blas_facts facts;
  tutti_blas_get(&facts);
  const bool enough = getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur >= START_BYTES;
  TUTTI_CHECK(enough, TUTTI_ERR_MEMORY, "MPI and %s take at least %zu MB of address space: %s", facts.name,
              START_BYTES >> 20, limit_text(advice, sizeof advice));
  return TUTTI_OK;
}

tutti_status tutti_machine_check_buffers(int n_threads) {
  char advice[160];
  tutti_blas_facts facts;
  tutti_blas_get(&facts);
  if (strcmp(facts.name, "OpenBLAS") != 0) return TUTTI_OK; // others return an error of their own
  const size_t bytes = (size_t)n_threads * BUFFER_BYTES;
  void *probe = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const int error = errno;
  TUTTI_CHECK(
      probe != MAP_FAILED, TUTTI_ERR_MEMORY,
      "no %zu MB of address space for the buffers of OpenBLAS with %d thread%s: %s: %s; or give fewer "
      "parallel.threads",
      bytes >> 20, n_threads, n_threads == 1 ? "" : "s", strerror(error), limit_text(advice, sizeof advice));
  munmap(probe, bytes);
  return TUTTI_OK;
}
