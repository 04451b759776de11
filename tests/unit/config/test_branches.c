#include <stdio.h>
#include <string.h>

#include "parse.h"

#define BRANCHES                                                                                             \
  "study:\n  search: sobol\n  vary:\n"                                                                       \
  "    train.batch_size: [32, 128]\n"                                                                        \
  "    optimizer.name:\n"                                                                                    \
  "      sgd:\n"                                                                                             \
  "        optimizer.learning_rate: {from: 0.01, to: 2}\n"                                                   \
  "        optimizer.momentum: {from: 0.5, to: 0.99, scale: reverse_log}\n"                                  \
  "      adam:\n"                                                                                            \
  "        optimizer.learning_rate: {from: 0.0001, to: 0.03}\n"                                              \
  "      rmsprop: {}\n"                                                                                      \
  "    schedule.warmup: [0, 2 epochs]\n"

static void check_axis(const tutti_study_options *study, int64_t i, const char *key, int branch,
                       double from) {
  assert_true(i < study->n_axes);
  assert_string_equal(study->axes[i].key, key);
  assert_int_equal(study->axes[i].branch, branch);
  CHECK_NEAR(study->axes[i].from, from, 0);
}

static void each_branch_has_its_own_axes(void **state) {
  (void)state;
  tutti_config c;
  CHECK_OK(PARSE(BRANCHES, &c));
  const tutti_study_options *study = &c.study;
  const tutti_axis *branches = tutti_config_study_branches(study);
  assert_int_equal(study->n_axes, 6);
  check_axis(study, 0, "train.batch_size", TUTTI_EVERY_BRANCH, 0);
  check_axis(study, 1, "optimizer.name", TUTTI_EVERY_BRANCH, 0);
  check_axis(study, 2, "optimizer.learning_rate", 0, 0.01);
  check_axis(study, 3, "optimizer.momentum", 0, 0.5);
  check_axis(study, 4, "optimizer.learning_rate", 1, 0.0001);
  check_axis(study, 5, "schedule.warmup", TUTTI_EVERY_BRANCH, 0);
  assert_ptr_equal(branches, &study->axes[1]);
  assert_int_equal(branches->n_values, 3);
  assert_string_equal(branches->values[2], "rmsprop");
  assert_true(tutti_config_axis_is_of(&study->axes[4], 1) && !tutti_config_axis_is_of(&study->axes[4], 0));
  assert_true(tutti_config_axis_is_of(&study->axes[5], 0) && tutti_config_axis_is_of(&study->axes[5], 2));
  tutti_config_clear(&c);
}

static void a_list_is_no_branches(void **state) {
  (void)state;
  tutti_config c;
  CHECK_OK(PARSE("study: {vary: {optimizer.name: [sgd, adam]}}\n", &c));
  assert_null(tutti_config_study_branches(&c.study));
  tutti_config_clear(&c);
}

static void any_key_of_words_may_have_branches(void **state) {
  (void)state;
  tutti_config c;
  CHECK_OK(PARSE("study:\n  vary:\n    model.layers:\n"
                 "      dense 9 relu, dense 2 softmax: {optimizer.learning_rate: [0.1]}\n"
                 "      dense 2   softmax:\n",
                 &c));
  assert_string_equal(tutti_config_study_branches(&c.study)->values[0], "dense 9 relu, dense 2 softmax");
  assert_string_equal(tutti_config_study_branches(&c.study)->values[1], "dense 2 softmax");
  tutti_config_clear(&c);
  CHECK_OK(
      PARSE("study: {vary: {schedule.decay: {constant: , step: {schedule.decay_every: [1 epoch]}}}}\n", &c));
  assert_int_equal(c.study.axes[1].branch, 1);
  tutti_config_clear(&c);
  CHECK_OK(PARSE("study: {vary: {optimizer.nesterov: {no: {}, yes: {optimizer.momentum: [0.9]}}}}\n", &c));
  tutti_config_clear(&c);
}

