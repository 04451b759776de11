#pragma once
/** Fingerprints.  Local. */
#include <stdint.h>

/** XXH64 (Collet), the same on any machine for the same bytes.
 * @param[in] before  of the bytes before these, where they have no place in one piece of memory; else 0 */
uint64_t tutti_hash(uint64_t before, const void *bytes, int64_t n);
