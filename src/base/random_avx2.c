/** Philox over four counters at a time in AVX2 instructions, for processors without AVX-512 (random_impl.h has the
 * reason).  Only random.c calls it. */
#include "base/random_impl.h"

#ifdef TUTTI_RANDOM_AVX2

#include <Random123/philox.h>
#include <immintrin.h>

enum { ROUNDS = philox4x32_rounds };

/** One word of each of four counters, in elements of 64 bits whose upper halves are ignored. */
typedef struct {
  __m256i word[4];
} four_counters;

__attribute__((target("avx2"))) static inline __m256i mix(__m256i product, __m256i word, __m256i key) {
  return _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(product, 32), word), key);
}

__attribute__((target("avx2"))) static inline void encrypt(four_counters *v, const __m256i keys[ROUNDS][2]) {
  const __m256i m_0 = _mm256_set1_epi64x(PHILOX_M4x32_0), m_1 = _mm256_set1_epi64x(PHILOX_M4x32_1);
  for (int round = 0; round < ROUNDS; round++) {
    const __m256i a = _mm256_mul_epu32(v->word[0], m_0), b = _mm256_mul_epu32(v->word[2], m_1);
    *v = (four_counters){{mix(b, v->word[1], keys[round][0]), b, mix(a, v->word[3], keys[round][1]), a}};
  }
}

/** The low halves of the elements of a and b in turn. */
__attribute__((target("avx2"))) static inline __m256i pairs(__m256i a, __m256i b) {
  return _mm256_blend_epi32(a, _mm256_slli_epi64(b, 32), 0xaa);
}

/** Store the words counter by counter. */
__attribute__((target("avx2"))) static inline void store(const four_counters *v, uint32_t *words) {
  const __m256i front = pairs(v->word[0], v->word[1]), back = pairs(v->word[2], v->word[3]);
  const __m256i even = _mm256_unpacklo_epi64(front, back), odd = _mm256_unpackhi_epi64(front, back);
  _mm256_storeu_si256((__m256i *)words, _mm256_permute2x128_si256(even, odd, 0x20));
  _mm256_storeu_si256((__m256i *)words + 1, _mm256_permute2x128_si256(even, odd, 0x31));
}

__attribute__((target("avx2"))) void tutti_random_fill_avx2(const uint32_t counter[4], const uint32_t key[2],
                                                            int64_t n, uint32_t *words) {
  __m256i keys[ROUNDS][2];
  for (uint32_t round = 0; round < ROUNDS; round++) {
    keys[round][0] = _mm256_set1_epi64x(key[0] + round * PHILOX_W32_0);
    keys[round][1] = _mm256_set1_epi64x(key[1] + round * PHILOX_W32_1);
  }
  for (int64_t i = 0; i < n; i += 4) {
    four_counters v;
    v.word[0] = _mm256_add_epi64(_mm256_set1_epi64x(counter[0] + i), _mm256_set_epi64x(3, 2, 1, 0));
    for (int k = 1; k < 4; k++) v.word[k] = _mm256_set1_epi64x(counter[k]);
    encrypt(&v, (const __m256i(*)[2])keys);
    store(&v, words + 4 * i);
  }
}

#else
typedef int tutti_random_avx2_is_empty;
#endif
