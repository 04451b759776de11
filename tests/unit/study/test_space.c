#include <string.h>

#include "study.h"

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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_grid_goes_by_batch_size_setting_and_seed),
  };
  return cmocka_run_group_tests_name("study.space", tests, NULL, check_no_leak);
}
