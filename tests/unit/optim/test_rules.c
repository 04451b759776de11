// Each rule in each dialect against its twin in double.
#include <float.h>
#include <math.h>

#include "base/random.h"
#include "optim/optim_impl.h"
#include "support/check.h"
#include "support/optim_twin.h"
#include "tutti/optim.h"

enum { N = 37, STEPS = 50 };

/** Gradients of several sizes; the learning rate changes, so that its place in the velocity matters. */
static float gradient(int t, int i) {
  uint32_t words[4];
  tutti_random_words((tutti_stream){.seed = 7, .kind = TUTTI_STREAM_NOISE}, (uint64_t)(t * N + i), words);
  return (float)((2 * tutti_random_uniform(words[0]) - 1) * pow(10, -(i % 4)) + 0.05);
}

/** @param[in,out] g  a rule of two passes makes its directions of it */
static void step(tutti_optim *optim, int64_t t, double lr, int64_t n, float *w, float *g) {
  double norms[2 * N] = {0};
  assert_true(tutti_optim_n_norms(optim) <= 2 * N);
  tutti_optim_begin(optim, t, lr, NULL);
  if (tutti_optim_n_norms(optim) > 0) {
    tutti_optim_prepare(optim, 0, n, w, g, norms);
    tutti_optim_set_ratios(optim, norms);
  }
  tutti_optim_step(optim, 0, n, w, g);
}

// A matrix, a bias, and a matrix that begins at 0.
static const int64_t arrays[] = {0, 20, 26, N};
static const bool plain[] = {false, true, false};
enum { N_ARRAYS = 3 };

/** @return how far a weight moved at the most */
static double distance_from_twin(const tutti_optim_options *given, const char *what) {
  tutti_optim_options options = *given;
  tutti_optim *optim = NULL;
  optim_twin_state states[N] = {0};
  float w[N], w_start[N], g[N];
  double w_twin[N], g_twin[N];
  CHECK_OK(tutti_optim_resolve(&options));
  CHECK_OK(tutti_optim_create(&options, arrays, plain, N_ARRAYS, &TUTTI_SLICE(0, N), &optim));
  for (int i = 0; i < N; i++) w_twin[i] = w[i] = w_start[i] = i < arrays[2] ? (float)(i - N / 2) / N : 0;
  double moved = 0;
  for (int t = 1; t <= STEPS; t++) {
    const double lr = options.learning_rate * (t <= 10 ? 0.1 * t : 1 / sqrt(t - 9.0));
    for (int i = 0; i < N; i++) g_twin[i] = g[i] = gradient(t, i);
    for (int a = 0; a < N_ARRAYS; a++)
      optim_twin_array(&options, t, lr, plain[a], arrays[a + 1] - arrays[a], g_twin + arrays[a],
                       w_twin + arrays[a], states + arrays[a]);
    step(optim, t, lr, N, w, g);
    for (int i = 0; i < N; i++) {
      // A handful of roundings a step, of numbers up to 1 in the state and in the weight.
      check_near(w[i], w_twin[i], 8.0 * FLT_EPSILON * t * fmax(1, fabs(w_twin[i])), what, __FILE__, __LINE__);
      moved = fmax(moved, fabs(w[i] - w_start[i]));
    }
  }
  tutti_optim_destroy(&optim);
  return moved;
}

static void compare(const tutti_optim_options *given, const char *what) {
  const double moved = distance_from_twin(given, what);
  if (moved < 1e-3) fail_msg("%s moved no weight by more than %g", what, moved);
}

static bool takes(int rule, tutti_optim_option option) {
  return tutti_optim_find_taken((tutti_optim_rule)rule, option);
}

/** Bits of `form`: weight decay, a momentum, Nesterov's form, centered, amsgrad, and twice another form of lars.
 * @return false: the rule does not take one of them, or needs another */
