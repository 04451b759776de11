#include "data/chunks_impl.h"
#include "support/check.h"

/* The ranks of a node share the rows, and have a bound on their memory together. */

enum { CHUNKS_OF_A_READER = 4, MOST_READERS = 16 };
static const int64_t most_memory = INT64_C(1) << 29, huge = INT64_C(1) << 40;

static void a_node_has_few_readers_for_its_data(void **state) {
  (void)state;
  assert_int_equal(tutti_data_count_readers(0, 8), 1);
  assert_int_equal(tutti_data_count_readers(INT64_C(50) << 20, 8), 3);
  assert_int_equal(tutti_data_count_readers(huge, 1), 1);
  assert_int_equal(tutti_data_count_readers(huge, 8), 8);
  assert_int_equal(tutti_data_count_readers(huge, 256), MOST_READERS);
}

static void every_row_has_one_reader(void **state) {
  (void)state;
  const int64_t chunk_bytes[] = {0, 1, 1 << 20, INT64_C(40) << 20, huge};
  for (int n_readers = 1; n_readers <= MOST_READERS; n_readers++)
    for (int64_t n = 1; n <= 50; n++)
      for (int64_t chunk_rows = 1; chunk_rows <= 60; chunk_rows += 7)
        for (int i = 0; i < 5; i++) {
          int64_t end = 0;
          for (int reader = 0; reader < n_readers; reader++) {
            const tutti_data_share s =
                tutti_data_share_of((tutti_data_reader){reader, n_readers}, n, chunk_rows, chunk_bytes[i]);
            if (s.n == 0) continue;
            assert_int_equal(s.first, end);
            assert_int_equal(s.first % chunk_rows, 0);
            end = s.first + s.n;
          }
          assert_int_equal(end, n);
        }
}

static void readers_together_have_a_bound_on_their_memory(void **state) {
  (void)state;
  for (int n_ranks = 1; n_ranks <= 256; n_ranks *= 2)
    for (int64_t chunk_bytes = 1 << 10; chunk_bytes <= INT64_C(1) << 32; chunk_bytes *= 2) {
      const int n_readers = tutti_data_count_readers(huge, n_ranks);
      int64_t allowed = 0, needed = 0;
      int n_with_rows = 0;
      for (int reader = 0; reader < n_readers; reader++) {
        const tutti_data_share s =
            tutti_data_share_of((tutti_data_reader){reader, n_readers}, 1 << 20, 100, chunk_bytes);
        if (s.n == 0) continue;
        n_with_rows++;
        allowed += s.memory;
        needed += CHUNKS_OF_A_READER * chunk_bytes;
      }
      assert_in_range(allowed, 1, most_memory);
      assert_true(needed <= allowed || n_with_rows == 1);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_node_has_few_readers_for_its_data),
      cmocka_unit_test(every_row_has_one_reader),
      cmocka_unit_test(readers_together_have_a_bound_on_their_memory),
  };
  return cmocka_run_group_tests_name("data.shares", tests, NULL, check_no_leak);
}
