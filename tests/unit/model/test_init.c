#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"

enum { N_IN = 300, N_OUT = 200, N = N_IN * N_OUT };

/** What Keras' documentation says of each. */
static const struct {
  const char *name;
  double variance;
  bool uniform;
} initializers[] = {{"glorot_uniform", 2.0 / (N_IN + N_OUT), true},
                    {"glorot_normal", 2.0 / (N_IN + N_OUT), false},
                    {"he_uniform", 2.0 / N_IN, true},
                    {"he_normal", 2.0 / N_IN, false},
                    {"lecun_uniform", 1.0 / N_IN, true},
                    {"lecun_normal", 1.0 / N_IN, false}};

static void moments_and_bounds_are_those_of_keras(void **state) {
  (void)state;
  for (int k = 0; k < TUTTI_N_INITIALIZERS; k++) {
    fixture f;
    char words[64];
    double sum = 0, squares = 0, largest = 0;
    snprintf(words, sizeof words, "dense %d initializer=%s", N_OUT, initializers[k].name);
    assert_string_equal(tutti_model_initializer_names[k], initializers[k].name);
    fixture_make(&f, words, TUTTI_LOSS_AUTO, N_IN, 1, 1);
    tutti_model_init(f.model, 7, f.params);
    for (int i = 0; i < N; i++) {
      sum += f.params[i];
      squares += (double)f.params[i] * f.params[i];
      largest = fmax(largest, fabs((double)f.params[i]));
    }
    const double deviation = sqrt(initializers[k].variance);
    CHECK_NEAR(sum / N, 0, 5 * deviation / sqrt(N));
    // The variance of a square is at most 2 (normal) times the squared variance.
    CHECK_NEAR(squares / N, initializers[k].variance, 5 * sqrt(2.0 / N) * initializers[k].variance);
    const double bound = initializers[k].uniform ? sqrt(3) * deviation : 2 * deviation / 0.87962566103423978;
    assert_true(largest <= bound * (1 + FLT_EPSILON));
    assert_true(largest > bound * 0.999);
    for (int i = N; i < f.n_params; i++) assert_true(f.params[i] == 0); // bias
    fixture_free(&f);
  }
}

static void vectors_start_as_in_keras(void **state) {
  (void)state;
  fixture f;
  fixture_make(&f, "dense 2,batch_norm,prelu", TUTTI_LOSS_AUTO, 1, 1, 1);
  memset(tutti_model_state(f.model), 1, 4 * sizeof(float));
  tutti_model_init(f.model, 1, f.params);
  const float expected[8] = {0, 0, 1, 1, 0, 0, 0, 0}; // bias, gamma, beta, alpha
  assert_memory_equal(f.params + 2, expected, sizeof expected);
  const float moving[4] = {0, 0, 1, 1};
  assert_memory_equal(tutti_model_state(f.model), moving, sizeof moving);
  fixture_free(&f);
}

static void weights_are_a_function_of_the_seed_and_the_array(void **state) {
  (void)state;
  for (int normal = 0; normal < 2; normal++) {
    fixture a, b;
    const tutti_initializer initializer = normal ? TUTTI_INIT_HE_NORMAL : TUTTI_INIT_GLOROT_UNIFORM;
    fixture_make(&a, "dense 4,dense 4,dense 4", TUTTI_LOSS_AUTO, 4, 2, 1);
    fixture_make(&b, "dense 4,dense 4,dense 4", TUTTI_LOSS_AUTO, 4, 50, 2);
    tutti_model_destroy(&a.model);
    tutti_model_destroy(&b.model);
    const tutti_model_options options = {.layers = a.layers, .n_layers = 3, .initializer = initializer};
    CHECK_OK(tutti_model_create(&options, 4, 2, &a.model));
    CHECK_OK(tutti_model_create(&options, 4, 50, &b.model));
    tutti_model_init(a.model, 3, a.params);
    tutti_model_init(b.model, 3, b.params);
    assert_memory_equal(a.params, b.params, (size_t)a.n_params * sizeof(float));
    assert_memory_not_equal(a.params, a.params + 20, 16 * sizeof(float)); // layers differ
    tutti_model_init(b.model, 4, b.params);
    assert_memory_not_equal(a.params, b.params, 16 * sizeof(float));
    fixture_free(&a);
    fixture_free(&b);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(moments_and_bounds_are_those_of_keras),
      cmocka_unit_test(vectors_start_as_in_keras),
      cmocka_unit_test(weights_are_a_function_of_the_seed_and_the_array),
  };
  return cmocka_run_group_tests_name("model.init", tests, NULL, check_no_leak);
}
