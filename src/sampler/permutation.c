/** A permutation of any number of samples without memory: an alternating Feistel network on pairs of halves, with
 * cycle walking (sampler.h has the source).  The shuffle of each epoch and the split of a data set call it. */
#include "base/clones.h"
#include "base/random.h"
#include "tutti/sampler.h"

/** Rounds that shuffle even a handful of samples well; test_permutation.c measures it. */
enum { N_ROUNDS = 8 };

/** Values that are mapped at once: few enough for the first-level cache. */
enum { BLOCK = 256 };

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

static tutti_stream stream_of(const tutti_permutation *p, uint32_t round) {
  return (tutti_stream){.seed = p->seed, .kind = p->kind, .part = round, .epoch = p->epoch};
}

/** The round function's value is a word of the stream, reduced to [0, range) by the high half of a product
 * (Lemire, "Fast random integer generation in an interval", 2019; its bias is below range / 2^32); add it to
 * `half` modulo range.  Both are below range <= 2^31, so that one subtraction is a modulo. */
TUTTI_INLINE uint32_t add_value(uint32_t half, uint32_t word, uint32_t range) {
  const uint32_t sum = half + (uint32_t)(((uint64_t)word * range) >> 32);
  return sum < range ? sum : sum - range;
}

// --- one at a time

static uint32_t add_round(const tutti_permutation *p, uint32_t round, uint32_t half, uint32_t other,
                          int64_t range) {
  uint32_t words[4];
  tutti_random_words(stream_of(p, round), other, words);
  return add_value(half, words[0], (uint32_t)range);
}

/** One walk through the network: a bijection of [0, a*b). */
static int64_t encrypt(const tutti_permutation *p, int64_t i) {
  uint32_t left = (uint32_t)(i % p->a), right = (uint32_t)(i / p->a);
  for (uint32_t round = 0; round < N_ROUNDS; round += 2) {
    left = add_round(p, round, left, right, p->a);
    right = add_round(p, round + 1, right, left, p->b);
  }
  return right * p->a + left;
}

/** Values beyond n are walked on until the cycle comes back into [0, n): still a bijection there. */
static int64_t walk_back(const tutti_permutation *p, int64_t i) {
  while (i >= p->n) i = encrypt(p, i);
  return i;
}

int64_t tutti_permutation_at(const tutti_permutation *p, int64_t i) {
  TUTTI_ASSERT(i >= 0 && i < p->n);
  return p->identity ? i : walk_back(p, encrypt(p, i));
}

// --- many side by side

typedef struct {
  uint32_t left[BLOCK], right[BLOCK], words[BLOCK];
} block;

/** The quotient by way of double, because integer division does not vectorise: below 2^31 and so off by one
 * at the most. */
TUTTI_CLONES static void take_apart(const int64_t *restrict values, int64_t n, int64_t a,
                                    uint32_t *restrict left, uint32_t *restrict right) {
  for (int64_t i = 0; i < n; i++) {
    const int64_t quotient = (int64_t)((double)values[i] / (double)a), rest = values[i] - quotient * a;
    const int64_t carry = (rest >= a) - (rest < 0);
    left[i] = (uint32_t)(rest - carry * a);
    right[i] = (uint32_t)(quotient + carry);
  }
}

TUTTI_CLONES static void add_values(uint32_t *restrict half, const uint32_t *restrict words, int64_t n,
                                    uint32_t range) {
  for (int64_t i = 0; i < n; i++) half[i] = add_value(half[i], words[i], range);
}

TUTTI_CLONES static void put_together(const uint32_t *restrict left, const uint32_t *restrict right,
                                      int64_t n, int64_t a, int64_t *restrict values) {
  for (int64_t i = 0; i < n; i++) values[i] = right[i] * a + left[i];
}

static void map_block(const tutti_permutation *p, int64_t n, int64_t *values) {
  block b;
  take_apart(values, n, p->a, b.left, b.right);
  for (uint32_t round = 0; round < N_ROUNDS; round += 2) {
    tutti_random_gather(stream_of(p, round), b.right, n, b.words);
    add_values(b.left, b.words, n, (uint32_t)p->a);
    tutti_random_gather(stream_of(p, round + 1), b.left, n, b.words);
    add_values(b.right, b.words, n, (uint32_t)p->b);
  }
  put_together(b.left, b.right, n, p->a, values);
  for (int64_t i = 0; i < n; i++) values[i] = walk_back(p, values[i]);
}

void tutti_permutation_map(const tutti_permutation *p, int64_t n, int64_t *values) {
  if (p->identity) return;
  for (int64_t at = 0; at < n; at += BLOCK) map_block(p, n - at < BLOCK ? n - at : BLOCK, values + at);
}

void tutti_permutation_fill(const tutti_permutation *p, int64_t first, int64_t n, int64_t *images) {
  TUTTI_ASSERT(first >= 0 && n >= 0 && first + n <= p->n);
  for (int64_t i = 0; i < n; i++) images[i] = first + i;
  tutti_permutation_map(p, n, images);
}
