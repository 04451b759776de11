#include <stdatomic.h>

#include "linalg/parallel.h"
#include "support/check.h"
#include "tutti/linalg.h"

enum { N = 1003, UNIT = 16 };

static atomic_int n_calls;
static int touched[N];

static void touch(void *context, int64_t begin, int64_t end) {
  if (!(begin % UNIT == 0 && (end % UNIT == 0 || end == *(const int64_t *)context)))
    fail_msg("cut in a unit");
  for (int64_t i = begin; i < end; i++) touched[i]++;
  n_calls++;
}

static void parts_cover_the_loop_once(void **state) {
  (void)state;
  static const int64_t lengths[] = {0, 1, UNIT, UNIT + 1, 5 * UNIT, N};
  for (int threads = 1; threads <= 5; threads++) {
    tutti_linalg_set_threads(threads);
    for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
      int64_t n = lengths[l];
      for (int i = 0; i < N; i++) touched[i] = 0;
      n_calls = 0;
      tutti_linalg_parallel(n, UNIT, touch, &n);
      for (int i = 0; i < N; i++) assert_int_equal(touched[i], i < n);
      assert_true(n_calls <= threads);
      assert_int_equal(n_calls == 0, n == 0);
    }
  }
  tutti_linalg_set_threads(1);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(parts_cover_the_loop_once)};
  return cmocka_run_group_tests_name("linalg.parallel", tests, NULL, check_no_leak);
}
