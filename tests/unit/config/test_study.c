#include <stdio.h>
#include <string.h>

#include "parse.h"

#define STUDY "study:\n  goal: loss < 0.1\n  budget: 20 epochs\n"

static void each_key_is_read_into_its_field(void **state) {
  (void)state;
  tutti_config c;
  CHECK_OK(PARSE("study: {search: sobol, trials: 30, seeds: 3, goal: accuracy >= 0.97, budget: 20000 steps,\n"
                 "  evaluate_every: 100 steps, ranks_per_trial: 2, output: out.h5}\n",
                 &c));
  const tutti_study_options *study = &c.study;
  assert_true(study->search == TUTTI_SEARCH_SOBOL && study->trials == 30 && study->seeds == 3);
  assert_string_equal(study->goal.metric, "accuracy");
  assert_true(study->budget.value == 20000 && study->budget.unit == TUTTI_UNIT_STEPS);
  assert_true(study->evaluate_every.value == 100 && study->ranks_per_trial == 2);
  assert_string_equal(study->output, "out.h5");
  assert_true(study->n_axes == 0 && !study->axes && study->problem == TUTTI_PROBLEM_TRAINING);
  tutti_config_clear(&c);
  CHECK_OK(tutti_config_parse("study: {problem: noisy_quadratic, dimensions: 10, target: 1e-3}\n"
                              "optimizer: {name: sgd}\n",
                              "q.yaml", NULL, 0, &c));
  assert_true(c.study.problem == TUTTI_PROBLEM_NOISY_QUADRATIC && c.study.dimensions == 10);
  assert_true(c.study.target == 1e-3 && !c.data.file && c.model.n_layers == 0);
  tutti_config_clear(&c);
}

static void a_list_keeps_its_values_as_text(void **state) {
  (void)state;
  tutti_config c;
  CHECK_OK(PARSE(STUDY "  vary:\n"
                       "    train.batch_size: [32, 1e3, 8]\n"
                       "    optimizer.name: [sgd, adam]\n"
                       "    optimizer.learning_rate: [auto, 0.10]\n"
                       "    model.layers:\n"
                       "      - dense 3 relu, dense 2 softmax\n"
                       "      - [dense 4 relu, dense 2 softmax]\n"
                       "    schedule.warmup: [0, 2.0 epochs]\n",
                 &c));
  static const struct {
    const char *key, *first, *second;
    tutti_axis_kind kind;
  } expected[] = {
      {"train.batch_size", "32", "1000", TUTTI_AXIS_WHOLE},
      {"optimizer.name", "sgd", "adam", TUTTI_AXIS_CHOICE},
      {"optimizer.learning_rate", "auto", "0.1", TUTTI_AXIS_CHOICE},
      {"model.layers", "dense 3 relu, dense 2 softmax", "dense 4 relu, dense 2 softmax", TUTTI_AXIS_CHOICE},
      {"schedule.warmup", "0", "2 epochs", TUTTI_AXIS_CHOICE},
  };
  assert_int_equal(c.study.n_axes, 5);
  for (int i = 0; i < 5; i++) {
    const tutti_axis *axis = &c.study.axes[i];
    assert_string_equal(axis->key, expected[i].key);
    assert_string_equal(axis->values[0], expected[i].first);
    assert_string_equal(axis->values[1], expected[i].second);
    assert_int_equal(axis->kind, expected[i].kind);
    assert_int_equal(axis->n_values, i == 0 ? 3 : 2);
  }
  tutti_config_clear(&c);
}

static void a_value_with_commas_is_one_text(void **state) {
  (void)state;
  tutti_config c;
  CHECK_OK(PARSE("study: {vary: {schedule.decay_milestones: [none, 3 epochs, '5, 70 epochs']}}\n", &c));
  assert_int_equal(c.study.axes[0].n_values, 3);
  assert_string_equal(c.study.axes[0].values[2], "5, 70 epochs");
  tutti_config_clear(&c);
}

