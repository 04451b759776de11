/** How often a study's file is written while its job runs. */
#include "study/study_impl.h"
#include "support/check.h"

/** Of a job that writes and pauses in turn. */
static double part_of_time(double cost) {
  return cost / (cost + tutti_output_pause(cost));
}

static void merges_take_a_small_part_of_the_time(void **state) {
  (void)state;
  CHECK_NEAR(tutti_output_pause(0), 20, 0);
  CHECK_NEAR(tutti_output_pause(0.1), 20, 0);
  for (double cost = 0.01; cost < 1e4; cost *= 1.7)
    if (part_of_time(cost) > 0.02) fail_msg("merges of %g s take %g of the time", cost, part_of_time(cost));
  // A study that is slow to write is written, still.
  CHECK_NEAR(part_of_time(60), 0.02, 0.001);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(merges_take_a_small_part_of_the_time)};
  return cmocka_run_group_tests_name("study.merge", tests, NULL, check_no_leak);
}