static bool set_form(int rule, int form, tutti_optim_options *options) {
  const bool momentum = form & 2, nesterov = form & 4, centered = form & 8, amsgrad = form & 16;
  options->rule = (tutti_optim_rule)rule;
  options->lars_form = (tutti_lars_form)(form >> 5);
  if ((momentum && !takes(rule, TUTTI_TAKES_MOMENTUM)) || (nesterov && !takes(rule, TUTTI_TAKES_NESTEROV)) ||
      (nesterov && !momentum) || (centered && !takes(rule, TUTTI_TAKES_CENTERED)) ||
      (amsgrad && !takes(rule, TUTTI_TAKES_AMSGRAD)) ||
      (options->lars_form != TUTTI_LARS_CLASSIC && !takes(rule, TUTTI_TAKES_LARS_FORM)))
    return false;
  options->weight_decay = form & 1 ? 0.1 : 0;
  if (momentum) options->momentum = 0.8;
  options->nesterov = nesterov;
  options->centered = centered;
  options->amsgrad = amsgrad;
  return true;
}

/** Of the whole list, with all that a rule takes. */
static void each_rule_follows_its_twin(void **state) {
  (void)state;
  for (int rule = 0; rule < TUTTI_N_OPTIMS; rule++)
    for (int form = 0; form < 32 * TUTTI_N_LARS_FORMS; form++)
      for (int dialect = 0; dialect < TUTTI_N_DIALECTS; dialect++) {
        tutti_optim_options options = tutti_optim_options_default();
        options.dialect = (tutti_dialect)dialect;
        options.learning_rate = 0.05;
        if (!set_form(rule, form, &options)) continue;
        if (distance_from_twin(&options, tutti_optim_names[rule]) == 0)
          fail_msg("%s moved no weight", tutti_optim_names[rule]);
      }
}

/** A table is whole: what is missing would be taken for 0. */
static void each_rule_has_a_whole_table(void **state) {
  (void)state;
  for (int rule = 0; rule < TUTTI_N_OPTIMS; rule++) {
    const tutti_optim_table *table = tutti_optim_table_of((tutti_optim_rule)rule);
    const char *name = tutti_optim_names[rule];
    if (!table->scalars || !table->update) fail_msg("%s has no loop", name);
    if (!table->prepare != !table->ratio) fail_msg("%s has one of prepare and ratio", name);
    if (!takes(rule, TUTTI_TAKES_LEARNING_RATE) || !takes(rule, TUTTI_TAKES_WEIGHT_DECAY))
      fail_msg("%s has no default of the learning rate, or none of weight_decay", name);
    for (const tutti_optim_taken *t = table->takes; t->option != TUTTI_TAKES_NO_MORE; t++) {
      const bool is_switch = tutti_optim_taken_options[t->option].type != TUTTI_OPTION_NUMBER;
      if (is_switch && (t->keras != 0 || t->torch != 0)) fail_msg("%s has a default of a switch", name);
      if (t->option == TUTTI_TAKES_LEARNING_RATE && !(t->keras > 0 && t->torch > 0))
        fail_msg("%s has a default learning rate of 0", name);
    }
    for (int i = 0; i < TUTTI_MAX_SLOTS && table->slots[i].name; i++)
      if (!table->slots[i].quantity) fail_msg("slot %s of %s has no quantity", table->slots[i].name, name);
  }
}

typedef struct {
  const char *what;
  tutti_optim_rule rule;
  double learning_rate, momentum, weight_decay;
  bool nesterov, centered, amsgrad;
} variant;

