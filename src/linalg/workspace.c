/** The memory for packed factors.  It comes from the system and not from the heap, because it stays until the thread ends;
 * the system gives pages only when they are touched. */
#define _DEFAULT_SOURCE // MAP_ANONYMOUS
#include "linalg/workspace_impl.h"

#include <pthread.h>
#include <sys/mman.h>

#include "base/fault.h"

typedef struct {
  float *memory;
  size_t bytes;
} workspace;

static _Thread_local workspace own;
static pthread_key_t at_end;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool has_key;

static void release(void *ending) {
  workspace *w = ending;
  if (w->memory) munmap(w->memory, w->bytes);
  *w = (workspace){0};
}

static void make_key(void) {
  has_key = pthread_key_create(&at_end, release) == 0;
}

float *tutti_linalg_workspace(int64_t n) {
  const size_t bytes = (size_t)n * sizeof(float);
  if (own.memory && own.bytes >= bytes) return own.memory;
  pthread_once(&once, make_key);
  if (!has_key || pthread_setspecific(at_end, &own) != 0) return NULL;
  release(&own);
  if (tutti_fault("linalg.workspace") != TUTTI_OK) return NULL;
  void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return NULL;
  own = (workspace){memory, bytes};
  return memory;
}
