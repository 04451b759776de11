#include "par/slices_impl.h"

#include "support/check.h"

static void parts_are_even(void **state) {
  (void)state;
  for (int n = 0; n < 70; n++)
    for (int n_parts = 1; n_parts < 20; n_parts++) {
      assert_int_equal(tutti_par_part_begin(n, 0, n_parts), 0);
      assert_int_equal(tutti_par_part_begin(n, n_parts, n_parts), n);
      for (int part = 0; part < n_parts; part++) {
        const int count = tutti_par_part_begin(n, part + 1, n_parts) - tutti_par_part_begin(n, part, n_parts);
        assert_in_range(count, n / n_parts, n / n_parts + 1);
      }
    }
  assert_int_equal(tutti_par_part_begin(INT32_MAX, INT32_MAX, INT32_MAX), INT32_MAX);
}

static void check_slices(int64_t n, int n_slices) {
  const int64_t blocks = (n + TUTTI_BLOCK - 1) / TUTTI_BLOCK;
  assert_true(tutti_par_slice_begin(n, 0, n_slices) == 0);
  assert_true(tutti_par_slice_begin(n, n_slices, n_slices) == n);
  for (int slice = 0; slice < n_slices; slice++) {
    const int64_t begin = tutti_par_slice_begin(n, slice, n_slices),
                  end = tutti_par_slice_begin(n, slice + 1, n_slices);
    assert_true(begin <= end && end <= n);
    assert_true(begin % TUTTI_BLOCK == 0 || begin == n);
    const int64_t own = (end - begin + TUTTI_BLOCK - 1) / TUTTI_BLOCK;
    assert_true(own == blocks / n_slices || own == blocks / n_slices + 1);
  }
}

static void slices_are_whole_blocks(void **state) {
  (void)state;
  const int64_t lengths[] = {0, 1, 1023, 1024, 1025, 407050, (INT64_C(1) << 44) - 1};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
    for (int n_slices = 1; n_slices < 400; n_slices += n_slices < 10 ? 1 : 63)
      check_slices(lengths[i], n_slices);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parts_are_even),
      cmocka_unit_test(slices_are_whole_blocks),
  };
  return cmocka_run_group_tests_name("slices", tests, NULL, check_no_leak);
}
