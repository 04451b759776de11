#include <math.h>

#include "bench/model_impl.h"
#include "support/check.h"

// A microsecond, and 4 ns a byte: a message of 1000 bytes takes 5 us.
static const tutti_bench_link slow = {1e-6, 4e-9};

static void allreduce_costs_what_the_paper_says(void **state) {
  (void)state;
  // Recursive doubling: log2(p) messages of all bytes.
  CHECK_CLOSE(tutti_bench_allreduce_s(TUTTI_BENCH_RECURSIVE_DOUBLING, slow, 2, 1000), 5e-6, 1e-12, 0);
  CHECK_CLOSE(tutti_bench_allreduce_s(TUTTI_BENCH_RECURSIVE_DOUBLING, slow, 8, 1000), 15e-6, 1e-12, 0);
  // Rabenseifner: 2 log2(p) latencies, 2 (p - 1) / p of the bytes.
  CHECK_CLOSE(tutti_bench_allreduce_s(TUTTI_BENCH_RABENSEIFNER, slow, 2, 1000), 6e-6, 1e-12, 0);
  CHECK_CLOSE(tutti_bench_allreduce_s(TUTTI_BENCH_RABENSEIFNER, slow, 8, 1000), 13e-6, 1e-12, 0);
  // Ring: 2 (p - 1) latencies, the same bytes; any p.
  CHECK_CLOSE(tutti_bench_allreduce_s(TUTTI_BENCH_RING, slow, 8, 1000), 21e-6, 1e-12, 0);
  CHECK_CLOSE(tutti_bench_allreduce_s(TUTTI_BENCH_RING, slow, 5, 1000), 14.4e-6, 1e-12, 0);
}

static void nodes_beyond_a_power_of_two_fold_in_and_out(void **state) {
  (void)state;
  CHECK_CLOSE(tutti_bench_allreduce_s(TUTTI_BENCH_RECURSIVE_DOUBLING, slow, 5, 1000), 20e-6, 1e-12, 0);
  CHECK_CLOSE(tutti_bench_allreduce_s(TUTTI_BENCH_RECURSIVE_DOUBLING, slow, 3, 1000), 15e-6, 1e-12, 0);
  CHECK_CLOSE(tutti_bench_allreduce_s(TUTTI_BENCH_RABENSEIFNER, slow, 5, 1000), 20e-6, 1e-12, 0);
}

static void one_node_reduces_nothing(void **state) {
  (void)state;
  for (int i = 0; i < TUTTI_BENCH_N_ALLREDUCES; i++)
    assert_true(tutti_bench_allreduce_s((tutti_bench_allreduce)i, slow, 1, 1e9) == 0);
}

static void the_best_allreduce_depends_on_the_message(void **state) {
  (void)state;
  const tutti_bench_link latency = {1e-6, 0}, bandwidth = {0, 1e-9};
  // Latency alone: fewest messages.
  assert_int_equal(tutti_bench_allreduce_best(latency, 64, 1e6), TUTTI_BENCH_RECURSIVE_DOUBLING);
  // Few bytes; many; and many among nodes of no power of two, where the ring folds nothing.
  assert_int_equal(tutti_bench_allreduce_best(slow, 64, 8), TUTTI_BENCH_RECURSIVE_DOUBLING);
  assert_int_equal(tutti_bench_allreduce_best(slow, 64, 1e6), TUTTI_BENCH_RABENSEIFNER);
  assert_int_equal(tutti_bench_allreduce_best(bandwidth, 65, 1e6), TUTTI_BENCH_RING);
}

static void a_link_is_found_again(void **state) {
  (void)state;
  const double bytes[] = {8, 1000, 1e6, 4e6};
  double seconds[4];
  tutti_bench_link link;
  for (int i = 0; i < 4; i++) seconds[i] = 2e-6 + bytes[i] * 3e-9;
  CHECK_NEAR(tutti_bench_fit(bytes, seconds, 4, &link), 0, 1e-9);
  CHECK_CLOSE(link.latency_s, 2e-6, 1e-9, 0);
  CHECK_CLOSE(link.byte_s, 3e-9, 1e-9, 0);
}

