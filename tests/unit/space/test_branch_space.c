/** The settings of a study with branches. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/space.h"

#define SIZES "    train.batch_size: [32, 8]\n"
#define SGD                                                                                                  \
  "      sgd: {optimizer.learning_rate: {from: 0.01, to: 1}, optimizer.momentum: {from: 0.5, to: 0.9}}\n"
#define ADAM   "      adam: {optimizer.learning_rate: {from: 0.0001, to: 0.01}}\n"
#define SOBOL  STUDY "  search: sobol\n  trials: 4\n  vary:\n" SIZES
#define SHARED "    optimizer.clipnorm: {from: 0.1, to: 10}\n"

static const char *value_of(const tutti_trial *trial, const char *key) {
  for (int i = 0; i < trial->n_overrides; i++)
    if (strcmp(trial->overrides[i].key, key) == 0) return trial->overrides[i].value;
  return NULL;
}

static void settings_are_numbered_branch_by_branch(void **state) {
  (void)state;
  tutti_space *space;
  CHECK_OK(make_space(STUDY
                      "  seeds: 2\n  vary:\n" SIZES "    optimizer.name:\n"
                      "      sgd: {optimizer.learning_rate: [0.1, 0.2], optimizer.momentum: [0.5, 0.9]}\n"
                      "      rmsprop: \n"
                      "      adam: {optimizer.learning_rate: [0.01]}\n"
                      "    optimizer.nesterov: [no]\n",
                      &space));
  assert_int_equal(tutti_space_n_trials(space), 2 * (4 + 1 + 1) * 2);
  assert_int_equal(tutti_space_n_varied(space), 4);
  assert_int_equal(tutti_space_branches(space), 0);
  static const char *const keys[] = {"optimizer.name", "optimizer.learning_rate", "optimizer.momentum",
                                     "optimizer.nesterov"};
  for (int k = 0; k < 4; k++) assert_string_equal(tutti_space_varied(space, k), keys[k]);
  static const double rates[] = {0.1, 0.1, 0.2, 0.2, NAN, 0.01}, momenta[] = {0.5, 0.9, 0.5, 0.9, NAN, NAN};
  static const char *const names[] = {"sgd", "sgd", "sgd", "sgd", "rmsprop", "adam"};
  static const int branches[] = {0, 0, 0, 0, 1, 2};
  for (int64_t i = 0; i < 24; i++) {
    const tutti_trial *trial = tutti_space_trial(space, i);
    const int64_t s = i / 2 % 6;
    assert_int_equal(trial->setting, s);
    assert_int_equal(trial->seed, i % 2);
    assert_int_equal(trial->batch_size, i < 12 ? 32 : 8);
    assert_int_equal(trial->branch, branches[s]);
    assert_true(trial->values[0] == branches[s] && trial->values[3] == 0);
    assert_true(isnan(rates[s]) ? isnan(trial->values[1]) : trial->values[1] == rates[s]);
    assert_true(isnan(momenta[s]) ? isnan(trial->values[2]) : trial->values[2] == momenta[s]);
    // No key of another branch, which its rule might refuse.
    assert_string_equal(value_of(trial, "optimizer.name"), names[s]);
    assert_true((value_of(trial, "optimizer.learning_rate") == NULL) == (bool)isnan(rates[s]));
    assert_true((value_of(trial, "optimizer.momentum") == NULL) == (bool)isnan(momenta[s]));
  }
  tutti_space_destroy(&space);
}

/** The settings of a branch are those of a study that knows no other. */
static void a_branch_is_searched_as_a_study_of_its_own(void **state) {
  (void)state;
  static const char *const searches[] = {"sobol", "random"};
  for (int s = 0; s < 2; s++) {
    char text[2048];
    tutti_space *both, *one;
    snprintf(text, sizeof text,
             STUDY "  search: %s\n  trials: 4\n  vary:\n" SIZES "    optimizer.name:\n" ADAM SGD SHARED,
             searches[s]);
    CHECK_OK(make_space(text, &both));
    snprintf(text, sizeof text,
             STUDY "  search: %s\n  trials: 4\n  vary:\n" SIZES
                   "    optimizer.learning_rate: {from: 0.01, to: 1}\n"
                   "    optimizer.momentum: {from: 0.5, to: 0.9}\n" SHARED,
             searches[s]);
    CHECK_OK(make_space(text, &one));
    assert_int_equal(tutti_space_n_trials(both), 2 * tutti_space_n_trials(one));
    for (int64_t i = 0; i < 8; i++) {
      const tutti_trial *x = tutti_space_trial(both, i / 4 * 8 + 4 + i % 4), *y = tutti_space_trial(one, i);
      assert_int_equal(x->branch, 1);
      // name, learning_rate, momentum, clipnorm: the columns in the order in which they come up
      assert_true(x->values[1] == y->values[0] && x->values[3] == y->values[2]);
      assert_string_equal(value_of(x, "optimizer.momentum"), value_of(y, "optimizer.momentum"));
    }
    tutti_space_destroy(&both);
    tutti_space_destroy(&one);
  }
}

