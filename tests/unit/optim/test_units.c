// State that goes on under other options: converted, the training is the straight one; else it is refused.
#include <math.h>
#include <string.h>

#include "support/check.h"
#include "tutti/optim.h"

enum { N = 12, STEPS = 6, MAX_VARIANTS = 16 };

static const int64_t arrays[] = {0, 8, N};
static const bool plain[] = {false, true};
static const double rate = 0.05;

/** All forms of a rule that has a velocity, with numbers with which they are the same training at a constant rate. */
static int variants_of(tutti_optim_rule rule, tutti_optim_options variants[MAX_VARIANTS]) {
  int n = 0;
  for (int dialect = 0; dialect < TUTTI_N_DIALECTS; dialect++)
    for (int form = 0; form < TUTTI_N_LARS_FORMS; form++)
      for (int correction = 0; correction < 2; correction++) {
        tutti_optim_options o = tutti_optim_options_default();
        o.rule = rule;
        o.dialect = (tutti_dialect)dialect;
        o.lars_form = (tutti_lars_form)form;
        o.momentum_correction = correction;
        o.learning_rate = rate;
        o.momentum = 0.9;
        o.weight_decay = 0;
        if (rule == TUTTI_RMSPROP) o.rho = 0.9;
        if (rule == TUTTI_RMSPROP) o.epsilon = 0;
        if (tutti_optim_resolve(&o) == TUTTI_OK) variants[n++] = o;
      }
  return n;
}

static float gradient(int t, int i) {
  return (float)(0.3 * sin(1.7 * t + i) + 0.2);
}

static void run(tutti_optim *optim, int from, int to, float *w) {
  double norms[2 * N];
  float g[N];
  for (int t = from; t < to; t++) {
    for (int i = 0; i < N; i++) g[i] = gradient(t, i);
    memset(norms, 0, sizeof norms);
    tutti_optim_begin(optim, t + 1, rate, NULL);
    if (tutti_optim_n_norms(optim) > 0) {
      tutti_optim_prepare(optim, 0, N, w, g, norms);
      tutti_optim_set_ratios(optim, norms);
    }
    tutti_optim_step(optim, 0, N, w, g);
  }
}

/** False where a slot cannot be converted. */
static bool hand_over(tutti_optim *a, const tutti_optim_options *from, tutti_optim *b,
                      const tutti_optim_options *to) {
  assert_int_equal(tutti_optim_n_slots(a), tutti_optim_n_slots(b));
  for (int i = 0; i < tutti_optim_n_slots(a); i++) {
    const char *name = tutti_optim_slot_name(a, i);
    const tutti_unit_of_state then = tutti_optim_unit(from, name), now = tutti_optim_unit(to, name);
    double factor = 0;
    if (!tutti_optim_unit_factor(&then, &now, rate, &factor)) return false;
    for (int k = 0; k < N; k++) tutti_optim_slot(b, i)[k] = (float)(factor * tutti_optim_slot(a, i)[k]);
  }
  return true;
}

static void start(float *w) {
  for (int i = 0; i < N; i++) w[i] = (float)(0.1 * (i + 1));
}

/** Half under the options `from`, half under `to`, and all under `from`. */
static bool goes_on(const tutti_optim_options *from, const tutti_optim_options *to) {
  tutti_optim *a = NULL, *b = NULL, *straight = NULL;
  float w[N], w_straight[N];
  CHECK_OK(tutti_optim_create(from, arrays, plain, 2, &TUTTI_SLICE(0, N), &a));
  CHECK_OK(tutti_optim_create(to, arrays, plain, 2, &TUTTI_SLICE(0, N), &b));
  CHECK_OK(tutti_optim_create(from, arrays, plain, 2, &TUTTI_SLICE(0, N), &straight));
  start(w);
  start(w_straight);
  run(a, 0, STEPS, w);
  const bool converted = hand_over(a, from, b, to);
  if (converted) {
    run(b, STEPS, 2 * STEPS, w);
    run(straight, 0, 2 * STEPS, w_straight);
    for (int i = 0; i < N; i++) check_near(w[i], w_straight[i], 2e-6, "weight", __FILE__, __LINE__);
  }
  tutti_optim_destroy(&a);
  tutti_optim_destroy(&b);
  tutti_optim_destroy(&straight);
  return converted;
}