static void a_range_keeps_its_ends(void **state) {
  (void)state;
  tutti_config c;
  CHECK_OK(PARSE("study:\n  search: sobol\n  vary:\n"
                 "    optimizer.learning_rate: {from: 0.003, to: 3, points: 10}\n"
                 "    train.batch_size: {from: 1, to: 1024, points: 11, scale: linear}\n"
                 "    optimizer.rho: {to: 0.999, from: 0.5, scale: reverse_log}\n",
                 &c));
  const tutti_axis *axes = c.study.axes;
  assert_true(axes[0].from == 0.003 && axes[0].to == 3 && axes[0].points == 10 && axes[0].n_values == 0);
  assert_true(axes[0].scale == TUTTI_AXIS_LOG && axes[0].kind == TUTTI_AXIS_REAL);
  assert_true(axes[1].scale == TUTTI_AXIS_LINEAR && axes[1].kind == TUTTI_AXIS_WHOLE && axes[1].to == 1024);
  assert_true(axes[2].scale == TUTTI_AXIS_REVERSE_LOG && axes[2].points == 0 && axes[2].from == 0.5);
  tutti_config_clear(&c);
}

static void an_option_sets_an_axis_or_all(void **state) {
  (void)state;
  tutti_config c;
  const char *text = NEEDED STUDY "  vary: {train.batch_size: [32, 64], optimizer.rho: [0.5]}\n";
  CHECK_OK(PARSE_WITH(text, &c, {"study.vary.train.batch_size", "[128]"},
                      {"study.vary.optimizer.learning_rate", "{from: 0.1, to: 1, points: 2}"}));
  assert_int_equal(c.study.n_axes, 3);
  assert_string_equal(c.study.axes[0].key, "train.batch_size");
  assert_string_equal(c.study.axes[0].values[0], "128");
  assert_int_equal(c.study.axes[0].n_values, 1);
  assert_string_equal(c.study.axes[1].key, "optimizer.rho");
  assert_string_equal(c.study.axes[2].key, "optimizer.learning_rate");
  tutti_config_clear(&c);
  CHECK_OK(PARSE_WITH(text, &c, {"study.vary", "{optimizer.epsilon: [1e-7]}"}));
  assert_int_equal(c.study.n_axes, 1);
  assert_string_equal(c.study.axes[0].key, "optimizer.epsilon");
  tutti_config_clear(&c);
}

static void a_wrong_axis_is_named_with_its_place(void **state) {
  (void)state;
  tutti_config c;
#define VARY "study:\n  vary:\n    "
  CHECK_REFUSED(
      VARY "train.batchsize: [1]\n",
      "run.yaml:5:5: study.vary.train.batchsize: unknown key 'batchsize' (did you mean train.batch_size?)");
  CHECK_REFUSED(VARY "batch_size: [1]\n", "did you mean train.batch_size?");
  CHECK_REFUSED(VARY "tain.seed: [1]\n", "unknown section 'tain' (did you mean train?)");
  CHECK_REFUSED(VARY "train.epochs: [1]\n",
                "run.yaml:5:5: study.vary.train.epochs: train.epochs is the same for all");
  CHECK_REFUSED(VARY "data.limit_train: [1]\n", "is the same for all trials");
  CHECK_REFUSED(VARY "study.seeds: [1]\n", "is the same for all trials");
  CHECK_REFUSED(
      VARY "train.batch_size: [32, 0]\n",
      "run.yaml:5:28: study.vary.train.batch_size: '0' is out of range; expected a whole number from 1");
  CHECK_REFUSED(VARY "optimizer.name: [sgd, adan]\n",
                "run.yaml:5:27: study.vary.optimizer.name: 'adan' is not known "
                "(did you mean adam?)");
  CHECK_REFUSED(VARY "train.batch_size: [32, 16, 3.2e1]\n",
                "run.yaml:5:32: study.vary.train.batch_size: 32 appears twice");
  CHECK_REFUSED(VARY "train.batch_size: []\n", "the list is empty");
  CHECK_REFUSED(VARY "train.batch_size: [[1]]\n", "an item of the list is not a single value");
  CHECK_REFUSED(VARY "train.batch_size: 32\n",
                "run.yaml:5:23: study.vary.train.batch_size: expected a list of values");
  CHECK_REFUSED(VARY "model.layers: [[dense 3, [x]]]\n",
                "run.yaml:5:30: study.vary.model.layers: layer 2 is not a line");
  CHECK_REFUSED(VARY "train.seed: [1]\n    train.seed: [2]\n",
                "run.yaml:6:5: study.vary: 'train.seed' appears twice");
  CHECK_REFUSED("study: {vary: [train.seed]}\n",
                "run.yaml:3:15: study.vary: the value is a list; expected a mapping");
  CHECK_FAILS(PARSE_WITH(NEEDED, &c, {"study.vary.train.batch_size", "[32, no]"}), TUTTI_ERR_CONFIG,
              "--study.vary.train.batch_size: 'no' is not a whole number");
  CHECK_FAILS(PARSE_WITH(NEEDED, &c, {"study.vary", "{train.batch_size: [no]}"}), TUTTI_ERR_CONFIG,
              "--study.vary.train.batch_size: 'no' is not a whole number");
  CHECK_FAILS(PARSE_WITH(NEEDED, &c, {"study.vary.train.batch_size", "[32"}), TUTTI_ERR_CONFIG,
              "a value is YAML: special characters need quotes");
}

