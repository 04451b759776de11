#include <math.h>
#include <stdio.h>
#include <string.h>

#include "optim/optim_impl.h"
#include "support/check.h"

static tutti_optim_options of_rule(tutti_optim_rule rule, tutti_dialect dialect) {
  tutti_optim_options options = tutti_optim_options_default();
  options.rule = rule;
  options.dialect = dialect;
  return options;
}

static void names_are_those_of_the_config(void **state) {
  (void)state;
  assert_string_equal(tutti_optim_names[TUTTI_SGD], "sgd");
  assert_string_equal(tutti_optim_names[TUTTI_NADAM], "nadam");
  assert_string_equal(tutti_optim_dialect_names[TUTTI_DIALECT_KERAS], "keras");
  assert_string_equal(tutti_optim_dialect_names[TUTTI_DIALECT_TORCH], "torch");
}

static void the_default_is_keras_rmsprop(void **state) {
  (void)state;
  tutti_optim_options options = tutti_optim_options_default();
  CHECK_OK(tutti_optim_resolve(&options));
  assert_true(options.rule == TUTTI_RMSPROP && options.dialect == TUTTI_DIALECT_KERAS);
  assert_true(options.learning_rate == 1e-3 && options.rho == 0.9 && options.momentum == 0 &&
              options.epsilon == 1e-7);
  assert_true(options.weight_decay == 0 && options.clipnorm == 0 && options.global_clipnorm == 0 &&
              options.clipvalue == 0);
  assert_true(isnan(options.beta_1) && isnan(options.beta_2));
}

static void every_rule_has_the_defaults_of_its_dialect(void **state) {
  (void)state;
  static const struct {
    tutti_optim_rule rule;
    double learning_rate[TUTTI_N_DIALECTS], epsilon[TUTTI_N_DIALECTS], decay[TUTTI_N_DIALECTS];
  } rows[] = {
      {TUTTI_SGD, {1e-2, 1e-3}, {NAN, NAN}, {0, 0}},
      {TUTTI_ADAGRAD, {1e-3, 1e-2}, {1e-7, 1e-10}, {0, 0}},
      {TUTTI_ADADELTA, {1e-3, 1}, {1e-7, 1e-6}, {0, 0}},
      {TUTTI_RMSPROP, {1e-3, 1e-2}, {1e-7, 1e-8}, {0, 0}},
      {TUTTI_ADAM, {1e-3, 1e-3}, {1e-7, 1e-8}, {0, 0}},
      {TUTTI_ADAMW, {1e-3, 1e-3}, {1e-7, 1e-8}, {4e-3, 1e-2}},
      {TUTTI_ADAMAX, {1e-3, 2e-3}, {1e-7, 1e-8}, {0, 0}},
      {TUTTI_NADAM, {1e-3, 2e-3}, {1e-7, 1e-8}, {0, 0}},
      {TUTTI_LARS, {1, 1}, {NAN, NAN}, {1e-4, 1e-4}},
      {TUTTI_LAMB, {1e-3, 1e-3}, {1e-7, 1e-6}, {0, 1e-2}},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    for (int dialect = 0; dialect < TUTTI_N_DIALECTS; dialect++) {
      tutti_optim_options options = of_rule(rows[i].rule, (tutti_dialect)dialect);
      CHECK_OK(tutti_optim_resolve(&options));
      CHECK_NEAR(options.learning_rate, rows[i].learning_rate[dialect], 0);
      const bool has_epsilon = !isnan(rows[i].epsilon[dialect]);
      assert_true(isnan(options.epsilon) == !has_epsilon);
      if (has_epsilon) CHECK_NEAR(options.epsilon, rows[i].epsilon[dialect], 0);
      CHECK_NEAR(options.weight_decay, rows[i].decay[dialect], 0);
      if (options.rule == TUTTI_LARS)
        assert_true(options.momentum == 0.9 && options.trust_coefficient == 1e-3);
      else if (options.rule >= TUTTI_ADAM)
        assert_true(options.beta_1 == 0.9 && options.beta_2 == 0.999);
    }
  }
  tutti_optim_options options = of_rule(TUTTI_ADADELTA, TUTTI_DIALECT_KERAS);
  CHECK_OK(tutti_optim_resolve(&options));
  CHECK_NEAR(options.rho, 0.95, 0);
  options = of_rule(TUTTI_ADADELTA, TUTTI_DIALECT_TORCH);
  CHECK_OK(tutti_optim_resolve(&options));
  CHECK_NEAR(options.rho, 0.9, 0);
  options = of_rule(TUTTI_RMSPROP, TUTTI_DIALECT_TORCH);
  CHECK_OK(tutti_optim_resolve(&options));
  CHECK_NEAR(options.rho, 0.99, 0);
}