static const variant variants[] = {
    {"sgd", TUTTI_SGD, 0.1, NAN, NAN, false, false, false},
    {"sgd momentum", TUTTI_SGD, 0.1, 0.9, NAN, false, false, false},
    {"sgd nesterov", TUTTI_SGD, 0.1, 0.9, NAN, true, false, false},
    {"sgd momentum decay", TUTTI_SGD, 0.1, 0.9, 0.05, false, false, false},
    {"adagrad", TUTTI_ADAGRAD, 0.1, NAN, NAN, false, false, false},
    {"adagrad decay", TUTTI_ADAGRAD, 0.1, NAN, 0.05, false, false, false},
    {"adadelta", TUTTI_ADADELTA, 1, NAN, NAN, false, false, false},
    {"adadelta decay", TUTTI_ADADELTA, 1, NAN, 0.05, false, false, false},
    {"rmsprop", TUTTI_RMSPROP, 0.01, NAN, NAN, false, false, false},
    {"rmsprop decay", TUTTI_RMSPROP, 0.01, NAN, 0.05, false, false, false},
    {"rmsprop momentum", TUTTI_RMSPROP, 0.01, 0.9, NAN, false, false, false},
    {"rmsprop centered", TUTTI_RMSPROP, 0.01, NAN, NAN, false, true, false},
    {"rmsprop centered momentum", TUTTI_RMSPROP, 0.01, 0.9, NAN, false, true, false},
    {"adam", TUTTI_ADAM, 0.01, NAN, NAN, false, false, false},
    {"adam decay", TUTTI_ADAM, 0.01, NAN, 0.05, false, false, false},
    {"adam amsgrad", TUTTI_ADAM, 0.01, NAN, NAN, false, false, true},
    {"adamw", TUTTI_ADAMW, 0.01, NAN, NAN, false, false, false},
    {"adamw amsgrad", TUTTI_ADAMW, 0.01, NAN, 0.2, false, false, true},
    {"adamax", TUTTI_ADAMAX, 0.01, NAN, NAN, false, false, false},
    {"adamax decay", TUTTI_ADAMAX, 0.01, NAN, 0.05, false, false, false},
    {"nadam", TUTTI_NADAM, 0.1, NAN, NAN, false, false, false},
    {"nadam decay", TUTTI_NADAM, 0.1, NAN, 0.05, false, false, false},
    {"lars", TUTTI_LARS, 20, NAN, NAN, false, false, false},
    {"lars decay", TUTTI_LARS, 2, 0.5, 0.3, false, false, false},
    {"lars without momentum", TUTTI_LARS, 2, 0, 0.3, false, false, false},
    {"lamb", TUTTI_LAMB, 0.01, NAN, NAN, false, false, false},
    {"lamb decay", TUTTI_LAMB, 0.01, NAN, 0.3, false, false, false},
};

static tutti_optim_options of_variant(const variant *v, tutti_dialect dialect) {
  tutti_optim_options options = tutti_optim_options_default();
  options.dialect = dialect;
  options.rule = v->rule;
  options.learning_rate = v->learning_rate;
  options.momentum = v->momentum;
  options.weight_decay = v->weight_decay;
  options.nesterov = v->nesterov;
  options.centered = v->centered;
  options.amsgrad = v->amsgrad;
  return options;
}

/** @param[in] epsilon  NAN: the default; a large one shows where it stands */
static void compare_all(tutti_dialect dialect, double epsilon) {
  for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
    const variant *v = &variants[i];
    tutti_optim_options options = of_variant(v, dialect);
    if (v->rule != TUTTI_SGD && v->rule != TUTTI_LARS) options.epsilon = epsilon;
    for (int form = 0; form < (v->rule == TUTTI_LARS ? TUTTI_N_LARS_FORMS : 1); form++) {
      options.lars_form = (tutti_lars_form)form;
      compare(&options, v->what);
    }
  }
}

static void rules_follow_keras(void **state) {
  (void)state;
  compare_all(TUTTI_DIALECT_KERAS, NAN);
  compare_all(TUTTI_DIALECT_KERAS, 0.02);
}

static void vectors_may_be_left_out_of_the_decay(void **state) {
  (void)state;
  for (int dialect = 0; dialect < TUTTI_N_DIALECTS; dialect++)
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
      tutti_optim_options options = of_variant(&variants[i], (tutti_dialect)dialect);
      options.weight_decay = 0.3;
      options.decay_exclude = TUTTI_EXCLUDE_VECTORS;
      compare(&options, variants[i].what);
    }
}