static void an_option_replaces_a_key_with_its_branches(void **state) {
  (void)state;
  tutti_config c;
  CHECK_OK(PARSE_WITH(NEEDED BRANCHES, &c, {"study.vary.train.batch_size", "[7]"},
                      {"study.vary.optimizer.name", "{lamb: {}, sgd: {optimizer.momentum: [0.5, 0.9]}}"}));
  assert_int_equal(c.study.n_axes, 4);
  check_axis(&c.study, 0, "train.batch_size", TUTTI_EVERY_BRANCH, 0);
  check_axis(&c.study, 1, "optimizer.name", TUTTI_EVERY_BRANCH, 0);
  check_axis(&c.study, 2, "optimizer.momentum", 1, 0);
  check_axis(&c.study, 3, "schedule.warmup", TUTTI_EVERY_BRANCH, 0);
  tutti_config_clear(&c);
  CHECK_OK(PARSE_WITH(NEEDED BRANCHES, &c, {"study.vary.optimizer.name", "[sgd]"}));
  assert_int_equal(c.study.n_axes, 3);
  assert_null(tutti_config_study_branches(&c.study));
  tutti_config_clear(&c);
  CHECK_OK(
      PARSE_WITH(NEEDED, &c, {"study.vary", "{optimizer.name: {sgd: {optimizer.momentum: [0.5]}, adam: }}"}));
  assert_int_equal(c.study.n_axes, 2);
  tutti_config_clear(&c);
  // A message names the option that is wrong, and not the line it replaces.
  CHECK_FAILS(PARSE_WITH(NEEDED BRANCHES, &c, {"study.vary.optimizer.learning_rate", "[0.1]"}),
              TUTTI_ERR_CONFIG,
              "run.yaml:9:9: study.vary.optimizer.name.sgd.optimizer.learning_rate: optimizer.learning_rate "
              "is varied "
              "by all branches, too");
  CHECK_FAILS(
      PARSE_WITH(NEEDED BRANCHES, &c, {"study.vary.optimizer.name", "{sgd: {optimizer.momentun: [1]}}"}),
      TUTTI_ERR_CONFIG,
      "--study.vary.optimizer.name.sgd.optimizer.momentun: unknown key 'momentun' (did you mean "
      "optimizer.momentum?)");
}

static void wrong_branches_are_named_with_their_place(void **state) {
  (void)state;
#define VARY "study:\n  vary:\n    "
#define NAME VARY "optimizer.name: "
  CHECK_REFUSED(NAME "{sgd: {}, adan: {}}\n",
                "run.yaml:5:31: study.vary.optimizer.name: 'adan' is not known (did you mean adam?)");
  CHECK_REFUSED(
      NAME "{sgd: {optimizer.momentun: [0.5]}}\n",
      "run.yaml:5:28: study.vary.optimizer.name.sgd.optimizer.momentun: unknown key 'momentun' (did you mean "
      "optimizer.momentum?)");
  CHECK_REFUSED(NAME "{sgd: {optimizer.momentum: [0.5, 2]}}\n",
                "run.yaml:5:54: study.vary.optimizer.name.sgd.optimizer.momentum: '2' is out of range");
  CHECK_REFUSED(NAME "{sgd: {optimizer.momentum: {form: 1, to: 2}}}\n",
                "a range has no 'form' (did you mean from?)");
  CHECK_REFUSED(NAME "{sgd: {}, adam: {}, sgd: {}}\n",
                "run.yaml:5:41: study.vary.optimizer.name: sgd appears twice");
  CHECK_REFUSED(NAME "{sgd: [0.1]}\n", "run.yaml:5:27: study.vary.optimizer.name: expected the keys that sgd "
                                       "alone varies, {KEY: VALUES, ...}");
  CHECK_REFUSED(NAME "{}\n", "the mapping is empty");
  CHECK_REFUSED(NAME "{sgd: {train.epochs: [1]}}\n", "train.epochs is the same for all trials");
  CHECK_REFUSED(
      NAME "{sgd: {optimizer.rho: [0.1], optimizer.rho: [0.2]}}\n",
      "run.yaml:5:50: study.vary.optimizer.name.sgd.optimizer.rho: the key appears twice in the branch");
  CHECK_REFUSED(NAME "{sgd: {schedule.decay: {step: {}}}}\n",
                "study.vary.optimizer.name.sgd.schedule.decay: there are no branches within a branch");
  CHECK_REFUSED(NAME "{sgd: {optimizer.name: [adam]}}\n", "optimizer.name is the key of the branches itself");
  CHECK_REFUSED(NAME "{sgd: {train.batch_size: [2]}}\n", "put train.batch_size beside optimizer.name");
  CHECK_REFUSED(
      NAME "{sgd: {}}\n    schedule.decay: {step: {}}\n",
      "run.yaml:6:5: study.vary.schedule.decay: schedule.decay has branches, and so has another key");
  CHECK_REFUSED(
      NAME "{sgd: {optimizer.momentum: [0.5]}}\n    optimizer.momentum: [0.9]\n",
      "run.yaml:5:28: study.vary.optimizer.name.sgd.optimizer.momentum: optimizer.momentum is varied by all "
      "branches, too; keep one of them");
  CHECK_REFUSED(NAME "{sgd: {optimizer.momentum: [0.5]}, rmsprop: {optimizer.momentum: [auto]}}\n",
                "study.vary.optimizer.name.rmsprop.optimizer.momentum: optimizer.momentum has words here and "
                "numbers in");
  CHECK_REFUSED(NAME "{sgd: {optimizer.momentum: {from: 0.5, to: 0.9}}}\n",
                "study.vary.optimizer.name.sgd.optimizer.momentum: a grid needs points");
  CHECK_REFUSED(VARY "optimizer.momentum: {0.9: {}, 0.5: {}}\n", "a range has no '0.9'");
  CHECK_REFUSED(VARY "optimizer.name: {~: {}}\n",
                "run.yaml:5:22: study.vary.optimizer.name: an item of the list is no");
}

