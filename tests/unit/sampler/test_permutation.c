#include <math.h>
#include <string.h>

#include "base/random.h"
#include "support/check.h"
#include "tutti/sampler.h"

enum { MAX_N = 60000 };

static void check_bijection(int64_t n, uint64_t seed, uint32_t epoch) {
  static uint8_t seen[MAX_N];
  memset(seen, 0, sizeof seen);
  const tutti_permutation p = tutti_permutation_make(n, seed, TUTTI_STREAM_SHUFFLE, epoch);
  for (int64_t i = 0; i < n; i++) {
    const int64_t image = tutti_permutation_at(&p, i);
    assert_in_range(image, 0, n - 1);
    assert_int_equal(seen[image]++, 0);
  }
}

static void covers_every_id_once(void **state) {
  (void)state;
  for (int64_t n = 1; n <= 300; n++) check_bijection(n, 1, (uint32_t)n);
  const int64_t sizes[] = {1797, 4095, 4096, 4097, MAX_N};
  for (int i = 0; i < 5; i++) check_bijection(sizes[i], 42, 3);
}

static void ten_million_rows_need_no_memory_and_stay_in_range(void **state) {
  (void)state;
  const int64_t n = INT64_C(10000000000);
  const tutti_permutation p = tutti_permutation_make(n, 5, TUTTI_STREAM_SHUFFLE, 0);
  for (int64_t i = 0; i < 1000; i++) assert_in_range(tutti_permutation_at(&p, n - 1 - i * 9999991), 0, n - 1);
}

static void depends_on_seed_kind_and_epoch(void **state) {
  (void)state;
  const tutti_permutation p[] = {tutti_permutation_make(1000, 1, TUTTI_STREAM_SHUFFLE, 0),
                                 tutti_permutation_make(1000, 2, TUTTI_STREAM_SHUFFLE, 0),
                                 tutti_permutation_make(1000, 1, TUTTI_STREAM_SPLIT, 0),
                                 tutti_permutation_make(1000, 1, TUTTI_STREAM_SHUFFLE, 1)};
  for (int a = 0; a < 4; a++) {
    for (int b = 0; b < a; b++) {
      int equal = 0;
      for (int64_t i = 0; i < 1000; i++)
        equal += tutti_permutation_at(&p[a], i) == tutti_permutation_at(&p[b], i);
      assert_in_range(equal, 0, 10); // one is expected
    }
  }
}

/** Over many keys, each element goes to each place equally often, and neighbours part: chi-square within 5
 * deviations. */
static void every_place_is_equally_likely(void **state) {
  (void)state;
  enum { N = 12, KEYS = 12000 };
  static int place[N][N], pair[N][N];
  memset(place, 0, sizeof place);
  memset(pair, 0, sizeof pair);
  for (uint32_t key = 0; key < KEYS; key++) {
    const tutti_permutation p = tutti_permutation_make(N, 9, TUTTI_STREAM_SHUFFLE, key);
    for (int i = 0; i < N; i++) place[i][tutti_permutation_at(&p, i)]++;
    pair[tutti_permutation_at(&p, 0)][tutti_permutation_at(&p, 1)]++;
  }
  double chi_place = 0, chi_pair = 0;
  const double expected = (double)KEYS / N, expected_pair = (double)KEYS / (N * (N - 1));
  for (int i = 0; i < N; i++) {
    for (int j = 0; j < N; j++) {
      chi_place += pow(place[i][j] - expected, 2) / expected;
      if (i != j) chi_pair += pow(pair[i][j] - expected_pair, 2) / expected_pair;
    }
  }
  const double freedom = (N - 1) * (N - 1), freedom_pair = N * (N - 1) - 1;
  CHECK_NEAR(chi_place, freedom, 5 * sqrt(2 * freedom));
  CHECK_NEAR(chi_pair, freedom_pair, 5 * sqrt(2 * freedom_pair));
}

