#include "bench/products_impl.h"
#include "support/check.h"

/** Operations of the products of one pass of ten samples of 20 features. */
static double flops_of(const char *const *words, int n_layers) {
  tutti_layer_spec layers[4];
  for (int i = 0; i < n_layers; i++) CHECK_OK(tutti_layer_parse(words[i], &layers[i]));
  const tutti_model_options options = {
      .layers = layers, .n_layers = n_layers, .loss = TUTTI_MEAN_SQUARED_ERROR};
  tutti_model *model = NULL;
  tutti_bench_products *products = NULL;
  CHECK_OK(tutti_model_create(&options, 20, 10, &model));
  CHECK_OK(tutti_bench_products_create(model, 10, &products));
  for (int by_blas = 0; by_blas < 2; by_blas++) { // reads and writes only what it owns
    tutti_bench_products_pass(products, &(tutti_probe_micro_batch){10, 1, (int64_t[]){10}, false}, by_blas);
    tutti_bench_products_pass(products, &(tutti_probe_micro_batch){9, 3, (int64_t[]){4, 4, 9}, true},
                              by_blas);
    tutti_bench_products_pass(products, &(tutti_probe_micro_batch){0, 1, (int64_t[]){0}, false}, by_blas);
  }
  const double flops = tutti_bench_products_flops(products, 10);
  tutti_bench_products_destroy(&products);
  tutti_bench_products_destroy(&products);
  tutti_model_destroy(&model);
  return flops;
}

static void both_ways_give_the_same_numbers(void **state) {
  (void)state;
  enum { ROWS = 9 };
  tutti_layer_spec layers[2];
  CHECK_OK(tutti_layer_parse("dense 30 relu", &layers[0]));
  CHECK_OK(tutti_layer_parse("dense 7", &layers[1]));
  const tutti_model_options options = {.layers = layers, .n_layers = 2, .loss = TUTTI_MEAN_SQUARED_ERROR};
  const tutti_probe_micro_batch pass = {ROWS, 1, (int64_t[]){ROWS}, false};
  tutti_model *model = NULL;
  tutti_bench_products *products = NULL;
  CHECK_OK(tutti_model_create(&options, 20, 7, &model));
  CHECK_OK(tutti_bench_products_create(model, ROWS, &products));
  tutti_bench_products_pass(products, &pass, false);
  const double own = tutti_bench_products_sum(products, ROWS);
  tutti_bench_products_pass(products, &pass, true);
  assert_true(own > 0);
  CHECK_CLOSE(tutti_bench_products_sum(products, ROWS), own, 1e-5 * own, 0);
  tutti_bench_products_destroy(&products);
  tutti_model_destroy(&model);
}

static void the_first_layer_gives_no_gradient_to_the_data(void **state) {
  (void)state;
  const char *const one[] = {"dense 7"}, *const two[] = {"dense 30 relu", "dense 7 bias=no"};
  assert_true(flops_of(one, 1) == 2 * 2.0 * 10 * 20 * 7);
  assert_true(flops_of(two, 2) == 2 * 2.0 * 10 * 20 * 30 + 3 * 2.0 * 10 * 30 * 7);
}

static void weights_before_it_want_a_gradient(void **state) {
  (void)state;
  const char *const norm[] = {"batch_norm", "dense 7"}, *const noise[] = {"dropout 0.5", "dense 7"};
  assert_true(flops_of(norm, 2) == 3 * 2.0 * 10 * 20 * 7);
  assert_true(flops_of(noise, 2) == 2 * 2.0 * 10 * 20 * 7);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(both_ways_give_the_same_numbers),
      cmocka_unit_test(the_first_layer_gives_no_gradient_to_the_data),
      cmocka_unit_test(weights_before_it_want_a_gradient),
  };
  return cmocka_run_group_tests_name("bench.products", tests, NULL, check_no_leak);
}
