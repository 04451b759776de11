#include <math.h>
#include <string.h>

#include "base/random.h"
#include "base/random_impl.h"
#include "support/check.h"

/** The published known answer of Philox4x32-10 for a zero counter and a zero key. */
static void philox_gives_the_known_answer(void **state) {
  (void)state;
  const uint32_t expected[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
  uint32_t words[4];
  tutti_random_words((tutti_stream){0}, 0, words);
  assert_memory_equal(words, expected, sizeof words);
}

static void a_fill_may_begin_anywhere(void **state) {
  (void)state;
  const tutti_stream stream = {.seed = 7, .kind = TUTTI_STREAM_NOISE, .part = 3, .epoch = 2};
  uint32_t whole[37], part[37];
  tutti_random_fill(stream, 0, 37, whole);
  for (int first = 0; first < 12; first++) {
    tutti_random_fill(stream, (uint64_t)first, 37 - first, part);
    assert_memory_equal(part, whole + first, sizeof *whole * (size_t)(37 - first));
  }
}

/** Weights, masks and orders of published runs come from these words: they must never change. */
static void words_are_those_of_earlier_versions(void **state) {
  (void)state;
  enum { N = 1000 };
  static const struct {
    uint64_t first; // the third crosses the end of the counter's low half
    uint32_t words[3];
    uint64_t all; // N words one after another through FNV-1a
  } pinned[] = {{0, {0x7dbf8e72, 0xbf61ec14, 0x7a447bea}, 0x74a3c6fac4a8a19d},
                {5, {0x1cba4c8a, 0x91268fbb, 0x1fbbf217}, 0x3fc9b5f0165b411f},
                {(UINT64_C(1) << 34) - 37, {0x9e49ae1b, 0x6c2d8e6c, 0x7074945a}, 0x7086639c53344eb0},
                {(UINT64_C(1) << 49) + 2, {0xfc1e1e39, 0x71b2a6b3, 0x2be2dce8}, 0x1ace53578df20b47}};
  const tutti_stream stream = {.seed = 0xfedcba9876543210, .kind = TUTTI_STREAM_NOISE, .part = 3, .epoch = 9};
  for (size_t k = 0; k < sizeof pinned / sizeof *pinned; k++) {
    uint32_t words[N];
    tutti_random_fill(stream, pinned[k].first, N, words);
    assert_int_equal(words[0], pinned[k].words[0]);
    assert_int_equal(words[1], pinned[k].words[1]);
    assert_int_equal(words[N - 1], pinned[k].words[2]);
    uint64_t hash = 14695981039346656037u;
    for (int i = 0; i < N; i++) hash = (hash ^ words[i]) * 1099511628211u;
    assert_int_equal(hash, pinned[k].all);
  }
}

/** The loops over counters have rounds of their own: they give what Random123 gives. */
static void many_counters_give_the_words_of_each(void **state) {
  (void)state;
  enum { N = 40 };
  const tutti_stream stream = {
      .seed = 0x9e3779b97f4a7c15, .kind = 65535, .part = 0xfffffffe, .epoch = 0x80000001};
  const uint64_t firsts[] = {0, (UINT64_C(1) << 32) - N / 2, (UINT64_C(1) << 48) - N};
  uint32_t all[4 * N], indices[N], words[N], four[4];
  for (int k = 0; k < 3; k++) {
    tutti_random_fill(stream, 4 * firsts[k], 4 * N, all);
    for (uint64_t i = 0; i < N; i++) {
      tutti_random_words(stream, firsts[k] + i, four);
      assert_memory_equal(all + 4 * i, four, sizeof four);
    }
  }
  for (uint32_t i = 0; i < N; i++) indices[i] = i * 0x9e3779b9u;
  for (int n = 0; n <= N; n++) {
    memset(words, 0, sizeof words);
    tutti_random_gather(stream, indices, n, words);
    for (int i = 0; i < n; i++) {
      tutti_random_words(stream, indices[i], four);
      assert_int_equal(words[i], four[0]);
    }
    for (int i = n; i < N; i++) assert_int_equal(words[i], 0);
  }
}

static void vectors_of_counters_give_the_words_of_each(void **state) {
  (void)state;
#ifdef TUTTI_RANDOM_AVX2
  if (!__builtin_cpu_supports("avx2")) skip();
  const tutti_stream stream = {UINT64_C(0xfedcba9876543210), TUTTI_STREAM_NOISE, UINT32_MAX, 0xabcdef01};
  const uint64_t first = UINT64_C(0x1234fffffff0);
  // As random.h's functions put a counter and a key together.
  const uint32_t counter[4] = {(uint32_t)first, (uint32_t)(first >> 32) | TUTTI_STREAM_NOISE << 16,
                               stream.part, stream.epoch};
  const uint32_t key[2] = {(uint32_t)stream.seed, (uint32_t)(stream.seed >> 32)};
  uint32_t words[16 * 4], four[4];
  tutti_random_fill_avx2(counter, key, 16, words);
  for (uint64_t i = 0; i < 16; i++) {
    tutti_random_words(stream, first + i, four);
    assert_memory_equal(words + 4 * i, four, sizeof four);
  }
#else
  skip(); // no other way to compare with
#endif
}

static void streams_differ_in_each_of_their_parts(void **state) {
  (void)state;
  const tutti_stream streams[] = {{1, 1, 1, 1}, {2, 1, 1, 1}, {1, 2, 1, 1}, {1, 1, 2, 1}, {1, 1, 1, 2}};
  uint32_t words[5][4];
  for (int i = 0; i < 5; i++) tutti_random_words(streams[i], 5, words[i]);
  for (int i = 0; i < 5; i++)
    for (int j = 0; j < i; j++) assert_memory_not_equal(words[i], words[j], sizeof words[i]);
}

static void moments_are_those_of_the_distributions(void **state) {
  (void)state;
  enum { N = 100000 };
  const tutti_stream stream = {.seed = 1, .kind = TUTTI_STREAM_WEIGHTS};
  double mean_u = 0, mean = 0, square = 0, fourth = 0;
  for (int i = 0; i < N; i++) {
    uint32_t words[4];
    double normal[2];
    tutti_random_words(stream, (uint64_t)i, words);
    mean_u += tutti_random_uniform(words[0]) / N;
    tutti_random_normal(words[1], words[2], normal);
    for (int k = 0; k < 2; k++) {
      mean += normal[k] / (2 * N);
      square += normal[k] * normal[k] / (2 * N);
      fourth += pow(normal[k], 4) / (2 * N);
    }
  }
  CHECK_NEAR(mean_u, 0.5, 5 * 0.2887 / sqrt(N));
  CHECK_NEAR(mean, 0, 5 / sqrt(2 * N));
  CHECK_NEAR(square, 1, 5 * sqrt(2) / sqrt(2 * N));
  CHECK_NEAR(fourth, 3, 5 * sqrt(96) / sqrt(2 * N));
  assert_true(tutti_random_uniform(0) > 0 && tutti_random_uniform(UINT32_MAX) < 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(philox_gives_the_known_answer),
      cmocka_unit_test(a_fill_may_begin_anywhere),
      cmocka_unit_test(words_are_those_of_earlier_versions),
      cmocka_unit_test(many_counters_give_the_words_of_each),
      cmocka_unit_test(vectors_of_counters_give_the_words_of_each),
      cmocka_unit_test(streams_differ_in_each_of_their_parts),
      cmocka_unit_test(moments_are_those_of_the_distributions),
  };
  return cmocka_run_group_tests_name("base.random", tests, NULL, check_no_leak);
}
