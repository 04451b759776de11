#include <string.h>

#include "parse.h"

/** The difference that one option makes. */
static const char *difference(const char *text, tutti_override option, char a[128], char b[128]) {
  tutti_config x, y;
  char same[128];
  CHECK_OK(tutti_config_parse(text, "run.yaml", NULL, 0, &x));
  CHECK_OK(tutti_config_parse(text, "run.yaml", &option, 1, &y));
  const char *key = first_difference(&x, &y, a, b);
  assert_null(first_difference(&x, &x, same, same));
  assert_null(first_difference(&y, &y, same, same));
  tutti_config_clear(&x);
  tutti_config_clear(&y);
  return key;
}

static void another_training_is_named(void **state) {
  (void)state;
  char a[128], b[128];
  static const struct {
    tutti_override option;
    const char *a, *b;
  } cases[] = {
      {{"train.batch_size", "64"}, "32", "64"},
      {{"train.seed", "7"}, "0", "7"},
      {{"train.shuffle", "no"}, "yes", "no"},
      {{"data.validation_split", "0.1"}, "0", "0.1"},
      {{"data.file", "dir/e.h5"}, "d.h5", "dir/e.h5"},
      {{"data.x_train", "other"}, "x_train", "other"},
      {{"data.scale", "unit"}, "auto", "unit"},
      {{"model.layers", "dense 3 softmax"}, "dense 2 softmax", "dense 3 softmax"},
      {{"model.layers", "dense 2 softmax, dense 3"}, "no such layer", "dense 3"},
      {{"optimizer.learning_rate", "0.1"}, "0.001", "0.1"},
      {{"optimizer.name", "sgd"}, "rmsprop", "sgd"},
      {{"schedule.warmup", "3 steps"}, "0", "3 steps"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const char *key = difference(NEEDED, cases[i].option, a, b);
    assert_non_null(key);
    assert_string_equal(key, cases[i].option.key);
    assert_string_equal(a, cases[i].a);
    assert_string_equal(b, cases[i].b);
  }
}

/** And the values of the first ones. */
static void all_keys_that_differ_are_named(void **state) {
  (void)state;
  const tutti_override few[] = {
      {"train.seed", "1"}, {"optimizer.learning_rate", "1e-9"}, {"train.batch_size", "64"}};
  const tutti_override more[] = {{"data.scale", "unit"},         {"optimizer.rho", "0.5"},
                                 {"optimizer.epsilon", "0.1"},   {"train.batch_size", "64"},
                                 {"schedule.warmup", "3 steps"}, {"train.seed", "1"}};
  tutti_config x, y, z;
  tutti_differences found;
  char text[1024], cut[64];
  CHECK_OK(tutti_config_parse(NEEDED, "run.yaml", NULL, 0, &x));
  CHECK_OK(tutti_config_parse(NEEDED, "run.yaml", few, 3, &y));
  CHECK_OK(tutti_config_parse(NEEDED, "run.yaml", more, 6, &z));
  tutti_config_differences(&x, &y, &found);
  tutti_config_differences_text(&found, text, sizeof text);
  assert_string_equal(text,
                      "optimizer.learning_rate was 0.001 there and is 1e-09 now, train.batch_size was 32 "
                      "there and is 64 now, train.seed was 0 there and is 1 now");
  tutti_config_differences_text(&found, cut, sizeof cut);
  assert_memory_equal(cut, text, sizeof cut - 1);
  tutti_config_differences(&x, &z, &found);
  assert_int_equal(found.n, 6);
  tutti_config_differences_text(&found, text, sizeof text);
  assert_non_null(strstr(text, "schedule.warmup was 0 there and is 3 steps now; these differ too: "
                               "train.batch_size, train.seed"));
  tutti_config_clear(&x);
  tutti_config_clear(&y);
  tutti_config_clear(&z);
}

static void another_growth_is_another_training(void **state) {
  (void)state;
  char a[128], b[128];
  const char *text = NEEDED "schedule: {batch_growth: step, batch_milestones: '1, 2 epochs'}\n";
  static const tutti_override options[] = {{"schedule.batch_factor", "2"},
                                           {"schedule.batch_max", "400"},
                                           {"schedule.batch_milestones", "[1 epochs, 3 epochs]"}};
  for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
    const char *key = difference(text, options[i], a, b);
    assert_non_null(key);
    assert_string_equal(key, options[i].key);
  }
  assert_string_equal(a, "1, 2 epochs");
  assert_string_equal(b, "1, 3 epochs");
  assert_null(difference(text, (tutti_override){"train.epochs", "50"}, a, b));
}

