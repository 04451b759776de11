#include "run/micro_batches.h"
#include "support/check.h"

enum { MAX_PASSES = 16, MAX_LEAVES = 64 };

typedef struct {
  tutti_micro_batch passes[MAX_PASSES];
  int64_t ends[MAX_PASSES][MAX_LEAVES];
  int n;
} micro_batch_list;

/** All micro-batches of leaves [first, end) of `n_leaves`, in a batch at position 100. */
static micro_batch_list all_micro_batches(int64_t count, int64_t grain, int n_leaves, int first, int end,
                                          int64_t micro_rows) {
  const tutti_plan plan = {.n_leaves = n_leaves, .micro_rows = micro_rows};
  const tutti_range batch = {.begin = 100, .count = count};
  micro_batch_list list = {.n = 0};
  tutti_micro_batch pass = tutti_run_micro_batch_before(first);
  while (tutti_run_micro_batch_next(&plan, batch, grain, end, &pass, list.ends[list.n])) {
    assert_true(list.n + 1 < MAX_PASSES);
    list.passes[list.n++] = pass;
  }
  return list;
}

static void check_pass(const micro_batch_list *list, int i, int leaf, int n_leaves, int64_t begin,
                       int64_t count, bool begins, bool ends) {
  const tutti_micro_batch *pass = &list->passes[i];
  assert_int_equal(pass->leaf, leaf);
  assert_int_equal(pass->n_leaves, n_leaves);
  assert_int_equal(pass->rows.begin, begin);
  assert_int_equal(pass->rows.count, count);
  assert_int_equal(list->ends[i][n_leaves - 1], count);
  assert_true(pass->begins == begins && pass->ends == ends);
}

static void a_large_leaf_takes_several(void **state) {
  (void)state;
  const micro_batch_list list = all_micro_batches(20, 1, 2, 1, 2, 4); // the second half
  assert_int_equal(list.n, 3);
  check_pass(&list, 0, 1, 1, 110, 4, true, false);
  check_pass(&list, 1, 1, 1, 114, 3, false, false);
  check_pass(&list, 2, 1, 1, 117, 3, false, true);
}

static void small_leaves_go_together(void **state) {
  (void)state;
  const micro_batch_list list = all_micro_batches(10, 1, 5, 0, 5, 5); // leaves of two, two of which fit
  assert_int_equal(list.n, 3);
  check_pass(&list, 0, 0, 2, 100, 4, true, true);
  check_pass(&list, 1, 2, 2, 104, 4, true, true);
  check_pass(&list, 2, 4, 1, 108, 2, true, true);
  assert_int_equal(list.ends[0][0], 2);
  assert_int_equal(list.ends[1][0], 2);
}

static void leaves_of_a_micro_batch_and_more(void **state) {
  (void)state;
  const micro_batch_list list = all_micro_batches(13, 1, 2, 0, 2, 6); // leaves of seven and six
  assert_int_equal(list.n, 3);
  check_pass(&list, 0, 0, 1, 100, 4, true, false);
  check_pass(&list, 1, 0, 1, 104, 3, false, true);
  check_pass(&list, 2, 1, 1, 107, 6, true, true);
}

static void a_leaf_without_samples_has_an_empty_one(void **state) {
  (void)state;
  const micro_batch_list list = all_micro_batches(2, 1, 4, 3, 4, 2);
  assert_int_equal(list.n, 1);
  check_pass(&list, 0, 3, 1, 102, 0, true, true);
  assert_int_equal(all_micro_batches(2, 1, 4, 4, 4, 2).n, 0); // a rank without leaves
}

/** full_rows of a network with two hidden layers. */
static int64_t full_rows(int64_t n_features, int64_t units, int n_threads) {
  tutti_layer_spec layers[] = {{.kind = TUTTI_LAYER_DENSE, .units = units},
                               {.kind = TUTTI_LAYER_DROPOUT, .rate = 0.5},
                               {.kind = TUTTI_LAYER_DENSE, .units = units},
                               {.kind = TUTTI_LAYER_DENSE, .units = 10}};
  const tutti_config config = {.model = {.layers = layers, .n_layers = sizeof layers / sizeof *layers}};
  return tutti_run_full_rows(&config, n_features, n_threads);
}

static void full_rows_grow_with_weights_and_threads(void **state) {
  (void)state;
  assert_int_equal(full_rows(784, 50, 1), 256);
  assert_int_equal(full_rows(784, 50, 2), 768); // each thread has 16 million terms
  assert_int_equal(full_rows(784, 400, 1), 256);
  assert_int_equal(full_rows(784, 400, 2), 512);
  assert_int_equal(full_rows(784, 400, 64), TUTTI_PLAN_FULL_ROWS);
  assert_int_equal(full_rows(784, 684, 1), 512);
  assert_int_equal(full_rows(784, 2048, 1), TUTTI_PLAN_FULL_ROWS);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_large_leaf_takes_several),
      cmocka_unit_test(full_rows_grow_with_weights_and_threads),
      cmocka_unit_test(small_leaves_go_together),
      cmocka_unit_test(leaves_of_a_micro_batch_and_more),
      cmocka_unit_test(a_leaf_without_samples_has_an_empty_one),
  };
  return cmocka_run_group_tests_name("train.passes", tests, NULL, check_no_leak);
}