/** The order of the samples is part of every published run: it must never change. */
static void images_are_those_of_earlier_versions(void **state) {
  (void)state;
  enum { N_IMAGES = 3000 };
  static const struct {
    int64_t n, first, middle, last;
    uint64_t all; // N_IMAGES of them or n, evenly spread, one after another through FNV-1a
  } pinned[] = {{1, 0, 0, 0, 0xaf63bd4c8601b7df},
                {2, 0, 1, 1, 0x08328707b4eb6e3a},
                {3, 2, 1, 0, 0xea9ca21875dc49e4},
                {10, 8, 0, 6, 0xb9f2e951610f22cc},
                {1797, 42, 1592, 426, 0x7f4d7e8041650e7b},
                {60000, 58427, 39811, 53634, 0xeb8a84e6a36520dc},
                {10000000, 9387068, 1032166, 2056714, 0xa140d16f1d9c637c},
                {10000000000, 8901889617, 7456829021, 2912481887, 0x2d11eb5776a838e0}};
  for (size_t k = 0; k < sizeof pinned / sizeof *pinned; k++) {
    const int64_t n = pinned[k].n, n_images = n < N_IMAGES ? n : N_IMAGES;
    const tutti_permutation p = tutti_permutation_make(n, 0x123456789abcdef0, TUTTI_STREAM_SHUFFLE, 7);
    assert_int_equal(tutti_permutation_at(&p, 0), pinned[k].first);
    assert_int_equal(tutti_permutation_at(&p, n / 2), pinned[k].middle);
    assert_int_equal(tutti_permutation_at(&p, n - 1), pinned[k].last);
    uint64_t hash = 14695981039346656037u;
    for (int64_t i = 0; i < n_images; i++)
      hash = (hash ^ (uint64_t)tutti_permutation_at(&p, i * (n / n_images))) * 1099511628211u;
    assert_int_equal(hash, pinned[k].all);
  }
}

/** Small ones often walk more than once; the largest ones are beyond what a double holds exactly. */
static void many_images_are_those_of_each(void **state) {
  (void)state;
  enum { COUNT = 700 };
  static int64_t images[COUNT], values[COUNT];
  const int64_t sizes[] = {1, 2, 3, 7, 12, 50, 257, 1797, 10000000, 10000000000, INT64_C(1) << 62};
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
    const int64_t size = sizes[k];
    const tutti_permutation p = tutti_permutation_make(size, 11, TUTTI_STREAM_SHUFFLE, (uint32_t)k);
    for (int64_t n = 0; n <= size && n <= COUNT; n += n < 20 ? 1 : 85) {
      const int64_t first = (size - n) / 3 * 2;
      memset(images, -1, sizeof images);
      tutti_permutation_fill(&p, first, n, images);
      for (int64_t i = 0; i < n; i++) {
        assert_int_equal(images[i], tutti_permutation_at(&p, first + i));
        values[i] = size - 1 - (first + i) / 2;
      }
      for (int64_t i = n; i < COUNT; i++) assert_int_equal(images[i], -1);
      tutti_permutation_map(&p, n, values);
      for (int64_t i = 0; i < n; i++)
        assert_int_equal(values[i], tutti_permutation_at(&p, size - 1 - (first + i) / 2));
    }
  }
}

static void identity_keeps_the_order(void **state) {
  (void)state;
  int64_t images[4], values[] = {6, 0, 3};
  const tutti_permutation p = tutti_permutation_identity(7);
  for (int64_t i = 0; i < 7; i++) assert_int_equal(tutti_permutation_at(&p, i), i);
  tutti_permutation_fill(&p, 3, 4, images);
  for (int64_t i = 0; i < 4; i++) assert_int_equal(images[i], 3 + i);
  tutti_permutation_map(&p, 3, values);
  assert_true(values[0] == 6 && values[1] == 0 && values[2] == 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(covers_every_id_once),
      cmocka_unit_test(ten_million_rows_need_no_memory_and_stay_in_range),
      cmocka_unit_test(depends_on_seed_kind_and_epoch),
      cmocka_unit_test(every_place_is_equally_likely),
      cmocka_unit_test(images_are_those_of_earlier_versions),
      cmocka_unit_test(many_images_are_those_of_each),
      cmocka_unit_test(identity_keeps_the_order),
  };
  return cmocka_run_group_tests_name("sampler.permutation", tests, NULL, check_no_leak);
}