static void what_was_set_stays_and_resolving_twice_changes_nothing(void **state) {
  (void)state;
  tutti_optim_options options = of_rule(TUTTI_ADAM, TUTTI_DIALECT_TORCH);
  options.learning_rate = 0.25;
  options.beta_1 = 0.5;
  options.weight_decay = 0.125;
  CHECK_OK(tutti_optim_resolve(&options));
  CHECK_OK(tutti_optim_resolve(&options));
  assert_true(options.learning_rate == 0.25 && options.beta_1 == 0.5 && options.weight_decay == 0.125);
  assert_true(options.beta_2 == 0.999 && options.epsilon == 1e-8 && isnan(options.momentum) &&
              isnan(options.rho));
}

/** That message, with all rules whose tables have the option. */
static void check_not_taken(tutti_optim_options options, tutti_optim_option wanted, const char *begin) {
  char expected[256];
  int n = snprintf(expected, sizeof expected, "%s does not take it; it belongs to: ", begin);
  const int start = n;
  for (int rule = 0; rule < TUTTI_N_OPTIMS; rule++)
    if (tutti_optim_find_taken((tutti_optim_rule)rule, wanted))
      n += snprintf(expected + n, sizeof expected - (size_t)n, "%s%s", n > start ? ", " : "",
                    tutti_optim_names[rule]);
  snprintf(expected + n, sizeof expected - (size_t)n, "; remove it");
  CHECK_FAILS(tutti_optim_resolve(&options), TUTTI_ERR_CONFIG, expected);
}

static void a_number_the_rule_does_not_take_is_refused(void **state) {
  (void)state;
  tutti_optim_options options = of_rule(TUTTI_ADAM, TUTTI_DIALECT_KERAS);
  options.momentum = 0.9;
  check_not_taken(options, TUTTI_TAKES_MOMENTUM, "optimizer.momentum is 0.9, but adam");
  CHECK_FAILS(tutti_optim_resolve(&options), TUTTI_ERR_CONFIG, "it belongs to: sgd, rmsprop, lars");
  assert_true(isnan(options.learning_rate)); // as it was
  options = of_rule(TUTTI_SGD, TUTTI_DIALECT_KERAS);
  options.epsilon = 1e-8;
  check_not_taken(options, TUTTI_TAKES_EPSILON, "optimizer.epsilon is 1e-08, but sgd");
  options = of_rule(TUTTI_NADAM, TUTTI_DIALECT_TORCH);
  options.rho = 0.9;
  check_not_taken(options, TUTTI_TAKES_RHO, "optimizer.rho is 0.9, but nadam");
  options = of_rule(TUTTI_RMSPROP, TUTTI_DIALECT_KERAS);
  options.beta_1 = 0.9;
  check_not_taken(options, TUTTI_TAKES_BETA_1, "optimizer.beta_1 is 0.9, but rmsprop");
  options = of_rule(TUTTI_LAMB, TUTTI_DIALECT_KERAS);
  options.trust_coefficient = 1e-3;
  check_not_taken(options, TUTTI_TAKES_TRUST_COEFFICIENT, "optimizer.trust_coefficient is 0.001, but lamb");
}

static void a_flag_the_rule_does_not_take_is_refused(void **state) {
  (void)state;
  tutti_optim_options options = of_rule(TUTTI_ADAM, TUTTI_DIALECT_KERAS);
  options.nesterov = true;
  check_not_taken(options, TUTTI_TAKES_NESTEROV, "optimizer.nesterov is set, but adam");
  options = of_rule(TUTTI_SGD, TUTTI_DIALECT_KERAS);
  options.centered = true;
  check_not_taken(options, TUTTI_TAKES_CENTERED, "optimizer.centered is set, but sgd");
  options = of_rule(TUTTI_ADAMAX, TUTTI_DIALECT_KERAS);
  options.amsgrad = true;
  check_not_taken(options, TUTTI_TAKES_AMSGRAD, "optimizer.amsgrad is set, but adamax");
  options = of_rule(TUTTI_SGD, TUTTI_DIALECT_KERAS);
  options.lars_form = TUTTI_LARS_PAPER;
  check_not_taken(options, TUTTI_TAKES_LARS_FORM, "optimizer.lars_form is paper, but sgd");
  options = of_rule(TUTTI_RMSPROP, TUTTI_DIALECT_TORCH);
  options.centered = true;
  options.rho = 0;
  CHECK_FAILS(tutti_optim_resolve(&options), TUTTI_ERR_CONFIG, "optimizer.rho is 0");
  options = of_rule(TUTTI_SGD, TUTTI_DIALECT_TORCH);
  options.nesterov = true;
  CHECK_FAILS(tutti_optim_resolve(&options), TUTTI_ERR_CONFIG, "optimizer.momentum is 0");
}

