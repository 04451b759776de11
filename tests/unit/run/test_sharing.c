// Which loops are shared follows from the times of whole steps.
#include "run/sharing.h"
#include "support/check.h"

enum { MANY = 1000 };

/** Steps until the choice is made, with these times of each kind.  @return their number */
static int settle(tutti_run_sharing *sharing, int64_t batch_size, const double *seconds) {
  int n = 0;
  do {
    tutti_run_note_sharing(sharing, batch_size, seconds[tutti_run_shares(sharing)]);
    n++;
  } while (tutti_run_sharing_is_open(sharing) && n < MANY);
  assert_true(n < MANY);
  return n;
}

static void the_fastest_kind_is_taken(void **state) {
  (void)state;
  for (int fastest = 0; fastest < TUTTI_N_SHARE; fastest++) {
    double seconds[TUTTI_N_SHARE];
    tutti_run_sharing sharing = {0};
    assert_int_equal(tutti_run_shares(&sharing), TUTTI_SHARE_ALL);
    for (int i = 0; i < TUTTI_N_SHARE; i++) seconds[i] = i == fastest ? 1e-4 : 1.1e-4;
    settle(&sharing, 16, seconds);
    assert_int_equal(tutti_run_shares(&sharing), fastest);
  }
}

static void disturbed_steps_do_not_count(void **state) {
  (void)state;
  static const double quiet[TUTTI_N_SHARE] = {2e-4, 3e-4, 1e-4};
  tutti_run_sharing sharing = {0};
  for (int i = 0; tutti_run_sharing_is_open(&sharing); i++)
    tutti_run_note_sharing(&sharing, 16, (i < 60 ? 20 : 1) * quiet[tutti_run_shares(&sharing)]);
  assert_int_equal(tutti_run_shares(&sharing), TUTTI_SHARE_NOTHING);
}

static void another_batch_starts_again(void **state) {
  (void)state;
  static const double alone[TUTTI_N_SHARE] = {2e-4, 3e-4, 1e-4}, all[TUTTI_N_SHARE] = {1e-4, 2e-4, 2e-4};
  tutti_run_sharing sharing = {0};
  settle(&sharing, 16, alone);
  tutti_run_note_sharing(&sharing, 32, 1e-4);
  assert_true(tutti_run_sharing_is_open(&sharing));
  settle(&sharing, 32, all);
  assert_int_equal(tutti_run_shares(&sharing), TUTTI_SHARE_ALL);
}

static void long_steps_share_all_without_a_question(void **state) {
  (void)state;
  static const double seconds[TUTTI_N_SHARE] = {0.1, 0.05, 0.05};
  tutti_run_sharing sharing = {0};
  assert_true(settle(&sharing, 8192, seconds) <= 2);
  assert_int_equal(tutti_run_shares(&sharing), TUTTI_SHARE_ALL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_fastest_kind_is_taken),
      cmocka_unit_test(disturbed_steps_do_not_count),
      cmocka_unit_test(another_batch_starts_again),
      cmocka_unit_test(long_steps_share_all_without_a_question),
  };
  return cmocka_run_group_tests_name("run.sharing", tests, NULL, check_no_leak);
}
