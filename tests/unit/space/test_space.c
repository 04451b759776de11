#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/space.h"

static const char *value_of(const tutti_trial *trial, const char *key) {
  for (int i = 0; i < trial->n_overrides; i++)
    if (strcmp(trial->overrides[i].key, key) == 0) return trial->overrides[i].value;
  return NULL;
}

static void a_grid_goes_by_batch_size_setting_and_seed(void **state) {
  (void)state;
  tutti_space *space;
  CHECK_OK(make_space(STUDY
                      "  vary:\n    optimizer.learning_rate: [0.1, 0.5, 0.2]\n    train.batch_size: [32, 8]\n"
                      "    optimizer.nesterov: [no, yes]\n  seeds: 2\ntrain: {seed: 7}\n",
                      &space));
  assert_int_equal(tutti_space_n_trials(space), 2 * 3 * 2 * 2);
  assert_int_equal(tutti_space_n_varied(space), 2);
  assert_string_equal(tutti_space_varied(space, 0), "optimizer.learning_rate");
  assert_string_equal(tutti_space_varied(space, 1), "optimizer.nesterov");
  static const double rates[] = {0.1, 0.5, 0.2};
  for (int64_t i = 0; i < 24; i++) {
    const tutti_trial *trial = tutti_space_trial(space, i);
    assert_int_equal(trial->trial, i);
    assert_int_equal(trial->batch_size, i < 12 ? 32 : 8);
    assert_int_equal(trial->setting, i % 12 / 2);
    assert_int_equal(trial->seed_index, i % 2);
    assert_int_equal(trial->seed, 7 + i % 2);
    assert_true(trial->values[0] == rates[i % 12 / 4]);
    assert_true(trial->values[1] == (double)(i / 2 % 2));
    assert_string_equal(value_of(trial, "train.batch_size"), i < 12 ? "32" : "8");
    assert_string_equal(value_of(trial, "optimizer.nesterov"), i / 2 % 2 ? "yes" : "no");
    assert_string_equal(value_of(trial, "train.seed"), i % 2 ? "8" : "7");
    assert_string_equal(value_of(trial, "train.steps"), "50");
  }
  tutti_space_destroy(&space);
  assert_null(space);
}

#define SOBOL STUDY "  search: sobol\n"
#define VARY  "  vary:\n    train.batch_size: [32, 8]\n"
#define RATE  "    optimizer.learning_rate: {from: 0.001, to: 1}\n"

static void the_values_of_a_range_lie_evenly_on_its_scale(void **state) {
  (void)state;
  static const struct {
    const char *axis;
    double values[4];
  } cases[] = {
      {"optimizer.learning_rate: {from: 0.001, to: 1, points: 4}", {0.001, 0.01, 0.1, 1}},
      {"optimizer.learning_rate: {from: 1, to: 4, points: 4, scale: linear}", {1, 2, 3, 4}},
      {"optimizer.momentum: {from: 0.9, to: 0.9999, points: 4, scale: reverse_log}",
       {0.9, 0.99, 0.999, 0.9999}},
      {"schedule.base_batch_size: {from: 1, to: 20, points: 4}", {1, 3, 7, 20}},
  };
  for (int c = 0; c < 4; c++) {
    char text[1024];
    tutti_space *space;
    snprintf(text, sizeof text, STUDY "  vary: {%s}\nschedule: {scaling: linear, base_batch_size: 2}\n",
             cases[c].axis);
    CHECK_OK(make_space(text, &space));
    assert_int_equal(tutti_space_n_trials(space), 4);
    for (int64_t i = 0; i < 4; i++) {
      const tutti_trial *trial = tutti_space_trial(space, i);
      const char *written = value_of(trial, tutti_space_varied(space, 0));
      assert_int_equal(trial->batch_size, 32); // the config's
      if (trial->values[0] != cases[c].values[i] || strtod(written, NULL) != trial->values[0])
        fail_msg("%s: value %d is %.17g (%s)", cases[c].axis, (int)i, trial->values[0], written);
    }
    tutti_space_destroy(&space);
  }
}