/** Without a gradient nothing moves but what decays. */
static void a_vector_that_is_left_out_stays(void **state) {
  (void)state;
  for (int i = 0; i < (int)TUTTI_N_OPTIMS * TUTTI_N_DIALECTS * TUTTI_N_EXCLUDES; i++) {
    tutti_optim_options options = tutti_optim_options_default();
    options.rule = (tutti_optim_rule)(i / 4);
    options.dialect = (tutti_dialect)(i / 2 % 2);
    options.decay_exclude = (tutti_decay_exclude)(i % 2);
    options.weight_decay = 0.1;
    const bool always = tutti_optim_decays_inside(tutti_optim_table_of(options.rule), &options);
    tutti_optim *optim = NULL;
    float w[N], g[N] = {0};
    CHECK_OK(tutti_optim_resolve(&options));
    CHECK_OK(tutti_optim_create(&options, arrays, plain, N_ARRAYS, &TUTTI_SLICE(0, N), &optim));
    for (int k = 0; k < N; k++) w[k] = 1;
    step(optim, 1, 0.5, N, w, g);
    for (int a = 0; a < N_ARRAYS; a++)
      for (int64_t k = arrays[a]; k < arrays[a + 1]; k++)
        assert_true((w[k] == 1) == (plain[a] && (always || options.decay_exclude == TUTTI_EXCLUDE_VECTORS)));
    tutti_optim_destroy(&optim);
  }
}

static void without_memory(tutti_optim_options *options) {
  if (takes(options->rule, TUTTI_TAKES_RHO) && !options->centered) options->rho = 0;
  if (takes(options->rule, TUTTI_TAKES_BETA_1)) options->beta_1 = 0;
  if (takes(options->rule, TUTTI_TAKES_BETA_2)) options->beta_2 = 0;
}

static void means_may_keep_nothing(void **state) {
  (void)state;
  for (int dialect = 0; dialect < TUTTI_N_DIALECTS; dialect++)
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
      tutti_optim_options options = of_variant(&variants[i], (tutti_dialect)dialect);
      without_memory(&options);
      compare(&options, variants[i].what);
    }
}

/** Whatever came before: Adam without memory is lr g / (|g| + eps), and so are its relatives and rmsprop. */
static void a_mean_without_memory_is_the_gradient(void **state) {
  (void)state;
  static const tutti_optim_rule rules[] = {TUTTI_RMSPROP, TUTTI_ADAM, TUTTI_ADAMW, TUTTI_ADAMAX, TUTTI_NADAM};
  const int64_t offsets[] = {0, N};
  for (size_t k = 0; k < 2 * (sizeof rules / sizeof rules[0]); k++) {
    tutti_optim_options options = tutti_optim_options_default();
    options.rule = rules[k / 2];
    options.dialect = (tutti_dialect)(k % 2);
    options.weight_decay = 0;
    options.epsilon = 1e-30;
    without_memory(&options);
    tutti_optim *optim = NULL;
    float w[N] = {0}, g[N];
    CHECK_OK(tutti_optim_resolve(&options));
    CHECK_OK(tutti_optim_create(&options, offsets, NULL, 1, &TUTTI_SLICE(0, N), &optim));
    for (int t = 1; t <= 3; t++) {
      for (int i = 0; i < N; i++) w[i] = 0, g[i] = (float)pow(i % 2 ? -1e-3 : 1e-5, t == 2 ? -1 : 1);
      step(optim, t, 0.5, N, w, g);
      for (int i = 0; i < N; i++) CHECK_NEAR(w[i], i % 2 ? 0.5 : -0.5, 1e-6);
    }
    if (options.rule == TUTTI_ADAM)
      for (int i = 0; i < N; i++) CHECK_NEAR(tutti_optim_slot(optim, 0)[i], g[i], 0);
    tutti_optim_destroy(&optim);
  }
}

