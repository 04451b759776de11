#include <math.h>

#include "support/check.h"
#include "tutti/study.h"

enum { N_SIZES = 17 };

static tutti_quadratic model(double batch, double learning_rate, double momentum) {
  return (tutti_quadratic){.dimensions = 100,
                           .batch = batch,
                           .learning_rate = learning_rate,
                           .momentum = momentum,
                           .target = 0.01,
                           .budget = 40000};
}

static tutti_quadratic_result run(tutti_quadratic q) {
  tutti_quadratic_result result = {0};
  CHECK_OK(tutti_study_quadratic_run(&q, &result));
  return result;
}

/** Fewest steps over a fine grid of learning rates about `near`. */
static double best_steps(tutti_quadratic q, double near, double factor, int n) {
  for (int i = -n; i <= n; i++) {
    q.learning_rate = near * pow(factor, (double)i / n);
    const tutti_quadratic_result result = run(q);
    // What is slower than the best so far need not be followed to its end.
    if (result.state == TUTTI_TRIAL_REACHED) q.budget = result.steps;
  }
  return (double)q.budget;
}

// --- the model

/** Best constant learning rates of an independent computation of the same model. */
static void sgd_needs_the_steps_of_the_reference(void **state) {
  static const double batch[] = {1, 4, 16, 64, 256, 1024, 4096, 16384, 65536};
  static const double steps[] = {32102, 8049, 2037, 536, 169, 94, 77, 71, 69};
  static const double rate[] = {.0064, .0255, .0994, .368, 1.087, 1.63, 1.82, 1.91, 1.93};
  (void)state;
  for (int i = 0; i < 9; i++)
    CHECK_CLOSE(best_steps(model(batch[i], 1, 0), rate[i], 1.1, 100), steps[i], 0.01, 0);
}

static double sgd_best(double batch) {
  return best_steps(model(batch, 1, 0), 0.0064 * batch / (1 + batch / 300), 1.5, 100);
}

static void sgd_has_its_critical_batch_size(void **state) {
  double batch[N_SIZES], steps[N_SIZES];
  tutti_fit fit;
  (void)state;
  for (int i = 0; i < N_SIZES; i++) {
    batch[i] = ldexp(1, i);
    steps[i] = sgd_best(batch[i]);
  }
  tutti_fit_make(batch, steps, N_SIZES, &fit);
  assert_string_equal(fit.refused, "");
  CHECK_CLOSE(fit.value[TUTTI_FIT_B_CRIT], 456, 0.01, 0);
  CHECK_CLOSE(fit.value[TUTTI_FIT_S_MIN], 67.3, 0.005, 0);
  CHECK_CLOSE(fit.value[TUTTI_FIT_E_MIN], 30725, 0.005, 0);
  CHECK_NEAR(fit.residual, 0.045, 0.001);
}

/** The steps of an independent computation: of 6,000 rates at batch 16 to 256, of 60,000 at more.  At large batch sizes
 * directions oscillate through zero, and at a rate where several do so together the target is met up to three steps
 * earlier than nearby, which only a fine grid finds. */
static void momentum_raises_the_critical_batch_size(void **state) {
  static const double batch[] = {1, 4, 16, 64, 256, 1024, 4096, 16384, 65536};
  static const double reference[] = {32058, 8005, 1991, 488, 110, 52, 45, 43, 43};
  static const double rate[] = {.00064, .00255, .01027, .0412, .168, .3, .4, .5, .5};
  double steps[9];
  tutti_fit fit;
  (void)state;
  for (int i = 0; i < 9; i++) {
    tutti_quadratic q = model(batch[i], 1, 0.9);
    q.budget = (int64_t)(1.2 * reference[i]);
    const bool wide = batch[i] > 256;
    steps[i] = best_steps(q, rate[i], wide ? 2.5 : 1.05, wide ? 100 : batch[i] < 16 ? 1 : 3);
    CHECK_CLOSE(steps[i], reference[i], batch[i] < 16 ? 0.01 : 0, 0);
  }
  tutti_fit_make(batch, steps, 9, &fit);
  CHECK_CLOSE(fit.value[TUTTI_FIT_S_MIN], 37.706, 1e-3, 0);
  CHECK_CLOSE(fit.value[TUTTI_FIT_B_CRIT], 756.80, 2e-3, 0);
}

static void many_dimensions_by_the_closed_form(void **state) {
  (void)state;
  tutti_quadratic q = model(16384, 1, 0);
  q.dimensions = 10000;
  CHECK_CLOSE(best_steps(q, 1.9, 1.05, 10), 7147, 0.01, 0);
}

