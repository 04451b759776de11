#define _DEFAULT_SOURCE // syscall

#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

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
      tutti_linalg_parallel_by(threads, n, UNIT, touch, &n);
      for (int i = 0; i < N; i++) assert_int_equal(touched[i], i < n);
      assert_true(n_calls <= threads);
      assert_int_equal(n_calls == 0, n == 0);
    }
  }
  tutti_linalg_set_threads(1);
}

/** Whether a loop of one element per part had several parts. */
static bool is_shared(double ns) {
  int64_t n = N / UNIT * UNIT;
  n_calls = 0;
  tutti_linalg_parallel(n, UNIT, ns, touch, &n);
  return n_calls > 1;
}

static void threads_are_taken_if_they_pay(void **state) {
  (void)state;
  tutti_linalg_set_threads(2);
  assert_false(is_shared(1e-9)); // no thread starts within a picosecond
  assert_true(is_shared(1e9));   // and each within seconds
  tutti_linalg_set_threads(1);
  assert_false(is_shared(1e9));
}

enum { PARTS = 4 };

static void note_thread(void *context, int64_t begin, int64_t end) {
  (void)end;
  ((long *)context)[begin] = syscall(SYS_gettid);
}

/** A thread that ends and comes back costs more than most loops; its number changes then, as a rule. */
static void threads_outlive_loops_of_other_sizes(void **state) {
  (void)state;
  long first[PARTS], again[PARTS];
  tutti_linalg_set_threads(PARTS);
  tutti_linalg_parallel_by(PARTS, PARTS, 1, note_thread, first);
  for (int n_parts = 2; n_parts <= PARTS; n_parts++) {
    tutti_linalg_parallel_by(2, 2, 1, note_thread, again);
    tutti_linalg_parallel_by(n_parts, n_parts, 1, note_thread, again);
    for (int i = 0; i < n_parts; i++) assert_int_equal(first[i], again[i]);
  }
  tutti_linalg_set_threads(1);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(parts_cover_the_loop_once),
                                     cmocka_unit_test(threads_are_taken_if_they_pay),
                                     cmocka_unit_test(threads_outlive_loops_of_other_sizes)};
  return cmocka_run_group_tests_name("linalg.parallel", tests, NULL, check_no_leak);
}
