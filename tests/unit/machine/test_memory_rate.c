#include "machine/memory_rate.h"

#include "support/check.h"

static void arrays_of_any_size_have_a_rate(void **state) {
  (void)state;
  static const int64_t lengths[] = {1, 7, 10000};
  for (int i = 0; i < 3; i++)
    for (int n_threads = 1; n_threads <= 3; n_threads++) {
      float *arrays = NULL;
      CHECK_OK(TUTTI_NEW(arrays, 2 * lengths[i]));
      for (int64_t k = 0; k < 2 * lengths[i]; k++) arrays[k] = -1;
      assert_true(tutti_machine_memory_rate(arrays, lengths[i], n_threads, 1e-4) > 0);
      for (int64_t k = 0; k < 2 * lengths[i]; k++) assert_true(arrays[k] == -1);
      tutti_free(arrays);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(arrays_of_any_size_have_a_rate)};
  return cmocka_run_group_tests_name("machine.memory_rate", tests, NULL, check_no_leak);
}