static void a_wrong_range_is_named_with_its_place(void **state) {
  (void)state;
#define RANGE(words) "study: {search: sobol, vary: {optimizer.learning_rate: {" words "}}}\n"
  CHECK_REFUSED(RANGE("from: 1"), "the range lacks 'to'; write {from: A, to: B, points: N}");
  CHECK_REFUSED(RANGE("from: 1, t: 2"), "a range has no 't' (did you mean to?)");
  CHECK_REFUSED(RANGE("from: 1, from: 1"), "from is given twice");
  CHECK_REFUSED(RANGE("from: [1], to: 2"), "from is not a single value");
  CHECK_REFUSED(RANGE("from: 1, to: 0.5"), "the range ends at 0.5, which is not above its start, 1");
  CHECK_REFUSED(RANGE("from: auto, to: 2"), "'auto' is not a number");
  CHECK_REFUSED(RANGE("from: -1, to: 2"),
                "run.yaml:3:63: study.vary.optimizer.learning_rate: '-1' is out of range");
  CHECK_REFUSED(RANGE("from: 1, to: 2, points: 1"), "'1' points; expected a whole number from 2 to 10000");
  CHECK_REFUSED(RANGE("from: 1, to: 2, scale: lin"),
                "study.vary.optimizer.learning_rate: 'lin' is not a scale");
  CHECK_REFUSED(RANGE("from: 0.5, to: 1, scale: reverse_log"), "ends below 1, not at 1");
  CHECK_REFUSED("study: {vary: {schedule.decay_end: {from: 0, to: 1, points: 3}}}\n",
                "a range in log scale starts above 0, not at 0; start higher, or add 'scale: linear'");
  CHECK_REFUSED("study: {vary: {optimizer.name: {from: 0, to: 1}}}\n",
                "a range consists of numbers, but optimizer.name is not a number");
  CHECK_REFUSED("study: {vary: {schedule.warmup: {from: 1 step, to: 9 steps}}}\n",
                "a range consists of numbers");
}

static void keys_of_a_study_go_together(void **state) {
  (void)state;
  tutti_config c;
  CHECK_REFUSED("study: {trials: 5}\n",
                "run.yaml:3:17: study.trials: it has an effect only with study.search sobol");
  CHECK_REFUSED("study: {target: 5}\n", "it has an effect only with study.problem noisy_quadratic");
  CHECK_REFUSED("study: {goal: val_loss < 1}\n", "run.yaml:3:15: study.goal: val_loss needs validation rows");
  CHECK_REFUSED("study: {budget: 0.5 epochs}\n", "study.budget: 0.5 epochs; expected whole epochs");
  CHECK_REFUSED("study: {budget: 5e9 epochs}\n", "expected whole epochs up to 4294967295");
  CHECK_REFUSED("study: {evaluate_every: 0}\n", "is out of range");
  CHECK_REFUSED("study: {seeds: 2, vary: {train.seed: [1]}}\n",
                "run.yaml:3:26: study.vary.train.seed: study.seeds is 2, which varies the seed as well");
  CHECK_REFUSED("study: {vary: {optimizer.rho: {from: 0.1, to: 0.2}}}\n",
                "run.yaml:3:16: study.vary.optimizer.rho: a grid needs points of the range");
  CHECK_REFUSED("study: {search: random, vary: {train.batch_size: {from: 1, to: 2}}}\n",
                "each batch size is tried with all settings, so the range needs points");
  CHECK_REFUSED("study: {problem: noisy_quadratic}\n", "the noisy quadratic is trained by sgd");
  CHECK_REFUSED("optimizer: {name: sgd}\nstudy: {problem: noisy_quadratic, goal: loss < 1}\n",
                "the goal of the noisy quadratic is study.target");
  CHECK_REFUSED(
      "optimizer: {name: sgd}\nstudy: {problem: noisy_quadratic, vary: {model.layers: [dense 3]}}\n",
      "study.vary.model.layers: the noisy quadratic knows only train.batch_size, ");
  // a training of the same file: what is the trials' own is the training's there
  CHECK_OK(PARSE_WITH(NEEDED "train: {batch_size: 7, steps: 3, stop_at: loss < 2}\n" STUDY
                             "  vary: {train.batch_size: [32, 64]}\n",
                      &c, {"train.seed", "3"}));
  assert_true(c.train.batch_size == 7 && c.train.budget.value == 3 && !c.study.overridden[0]);
  tutti_config_clear(&c);
  static const char *const own[] = {"train.batch_size", "train.epochs", "train.samples"};
  for (int i = 0; i < 3; i++) {
    CHECK_OK(PARSE_WITH(NEEDED STUDY "  vary: {train.batch_size: [32, 64]}\n", &c, {own[i], "5"}));
    assert_string_equal(c.study.overridden, own[i]);
    tutti_config_clear(&c);
  }
}

