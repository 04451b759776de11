#include "bench/traffic_impl.h"

#include "bench/products_impl.h"
#include "support/check.h"

static void gathered_samples_are_read_and_written(void **state) {
  (void)state;
  // 784 bytes and a class in the data set; 784 floats and a class afterwards.
  const tutti_bench_traffic traffic = tutti_bench_data_traffic(16, 60000, 788, 785);
  assert_true(traffic.bytes == 16 * (788 + 4.0 * 785));
  assert_true(traffic.working_set == 60000 * 788.0);
}

static void an_update_moves_gradient_parameters_and_state(void **state) {
  (void)state;
  // Adam on one rank: reads gradient, weights, two slots; writes weights, two slots.
  const tutti_bench_traffic adam = tutti_bench_update_traffic(1000, 1, 2);
  assert_true(adam.bytes == 4000.0 * 7);
  assert_true(adam.working_set == 4000.0 * 4);
  // Plain descent on two ranks: reads two gradients and weights; writes the sum and weights.
  const tutti_bench_traffic descent = tutti_bench_update_traffic(1000, 2, 0);
  assert_true(descent.bytes == 4000.0 * 5);
  assert_true(descent.working_set == 4000.0 * 3);
}

/** A dense layer with a bias. */
static tutti_layer_info dense(int64_t n_out, bool has_function, bool is_trained) {
  return (tutti_layer_info){.kind = TUTTI_LAYER_DENSE,
                            .n_out = n_out,
                            .n_trainable = is_trained ? 1 : 0,
                            .has_function = has_function,
                            .trains_bias = is_trained};
}

static void layers_move_outputs_and_their_gradients(void **state) {
  (void)state;
  const tutti_layer_info two[] = {dense(512, true, true), dense(10, false, true)};
  // relu: 2 forward, 3 backward, 1 for the bias; the last layer: 1 for the bias, 2 for the loss.
  const tutti_bench_traffic traffic = tutti_bench_layers_traffic(two, 2, 128, 64);
  assert_true(traffic.bytes == 128 * 4.0 * (512 * 6 + 10 * 3));
  assert_true(traffic.working_set == 2 * 64 * 4.0 * 522);
}

static void nothing_goes_backward_before_trained_layers(void **state) {
  (void)state;
  const tutti_layer_info layers[] = {{.kind = TUTTI_LAYER_DROPOUT, .n_out = 20},
                                     dense(30, true, false),
                                     {.kind = TUTTI_LAYER_ACTIVATION, .n_out = 30},
                                     dense(5, true, true),
                                     {.kind = TUTTI_LAYER_DROPOUT, .n_out = 5}};
  const tutti_bench_traffic traffic = tutti_bench_layers_traffic(layers, 5, 1, 1);
  assert_true(traffic.bytes == 4.0 * (20 * 2 + 30 * 2 + 5 * (2 + 3 + 1) + 5 * (2 + 3) + 5 * 2));
}

static void products_read_both_factors_and_write_the_result(void **state) {
  (void)state;
  tutti_layer_spec layers[2];
  CHECK_OK(tutti_layer_parse("dense 30 relu", &layers[0]));
  CHECK_OK(tutti_layer_parse("dense 7", &layers[1]));
  const tutti_model_options options = {.layers = layers, .n_layers = 2, .loss = TUTTI_MEAN_SQUARED_ERROR};
  tutti_model *model = NULL;
  tutti_bench_products *products = NULL;
  tutti_bench_traffic traffic = {0};
  CHECK_OK(tutti_model_create(&options, 20, 10, &model));
  CHECK_OK(tutti_bench_products_create(model, 10, &products));
  const double first = 10 * (20 + 30), second = 10 * (30 + 7), kernels[] = {20 * 30, 30 * 7};
  tutti_bench_products_traffic(products, &(tutti_probe_micro_batch){10, 1, (int64_t[]){10}, false}, &traffic);
  assert_true(traffic.bytes == 4 * (2 * (first + kernels[0]) + 3 * (second + kernels[1])));
  assert_true(traffic.working_set == 4 * (first + 2 * kernels[0] + second + 2 * kernels[1]));
  // A second micro-batch adds to the gradients, which it has to read, too.
  traffic = (tutti_bench_traffic){0};
  tutti_bench_products_traffic(products, &(tutti_probe_micro_batch){10, 1, (int64_t[]){10}, true}, &traffic);
  assert_true(traffic.bytes == 4 * (2 * first + 3 * kernels[0] + 3 * second + 4 * kernels[1]));
  tutti_bench_products_destroy(&products);
  tutti_model_destroy(&model);
}

static void the_next_larger_arrays_are_compared(void **state) {
  (void)state;
  const tutti_bench_memory memories[] = {{.working_set = 100}, {.working_set = 400}, {.working_set = 9000}};
  assert_int_equal(tutti_bench_memory_for(memories, 3, 0), 0);
  assert_int_equal(tutti_bench_memory_for(memories, 3, 100), 0);
  assert_int_equal(tutti_bench_memory_for(memories, 3, 101), 1);
  assert_int_equal(tutti_bench_memory_for(memories, 3, 1e9), 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gathered_samples_are_read_and_written),
      cmocka_unit_test(an_update_moves_gradient_parameters_and_state),
      cmocka_unit_test(layers_move_outputs_and_their_gradients),
      cmocka_unit_test(nothing_goes_backward_before_trained_layers),
      cmocka_unit_test(products_read_both_factors_and_write_the_result),
      cmocka_unit_test(the_next_larger_arrays_are_compared),
  };
  return cmocka_run_group_tests_name("bench.traffic", tests, NULL, check_no_leak);
}