static void whole_numbers_that_round_to_one_are_one(void **state) {
  (void)state;
  tutti_space *space;
  CHECK_OK(make_space(STUDY "  vary: {train.batch_size: {from: 1, to: 8, points: 8}}\n", &space));
  static const int64_t sizes[] = {1, 2, 3, 4, 6, 8}; // 8^(i/7): 1, 1.3, 1.8, 2.4, 3.3, 4.4, 5.9, 8
  assert_int_equal(tutti_space_n_trials(space), 6);
  for (int64_t i = 0; i < 6; i++) assert_int_equal(tutti_space_trial(space, i)->batch_size, sizes[i]);
  assert_int_equal(tutti_space_n_varied(space), 0);
  tutti_space_destroy(&space);
}

static void choices_have_their_numbers(void **state) {
  (void)state;
  tutti_space *space;
  int n;
  CHECK_OK(make_space(STUDY
                      "  vary:\n    optimizer.name: [sgd, adam]\n    optimizer.epsilon: [1e-3, 1e-7, 1e-5]\n"
                      "    optimizer.learning_rate: [auto, 0.1]\n",
                      &space));
  const char *const *names = tutti_space_choices(space, 0, &n);
  assert_int_equal(n, 2);
  assert_string_equal(names[1], "adam");
  assert_null(tutti_space_choices(space, 1, &n));
  assert_string_equal(tutti_space_choices(space, 2, &n)[0], "auto");
  assert_true(tutti_space_trial(space, 11)->values[0] == 1 &&
              tutti_space_trial(space, 11)->values[1] == 1e-5);
  tutti_space_destroy(&space);
}

/** Settings of a space with one continuous axis. */
static void read_rates(const char *text, int64_t n, double *rates) {
  tutti_space *space;
  CHECK_OK(make_space(text, &space));
  assert_int_equal(tutti_space_n_trials(space), 2 * n);
  for (int64_t i = 0; i < n; i++) {
    rates[i] = tutti_space_trial(space, i)->values[0];
    assert_true(tutti_space_trial(space, i + n)->values[0] == rates[i]); // the same for each batch size
    assert_true(rates[i] >= 0.001 && rates[i] <= 1);
  }
  tutti_space_destroy(&space);
}

static void sobol_settings_fill_the_range(void **state) {
  (void)state;
  double rates[64];
  read_rates(SOBOL VARY RATE "  trials: 64\n", 64, rates);
  for (int n = 1; n <= 64; n *= 2) {
    int counts[64] = {0};
    for (int i = 0; i < n; i++) counts[(int)(log10(rates[i] / 0.001) / 3 * n)]++;
    for (int i = 0; i < n; i++)
      if (counts[i] != 1) fail_msg("part %d of %d has %d settings", i, n, counts[i]);
  }
}

static void settings_stay_as_they_are(void **state) {
  (void)state;
  double rates[8], more[16], other[8];
  // a study that goes on, perhaps elsewhere, depends on these numbers
  static const double sobol[] = {0.01152637805, 0.364496078, 0.06481758705, 0.002049712075},
                      random[] = {0.2091229394, 0.2171950864, 0.04828135255, 0.02705638846};
  read_rates(SOBOL VARY RATE "  trials: 8\n", 8, rates);
  for (int i = 0; i < 4; i++)
    if (rates[i] != sobol[i]) fail_msg("sobol %d: %.17g", i, rates[i]);
  read_rates(SOBOL VARY RATE "  trials: 16\n", 16, more);
  assert_memory_equal(rates, more, sizeof rates);
  read_rates(SOBOL VARY RATE "  trials: 8\ntrain: {seed: 1}\n", 8, other);
  assert_true(other[0] != rates[0]);
  read_rates(STUDY "  search: random\n" VARY RATE "  trials: 8\n", 8, rates);
  for (int i = 0; i < 4; i++)
    if (rates[i] != random[i]) fail_msg("random %d: %.17g", i, rates[i]);
  read_rates(STUDY "  search: random\n" VARY RATE "  trials: 16\n", 16, more);
  assert_memory_equal(rates, more, sizeof rates);
}