static void a_column_has_the_choices_of_all_branches(void **state) {
  (void)state;
  tutti_space *space;
  int n;
  CHECK_OK(make_space(STUDY "  vary:\n    schedule.decay:\n"
                            "      cosine: {model.initializer: [he_normal], optimizer.learning_rate: [0.5]}\n"
                            "      constant: {model.initializer: [glorot_normal, he_normal], "
                            "optimizer.learning_rate: [0.1, 0.2]}\n",
                      &space));
  const char *const *texts = tutti_space_choices(space, 1, &n);
  assert_int_equal(n, 2);
  assert_string_equal(texts[0], "he_normal");
  assert_string_equal(texts[1], "glorot_normal");
  assert_true(tutti_space_trial(space, 0)->values[1] == 0 && tutti_space_trial(space, 1)->values[1] == 1);
  assert_true(tutti_space_trial(space, 3)->values[1] == 0);
  tutti_space_destroy(&space);
}

static void a_branch_without_keys_has_one_setting(void **state) {
  (void)state;
  tutti_space *space;
  CHECK_OK(make_space(SOBOL "    optimizer.name:\n" SGD "      adam: {}\n", &space));
  assert_int_equal(tutti_space_n_trials(space), 2 * (4 + 1));
  assert_int_equal(tutti_space_trial(space, 4)->branch, 1);
  tutti_space_destroy(&space);
  CHECK_NO_SPACE(SOBOL "    optimizer.name: {sgd: {}, adam: {}}\n",
                 "but only optimizer.name is varied; vary another");
  CHECK_NO_SPACE(SOBOL "    optimizer.name:\n" SGD "      adam: {optimizer.epsilon: [1, 2, 3]}\n",
                 "study.trials is 4, but the varied keys of adam have only 3 settings");
}

static void a_branchs_own_seed_is_the_trials(void **state) {
  (void)state;
  tutti_space *space;
  CHECK_OK(make_space(STUDY "  vary: {optimizer.name: {sgd: {train.seed: [5]}, adam: {}}}\n", &space));
  assert_int_equal(tutti_space_trial(space, 0)->seed, 5);
  assert_int_equal(tutti_space_trial(space, 1)->seed, 0);
  tutti_space_destroy(&space);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(settings_are_numbered_branch_by_branch),
      cmocka_unit_test(a_branch_is_searched_as_a_study_of_its_own),
      cmocka_unit_test(a_column_has_the_choices_of_all_branches),
      cmocka_unit_test(a_branch_without_keys_has_one_setting),
      cmocka_unit_test(a_branchs_own_seed_is_the_trials),
  };
  return cmocka_run_group_tests_name("space.branch_space", tests, NULL, check_no_leak);
}
