/** Allocation that checks for overflow, zeroes, aligns to cache lines and counts: each test ends with no allocation
 * left. */
#include "tutti/base.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

enum { ALIGNMENT = 64 }; // bytes of a cache line and of the widest vector

static _Atomic int64_t live;

void *tutti_calloc(int64_t n, size_t unit) {
  void *memory = NULL;
  const bool fits = n >= 0 && (unit == 0 || (uint64_t)n <= (SIZE_MAX - ALIGNMENT) / unit);
  if (fits && tutti_fault("memory") == TUTTI_OK) {
    // aligned_alloc takes whole multiples, of which there is at least one, so that n = 0 gives memory, too.
    const size_t bytes = ((size_t)n * unit + ALIGNMENT) / ALIGNMENT * ALIGNMENT;
    memory = aligned_alloc(ALIGNMENT, bytes);
    if (memory) memset(memory, 0, bytes);
  }
  if (!memory) {
    tutti_fail(TUTTI_ERR_MEMORY, __func__, __FILE__, __LINE__, "no memory for %lld x %zu bytes", (long long)n,
               unit);
    return NULL;
  }
  atomic_fetch_add(&live, 1);
  return memory;
}

char *tutti_strdup(const char *text) {
  const size_t bytes = strlen(text) + 1;
  char *copy = tutti_calloc((int64_t)bytes, 1);
  if (copy) memcpy(copy, text, bytes);
  return copy;
}

/** Counting is atomic, because the threads of a rank allocate, too. */
void tutti_free(void *memory) {
  if (!memory) return;
  atomic_fetch_sub(&live, 1);
  free(memory);
}

// The first bytes of each piece lead to the one before it, and the caller's memory begins a cache line later.
void *tutti_pool_calloc(tutti_pool *pool, int64_t n, size_t unit) {
  const int64_t extra = (int64_t)((ALIGNMENT + unit - 1) / unit);
  const bool fits = n >= 0 && n <= INT64_MAX - extra;
  char *piece = tutti_calloc(fits ? n + extra : -1, unit);
  if (!piece) return NULL;
  memcpy(piece, &pool->last, sizeof pool->last);
  pool->last = piece;
  return piece + ALIGNMENT;
}

void tutti_pool_clear(tutti_pool *pool) {
  while (pool->last) {
    void *piece = pool->last;
    memcpy(&pool->last, piece, sizeof pool->last);
    tutti_free(piece);
  }
}

/** Tests compare it with 0 at their end, which finds leaks without a tool. */
int64_t tutti_alloc_live(void) {
  return atomic_load(&live);
}
