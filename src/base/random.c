/** Philox as Random123 defines it, with loops over many counters that the compiler vectorises.  Sampler, initialisers
 * and noise layers call it. */
#include "base/random.h"

#include <Random123/philox.h>
#include <math.h>

#include "base/clones.h"
#include "base/random_impl.h"
#include "base/vector_unit.h"

#define TWO_PI 6.283185307179586476925286766559

/** The counter number `index` of a stream, as Philox takes it. */
static philox4x32_ctr_t counter_at(tutti_stream stream, uint64_t index) {
  TUTTI_ASSERT(stream.kind < (1u << 16) && index < (UINT64_C(1) << 48));
  return (philox4x32_ctr_t){
      {(uint32_t)index, (uint32_t)(index >> 32) | stream.kind << 16, stream.part, stream.epoch}};
}

static philox4x32_key_t key_of(tutti_stream stream) {
  return (philox4x32_key_t){{(uint32_t)stream.seed, (uint32_t)(stream.seed >> 32)}};
}

void tutti_random_words(tutti_stream stream, uint64_t index, uint32_t words[4]) {
  // One counter by Random123 itself, with which the tests compare the loops below.
  const philox4x32_ctr_t random = philox4x32(counter_at(stream, index), key_of(stream));
  for (int i = 0; i < 4; i++) words[i] = random.v[i];
}

/** Random123's function in a form that vectorises in a loop over counters: each 32-bit word has 64 bits to
 * itself, so that its product need not be taken apart and put together again. */
TUTTI_INLINE void encrypt(uint64_t v[4], philox4x32_key_t key) {
  for (int round = 0; round < philox4x32_rounds; round++) {
    const uint64_t a = v[0] * PHILOX_M4x32_0, b = v[2] * PHILOX_M4x32_1;
    v[0] = (b >> 32) ^ v[1] ^ key.v[0];
    v[1] = b & UINT32_MAX;
    v[2] = (a >> 32) ^ v[3] ^ key.v[1];
    v[3] = a & UINT32_MAX;
    key.v[0] += PHILOX_W32_0;
    key.v[1] += PHILOX_W32_1;
  }
}

TUTTI_CLONES static void fill_in_loop(philox4x32_ctr_t first, philox4x32_key_t key, int64_t n,
                                      uint32_t *restrict words) {
  for (int64_t i = 0; i < n; i++) {
    uint64_t v[4] = {first.v[0] + (uint64_t)i, first.v[1], first.v[2], first.v[3]};
    encrypt(v, key);
    for (int k = 0; k < 4; k++) words[4 * i + k] = (uint32_t)v[k];
  }
}

/** Write the four words of each of n counters from `first` on.  The low half of the counter does not wrap among
 * them. */
static void fill_counters(philox4x32_ctr_t first, philox4x32_key_t key, int64_t n, uint32_t *words) {
  int64_t done = 0;
#ifdef TUTTI_RANDOM_AVX2
  if (tutti_cpu_has_avx2_fma() && !tutti_cpu_has_avx512()) {
    done = n / 4 * 4;
    tutti_random_fill_avx2(first.v, key.v, done, words);
    first.v[0] += (uint32_t)done;
  }
#endif
  fill_in_loop(first, key, n - done, words + 4 * done);
}

/** Write the words of one counter from word number `at` on, at most n.  @return their number */
static int64_t fill_within(tutti_stream stream, uint64_t at, int64_t n, uint32_t *words) {
  uint32_t four[4];
  tutti_random_words(stream, at / 4, four);
  int64_t done = 0;
  for (uint64_t lane = at % 4; lane < 4 && done < n; lane++) words[done++] = four[lane];
  return done;
}

void tutti_random_fill(tutti_stream stream, uint64_t first, int64_t n, uint32_t *words) {
  for (int64_t done = 0; done < n;) {
    const uint64_t at = first + (uint64_t)done;
    const int64_t to_wrap = (INT64_C(1) << 32) - (int64_t)(at / 4 & UINT32_MAX);
    const int64_t left = (n - done) / 4, whole = left < to_wrap ? left : to_wrap;
    if (at % 4 == 0 && whole > 0) {
      fill_counters(counter_at(stream, at / 4), key_of(stream), whole, words + done);
      done += 4 * whole;
    } else {
      done += fill_within(stream, at, n - done, words + done);
    }
  }
}

TUTTI_CLONES static void first_words(philox4x32_ctr_t base, philox4x32_key_t key,
                                     const uint32_t *restrict indices, int64_t n, uint32_t *restrict words) {
  for (int64_t i = 0; i < n; i++) {
    uint64_t v[4] = {indices[i], base.v[1], base.v[2], base.v[3]};
    encrypt(v, key);
    words[i] = (uint32_t)v[0];
  }
}

/** The counters are the halves of the sampler's permutation, which are not in a row. */
void tutti_random_gather(tutti_stream stream, const uint32_t *indices, int64_t n, uint32_t *words) {
  first_words(counter_at(stream, 0), key_of(stream), indices, n, words);
}

/** Half a step away from both ends, so that its logarithm is finite. */
double tutti_random_uniform(uint32_t word) {
  return ((double)word + 0.5) * 0x1p-32;
}

void tutti_random_normal(uint32_t word_a, uint32_t word_b, double normal[2]) {
  const double radius = sqrt(-2.0 * log(tutti_random_uniform(word_a)));
  const double angle = TWO_PI * tutti_random_uniform(word_b);
  normal[0] = radius * cos(angle);
  normal[1] = radius * sin(angle);
}
