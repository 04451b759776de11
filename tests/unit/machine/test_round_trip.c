#include "machine/round_trip.h"

#include <string.h>

#include "machine/cpu.h"
#include "support/check.h"
#include "support/folder.h"

static tutti_round_trip between(double slowest_ns, double near_ns) {
  return (tutti_round_trip){.slowest_s = slowest_ns * 1e-9, .near_s = near_ns * 1e-9};
}

static void cores_that_share_a_cache_have_a_limit(void **state) {
  (void)state;
  const tutti_round_trip usual = between(90, 90), slow = between(310, 310), sockets = between(310, 90),
                         unknown = between(310, 0);
  assert_int_equal(tutti_round_trip_judge(&usual, NULL), TUTTI_ROUND_TRIP_NORMAL);
  assert_int_equal(tutti_round_trip_judge(&slow, NULL), TUTTI_ROUND_TRIP_SLOW);
  assert_int_equal(tutti_round_trip_judge(&sockets, NULL), TUTTI_ROUND_TRIP_NORMAL);
  assert_int_equal(tutti_round_trip_judge(&unknown, NULL), TUTTI_ROUND_TRIP_FAR);
}

static void a_change_counts_between_any_cores(void **state) {
  (void)state;
  const tutti_round_trip a = between(60, 60), b = between(310, 310), far_a = between(150, 0),
                         far_b = between(310, 0), far_c = between(290, 0);
  assert_int_equal(tutti_round_trip_judge(&a, &b), TUTTI_ROUND_TRIP_CHANGED);
  assert_int_equal(tutti_round_trip_judge(&b, &a), TUTTI_ROUND_TRIP_CHANGED);
  assert_int_equal(tutti_round_trip_judge(&far_a, &far_b), TUTTI_ROUND_TRIP_CHANGED);
  assert_int_equal(tutti_round_trip_judge(&far_a, &far_c), TUTTI_ROUND_TRIP_FAR);
  assert_int_equal(tutti_round_trip_judge(&a, &a), TUTTI_ROUND_TRIP_NORMAL);
  assert_int_equal(tutti_round_trip_judge(&b, &b), TUTTI_ROUND_TRIP_SLOW);
}

static void what_is_not_measured_says_why(void **state) {
  (void)state;
  const tutti_round_trip usual = between(60, 60), alone = {0}, crowded = {.crowded = true},
                         late = {.late = true};
  assert_int_equal(tutti_round_trip_judge(&alone, NULL), TUTTI_ROUND_TRIP_ALONE);
  assert_int_equal(tutti_round_trip_judge(&crowded, &crowded), TUTTI_ROUND_TRIP_CROWDED);
  assert_int_equal(tutti_round_trip_judge(&late, NULL), TUTTI_ROUND_TRIP_LATE);
  assert_int_equal(tutti_round_trip_judge(&usual, &late), TUTTI_ROUND_TRIP_LATE);
}

static void only_what_spoils_figures_is_said(void **state) {
  (void)state;
  char text[400];
  const tutti_round_trip usual = between(60, 60), slow = between(310, 310), far = between(310, 0),
                         late = {.late = true};
  assert_null(tutti_round_trip_warning(&usual, &usual, text, sizeof text));
  assert_null(tutti_round_trip_warning(&far, NULL, text, sizeof text));
  assert_null(tutti_round_trip_warning(&late, &late, text, sizeof text));
  assert_non_null(tutti_round_trip_warning(&slow, NULL, text, sizeof text));
  assert_non_null(strstr(text, "takes 310 ns instead of less than 200"));
  assert_non_null(tutti_round_trip_warning(&usual, &slow, text, sizeof text));
  assert_non_null(strstr(text, "changed from 60 to 310 ns while this was measured: run it again"));
}

static void the_last_level_is_the_cache_of_a_processor(void **state) {
  folder_put_text(state, "sys/devices/system/cpu/cpu5/cache/index0/level", "1\n");
  folder_put_text(state, "sys/devices/system/cpu/cpu5/cache/index0/shared_cpu_list", "5\n");
  folder_put_text(state, "sys/devices/system/cpu/cpu5/cache/index2/level", "3\n");
  folder_put_text(state, "sys/devices/system/cpu/cpu5/cache/index2/shared_cpu_list", "4-7,68-71\n");
  folder_put_text(state, "sys/devices/system/cpu/cpu5/cache/index2/size", "32768K\n");
  assert_int_equal(tutti_machine_cache_of(*state, 5), 4);
  assert_int_equal(tutti_machine_cache_bytes(*state, 5), 32 << 20);
  assert_int_equal(tutti_machine_cache_bytes(*state, 6), 0);
  assert_int_equal(tutti_machine_cache_of(*state, 6), -1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cores_that_share_a_cache_have_a_limit),
      cmocka_unit_test(a_change_counts_between_any_cores),
      cmocka_unit_test(what_is_not_measured_says_why),
      cmocka_unit_test(only_what_spoils_figures_is_said),
      cmocka_unit_test_setup_teardown(the_last_level_is_the_cache_of_a_processor, folder_make, folder_remove),
  };
  return cmocka_run_group_tests_name("machine.round_trip", tests, NULL, check_no_leak);
}