static void the_noisy_quadratic_has_sgd_alone(void **state) {
  (void)state;
  tutti_config c;
#define QUADRATIC "optimizer: {name: sgd}\nstudy:\n  problem: noisy_quadratic\n  vary:\n    optimizer.name: "
  CHECK_OK(PARSE(QUADRATIC "{sgd: {optimizer.learning_rate: [0.1]}}\n", &c));
  tutti_config_clear(&c);
  CHECK_OK(PARSE("study: {problem: noisy_quadratic, vary: {optimizer.name: {sgd: {}}}}\n", &c));
  tutti_config_clear(&c);
  CHECK_REFUSED(QUADRATIC "{sgd: {}, adam: {}}\n", "the noisy quadratic is trained by sgd, its only branch");
  CHECK_REFUSED(QUADRATIC "{sgd: {optimizer.rho: [0.1]}}\n", "the noisy quadratic knows only");
}

static void an_option_is_for_the_branches_without_a_value(void **state) {
  (void)state;
  tutti_config c;
  CHECK_OK(PARSE_WITH(NEEDED BRANCHES, &c, {"optimizer.learning_rate", "0.1"}));
  assert_string_equal(c.study.overridden, "");
  tutti_config_clear(&c);
  CHECK_OK(PARSE_WITH(NEEDED NAME
                      "{sgd: {optimizer.learning_rate: [1]}, adam: {optimizer.learning_rate: [1]}}\n",
                      &c, {"optimizer.learning_rate", "0.1"}));
  assert_string_equal(c.study.overridden, "optimizer.learning_rate");
  tutti_config_clear(&c);
}

static void branches_are_dumped_and_read_back(void **state) {
  (void)state;
  static const char *const texts[] = {
      BRANCHES,
      "study:\n  vary:\n    model.layers:\n"
      "      dense 9 relu, dense 2 softmax:\n        optimizer.learning_rate: [0.1, 0.2]\n"
      "        schedule.decay_milestones:\n          - 1, 2 epochs\n          - 3 epochs\n"
      "      dense 2 softmax: {}\n",
  };
  for (int i = 0; i < 2; i++) {
    tutti_config c, back;
    char *text = NULL, *again = NULL, a[128], b[128];
    bool extent;
    char whole[2048];
    snprintf(whole, sizeof whole, NEEDED "%s", texts[i]);
    CHECK_OK(tutti_config_parse(whole, "f", NULL, 0, &c));
    CHECK_OK(tutti_config_dump(&c, &text));
    const char *part = strstr(texts[i], "  vary:");
    if (!strstr(text, part)) fail_msg("'%s' is not in\n%s", part, text);
    CHECK_OK(tutti_config_parse(text, "f", NULL, 0, &back));
    assert_null(first_study_difference(&c, &back, a, b, &extent));
    CHECK_OK(tutti_config_dump(&back, &again));
    assert_string_equal(text, again);
    tutti_free(text);
    tutti_free(again);
    tutti_config_clear(&c);
    tutti_config_clear(&back);
  }
}

