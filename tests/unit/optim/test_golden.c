// Numbers that Keras' own tests of its optimizers expect.
#include "support/check.h"
#include "tutti/optim.h"

enum { N = 10 };

static tutti_optim *make(tutti_optim_options options, int64_t n) {
  const int64_t offsets[] = {0, n};
  tutti_optim *optim = NULL;
  CHECK_OK(tutti_optim_resolve(&options));
  CHECK_OK(tutti_optim_create(&options, offsets, NULL, 1, &TUTTI_SLICE(0, n), &optim));
  return optim;
}

static tutti_optim_options of_rule(tutti_optim_rule rule, double learning_rate) {
  tutti_optim_options options = tutti_optim_options_default();
  options.rule = rule;
  options.learning_rate = learning_rate;
  return options;
}

static void check_one_step(tutti_optim_rule rule, const double expected[4]) {
  float w[] = {1, 2, 3, 4};
  const float g[] = {1, 6, 7, 2};
  tutti_optim *optim = make(of_rule(rule, 0.5), 4);
  tutti_optim_begin(optim, 1, 0.5, NULL);
  tutti_optim_step(optim, 0, 4, w, g);
  for (int i = 0; i < 4; i++) CHECK_NEAR(w[i], expected[i], 1e-5);
  tutti_optim_destroy(&optim);
}

static void one_step(void **state) {
  (void)state;
  check_one_step(TUTTI_SGD, (double[]){0.5, -1, -0.5, 3});
  check_one_step(TUTTI_ADAM, (double[]){0.5, 1.5, 2.5, 3.5});
  check_one_step(TUTTI_RMSPROP, (double[]){-0.58114, 0.41886, 1.41886, 2.41886});
}

static void weight_decay_without_gradient(void **state) {
  (void)state;
  tutti_optim_options options = of_rule(TUTTI_ADAM, 1);
  options.weight_decay = 0.004;
  tutti_optim *optim = make(options, 1);
  float w = 2, g = 0;
  for (int t = 1; t <= 3; t++) {
    tutti_optim_begin(optim, t, 1, NULL);
    tutti_optim_step(optim, 0, 1, &w, &g);
  }
  CHECK_NEAR(w, 1.9760959, 1e-6);
  tutti_optim_destroy(&optim);
}

static void check_five_steps(tutti_optim_options options, const double expected[5]) {
  tutti_optim *optim = make(options, N);
  float w[N], first[N], later[N];
  for (int i = 0; i < N; i++) {
    w[i] = 1;
    first[i] = 0.01f;
    later[i] = 0.1f * (float)(i + 1);
  }
  for (int t = 1; t <= 5; t++) {
    tutti_optim_begin(optim, t, 0.001, NULL);
    tutti_optim_step(optim, 0, N, w, t == 1 ? first : later);
    for (int i = 0; i < N; i++) CHECK_NEAR(w[i], expected[t - 1], 5e-4);
  }
  tutti_optim_destroy(&optim);
}

static void five_steps(void **state) {
  (void)state;
  tutti_optim_options adam = of_rule(TUTTI_ADAM, 0.001), rmsprop = of_rule(TUTTI_RMSPROP, 0.001);
  adam.amsgrad = true;
  check_five_steps(adam, (double[]){0.999, 0.9982, 0.9974, 0.9965, 0.9955});
  rmsprop.centered = true;
  check_five_steps(rmsprop, (double[]){0.9967, 0.9933, 0.9908, 0.9885, 0.9864});
}

static void clipnorm(void **state) {
  (void)state;
  tutti_optim_options options = of_rule(TUTTI_SGD, 1);
  options.clipnorm = 1;
  tutti_optim *optim = make(options, 2);
  float w[] = {0, 0};
  const float g[] = {100, 100};
  double square = 0;
  tutti_optim_squares(optim, 0, 2, g, &square);
  tutti_optim_begin(optim, 1, 1, &square);
  tutti_optim_step(optim, 0, 2, w, g);
  CHECK_NEAR(w[0], -0.70711, 1e-5);
  CHECK_NEAR(w[1], -0.70711, 1e-5);
  tutti_optim_destroy(&optim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_step),
      cmocka_unit_test(weight_decay_without_gradient),
      cmocka_unit_test(five_steps),
      cmocka_unit_test(clipnorm),
  };
  return cmocka_run_group_tests_name("optim.golden", tests, NULL, check_no_leak);
}