static void how_it_is_run_is_no_other_training(void **state) {
  (void)state;
  char a[128], b[128];
  static const tutti_override options[] = {
      {"train.epochs", "50"},      {"train.steps", "50"},       {"train.micro_batch_size", "8"},
      {"train.stop_at", "loss<1"}, {"train.monitor", "loss"},   {"train.evaluate_every", "5 steps"},
      {"parallel.threads", "2"},   {"parallel.reduce", "flat"}, {"run.directory", "elsewhere"},
      {"run.resume", "no"},        {"run.keep", "5"},           {"run.checkpoint_every", "5 minutes"},
      {"data.limit_test", "5"},    {"data.file", "/tmp/d.h5"},  {"run.metrics_every", "5 steps"},
      {"run.measure", "all"},
  };
  for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
    assert_null(difference(NEEDED, options[i], a, b));
}

/** Runs are moved with their project; checkpoints of two runs are called alike. */
static void weights_are_told_apart_by_their_run(void **state) {
  (void)state;
  char a[128], b[128];
  static const char from[] = "data: {file: d.h5}\nmodel: {layers: [dense 2], weights: runs/old/best.h5}\n";
  assert_null(difference(from, (tutti_override){"model.weights", "/scratch/runs/old/best.h5"}, a, b));
  assert_null(difference(from, (tutti_override){"model.weights", "old/best.h5"}, a, b));
  static const char *const others[] = {"runs/new/best.h5", "runs/old/checkpoint.h5", "best.h5", "none"};
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
    assert_non_null(difference(from, (tutti_override){"model.weights", others[i]}, a, b));
}

static void the_budget_counts_where_the_rate_falls_to_its_end(void **state) {
  (void)state;
  char a[128], b[128];
  const tutti_override steps = {"train.steps", "500"};
  const char *key = difference(NEEDED "schedule: {decay: cosine}\n", steps, a, b);
  assert_non_null(key);
  assert_string_equal(key, "train.steps");
  assert_string_equal(a, "1 epoch");
  assert_string_equal(b, "500 steps");
  assert_null(difference(NEEDED "schedule: {decay: cosine, decay_over: 9 epochs}\n", steps, a, b));
  assert_null(difference(NEEDED "schedule: {decay: step}\n", steps, a, b));
}

static void a_budget_says_why_it_counts(void **state) {
  (void)state;
  tutti_config x, y;
  tutti_differences found;
  char text[512];
  const tutti_override epochs = {"train.epochs", "6"};
  CHECK_OK(tutti_config_parse(NEEDED "schedule: {decay: cosine}\n", "run.yaml", NULL, 0, &x));
  CHECK_OK(tutti_config_parse(NEEDED "schedule: {decay: cosine}\n", "run.yaml", &epochs, 1, &y));
  tutti_config_differences(&x, &y, &found);
  tutti_config_differences_text(&found, text, sizeof text);
  assert_string_equal(text,
                      "train.epochs was 1 epoch there and is 6 epochs now (schedule.decay lasts until this "
                      "end, so each step would have another learning rate)");
  tutti_config_clear(&x);
  tutti_config_clear(&y);
}