static void drawn_lists_give_each_setting_once(void **state) {
  (void)state;
  static const char *const searches[] = {"sobol", "random"};
  for (int s = 0; s < 2; s++) {
    char text[1024];
    tutti_space *space;
    int counts[3][4] = {0};
    snprintf(text, sizeof text,
             STUDY "  search: %s\n  trials: 12\n  vary:\n    optimizer.learning_rate: [1, 2, 3]\n"
                   "    optimizer.clipnorm: {from: 1, to: 4, points: 4, scale: linear}\n",
             searches[s]);
    CHECK_OK(make_space(text, &space));
    assert_int_equal(tutti_space_n_trials(space), 12);
    for (int64_t i = 0; i < 12; i++) {
      const double *values = tutti_space_trial(space, i)->values;
      counts[(int)values[0] - 1][(int)values[1] - 1]++;
    }
    for (int i = 0; i < 12; i++) assert_int_equal(counts[i / 4][i % 4], 1);
    tutti_space_destroy(&space);
  }
  CHECK_NO_SPACE(SOBOL "  trials: 4\n  vary: {optimizer.learning_rate: [1, 2, 3]}\n",
                 "study.trials is 4, but the varied keys have only 3 settings; set study.search to grid");
}

static void a_trial_has_the_config_of_its_overrides(void **state) {
  (void)state;
  const char *text =
      STUDY "  vary:\n    train.batch_size: [32, 8]\n    optimizer.name: [sgd, adam]\n"
            "    model.layers:\n      - dense 9 relu, dense 2 softmax\n      - [dense 3 softmax]\n"
            "  seeds: 2\n  evaluate_every: 7 steps\ntrain: {batch_size: 99, epochs: 4}\n";
  const tutti_override options[] = {
      {"train.epochs", "3"}, {"train.seed", "40"}, {"schedule.warmup", "5 steps"}};
  tutti_space *space;
  tutti_config config;
  CHECK_OK(tutti_config_parse(text, "study.yaml", options + 1, 2, &config));
  CHECK_OK(tutti_space_create(&config, &space));
  tutti_config_clear(&config);
  const tutti_trial *trial =
      tutti_space_trial(space, 1 * 8 + 2 * 2 + 1); // batch size 8, adam with two layers, seed 1
  CHECK_OK(tutti_space_trial_config(trial, text, "study.yaml", options, 3, &config));
  assert_true(config.train.batch_size == 8 && config.train.seed == 41 && trial->seed == 41);
  assert_true(config.train.budget.value == 50 && config.train.budget.unit == TUTTI_UNIT_STEPS);
  assert_true(config.train.stop_at.value == 0.9 && config.train.evaluate_every.value == 7);
  assert_true(config.optimizer.rule == TUTTI_ADAM && config.schedule.warmup.value == 5);
  assert_true(config.model.n_layers == 2 && config.model.layers[0].units == 9);
  tutti_config_clear(&config);
  tutti_space_destroy(&space);
}

static void a_varied_seed_is_the_trials(void **state) {
  (void)state;
  tutti_space *space;
  CHECK_OK(make_space(STUDY "  vary: {train.seed: [5, 3]}\n", &space));
  assert_int_equal(tutti_space_trial(space, 1)->seed, 3);
  assert_string_equal(tutti_space_varied(space, 0), "train.seed");
  tutti_space_destroy(&space);
}