/** The step by step way gives what the closed form does: a momentum of nothing is plain SGD. */
static void both_ways_agree(void **state) {
  static const double batch[] = {4, 64, 1024}, rate[] = {.0255, .3, 1.5};
  (void)state;
  for (int i = 0; i < 3; i++) {
    const tutti_quadratic_result closed = run(model(batch[i], rate[i], 0));
    const tutti_quadratic_result stepwise = run(model(batch[i], rate[i], 1e-300));
    assert_int_equal(closed.state, TUTTI_TRIAL_REACHED);
    assert_int_equal(stepwise.state, TUTTI_TRIAL_REACHED);
    assert_int_equal(closed.steps, stepwise.steps);
    CHECK_CLOSE(closed.loss, stepwise.loss, 1e-9, 0);
  }
}

/** Loss by hand after one step: E w^2 = (1 - lr h)^2 + lr^2 h / B. */
static void a_step_is_a_step(void **state) {
  (void)state;
  tutti_quadratic q = {.dimensions = 2, .batch = 8, .learning_rate = 0.5, .momentum = 0.9, .budget = 1};
  const tutti_quadratic_result result = run(q);
  assert_int_equal(result.state, TUTTI_TRIAL_NOT_REACHED);
  CHECK_NEAR(result.loss, 0.5 * (0.25 + 0.25 / 8) + 0.25 * (0.5625 + 0.25 * 0.5 / 8), 1e-15);
  q.momentum = 0;
  CHECK_NEAR(run(q).loss, result.loss, 1e-15);
}

// --- outcomes

static void outcomes_are_told_apart(void **state) {
  (void)state;
  const double momenta[] = {0, 0.9};
  for (int i = 0; i < 2; i++) {
    const double mu = momenta[i], bound = 2 * (1 + mu);
    assert_int_equal(run(model(64, 0.1 * (1 - mu), mu)).state, TUTTI_TRIAL_REACHED);
    assert_int_equal(run(model(1e9, bound * 1.001, mu)).state, TUTTI_TRIAL_DIVERGED);
    // Too noisy to arrive, though it does not blow up.
    tutti_quadratic_result result = run(model(1, 1.5 * (1 - mu), mu));
    assert_int_equal(result.state, TUTTI_TRIAL_NOT_REACHED);
    assert_int_equal(result.steps, 40000);
    // The bound itself is not what keeps it away.
    assert_int_equal(run(model(1, bound * 0.999, mu)).state, TUTTI_TRIAL_NOT_REACHED);
    // Too slow.
    result = run(model(64, 1e-5, mu));
    assert_int_equal(result.state, TUTTI_TRIAL_NOT_REACHED);
    assert_true(result.loss > 0.01 && result.loss < 3);
  }
}

/** A step less is not enough: the first step at the target is what comes out. */
static void steps_are_the_first(void **state) {
  (void)state;
  const double momenta[] = {0, 0.5};
  for (int i = 0; i < 2; i++) {
    tutti_quadratic q = model(64, 0.1, momenta[i]);
    const int64_t steps = run(q).steps;
    q.budget = steps;
    assert_int_equal(run(q).state, TUTTI_TRIAL_REACHED);
    q.budget = steps - 1;
    assert_int_equal(run(q).state, TUTTI_TRIAL_NOT_REACHED);
    assert_int_equal(run(q).steps, steps - 1);
  }
}

/** At this rate the steepest direction grows noisier, and the loss rises before it falls. */
static void the_first_step_counts_where_the_loss_rises(void **state) {
  (void)state;
  tutti_quadratic q = model(1, 1.2, 0);
  q.target = 0;
  q.budget = 0;
  const double start = run(q).loss;
  q.budget = 1;
  assert_true(run(q).loss > 1.02 * start);
  q.target = 1.01 * start;
  q.budget = 40000;
  assert_int_equal(run(q).steps, 0);
  assert_int_equal(run(q).state, TUTTI_TRIAL_REACHED);
}

static void a_target_above_the_start_takes_no_step(void **state) {
  (void)state;
  tutti_quadratic q = model(64, 0.1, 0);
  q.target = 10;
  assert_int_equal(run(q).steps, 0);
  q.momentum = 0.9;
  assert_int_equal(run(q).state, TUTTI_TRIAL_REACHED);
  assert_int_equal(run(q).steps, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sgd_needs_the_steps_of_the_reference),
      cmocka_unit_test(sgd_has_its_critical_batch_size),
      cmocka_unit_test(momentum_raises_the_critical_batch_size),
      cmocka_unit_test(many_dimensions_by_the_closed_form),
      cmocka_unit_test(both_ways_agree),
      cmocka_unit_test(a_step_is_a_step),
      cmocka_unit_test(outcomes_are_told_apart),
      cmocka_unit_test(steps_are_the_first),
      cmocka_unit_test(the_first_step_counts_where_the_loss_rises),
      cmocka_unit_test(a_target_above_the_start_takes_no_step),
  };
  return cmocka_run_group_tests_name("study.quadratic", tests, NULL, check_no_leak);
}
