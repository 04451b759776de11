#pragma once
/** Fingerprints.  Local. */
#include <stdint.h>

/** XXH64 (Collet) of n bytes; the same on any machine.
 * @param[in] before  0, or the hash of the bytes before these if the data is in several pieces */
uint64_t tutti_hash(uint64_t before, const void *bytes, int64_t n);
