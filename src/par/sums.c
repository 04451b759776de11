/** Sums of several arrays in one pass over memory, with a loop for each number of arrays up to eight.  The reducers
 * shared and tree call it for the gradients of a node. */
#include "par/sums_impl.h"

#include "base/clones.h"
#include "base/loops.h"

/** Streams that the processor follows well at the same time. */
enum { AT_ONCE = 8 };

/** n is a constant where this is used, so that the inner loop goes. */
TUTTI_INLINE void add(const float *const *sources, int n, int64_t at, int64_t count, float *sum) {
  const float *source[AT_ONCE];
  for (int k = 0; k < n; k++) source[k] = sources[k] + at;
  TUTTI_INDEPENDENT
  for (int64_t i = 0; i < count; i++) {
    float s = source[n - 1][i];
    for (int k = n - 2; k >= 0; k--) s = source[k][i] + s;
    sum[i] = s;
  }
}

TUTTI_CLONES static void add_at_once(const float *const *sources, int n, int64_t at, int64_t count,
                                     float *sum) {
  switch (n) {
  case 1:
    add(sources, 1, at, count, sum);
    break;
  case 2:
    add(sources, 2, at, count, sum);
    break;
  case 3:
    add(sources, 3, at, count, sum);
    break;
  case 4:
    add(sources, 4, at, count, sum);
    break;
  case 5:
    add(sources, 5, at, count, sum);
    break;
  case 6:
    add(sources, 6, at, count, sum);
    break;
  case 7:
    add(sources, 7, at, count, sum);
    break;
  default:
    add(sources, AT_ONCE, at, count, sum);
  }
}

/** The last ones first, into a block that stays in the cache; `sum` is written at the end, for it may be a
 * source. */
static void add_block(const float *const *sources, int n, int64_t at, int64_t count, float *sum) {
  float rest[TUTTI_BLOCK];
  const float *now[AT_ONCE];
  int n_left = n;
  while (n_left > 0) {
    // beside the sum so far, from the second pass on
    const int n_room = n_left == n ? AT_ONCE : AT_ONCE - 1;
    const int n_now = n_left < n_room ? n_left : n_room;
    for (int k = 0; k < n_now; k++) now[k] = sources[n_left - n_now + k] + at;
    if (n_left < n) now[n_now] = rest;
    const int n_sources = n_now + (n_left < n);
    n_left -= n_now;
    add_at_once(now, n_sources, 0, count, n_left > 0 ? rest : sum);
  }
}

void tutti_par_sum_sources(const float *const *sources, int n, int64_t at, int64_t count, float *sum) {
  TUTTI_ASSERT(n >= 1);
  if (n <= AT_ONCE) {
    add_at_once(sources, n, at, count, sum);
    return;
  }
  // Many arrays need several passes, so they go block by block: the sum so far then stays in the nearest cache.
  for (int64_t done = 0; done < count; done += TUTTI_BLOCK)
    add_block(sources, n, at + done, count - done < TUTTI_BLOCK ? count - done : TUTTI_BLOCK, sum + done);
}