static void long_values_are_cut_after_they_are_compared(void **state) {
  (void)state;
  char a[128], b[128], text[512], name[301];
  memset(name, 'x', 300);
  name[300] = '\0';
  snprintf(text, sizeof text, "data: {file: d.h5, x_train: %s}\nmodel: {layers: dense 2}\n", name);
  name[299] = 'y';
  const char *key = difference(text, (tutti_override){"data.x_train", name}, a, b);
  assert_non_null(key);
  assert_string_equal(key, "data.x_train");
}

static const char *study_difference(tutti_override option, char a[128], char b[128], bool *extent) {
  static const char text[] =
      NEEDED "study:\n"
             "  vary: {train.batch_size: [32, 64], optimizer.learning_rate: {from: 0.1, to: 1, "
             "points: 3}}\n"
             "  goal: loss < 0.1\n"
             "  budget: 20 epochs\n";
  tutti_config x, y;
  char same[128];
  CHECK_OK(tutti_config_parse(text, "study.yaml", NULL, 0, &x));
  CHECK_OK(tutti_config_parse(text, "study.yaml", &option, 1, &y));
  bool none = true;
  const char *key = first_study_difference(&x, &y, a, b, extent);
  assert_null(first_study_difference(&y, &y, same, same, &none));
  assert_false(none);
  tutti_config_clear(&x);
  tutti_config_clear(&y);
  return key;
}

static void another_study_is_named(void **state) {
  (void)state;
  char a[128], b[128];
  static const struct {
    tutti_override option;
    const char *key, *a, *b;
    bool extent;
  } cases[] = {
      {{"study.goal", "loss < 0.2"}, "study.goal", "loss < 0.1", "loss < 0.2", false},
      {{"study.budget", "20 steps"}, "study.budget", "20 epochs", "20 steps", false},
      {{"study.seeds", "3"}, "study.seeds", "1", "3", true},
      {{"study.evaluate_every", "5 steps"}, "study.evaluate_every", "1 epoch", "5 steps", false},
      {{"study.vary.train.batch_size", "[32, 65]"},
       "study.vary",
       "train.batch_size: [32, 64]",
       "train.batch_size: [32, 65]",
       true},
      {{"study.vary.optimizer.learning_rate", "{from: 0.1, to: 2, points: 3}"},
       "study.vary",
       "optimizer.learning_rate: {from: 0.1, to: 1, points: 3}",
       "optimizer.learning_rate: {from: 0.1, to: 2, points: 3}",
       true},
      {{"study.vary.train.shuffle", "[yes, no]"}, "study.vary", "2 keys", "3", false},
      {{"data.validation_split", "0.1"}, "data.validation_split", "0", "0.1", false},
      {{"train.seed", "7"}, "train.seed", "0", "7", false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    bool extent = !cases[i].extent;
    const char *key = study_difference(cases[i].option, a, b, &extent);
    assert_non_null(key);
    assert_int_equal(extent, cases[i].extent);
    assert_string_equal(key, cases[i].key);
    assert_string_equal(a, cases[i].a);
    assert_string_equal(b, cases[i].b);
  }
  static const tutti_override same[] = {{"study.ranks_per_trial", "2"}, {"study.output", "elsewhere.h5"},
                                        {"parallel.threads", "2"},      {"parallel.reduce", "flat"},
                                        {"run.directory", "elsewhere"}, {"data.file", "/tmp/d.h5"}};
  for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
    bool extent = true;
    assert_null(study_difference(same[i], a, b, &extent));
    assert_false(extent);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(another_training_is_named),
      cmocka_unit_test(all_keys_that_differ_are_named),
      cmocka_unit_test(another_growth_is_another_training),
      cmocka_unit_test(how_it_is_run_is_no_other_training),
      cmocka_unit_test(weights_are_told_apart_by_their_run),
      cmocka_unit_test(the_budget_counts_where_the_rate_falls_to_its_end),
      cmocka_unit_test(a_budget_says_why_it_counts),
      cmocka_unit_test(another_study_is_named),
      cmocka_unit_test(long_values_are_cut_after_they_are_compared),
  };
  return cmocka_run_group_tests_name("config.difference", tests, NULL, check_no_leak);
}