static void a_rate_of_0_moves_nothing(void **state) {
  (void)state;
  for (int i = 0; i < (int)(sizeof variants / sizeof variants[0]) * 4; i++) {
    tutti_optim_options options = of_variant(&variants[i / 4], (tutti_dialect)(i % 2));
    options.momentum_correction = i % 4 >= 2 && options.momentum > 0 && i % 2 == TUTTI_DIALECT_KERAS;
    options.learning_rate = 0;
    tutti_optim *optim = NULL;
    float w[N], g[N];
    CHECK_OK(tutti_optim_resolve(&options));
    CHECK_OK(tutti_optim_create(&options, arrays, plain, N_ARRAYS, &TUTTI_SLICE(0, N), &optim));
    for (int k = 0; k < N; k++) w[k] = (float)(k - N / 2) / N;
    for (int t = 1; t <= 5; t++) {
      for (int k = 0; k < N; k++) g[k] = gradient(t, k);
      step(optim, t, options.learning_rate, N, w, g);
    }
    for (int k = 0; k < N; k++) CHECK_NEAR(w[k], (float)(k - N / 2) / N, 0);
    tutti_optim_destroy(&optim);
  }
}

/** Against v = mu (lr_new / lr_old) v + lr_new g. */
static void a_corrected_velocity_follows_the_learning_rate(void **state) {
  (void)state;
  static const variant corrected[] = {
      {"sgd corrected", TUTTI_SGD, 0.1, 0.9, NAN, false, false, false},
      {"sgd nesterov corrected", TUTTI_SGD, 0.1, 0.9, 0.05, true, false, false},
      {"rmsprop corrected", TUTTI_RMSPROP, 0.01, 0.9, NAN, false, false, false},
      {"rmsprop centered corrected", TUTTI_RMSPROP, 0.01, 0.9, NAN, false, true, false},
      {"lars corrected", TUTTI_LARS, 2, 0.9, 0.3, false, false, false},
  };
  for (size_t i = 0; i < sizeof corrected / sizeof corrected[0]; i++) {
    tutti_optim_options options = of_variant(&corrected[i], TUTTI_DIALECT_KERAS);
    options.momentum_correction = true;
    compare(&options, corrected[i].what);
    options.lars_form = TUTTI_LARS_PAPER;
    if (options.rule == TUTTI_LARS) compare(&options, "lars paper corrected");
  }
}

static void rules_follow_pytorch(void **state) {
  (void)state;
  compare_all(TUTTI_DIALECT_TORCH, NAN);
  compare_all(TUTTI_DIALECT_TORCH, 0.02);
}

static void slots_have_the_names_of_keras(void **state) {
  (void)state;
  static const struct {
    tutti_optim_rule rule;
    double momentum;
    bool centered, amsgrad;
    int n;
    const char *names[3];
  } expected[] = {
      {TUTTI_SGD, NAN, false, false, 0, {0}},
      {TUTTI_SGD, 0.9, false, false, 1, {"momentum"}},
      {TUTTI_ADAGRAD, NAN, false, false, 1, {"accumulator"}},
      {TUTTI_ADADELTA, NAN, false, false, 2, {"accumulated_grad", "accumulated_delta_var"}},
      {TUTTI_RMSPROP, NAN, false, false, 1, {"velocity"}},
      {TUTTI_RMSPROP, NAN, true, false, 2, {"velocity", "average_gradient"}},
      {TUTTI_RMSPROP, 0.9, true, false, 3, {"velocity", "momentum", "average_gradient"}},
      {TUTTI_ADAM, NAN, false, false, 2, {"momentum", "velocity"}},
      {TUTTI_ADAMW, NAN, false, true, 3, {"momentum", "velocity", "velocity_hat"}},
      {TUTTI_ADAMAX, NAN, false, false, 2, {"m", "u"}},
      {TUTTI_NADAM, NAN, false, false, 2, {"momentum", "velocity"}},
      {TUTTI_LARS, NAN, false, false, 1, {"momentum"}},
      {TUTTI_LAMB, NAN, false, false, 2, {"momentum", "velocity"}},
  };
  const int64_t offsets[] = {0, N};
  for (size_t k = 0; k < sizeof expected / sizeof expected[0]; k++) {
    tutti_optim_options options = tutti_optim_options_default();
    options.rule = expected[k].rule;
    options.momentum = expected[k].momentum;
    options.centered = expected[k].centered;
    options.amsgrad = expected[k].amsgrad;
    tutti_optim *optim = NULL;
    CHECK_OK(tutti_optim_resolve(&options));
    CHECK_OK(tutti_optim_create(&options, offsets, NULL, 1, &TUTTI_SLICE(0, N), &optim));
    assert_int_equal(tutti_optim_n_slots(optim), expected[k].n);
    for (int i = 0; i < expected[k].n; i++) {
      assert_string_equal(tutti_optim_slot_name(optim, i), expected[k].names[i]);
      const float initial = options.rule == TUTTI_ADAGRAD ? 0.1f : 0;
      for (int j = 0; j < N; j++) CHECK_NEAR(tutti_optim_slot(optim, i)[j], initial, 0);
    }
    tutti_optim_destroy(&optim);
    assert_null(optim);
  }
}