static void a_correction_without_effect_is_refused(void **state) {
  (void)state;
  tutti_optim_options options = of_rule(TUTTI_SGD, TUTTI_DIALECT_KERAS);
  options.momentum_correction = true;
  CHECK_FAILS(tutti_optim_resolve(&options), TUTTI_ERR_CONFIG,
              "optimizer.momentum_correction is set, but this sgd has no velocity");
  options.momentum = 0.9;
  CHECK_OK(tutti_optim_resolve(&options));
  options.dialect = TUTTI_DIALECT_TORCH;
  CHECK_FAILS(tutti_optim_resolve(&options), TUTTI_ERR_CONFIG,
              "sgd with dialect keras, rmsprop with dialect keras, lars");
  options = of_rule(TUTTI_ADAM, TUTTI_DIALECT_KERAS);
  options.momentum_correction = true;
  CHECK_FAILS(tutti_optim_resolve(&options), TUTTI_ERR_CONFIG, "this adam has no velocity");
  options = of_rule(TUTTI_LARS, TUTTI_DIALECT_TORCH);
  options.momentum_correction = true;
  CHECK_OK(tutti_optim_resolve(&options));
  options.lars_form = TUTTI_LARS_POPULAR;
  CHECK_FAILS(tutti_optim_resolve(&options), TUTTI_ERR_CONFIG, "this lars has no velocity");
}

typedef struct {
  tutti_optim_rule rule;
  size_t offset;
  double value;
  const char *text;
} bad_number;

static void a_number_out_of_its_range_is_refused(void **state) {
  (void)state;
#define AT(field) offsetof(tutti_optim_options, field)
  static const bad_number bad[] = {
      {TUTTI_SGD, AT(learning_rate), -0.1, "optimizer.learning_rate is -0.1, expected a number from 0"},
      {TUTTI_SGD, AT(learning_rate), INFINITY, "optimizer.learning_rate is inf"},
      {TUTTI_SGD, AT(momentum), 1, "optimizer.momentum is 1, expected a number from 0 and below 1"},
      {TUTTI_SGD, AT(momentum), -0.1, "optimizer.momentum is -0.1"},
      {TUTTI_ADAM, AT(beta_1), -0.1, "optimizer.beta_1 is -0.1, expected a number from 0 and below 1"},
      {TUTTI_ADAM, AT(beta_2), 1, "optimizer.beta_2 is 1"},
      {TUTTI_RMSPROP, AT(rho), 1, "optimizer.rho is 1"},
      {TUTTI_RMSPROP, AT(epsilon), -1e-8, "optimizer.epsilon is -1e-08, expected a number from 0"},
      {TUTTI_ADAMW, AT(weight_decay), -1, "optimizer.weight_decay is -1"},
      {TUTTI_LARS, AT(trust_coefficient), 0, "optimizer.trust_coefficient is 0, expected a number above 0"},
      {TUTTI_SGD, AT(clipnorm), -1, "optimizer.clipnorm is -1"},
      {TUTTI_SGD, AT(global_clipnorm), NAN, "optimizer.global_clipnorm is"},
      {TUTTI_SGD, AT(ema_momentum), 1, "optimizer.ema_momentum is 1, expected a number from 0 and below 1"},
      {TUTTI_SGD, AT(clipvalue), INFINITY, "optimizer.clipvalue is inf"},
  };
#undef AT
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    tutti_optim_options options = of_rule(bad[i].rule, TUTTI_DIALECT_KERAS);
    memcpy((char *)&options + bad[i].offset, &bad[i].value, sizeof bad[i].value);
    CHECK_FAILS(tutti_optim_resolve(&options), TUTTI_ERR_CONFIG, bad[i].text);
  }
}

static void two_ways_of_clipping_are_refused(void **state) {
  (void)state;
  tutti_optim_options options = of_rule(TUTTI_SGD, TUTTI_DIALECT_KERAS);
  options.clipnorm = options.clipvalue = 1;
  CHECK_FAILS(tutti_optim_resolve(&options), TUTTI_ERR_CONFIG,
              "optimizer.clipnorm and optimizer.clipvalue are both set");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_are_those_of_the_config),
      cmocka_unit_test(the_default_is_keras_rmsprop),
      cmocka_unit_test(every_rule_has_the_defaults_of_its_dialect),
      cmocka_unit_test(what_was_set_stays_and_resolving_twice_changes_nothing),
      cmocka_unit_test(a_number_the_rule_does_not_take_is_refused),
      cmocka_unit_test(a_flag_the_rule_does_not_take_is_refused),
      cmocka_unit_test(a_correction_without_effect_is_refused),
      cmocka_unit_test(a_number_out_of_its_range_is_refused),
      cmocka_unit_test(two_ways_of_clipping_are_refused),
  };
  return cmocka_run_group_tests_name("optim.options", tests, NULL, check_no_leak);
}
