/* How rank 0 learns who computes the products.  The linker puts __wrap_tutti_product_measure in the place of the
 * measurement, so that the times are known. */
#define _GNU_SOURCE // setenv
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/products_impl.h"
#include "support/check.h"
#include "support/folder.h"
#include "tutti/linalg.h"

static struct {
  double ns[5];      // that a measurement says, by threads
  int n, most_loops; // measurements; loops of one of them
  bool with_own;     // one of them had our own loops
  bool another;      // another program measures the same at the same time
  int n_kept;        // lines of the cache when the last layer was measured
  int last_n_in;     // of that layer
} t;

static void cache_path(char path[4096]) {
  assert_true(tutti_product_cache_path(path, 4096));
}

static void write_cache(const tutti_product_time *time, const double ns[5]) {
  char path[4096];
  tutti_product_times times = {0};
  cache_path(path);
  for (int n = 4; n >= 1; n /= 2) {
    tutti_product_time one = *time;
    one.shape.n_threads = n;
    for (int i = 0; i < one.n; i++) one.by[i].ns = ns[n];
    CHECK_OK(tutti_product_times_add(&times, &one));
  }
  CHECK_OK(tutti_product_cache_write(path, &times));
  tutti_product_times_clear(&times);
}

static int64_t count_cache(void) {
  char path[4096];
  tutti_product_times times = {0};
  cache_path(path);
  CHECK_OK(tutti_product_cache_read(path, &times));
  const int64_t n = times.n;
  tutti_product_times_clear(&times);
  return n;
}

void __wrap_tutti_product_measure(const tutti_product_arrays *arrays, tutti_product_time *time);
void __wrap_tutti_product_measure(const tutti_product_arrays *arrays, tutti_product_time *time) {
  static const double of_another[5] = {0, 90, 102, 0, 100};
  (void)arrays;
  for (int i = 0; i < time->n; i++) {
    time->by[i].ns = t.ns[time->shape.n_threads];
    t.with_own = t.with_own || strcmp(time->by[i].name, TUTTI_OWN_LOOPS) == 0;
  }
  t.n++;
  if (time->n > t.most_loops) t.most_loops = time->n;
  if (t.another) write_cache(time, of_another);
  t.another = false;
  if (time->shape.n_in == t.last_n_in && t.n_kept < 0) t.n_kept = (int)count_cache();
}

static void use_cache(void **state) {
  setenv("XDG_CACHE_HOME", folder_path(state, ""), 1);
  t = (__typeof__(t)){.ns = {0, 400, 200, 0, 100}};
}

/** The number of threads that the forward product of one row has after all. */
static int learn(const tutti_products_layer *layers, int n_layers, tutti_sum_order by, int n_threads) {
  const tutti_products_wanted wanted = {.layers = layers, .n_layers = n_layers, .most_rows = 1, .by = by};
  tutti_products_chooser c;
  int found = 0;
  tutti_linalg_set_threads(n_threads);
  CHECK_OK(tutti_products_learn(&wanted, &c));
  for (int n = n_threads; n >= 1; n /= 2) {
    const tutti_product_time like = tutti_products_like(&c, &layers[0], TUTTI_MATMUL_FORWARD, 0, n);
    if (tutti_product_times_find(&c.known, &like)) found = n;
  }
  tutti_products_forget(&c);
  tutti_linalg_set_threads(1);
  return found;
}

// Each case has layers of its own, because a process remembers what it has learned.

static void fewer_threads_are_tried_until_they_are_slower(void **state) {
  static const tutti_products_layer layer = {20, 16, {1, 0, 0}};
  use_cache(state);
  assert_int_equal(learn(&layer, 1, TUTTI_SUM_ANY, 4), 2);
  assert_int_equal(t.n, 2);
  assert_int_equal(learn(&layer, 1, TUTTI_SUM_ANY, 4), 2);
  assert_int_equal(t.n, 2); // it is remembered
}

/** The times of another program count, so what the choice asks for next is asked for again. */
static void times_of_another_program_lead_on(void **state) {
  static const tutti_products_layer layer = {21, 16, {1, 0, 0}};
  use_cache(state);
  t.another = true;
  assert_int_equal(learn(&layer, 1, TUTTI_SUM_ANY, 4), 1);
}

/** A job that is killed while it measures has kept what it has. */
static void each_layer_is_kept_when_it_is_measured(void **state) {
  static const tutti_products_layer layers[] = {{22, 16, {1, 1, 1}}, {23, 16, {1, 1, 1}}};
  use_cache(state);
  t.last_n_in = 23;
  t.n_kept = -1;
  (void)learn(layers, 2, TUTTI_SUM_ANY, 1);
  assert_int_equal(t.n_kept, 3);
  assert_int_equal(count_cache(), 6);
}

static void only_loops_that_can_be_chosen_are_measured(void **state) {
  static const tutti_products_layer layers[] = {{24, 16, {1, 0, 0}}, {25, 16, {1, 0, 0}}};
  use_cache(state);
  (void)learn(&layers[0], 1, TUTTI_SUM_IN_ORDER, 1);
  assert_true(t.with_own && t.most_loops == 1);
  use_cache(state);
  (void)learn(&layers[1], 1, TUTTI_SUM_BY_BLAS, 1);
  assert_false(t.with_own);
}

/** What was measured holds for this process, and nothing fails. */
static void nothing_is_measured_twice_without_a_cache(void **state) {
  static const tutti_products_layer layer = {26, 16, {1, 1, 1}};
  use_cache(state);
  unsetenv("XDG_CACHE_HOME");
  unsetenv("HOME");
  assert_int_equal(learn(&layer, 1, TUTTI_SUM_ANY, 4), 2);
  assert_int_equal(t.n, 6);
  (void)learn(&layer, 1, TUTTI_SUM_ANY, 4);
  assert_int_equal(t.n, 6);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(fewer_threads_are_tried_until_they_are_slower, folder_make,
                                      folder_remove),
      cmocka_unit_test_setup_teardown(times_of_another_program_lead_on, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(each_layer_is_kept_when_it_is_measured, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(only_loops_that_can_be_chosen_are_measured, folder_make, folder_remove),
      cmocka_unit_test_setup_teardown(nothing_is_measured_twice_without_a_cache, folder_make, folder_remove),
  };
  return cmocka_run_group_tests(tests, NULL, check_no_leak);
}