/** Of each rule, in double: the first weights, then a part of the new ones. */
static void an_average_follows_the_weights(void **state) {
  (void)state;
  for (int rule = 0; rule < TUTTI_N_OPTIMS; rule++) {
    tutti_optim_options options = tutti_optim_options_default();
    options.rule = (tutti_optim_rule)rule;
    options.ema_momentum = 0.8;
    tutti_optim *optim = NULL;
    float w[N], w_start[N], g[N];
    double average[N] = {0};
    CHECK_OK(tutti_optim_resolve(&options));
    CHECK_OK(tutti_optim_create(&options, arrays, plain, N_ARRAYS, &TUTTI_SLICE(0, N), &optim));
    const int last = tutti_optim_n_slots(optim) - 1;
    assert_string_equal(tutti_optim_slot_name(optim, last), "average");
    assert_true(tutti_optim_slot(optim, last) == tutti_optim_average(optim));
    for (int i = 0; i < N; i++) w[i] = w_start[i] = (float)(i - N / 2) / N;
    for (int t = 1; t <= STEPS; t++) {
      for (int i = 0; i < N; i++) g[i] = gradient(t, i);
      step(optim, t, 0.1, N, w, g);
      for (int i = 0; i < N; i++) {
        average[i] = t == 1 ? w[i] : 0.8 * average[i] + 0.2 * w[i];
        CHECK_NEAR(tutti_optim_average(optim)[i], average[i],
                   t == 1 ? 0 : 16 * FLT_EPSILON * fmax(1, fabs(average[i])));
      }
    }
    double moved = 0;
    for (int i = 0; i < N; i++) moved = fmax(moved, fabs(w[i] - w_start[i]));
    assert_true(moved > 1e-4);
    tutti_optim_destroy(&optim);
  }
}

/** What a resumed run does: state arrays are copied, and the number of the update is all the rest it
 * knows. */
static void a_copy_of_the_slots_goes_on_as_the_original(void **state) {
  (void)state;
  const int64_t offsets[] = {0, N};
  for (int rule = 0; rule < TUTTI_N_OPTIMS; rule++) {
    tutti_optim_options options = tutti_optim_options_default();
    options.rule = (tutti_optim_rule)rule;
    options.ema_momentum = 0.9;
    tutti_optim *first = NULL, *second = NULL;
    float w[N] = {0}, w_second[N], g[N];
    CHECK_OK(tutti_optim_resolve(&options));
    CHECK_OK(tutti_optim_create(&options, offsets, NULL, 1, &TUTTI_SLICE(0, N), &first));
    CHECK_OK(tutti_optim_create(&options, offsets, NULL, 1, &TUTTI_SLICE(0, N), &second));
    for (int t = 1; t <= 40; t++) {
      for (int i = 0; i < N; i++) g[i] = gradient(t, i);
      if (t == 21) {
        for (int i = 0; i < N; i++) w_second[i] = w[i];
        for (int k = 0; k < tutti_optim_n_slots(first); k++)
          for (int i = 0; i < N; i++) tutti_optim_slot(second, k)[i] = tutti_optim_slot(first, k)[i];
      }
      float same[N];
      for (int i = 0; i < N; i++) same[i] = g[i];
      step(first, t, 0.01, N, w, g);
      if (t > 20) step(second, t, 0.01, N, w_second, same);
    }
    assert_memory_equal(w, w_second, sizeof w);
    tutti_optim_destroy(&first);
    tutti_optim_destroy(&second);
  }
}