/** A trial of the dump is the trial of the config: the defaults of one rule are not those of another. */
static void a_dump_leaves_the_defaults_to_the_branches(void **state) {
  (void)state;
  tutti_config c, trial;
  char *text = NULL;
  CHECK_OK(PARSE("optimizer: {name: sgd, clipnorm: 0.5}\n" NAME "{sgd: {}, adam: {}}\n", &c));
  CHECK_OK(tutti_config_dump(&c, &text));
  CHECK_OK(PARSE_WITH(text, &trial, {"optimizer.name", "adam"}));
  assert_true(trial.optimizer.learning_rate == 0.001 && trial.optimizer.clipnorm == 0.5);
  tutti_free(text);
  tutti_config_clear(&c);
  tutti_config_clear(&trial);
}

/** What differs between two studies, and whether a trial of one may be one of the other. */
static const char *difference(const char *x, const char *y, char a[128], char b[128], bool *extent) {
  tutti_config then, now;
  CHECK_OK(tutti_config_parse(x, "f", NULL, 0, &then));
  CHECK_OK(tutti_config_parse(y, "f", NULL, 0, &now));
  const char *key = first_study_difference(&then, &now, a, b, extent);
  tutti_config_clear(&then);
  tutti_config_clear(&now);
  return key;
}

static void more_branches_are_an_extent(void **state) {
  (void)state;
  static const struct {
    const char *then, *now, *a, *b;
    bool extent;
  } cases[] = {
      {"{sgd: {optimizer.momentum: [0.5]}}",
       "{adam: {optimizer.beta_1: [0.9]}, sgd: {optimizer.momentum: [0.5]}}", "optimizer.name: {sgd}",
       "optimizer.name: {adam, sgd}", true},
      {"{sgd: {optimizer.momentum: [0.5]}}", "{sgd: {optimizer.momentum: [0.5, 0.9]}}",
       "optimizer.momentum: [0.5]", "optimizer.momentum: [0.5, 0.9]", true},
      {"{sgd: {optimizer.momentum: [0.5]}, adam: {}}",
       "{sgd: {optimizer.momentum: [0.5], optimizer.learning_rate: [1]}, adam: {}}", "3 keys", "4", false},
      {"{sgd: {optimizer.learning_rate: [1]}, adam: {}}", "{sgd: {}, adam: {optimizer.learning_rate: [1]}}",
       "optimizer.learning_rate: [1]", "optimizer.learning_rate: [1]", false},
      {"{sgd: {}}", "[sgd]", "optimizer.name: {sgd}", "optimizer.name: [sgd]", false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char then[512], now[512], a[128], b[128];
    bool extent;
    snprintf(then, sizeof then, NEEDED VARY "train.batch_size: [8]\n    optimizer.name: %s\n", cases[i].then);
    snprintf(now, sizeof now, NEEDED VARY "train.batch_size: [8]\n    optimizer.name: %s\n", cases[i].now);
    assert_string_equal(difference(then, now, a, b, &extent), "study.vary");
    assert_string_equal(a, cases[i].a);
    assert_string_equal(b, cases[i].b);
    assert_int_equal(extent, cases[i].extent);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_branch_has_its_own_axes),
      cmocka_unit_test(a_list_is_no_branches),
      cmocka_unit_test(any_key_of_words_may_have_branches),
      cmocka_unit_test(an_option_replaces_a_key_with_its_branches),
      cmocka_unit_test(wrong_branches_are_named_with_their_place),
      cmocka_unit_test(the_noisy_quadratic_has_sgd_alone),
      cmocka_unit_test(an_option_is_for_the_branches_without_a_value),
      cmocka_unit_test(branches_are_dumped_and_read_back),
      cmocka_unit_test(a_dump_leaves_the_defaults_to_the_branches),
      cmocka_unit_test(more_branches_are_an_extent),
  };
  return cmocka_run_group_tests_name("config.branches", tests, NULL, check_no_leak);
}