static void a_fit_tells_how_far_off_it_is(void **state) {
  (void)state;
  // The same message, once twice as slow: 1 / t is 1 and 1/2, and the best (1 + 1/2) / (1 + 1/4).
  const double bytes[] = {8, 8}, seconds[] = {1, 2};
  tutti_bench_link link;
  const double residual = tutti_bench_fit(bytes, seconds, 2, &link);
  CHECK_CLOSE(link.latency_s + 8 * link.byte_s, 1.2, 1e-9, 0);
  CHECK_CLOSE(residual, sqrt((0.2 * 0.2 + 0.4 * 0.4) / 2), 1e-9, 0);
}

static void no_fit_has_a_negative_number(void **state) {
  (void)state;
  // Faster the longer they are, and then without any latency.
  const double bytes[] = {10, 100, 1000}, falling[] = {3e-6, 2e-6, 1e-6}, steep[] = {1e-6, 2e-5, 3e-4};
  tutti_bench_link link;
  tutti_bench_fit(bytes, falling, 3, &link);
  assert_true(link.latency_s > 0 && link.byte_s == 0);
  tutti_bench_fit(bytes, steep, 3, &link);
  assert_true(link.latency_s == 0 && link.byte_s > 0);
}

// 1 ms of update, and 1 ms of work for up to 10 samples, then 0.1 ms a sample.
static const tutti_bench_shard shards[] = {{1, 2e-3, 1e-3}, {10, 2e-3, 1e-3}, {100, 11e-3, 1e-3}};

static tutti_bench_costs make_costs(int ranks_per_node, tutti_bench_link network) {
  return (tutti_bench_costs){.shards = shards,
                             .n_shards = 3,
                             .bytes = 1000,
                             .barrier_s = 1e-6,
                             .node_byte_s = 2e-9,
                             .network = network,
                             .ranks_per_node = ranks_per_node};
}

static void one_rank_takes_what_was_measured(void **state) {
  (void)state;
  const tutti_bench_costs costs = make_costs(4, slow);
  for (int i = 0; i < 3; i++) {
    const tutti_bench_prediction p = tutti_bench_predict(&costs, shards[i].rows, 1);
    CHECK_CLOSE(p.step_s, shards[i].step_s, 1e-12, 0);
    CHECK_CLOSE(p.efficiency, 1, 1e-12, 0);
    assert_true(p.nodes == 1 && p.rows == shards[i].rows && p.node_s == 0 && p.network_s == 0);
  }
}

static void between_and_beyond_what_was_measured(void **state) {
  (void)state;
  const tutti_bench_costs costs = make_costs(1, slow);
  CHECK_CLOSE(tutti_bench_predict(&costs, 55, 1).step_s, 6.5e-3, 1e-12, 0);
  CHECK_CLOSE(tutti_bench_predict(&costs, 200, 1).step_s, 21e-3, 1e-12, 0); // twice the work, the same update
}

static void a_step_is_the_sum_of_its_parts(void **state) {
  (void)state;
  const tutti_bench_costs costs = make_costs(4, slow);
  const tutti_bench_prediction on_node = tutti_bench_predict(&costs, 400, 4);
  assert_true(on_node.nodes == 1 && on_node.rows == 100);
  CHECK_CLOSE(on_node.work_s, 10e-3, 1e-12, 0);
  CHECK_CLOSE(on_node.update_s, 0.25e-3, 1e-12, 0); // a quarter of the parameters
  CHECK_CLOSE(on_node.node_s, 2 * 1e-6 + 1000 * 2e-9, 1e-12, 0);
  assert_true(on_node.network_s == 0);
  CHECK_CLOSE(on_node.step_s, 10e-3 + 0.25e-3 + 4e-6, 1e-12, 0);
  CHECK_CLOSE(on_node.efficiency, 41e-3 / (4 * on_node.step_s), 1e-12, 0);

  const tutti_bench_prediction on_two = tutti_bench_predict(&costs, 400, 8);
  assert_true(on_two.nodes == 2 && on_two.rows == 50 && on_two.algorithm == TUTTI_BENCH_RECURSIVE_DOUBLING);
  CHECK_CLOSE(on_two.network_s, 5e-6, 1e-12, 0);
  CHECK_CLOSE(on_two.step_s, 5e-3 + 0.25e-3 + 4e-6 + 5e-6, 1e-12, 0);
}