static void a_gradient_that_is_no_number_shows_in_the_weights(void **state) {
  (void)state;
  const int64_t offsets[] = {0, 1};
  for (int rule = 0; rule < TUTTI_N_OPTIMS; rule++) {
    for (int centered = 0; centered <= takes(rule, TUTTI_TAKES_CENTERED); centered++) {
      tutti_optim_options options = tutti_optim_options_default();
      options.rule = (tutti_optim_rule)rule;
      options.centered = centered;
      tutti_optim *optim = NULL;
      float w = 1, g = NAN;
      CHECK_OK(tutti_optim_resolve(&options));
      CHECK_OK(tutti_optim_create(&options, offsets, NULL, 1, &TUTTI_SLICE(0, 1), &optim));
      step(optim, 1, 0.01, 1, &w, &g);
      assert_true(isnan(w));
      tutti_optim_destroy(&optim);
    }
  }
}

/** The variance of a gradient that no longer changes goes to 0; where it comes from above, it rounds to
 * less. */
static void a_constant_gradient_has_a_root_of_its_variance(void **state) {
  (void)state;
  const int64_t offsets[] = {0, N};
  for (int dialect = 0; dialect < TUTTI_N_DIALECTS; dialect++) {
    tutti_optim_options options = tutti_optim_options_default();
    options.dialect = (tutti_dialect)dialect;
    options.rho = 0.9;
    options.centered = true;
    tutti_optim *optim = NULL;
    float w[N] = {0}, g[N];
    CHECK_OK(tutti_optim_resolve(&options));
    CHECK_OK(tutti_optim_create(&options, offsets, NULL, 1, &TUTTI_SLICE(0, N), &optim));
    for (int t = 1; t <= 500; t++) {
      for (int i = 0; i < N; i++) g[i] = (t < 50 ? 2.0f : 1.0f) * (1 + 0.37f * (float)i);
      step(optim, t, 1e-9, N, w, g);
    }
    for (int i = 0; i < N; i++) assert_true(isfinite(w[i]) && w[i] < 0);
    tutti_optim_destroy(&optim);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_rule_has_a_whole_table),
      cmocka_unit_test(each_rule_follows_its_twin),
      cmocka_unit_test(rules_follow_keras),
      cmocka_unit_test(rules_follow_pytorch),
      cmocka_unit_test(vectors_may_be_left_out_of_the_decay),
      cmocka_unit_test(a_vector_that_is_left_out_stays),
      cmocka_unit_test(means_may_keep_nothing),
      cmocka_unit_test(a_mean_without_memory_is_the_gradient),
      cmocka_unit_test(a_rate_of_0_moves_nothing),
      cmocka_unit_test(a_corrected_velocity_follows_the_learning_rate),
      cmocka_unit_test(slots_have_the_names_of_keras),
      cmocka_unit_test(an_average_follows_the_weights),
      cmocka_unit_test(a_copy_of_the_slots_goes_on_as_the_original),
      cmocka_unit_test(a_constant_gradient_has_a_root_of_its_variance),
      cmocka_unit_test(a_gradient_that_is_no_number_shows_in_the_weights),
  };
  return cmocka_run_group_tests_name("optim.rules", tests, NULL, check_no_leak);
}
