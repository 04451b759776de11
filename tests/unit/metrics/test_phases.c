#include <string.h>

#include "base/clock.h"
#include "support/check.h"
#include "tutti/metrics.h"

static void spend(double seconds) {
  for (const double start = tutti_clock_s(); tutti_clock_s() - start < seconds;) {}
}

static double sum(const tutti_phases *phases) {
  double total = 0;
  for (int i = 0; i < TUTTI_N_PHASES; i++) total += phases->seconds[i];
  return total;
}

static void every_second_is_in_one_phase(void **state) {
  (void)state;
  tutti_phases phases;
  tutti_metrics_phases_start(&phases);
  tutti_metrics_phases_enter(&phases, TUTTI_PHASE_DATA);
  const double start = phases.since;
  for (int i = 0; i < 3; i++) {
    tutti_metrics_phases_enter(&phases, TUTTI_PHASE_DATA);
    spend(1e-3);
    tutti_metrics_phases_enter(&phases, TUTTI_PHASE_COMPUTE);
    spend(2e-3);
  }
  tutti_metrics_phases_leave(&phases);
  assert_true(phases.seconds[TUTTI_PHASE_DATA] >= 3e-3 && phases.seconds[TUTTI_PHASE_COMPUTE] >= 6e-3);
  CHECK_NEAR(sum(&phases), phases.since - start, 1e-9);
}

static void time_between_phases_is_in_none(void **state) {
  (void)state;
  tutti_phases phases;
  tutti_metrics_phases_start(&phases);
  tutti_metrics_phases_leave(&phases);
  assert_true(sum(&phases) == 0);
  tutti_metrics_phases_enter(&phases, TUTTI_PHASE_SAVE);
  tutti_metrics_phases_leave(&phases);
  const double before = sum(&phases);
  spend(1e-3);
  tutti_metrics_phases_leave(&phases);
  assert_true(sum(&phases) == before);
}

static void check_row(const tutti_timing_row *row, const char *phase, double min, double mean, double max,
                      int64_t rank) {
  assert_string_equal(tutti_metrics_phase_names[row->phase], phase);
  CHECK_NEAR(row->min, min, 1e-12);
  CHECK_NEAR(row->mean, mean, 1e-12);
  CHECK_NEAR(row->max, max, 1e-12);
  assert_int_equal(row->rank_of_max, rank);
}

static void waiting_is_told_from_reducing(void **state) {
  (void)state;
  const double all[3 * TUTTI_N_PHASES] = {
      1, 10, 5,   0.5, 2, 3, // rank 0 waits for rank 1
      1, 13, 2,   0.5, 2, 0, // the slowest computes longest and waits least
      4, 10, 2.5, 0.5, 2, 0  //
  };
  tutti_timing_row rows[TUTTI_N_TIMINGS];
  tutti_metrics_timing_make(all, 3, rows);
  check_row(&rows[0], "data", 1, 2, 4, 2);
  check_row(&rows[1], "compute", 10, 11, 13, 1);
  check_row(&rows[2], "reduce", 2, 2, 2, 1);
  check_row(&rows[3], "update", 0.5, 0.5, 0.5, 0);
  check_row(&rows[4], "evaluate", 2, 2, 2, 0);
  check_row(&rows[5], "save", 0, 1, 3, 0);
  check_row(&rows[6], "wait", 0, 3.5 / 3, 3, 0);
}

static void one_rank_waits_for_nobody(void **state) {
  (void)state;
  const double all[TUTTI_N_PHASES] = {1, 2, 3, 4, 5, 6};
  tutti_timing_row rows[TUTTI_N_TIMINGS];
  tutti_metrics_timing_make(all, 1, rows);
  for (int i = 0; i < TUTTI_N_PHASES; i++)
    check_row(&rows[i], tutti_metrics_phase_names[i], all[i], all[i], all[i], 0);
  check_row(&rows[TUTTI_N_PHASES], "wait", 0, 0, 0, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_second_is_in_one_phase),
      cmocka_unit_test(time_between_phases_is_in_none),
      cmocka_unit_test(waiting_is_told_from_reducing),
      cmocka_unit_test(one_rank_waits_for_nobody),
  };
  return cmocka_run_group_tests_name("metrics.phases", tests, NULL, check_no_leak);
}