static bool has_ratio_inside(const tutti_optim_options *options) {
  return options->rule == TUTTI_LARS && options->lars_form != TUTTI_LARS_POPULAR;
}

static void converted_state_goes_on_as_it_would_have(void **state) {
  (void)state;
  static const tutti_optim_rule rules[] = {TUTTI_SGD, TUTTI_RMSPROP, TUTTI_LARS};
  static const int expected[] = {3, 3, 10}; // of lars two dialects alike
  for (int r = 0; r < 3; r++) {
    tutti_optim_options variants[MAX_VARIANTS];
    const int n = variants_of(rules[r], variants);
    assert_int_equal(n, expected[r]);
    for (int a = 0; a < n; a++)
      for (int b = 0; b < n; b++)
        assert_int_equal(goes_on(&variants[a], &variants[b]),
                         has_ratio_inside(&variants[a]) == has_ratio_inside(&variants[b]));
  }
}

static tutti_unit_of_state unit_of(tutti_optim_rule rule, const char *slot) {
  tutti_optim_options o = tutti_optim_options_default();
  o.rule = rule;
  if (rule == TUTTI_SGD || rule == TUTTI_RMSPROP) o.momentum = 0.9;
  CHECK_OK(tutti_optim_resolve(&o));
  return tutti_optim_unit(&o, slot);
}

static bool takes_over(tutti_optim_rule from, tutti_optim_rule to, const char *slot) {
  const tutti_unit_of_state a = unit_of(from, slot), b = unit_of(to, slot);
  double factor = 0;
  return tutti_optim_unit_factor(&a, &b, 0.1, &factor);
}

static void another_rule_takes_over_what_means_the_same(void **state) {
  (void)state;
  static const tutti_optim_rule family[] = {TUTTI_ADAM, TUTTI_ADAMW, TUTTI_NADAM, TUTTI_LAMB};
  for (int a = 0; a < 4; a++)
    for (int b = 0; b < 4; b++) {
      assert_true(takes_over(family[a], family[b], "momentum"));
      assert_true(takes_over(family[a], family[b], "velocity"));
    }
  assert_true(takes_over(TUTTI_RMSPROP, TUTTI_ADAM, "velocity"));
  assert_false(takes_over(TUTTI_RMSPROP, TUTTI_ADAM, "momentum"));
  assert_false(takes_over(TUTTI_SGD, TUTTI_ADAM, "momentum"));
  assert_false(takes_over(TUTTI_SGD, TUTTI_LARS, "momentum")); // classic
  assert_false(takes_over(TUTTI_SGD, TUTTI_ADAM, "velocity")); // sgd has none
}

static void without_a_rate_nothing_is_converted(void **state) {
  (void)state;
  const tutti_unit_of_state inside = unit_of(TUTTI_SGD, "momentum"),
                            outside = {"sum of gradients", false, false, true};
  const double rates[] = {0, NAN, INFINITY, 1e-320};
  char text[64];
  double factor = 0;
  for (int i = 0; i < 4; i++) {
    assert_true(tutti_optim_unit_factor(&inside, &inside, rates[i], &factor) && factor == 1);
    assert_false(tutti_optim_unit_factor(&inside, &outside, rates[i], &factor));
  }
  assert_true(tutti_optim_unit_factor(&inside, &outside, 0.5, &factor) && factor == -2);
  assert_true(tutti_optim_unit_factor(&outside, &inside, 0.5, &factor) && factor == -0.5);
  tutti_optim_unit_text(&inside, text, sizeof text);
  assert_string_equal(text, "sum of gradients * -learning_rate");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(converted_state_goes_on_as_it_would_have),
      cmocka_unit_test(another_rule_takes_over_what_means_the_same),
      cmocka_unit_test(without_a_rate_nothing_is_converted),
  };
  return cmocka_run_group_tests_name("optim.units", tests, NULL, check_no_leak);
}
