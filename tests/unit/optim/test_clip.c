#include <math.h>

#include "support/check.h"
#include "tutti/optim.h"

// Two arrays, (3, 4, 0) with norm 5 and (0.6, 0.8) with norm 1.
enum { N = 5 };
static const int64_t offsets[] = {0, 3, N};
static const float gradient[N] = {3, 4, 0, 0.6f, -0.8f};

static tutti_optim_options sgd(tutti_dialect dialect) {
  tutti_optim_options options = tutti_optim_options_default();
  options.rule = TUTTI_SGD;
  options.dialect = dialect;
  return options;
}

/** One step at rate 1. */
static void step(tutti_optim_options options, float *w, const float *g) {
  tutti_optim *optim = NULL;
  double pieces[2] = {0};
  CHECK_OK(tutti_optim_resolve(&options));
  CHECK_OK(tutti_optim_create(&options, offsets, NULL, 2, &TUTTI_SLICE(0, N), &optim));
  tutti_optim_squares(optim, 0, N, g, pieces);
  tutti_optim_begin(optim, 1, 1, tutti_optim_n_pieces(optim) ? pieces : NULL);
  tutti_optim_step(optim, 0, N, w, g);
  tutti_optim_destroy(&optim);
}

/** The clipped gradient, which is what weights move by. */
static void clip(tutti_optim_options options, float *g) {
  float w[N] = {0};
  step(options, w, gradient);
  for (int i = 0; i < N; i++) g[i] = -w[i];
}

static void check_scaled(const float *g, double first, double second) {
  for (int i = 0; i < N; i++)
    CHECK_NEAR(g[i], (i < 3 ? first : second) * gradient[i], 1e-7 * fabs(gradient[i]) * 2);
}

static void nothing_is_clipped_by_default(void **state) {
  (void)state;
  float g[N];
  clip(sgd(TUTTI_DIALECT_KERAS), g);
  check_scaled(g, 1, 1);
}

static void clipnorm_is_per_array(void **state) {
  (void)state;
  float g[N];
  tutti_optim_options options = sgd(TUTTI_DIALECT_KERAS);
  options.clipnorm = 2;
  clip(options, g);
  check_scaled(g, 2.0 / 5, 1);
}

static void global_clipnorm_is_of_all_arrays(void **state) {
  (void)state;
  float g[N];
  tutti_optim_options options = sgd(TUTTI_DIALECT_KERAS);
  options.global_clipnorm = 2;
  clip(options, g);
  check_scaled(g, 2 / sqrt(26), 2 / sqrt(26));
  options.global_clipnorm = 6;
  clip(options, g);
  check_scaled(g, 1, 1);
}

static void pytorch_adds_its_epsilon_to_the_norm(void **state) {
  (void)state;
  float g[N];
  tutti_optim_options options = sgd(TUTTI_DIALECT_TORCH);
  options.clipnorm = 1e-6; // so small that the epsilon of 1e-6 shows in the other array too
  clip(options, g);
  check_scaled(g, 1e-6 / (5 + 1e-6), 1e-6 / (1 + 1e-6));
  options.clipnorm = 1.0000005; // between the norm and the norm with epsilon
  clip(options, g);
  assert_true(g[3] < gradient[3]);
  options.dialect = TUTTI_DIALECT_KERAS;
  clip(options, g);
  CHECK_NEAR(g[3], gradient[3], 0);
}

static void clipvalue_is_per_element(void **state) {
  (void)state;
  float g[N];
  tutti_optim_options options = sgd(TUTTI_DIALECT_KERAS);
  options.clipvalue = 0.7;
  clip(options, g);
  const double expected[N] = {0.7, 0.7, 0, 0.6, -0.7};
  for (int i = 0; i < N; i++) CHECK_NEAR(g[i], expected[i], 1e-7);
}

static void what_is_no_number_is_not_clipped_away(void **state) {
  (void)state;
  tutti_optim_options options = sgd(TUTTI_DIALECT_KERAS);
  for (int way = 0; way < 3; way++) {
    options.clipnorm = way == 0;
    options.global_clipnorm = way == 1;
    options.clipvalue = way == 2;
    float w[N] = {0};
    const float g[N] = {NAN, 1, 1, 1, 1};
    step(options, w, g);
    assert_true(isnan(w[0]));
    options = sgd(TUTTI_DIALECT_KERAS);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_is_clipped_by_default),
      cmocka_unit_test(clipnorm_is_per_array),
      cmocka_unit_test(global_clipnorm_is_of_all_arrays),
      cmocka_unit_test(pytorch_adds_its_epsilon_to_the_norm),
      cmocka_unit_test(clipvalue_is_per_element),
      cmocka_unit_test(what_is_no_number_is_not_clipped_away),
  };
  return cmocka_run_group_tests_name("optim.clip", tests, NULL, check_no_leak);
}