static void a_study_is_no_difference(void **state) {
  (void)state;
  char a[128], b[128];
  tutti_config x, y;
  CHECK_OK(PARSE(STUDY "  vary: {train.batch_size: [32, 64]}\n", &x));
  CHECK_OK(PARSE("study: {search: random, seeds: 4, vary: {optimizer.rho: [0.5]}}\n", &y));
  assert_null(first_difference(&x, &y, a, b));
  tutti_config_clear(&x);
  tutti_config_clear(&y);
}

static void a_study_is_dumped_and_read_back(void **state) {
  (void)state;
  static const char *const texts[] = {
      STUDY "  vary:\n    train.batch_size: [32, 128]\n    optimizer.learning_rate: {from: 0.003, to: 3, "
            "points: 10}\n"
            "    model.layers:\n      - dense 3 relu, dense 2 softmax\n      - dense 2 softmax\n  seeds: 3\n",
      ("study: {search: random, trials: 3, vary: {optimizer.rho: {from: 0.5, to: 0.99, scale: "
       "reverse_log}}}\n"),
      "optimizer: {name: sgd}\nstudy: {problem: noisy_quadratic, target: 0.5, budget: 10 steps}\n",
  };
  static const char *const parts[] = {
      "\n  vary:\n    train.batch_size: [32, 128]\n    optimizer.learning_rate: {from: 0.003, to: 3, points: "
      "10}\n"
      "    model.layers:\n      - dense 3 relu, dense 2 softmax\n      - dense 2 softmax\n  search: grid\n",
      "    optimizer.rho: {from: 0.5, to: 0.99, scale: reverse_log}\n  search: random\n  trials: 3\n",
      "  problem: noisy_quadratic\n  dimensions: 100\n  target: 0.5\n",
  };
  for (int i = 0; i < 3; i++) {
    tutti_config c, back;
    char whole[2048], *text = NULL, *again = NULL;
    snprintf(whole, sizeof whole, NEEDED "%s", texts[i]);
    CHECK_OK(tutti_config_parse(whole, "f", NULL, 0, &c));
    CHECK_OK(tutti_config_dump(&c, &text));
    if (!strstr(text, parts[i])) fail_msg("'%s' is not in\n%s", parts[i], text);
    CHECK_OK(tutti_config_parse(text, "f", NULL, 0, &back));
    CHECK_OK(tutti_config_dump(&back, &again));
    assert_string_equal(text, again);
    tutti_free(text);
    tutti_free(again);
    tutti_config_clear(&c);
    tutti_config_clear(&back);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_key_is_read_into_its_field),
      cmocka_unit_test(a_list_keeps_its_values_as_text),
      cmocka_unit_test(a_value_with_commas_is_one_text),
      cmocka_unit_test(a_range_keeps_its_ends),
      cmocka_unit_test(an_option_sets_an_axis_or_all),
      cmocka_unit_test(a_wrong_axis_is_named_with_its_place),
      cmocka_unit_test(a_wrong_range_is_named_with_its_place),
      cmocka_unit_test(keys_of_a_study_go_together),
      cmocka_unit_test(a_study_is_no_difference),
      cmocka_unit_test(a_study_is_dumped_and_read_back),
  };
  return cmocka_run_group_tests_name("config.study", tests, NULL, check_no_leak);
}
