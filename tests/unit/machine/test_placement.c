#include "machine/placement_impl.h"

#include "support/check.h"

/** A rank on the cores from `first` to `last`. */
static tutti_machine_placement on(int node, int first, int last, int threads) {
  tutti_machine_placement placement = {.node = node, .threads = threads};
  for (int i = first; i <= last; i++) placement.cores[i / 64] |= (uint64_t)1 << (i % 64);
  return placement;
}

static void expect_none(const tutti_machine_placement *ranks, int n) {
  tutti_machine_fault faults[4];
  assert_int_equal(tutti_machine_check_placement(ranks, n, faults), 0);
}

static tutti_machine_fault expect_one(const tutti_machine_placement *ranks, int n,
                                      tutti_machine_fault_kind kind) {
  tutti_machine_fault faults[4];
  assert_int_equal(tutti_machine_check_placement(ranks, n, faults), 1);
  assert_int_equal(faults[0].kind, kind);
  return faults[0];
}

static void enough_cores_are_no_fault(void **state) {
  (void)state;
  const tutti_machine_placement unbound[] = {on(0, 0, 7, 2), on(0, 0, 7, 2), on(0, 0, 7, 2), on(0, 0, 7, 2)};
  expect_none(unbound, 4);
  const tutti_machine_placement bound[] = {on(0, 0, 0, 1), on(0, 1, 1, 1), on(0, 2, 3, 2),
                                           on(0, 64, 127, 64)};
  expect_none(bound, 4);
  const tutti_machine_placement nodes[] = {on(0, 5, 5, 1), on(1, 5, 5, 1), on(2, 5, 5, 1)};
  expect_none(nodes, 3);
}

static void ranks_on_one_core_share_it(void **state) {
  (void)state;
  const tutti_machine_placement ranks[] = {on(0, 0, 0, 1), on(1, 0, 0, 1), on(1, 3, 3, 1), on(1, 3, 3, 1)};
  const tutti_machine_fault fault = expect_one(ranks, 4, TUTTI_MACHINE_SHARING);
  assert_int_equal(fault.rank, 2);
  assert_int_equal(fault.n_ranks, 2);
  assert_int_equal(fault.n_cores, 1);
  assert_int_equal(fault.cores[0], 3);
}

static void a_rank_that_may_run_elsewhere_does_not_share(void **state) {
  (void)state;
  const tutti_machine_placement ranks[] = {on(0, 0, 0, 1), on(0, 0, 1, 1)};
  expect_none(ranks, 2);
  const tutti_machine_placement more[] = {on(0, 0, 0, 1), on(0, 0, 1, 1), on(0, 1, 1, 1)};
  assert_int_equal(expect_one(more, 3, TUTTI_MACHINE_SHARING).rank, 1);
}

static void a_rank_with_more_threads_than_cores_is_narrow(void **state) {
  (void)state;
  const tutti_machine_placement ranks[] = {on(0, 0, 0, 2), on(0, 1, 1, 2)};
  const tutti_machine_fault fault = expect_one(ranks, 2, TUTTI_MACHINE_NARROW);
  assert_int_equal(fault.rank, 0);
  assert_int_equal(fault.n_cores, 1);
}

static void threads_of_all_ranks_crowd_the_cores(void **state) {
  (void)state;
  const tutti_machine_placement ranks[] = {on(0, 0, 3, 4), on(0, 0, 3, 4)};
  const tutti_machine_fault fault = expect_one(ranks, 2, TUTTI_MACHINE_CROWDED);
  assert_int_equal(fault.n_ranks, 2);
  assert_int_equal(fault.n_threads, 8);
  assert_int_equal(fault.n_cores, 4);
}

static void a_quota_counts_for_the_node(void **state) {
  (void)state;
  tutti_machine_placement ranks[] = {on(0, 0, 0, 1), on(0, 1, 1, 1)};
  ranks[0].quota = ranks[1].quota = 2;
  expect_none(ranks, 2);
  ranks[0].quota = ranks[1].quota = 1.5;
  const tutti_machine_fault fault = expect_one(ranks, 2, TUTTI_MACHINE_THROTTLED);
  assert_int_equal(fault.n_ranks, 2);
  assert_int_equal(fault.n_threads, 2);
}

static void each_kind_is_told_once(void **state) {
  (void)state;
  const tutti_machine_placement ranks[] = {on(0, 0, 0, 1), on(0, 0, 0, 1), on(1, 0, 0, 2), on(1, 1, 1, 2),
                                           on(2, 0, 1, 2), on(2, 0, 1, 2), on(3, 0, 0, 1), on(3, 0, 0, 1)};
  tutti_machine_fault faults[4];
  assert_int_equal(tutti_machine_check_placement(ranks, 8, faults), 3);
  assert_int_equal(faults[0].rank, 0);
  assert_int_equal(faults[0].kind, TUTTI_MACHINE_SHARING);
  assert_int_equal(faults[1].rank, 2);
  assert_int_equal(faults[1].kind, TUTTI_MACHINE_NARROW);
  assert_int_equal(faults[2].rank, 4);
  assert_int_equal(faults[2].kind, TUTTI_MACHINE_CROWDED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(enough_cores_are_no_fault),
      cmocka_unit_test(ranks_on_one_core_share_it),
      cmocka_unit_test(a_rank_that_may_run_elsewhere_does_not_share),
      cmocka_unit_test(a_rank_with_more_threads_than_cores_is_narrow),
      cmocka_unit_test(threads_of_all_ranks_crowd_the_cores),
      cmocka_unit_test(a_quota_counts_for_the_node),
      cmocka_unit_test(each_kind_is_told_once),
  };
  return cmocka_run_group_tests_name("train.placement", tests, NULL, check_no_leak);
}