static void a_perfect_network_leaves_the_work(void **state) {
  (void)state;
  tutti_bench_costs costs = make_costs(1, (tutti_bench_link){0, 0});
  const tutti_bench_prediction p = tutti_bench_predict(&costs, 100, 10);
  CHECK_CLOSE(p.step_s, 2e-3, 1e-12, 0);
  CHECK_CLOSE(p.efficiency, 11e-3 / (10 * 2e-3), 1e-12, 0);
}

static void latency_alone_grows_with_the_logarithm(void **state) {
  (void)state;
  const tutti_bench_costs costs = make_costs(1, (tutti_bench_link){1e-3, 0});
  CHECK_CLOSE(tutti_bench_predict(&costs, 10, 1024).network_s, 10e-3, 1e-12, 0);
  CHECK_CLOSE(tutti_bench_predict(&costs, 10, 4096).network_s, 12e-3, 1e-12, 0);
}

static void more_ranks_than_samples_have_one_each(void **state) {
  (void)state;
  const tutti_bench_costs costs = make_costs(2, slow);
  const tutti_bench_prediction p = tutti_bench_predict(&costs, 3, 8);
  assert_true(p.rows == 1 && p.nodes == 4);
}

static void ranks_are_worth_what_they_save(void **state) {
  (void)state;
  tutti_bench_prediction p[] = {{.step_s = 10, .efficiency = 1},
                                {.step_s = 6, .efficiency = 0.83},
                                {.step_s = 7, .efficiency = 0.36}, // the first beyond a node
                                {.step_s = 5, .efficiency = 0.5},
                                {.step_s = 4.6, .efficiency = 0.27}};
  assert_int_equal(tutti_bench_most_useful(p, 5), 3); // 4.6 saves less than a tenth of 5
  assert_int_equal(tutti_bench_most_efficient(p, 5), 3);
  assert_int_equal(tutti_bench_most_useful(p, 1), 0);
  p[4].step_s = 4.5;
  assert_int_equal(tutti_bench_most_useful(p, 5), 4);
}

static void a_gain_needs_idle_cores(void **state) {
  (void)state;
  CHECK_CLOSE(tutti_bench_gain(6e-3, 4e-3, 4, 2), 1.5, 1e-12, 0);
  CHECK_CLOSE(tutti_bench_gain(5.68, 1, 2, 1), 2, 1e-12, 0);
  CHECK_CLOSE(tutti_bench_gain(1, 1, 2, 4), 1, 1e-12, 0); // this run is the best one
  assert_true(tutti_bench_gain(2, 1, 2, 2) == 0);
  assert_true(tutti_bench_gain(2, 1, 2, 4) == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(allreduce_costs_what_the_paper_says),
      cmocka_unit_test(nodes_beyond_a_power_of_two_fold_in_and_out),
      cmocka_unit_test(one_node_reduces_nothing),
      cmocka_unit_test(the_best_allreduce_depends_on_the_message),
      cmocka_unit_test(a_link_is_found_again),
      cmocka_unit_test(a_fit_tells_how_far_off_it_is),
      cmocka_unit_test(no_fit_has_a_negative_number),
      cmocka_unit_test(one_rank_takes_what_was_measured),
      cmocka_unit_test(between_and_beyond_what_was_measured),
      cmocka_unit_test(a_step_is_the_sum_of_its_parts),
      cmocka_unit_test(a_perfect_network_leaves_the_work),
      cmocka_unit_test(latency_alone_grows_with_the_logarithm),
      cmocka_unit_test(more_ranks_than_samples_have_one_each),
      cmocka_unit_test(ranks_are_worth_what_they_save),
      cmocka_unit_test(a_gain_needs_idle_cores),
  };
  return cmocka_run_group_tests_name("bench.model", tests, NULL, check_no_leak);
}