static void a_trial_keeps_its_learning_rate(void **state) {
  (void)state;
  CHECK_NO_SPACE(STUDY "  vary: {train.batch_size: [1, 2]}\nrun: {on_divergence: rollback}\n",
                 "run.on_divergence: a trial of a study cannot go back");
}

static void what_is_missing_is_said(void **state) {
  (void)state;
  CHECK_NO_SPACE("data: {file: d}\nmodel: {layers: dense 2}\n",
                 "study.vary is missing: which keys does the study vary?");
  CHECK_NO_SPACE("data: {file: d}\nmodel: {layers: dense 2}\nstudy: {vary: {train.batch_size: [1]}}\n",
                 "study.goal is missing");
  CHECK_NO_SPACE(
      "data: {file: d}\nmodel: {layers: dense 2}\nstudy: {goal: loss < 1, vary: {train.batch_size: [1]}}\n",
      "study.budget is missing");
  CHECK_NO_SPACE(SOBOL VARY RATE, "study.trials is missing");
  CHECK_NO_SPACE(SOBOL VARY "  trials: 5\n", "only train.batch_size is varied; vary another key");
  CHECK_NO_SPACE(STUDY "  vary: {train.batch_size: {from: 1, to: 1000, points: 1000, scale: linear}, "
                       "optimizer.rho: {from: 0.1, to: 0.2, points: 1001}}\n",
                 "1000 batch sizes with 1001 settings and 1 seeds are more than 999999 trials");
  CHECK_NO_SPACE(STUDY "  vary: {optimizer.epsilon: {from: 1, to: 2, points: 1000}, "
                       "optimizer.rho: {from: 0.1, to: 0.2, points: 1001}}\n",
                 "the grid has more than 999999 settings");
  CHECK_NO_SPACE(STUDY VARY "  seeds: 2\ntrain: {seed: 9223372036854775807}\n",
                 "train.seed is 9223372036854775807, too large for 2 seeds");
}

static void an_option_that_a_study_would_pass_over_is_refused(void **state) {
  (void)state;
  tutti_config config;
  tutti_space *space;
  const tutti_override option = {"train.batch_size", "64"};
  CHECK_OK(tutti_config_parse(STUDY VARY, "study.yaml", &option, 1, &config));
  CHECK_FAILS(tutti_space_create(&config, &space), TUTTI_ERR_CONFIG,
              "--train.batch_size has no effect on a study: each trial has its value from study.vary");
  tutti_config_clear(&config);
}

static void the_noisy_quadratic_needs_no_goal(void **state) {
  (void)state;
  tutti_space *space;
  CHECK_OK(make_space("optimizer: {name: sgd}\nstudy: {problem: noisy_quadratic, budget: 9 steps, vary: "
                      "{train.batch_size: [1, 2], optimizer.learning_rate: [0.1, 0.2]}}\n",
                      &space));
  assert_int_equal(tutti_space_n_trials(space), 4);
  tutti_space_destroy(&space);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_grid_goes_by_batch_size_setting_and_seed),
      cmocka_unit_test(the_values_of_a_range_lie_evenly_on_its_scale),
      cmocka_unit_test(whole_numbers_that_round_to_one_are_one),
      cmocka_unit_test(choices_have_their_numbers),
      cmocka_unit_test(sobol_settings_fill_the_range),
      cmocka_unit_test(settings_stay_as_they_are),
      cmocka_unit_test(drawn_lists_give_each_setting_once),
      cmocka_unit_test(a_trial_has_the_config_of_its_overrides),
      cmocka_unit_test(a_varied_seed_is_the_trials),
      cmocka_unit_test(a_trial_keeps_its_learning_rate),
      cmocka_unit_test(what_is_missing_is_said),
      cmocka_unit_test(an_option_that_a_study_would_pass_over_is_refused),
      cmocka_unit_test(the_noisy_quadratic_needs_no_goal),
  };
  return cmocka_run_group_tests_name("space.space", tests, NULL, check_no_leak);
}
