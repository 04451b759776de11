#include "linalg/choices.h"

#include <string.h>

#include "linalg/matmul.h"
#include "support/check.h"
#include "support/numbers.h"

static void classes_are_powers_of_two(void **state) {
  (void)state;
  static const struct {
    int rows, row_class;
  } cases[] = {{1, 0}, {2, 1}, {3, 2}, {4, 2}, {5, 3}, {128, 7}, {129, 8}, {8192, 13}, {1 << 30, 13}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    assert_int_equal(tutti_matmul_row_class(cases[i].rows), cases[i].row_class);
}

static void a_choice_is_found_by_its_shape(void **state) {
  (void)state;
  tutti_layer_choices layers[2] = {{.n_in = 3, .n_out = 4}, {.n_in = 4, .n_out = 3}};
  const tutti_matmul_choices choices = {layers, 2};
  layers[1].of[TUTTI_MATMUL_INPUT_GRADIENT][2] = (tutti_matmul_choice){TUTTI_BY_BLAS, 5};
  const tutti_matmul_choice *found = tutti_matmul_find_choice(&choices, TUTTI_MATMUL_INPUT_GRADIENT, 3, 4, 3);
  assert_non_null(found);
  assert_int_equal(found->who, TUTTI_BY_BLAS);
  assert_int_equal(found->n_threads, 5);
  assert_int_equal(tutti_matmul_find_choice(&choices, TUTTI_MATMUL_INPUT_GRADIENT, 5, 4, 3)->who,
                   TUTTI_BY_RULE);
  assert_int_equal(tutti_matmul_find_choice(&choices, TUTTI_MATMUL_FORWARD, 3, 4, 3)->who, TUTTI_BY_RULE);
  assert_null(tutti_matmul_find_choice(&choices, TUTTI_MATMUL_FORWARD, 3, 4, 4));
  assert_null(tutti_matmul_find_choice(NULL, TUTTI_MATMUL_FORWARD, 3, 4, 3));
}

/** Small enough that the loops round differently, if they do at all; large enough that the BLAS has several sums. */
enum { ROWS = 40, N_IN = 900, N_OUT = 70 };
static struct {
  float x[ROWS * N_IN], w[N_IN * N_OUT], z[ROWS * N_OUT], by_choice[N_IN * N_OUT], by_order[N_IN * N_OUT];
} m;

/** The result has the bits of those who were chosen. */
static void the_choice_is_followed(void **state) {
  (void)state;
  numbers_fill(1, -1, 1, ROWS * N_IN, m.x);
  numbers_fill(2, -1, 1, N_IN * N_OUT, m.w);
  numbers_fill(3, -1, 1, ROWS * N_OUT, m.z);
  for (int by_blas = 0; by_blas < 2; by_blas++) {
    tutti_layer_choices layer = {.n_in = N_IN, .n_out = N_OUT};
    for (int i = 0; i < TUTTI_N_MATMULS; i++)
      layer.of[i][tutti_matmul_row_class(ROWS)] =
          (tutti_matmul_choice){by_blas ? TUTTI_BY_BLAS : TUTTI_BY_OWN, 1};
    const tutti_matmul_choices choices = {&layer, 1};
    const tutti_matmul_by chosen = {.choices = &choices},
                          told = {.order = by_blas ? TUTTI_SUM_BY_BLAS : TUTTI_SUM_IN_ORDER};
    tutti_matmul_forward(chosen, m.x, m.w, NULL, ROWS, N_IN, N_OUT, m.by_choice);
    tutti_matmul_forward(told, m.x, m.w, NULL, ROWS, N_IN, N_OUT, m.by_order);
    assert_memory_equal(m.by_choice, m.by_order, ROWS * N_OUT * sizeof(float));
    tutti_matmul_weight_gradient(chosen, m.x, m.z, ROWS, N_IN, N_OUT, false, m.by_choice);
    tutti_matmul_weight_gradient(told, m.x, m.z, ROWS, N_IN, N_OUT, false, m.by_order);
    assert_memory_equal(m.by_choice, m.by_order, sizeof m.by_order);
    tutti_matmul_input_gradient(chosen, m.z, m.w, ROWS, N_IN, N_OUT, m.by_choice);
    tutti_matmul_input_gradient(told, m.z, m.w, ROWS, N_IN, N_OUT, m.by_order);
    assert_memory_equal(m.by_choice, m.by_order, ROWS * N_IN * sizeof(float));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(classes_are_powers_of_two),
      cmocka_unit_test(a_choice_is_found_by_its_shape),
      cmocka_unit_test(the_choice_is_followed),
  };
  return cmocka_run_group_tests(tests, NULL, check_no_leak);
}
