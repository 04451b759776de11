#include "par/subtrees_impl.h"

#include <stdbool.h>

#include "support/check.h"

/** Slowly: the largest subtree that begins at `begin` and ends within the range. */
static int largest(int begin, int end) {
  int count = 1;
  while (begin % (2 * count) == 0 && begin + 2 * count <= end) count *= 2;
  return count;
}

static void check_range(const tutti_subtrees *subtrees, int begin, int end) {
  int at = begin;
  assert_int_equal(subtrees->end, end);
  for (int k = 0; k < subtrees->n; k++) {
    assert_int_equal(subtrees->counts[k], largest(at, end));
    at += subtrees->counts[k];
  }
  assert_int_equal(at, end);
}

static void ranges_fall_into_the_largest_subtrees(void **state) {
  (void)state;
  for (int begin = 0; begin < 70; begin++) {
    tutti_subtrees subtrees = tutti_par_subtrees_make(begin);
    for (int end = begin; end < 140; end++) {
      check_range(&subtrees, begin, end);
      const int before = subtrees.n;
      const int n_before = tutti_par_subtrees_grow(&subtrees, 1);
      assert_int_equal(subtrees.n, before + 1 - n_before);
    }
  }
}

static void the_largest_ranges_fit(void **state) {
  (void)state;
  const int begins[] = {0, 1, 3, 32767};
  for (int b = 0; b < 4; b++) {
    tutti_subtrees subtrees = tutti_par_subtrees_make(begins[b]);
    int most = 0;
    for (int leaf = begins[b]; leaf < 65536; leaf++) {
      tutti_par_subtrees_grow(&subtrees, 1);
      if (subtrees.n > most) most = subtrees.n;
    }
    assert_in_range(most, 1, TUTTI_MAX_SUBTREES - 1);
  }
}

/** Sources of one element, a leaf each, as text would show the sum: (a + b) + c. */
static void sums_are_in_the_order_of_the_tree(void **state) {
  (void)state;
  // 2^24 + 1 is 2^24 in float, so that each order gives another number.
  const float values[5] = {0x1p24f, 1, 1, 1, 0x1p-1f};
  const float *sources[5];
  const float expected[6] = {0, 0x1p24f, 0x1p24f, 0x1p24f, 0x1p24f + 2, 0x1p24f + 2};
  for (int i = 0; i < 5; i++) sources[i] = &values[i];
  for (int n = 1; n <= 5; n++) {
    tutti_fold fold;
    CHECK_OK(tutti_par_fold_create(0, n, &fold));
    for (int i = 0; i < n; i++) tutti_par_fold_add(&fold, 1);
    float sum = 0;
    tutti_par_fold_all(&fold, sources, 0, 1, &sum);
    assert_true(sum == expected[n]);
    tutti_par_fold_destroy(&fold);
  }
}

/** Many elements are folded in several blocks. */
static void each_element_has_its_own_sum(void **state) {
  (void)state;
  enum { AT = 5, COUNT = 2 * TUTTI_FOLD_BLOCK + 3, N = 7 };
  static float values[N][AT + COUNT], sum[COUNT];
  const float *sources[N];
  tutti_fold fold;
  CHECK_OK(tutti_par_fold_create(0, N, &fold));
  for (int k = 0; k < N; k++) {
    for (int i = 0; i < AT + COUNT; i++) values[k][i] = (float)((k + 1) * i);
    sources[k] = values[k];
    tutti_par_fold_add(&fold, 1);
  }
  tutti_par_fold_all(&fold, sources, AT, COUNT, sum);
  for (int i = 0; i < COUNT; i++) assert_true(sum[i] == (float)(28 * (AT + i)));
  tutti_par_fold_destroy(&fold);
}

/** Of a range in the middle, as far as the tree allows. */
static void subtrees_of_a_range_are_summed_apart(void **state) {
  (void)state;
  const float values[7] = {1, 2, 4, 8, 16, 32, 64}; // leaves 3 to 9
  const float *sources[7], *sums[TUTTI_MAX_SUBTREES];
  static float work[TUTTI_FOLD_WORK];
  tutti_fold fold;
  CHECK_OK(tutti_par_fold_create(3, 7, &fold));
  for (int i = 0; i < 7; i++) {
    sources[i] = &values[i];
    tutti_par_fold_add(&fold, 1);
  }
  tutti_par_fold_subtrees(&fold, sources, 0, 1, work, sums);
  assert_int_equal(fold.subtrees.n, 3); // 3; 4 to 7; 8 and 9
  assert_true(*sums[0] == 1 && *sums[1] == 2 + 4 + 8 + 16 && *sums[2] == 32 + 64);
  tutti_par_fold_destroy(&fold);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ranges_fall_into_the_largest_subtrees), cmocka_unit_test(the_largest_ranges_fit),
      cmocka_unit_test(sums_are_in_the_order_of_the_tree),     cmocka_unit_test(each_element_has_its_own_sum),
      cmocka_unit_test(subtrees_of_a_range_are_summed_apart),
  };
  return cmocka_run_group_tests_name("subtrees", tests, NULL, check_no_leak);
}
