/** Fingerprints of data and texts by xxHash: of the rows of a data set, of parameters on each rank, and of texts in
 * files. */
#include "base/hash.h"

#include <xxhash.h>

uint64_t tutti_hash(uint64_t before, const void *bytes, int64_t n) {
  return XXH64(bytes, (size_t)n, before);
}
