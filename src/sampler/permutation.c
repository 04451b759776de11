#include "base/random.h"
#include "tutti/sampler.h"

/** Enough that even a handful of samples is shuffled well; test_permutation.c measures it. */
enum { N_ROUNDS = 8 };

static int64_t ceil_sqrt(int64_t n) {
  int64_t low = 1, high = INT64_C(1) << 31;
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (middle * middle >= n)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

tutti_permutation tutti_permutation_make(int64_t n, uint64_t seed, uint32_t kind, uint32_t epoch) {
  TUTTI_ASSERT(n >= 1);
  const int64_t a = ceil_sqrt(n);
  return (tutti_permutation){
      .n = n, .a = a, .b = (n + a - 1) / a, .seed = seed, .kind = kind, .epoch = epoch};
}

tutti_permutation tutti_permutation_identity(int64_t n) {
  return (tutti_permutation){.n = n, .identity = true};
}

/** The round function: a word of the stream, reduced to [0, range) by the high half of a product (Lemire,
 * "Fast random integer generation in an interval", 2019; its bias is below range / 2^32). */
static int64_t round_value(const tutti_permutation *p, uint32_t round, int64_t half, int64_t range) {
  const tutti_stream stream = {.seed = p->seed, .kind = p->kind, .part = round, .epoch = p->epoch};
  uint32_t words[4];
  tutti_random_words(stream, (uint64_t)half, words);
  return (int64_t)(((uint64_t)words[0] * (uint64_t)range) >> 32);
}

/** One walk through the network: a bijection of [0, a*b). */
static int64_t encrypt(const tutti_permutation *p, int64_t i) {
  int64_t left = i % p->a, right = i / p->a;
  for (uint32_t round = 0; round < N_ROUNDS; round += 2) {
    left = (left + round_value(p, round, right, p->a)) % p->a;
    right = (right + round_value(p, round + 1, left, p->b)) % p->b;
  }
  return right * p->a + left;
}

int64_t tutti_permutation_at(const tutti_permutation *permutation, int64_t i) {
  TUTTI_ASSERT(i >= 0 && i < permutation->n);
  if (permutation->identity) return i;
  // Values beyond n are walked on until the cycle comes back into [0, n): still a bijection there.
  do i = encrypt(permutation, i);
  while (i >= permutation->n);
  return i;
}
