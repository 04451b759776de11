#pragma once
/** Philox for processors with AVX2 but without AVX-512.  They multiply 32-bit words in one instruction, but GCC does
 * not use it for vectors of 64-bit elements and makes a slow loop of the plain code. */
#include <stdint.h>

#if defined(__GNUC__) && defined(__x86_64__)
#define TUTTI_RANDOM_AVX2

/** words[4 n] = the four words of each of the n counters from counter[4] on, n a multiple of 4; the first word of
 * the counter does not wrap among them. */
void tutti_random_fill_avx2(const uint32_t counter[4], const uint32_t key[2], int64_t n, uint32_t *words);
#endif
