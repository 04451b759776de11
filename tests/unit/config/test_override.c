#include <string.h>

#include "parse.h"

static void the_command_line_wins(void **state) {
  (void)state;
  tutti_config c;
  CHECK_OK(PARSE_WITH(NEEDED "train: {batch_size: 64, seed: 1}\n", &c, {"train.batch_size", "4096"},
                      {"model.layers", "dense 7 relu, dense 3 softmax"}, {"data.file", "other.h5"}));
  assert_true(c.train.batch_size == 4096 && c.train.seed == 1);
  assert_true(c.model.n_layers == 2 && c.model.layers[0].units == 7);
  assert_string_equal(c.data.file, "other.h5");
  tutti_config_clear(&c);
}

static void no_file_is_needed(void **state) {
  (void)state;
  tutti_config c;
  const tutti_override options[] = {{"data.file", "d.h5"},
                                    {"model.layers", "[dense 7 relu, dense 3 softmax]"}};
  CHECK_OK(tutti_config_parse(NULL, NULL, options, 2, &c));
  assert_int_equal(c.model.n_layers, 2);
  assert_string_equal(c.run.directory, "runs/tutti");
  tutti_config_clear(&c);
}

static void of_the_same_option_the_last_counts(void **state) {
  (void)state;
  tutti_config c;
  CHECK_OK(PARSE_WITH(NEEDED, &c, {"train.seed", "1"}, {"train.seed", "2"}));
  assert_int_equal(c.train.seed, 2);
  tutti_config_clear(&c);
}

static void a_budget_replaces_one_of_another_kind(void **state) {
  (void)state;
  tutti_config c;
  CHECK_OK(PARSE_WITH(NEEDED "train: {epochs: 5}\n", &c, {"train.steps", "100"}));
  assert_true(c.train.budget.value == 100 && c.train.budget.unit == TUTTI_UNIT_STEPS);
  tutti_config_clear(&c);
  CHECK_REFUSED("train: {epochs: 5, steps: 100}\n",
                "run.yaml:3:27: train.steps: run.yaml:3:17: train.epochs is set as well");
  CHECK_FAILS(PARSE_WITH(NEEDED, &c, {"train.steps", "100"}, {"train.samples", "100"}), TUTTI_ERR_CONFIG,
              "--train.samples: --train.steps is set as well");
  CHECK_FAILS(PARSE_WITH(NEEDED "train: {epochs: 5, steps: 100}\n", &c, {"train.samples", "7"}),
              TUTTI_ERR_CONFIG, "is set as well");
}

static void a_number_of_the_rule_can_be_taken_back(void **state) {
  (void)state;
  tutti_config c;
  const char *text = NEEDED "optimizer: {name: sgd, momentum: 0.9}\n";
  CHECK_FAILS(PARSE_WITH(text, &c, {"optimizer.name", "adam"}), TUTTI_ERR_CONFIG,
              "run.yaml:3:34: optimizer.momentum is 0.9, but adam does not take it");
  CHECK_OK(PARSE_WITH(text, &c, {"optimizer.name", "adam"}, {"optimizer.momentum", "auto"}));
  assert_true(c.optimizer.rule == TUTTI_ADAM && c.optimizer.beta_1 == 0.9);
  tutti_config_clear(&c);
}

static void errors_name_the_option(void **state) {
  (void)state;
  tutti_config c;
  CHECK_FAILS(PARSE_WITH(NEEDED, &c, {"train.batch_size", "0"}), TUTTI_ERR_CONFIG,
              "--train.batch_size: '0' is out of range; expected a whole number from 1");
  CHECK_FAILS(PARSE_WITH(NEEDED, &c, {"train.batchsize", "5"}), TUTTI_ERR_CONFIG,
              "--train.batchsize: unknown key 'batchsize' (did you mean train.batch_size?)");
  CHECK_FAILS(PARSE_WITH(NEEDED, &c, {"tain.seed", "5"}), TUTTI_ERR_CONFIG,
              "--tain.seed: unknown section 'tain' (did you mean train?)");
  CHECK_FAILS(PARSE_WITH(NEEDED, &c, {"batch_size", "5"}), TUTTI_ERR_CONFIG,
              "did you mean train.batch_size?");
  CHECK_FAILS(PARSE_WITH(NEEDED, &c, {"train", "5"}), TUTTI_ERR_CONFIG,
              "--train: unknown key ''; the keys of train are");
  CHECK_FAILS(PARSE_WITH(NEEDED, &c, {"train.", "5"}), TUTTI_ERR_CONFIG, "unknown key ''");
  CHECK_FAILS(PARSE_WITH(NEEDED, &c, {"", "5"}), TUTTI_ERR_CONFIG, "unknown section ''");
  CHECK_FAILS(PARSE_WITH(NEEDED, &c, {"train.seed", ""}), TUTTI_ERR_CONFIG,
              "--train.seed: the value is nothing");
  CHECK_FAILS(PARSE_WITH(NEEDED, &c, {"train.seed", "[1, 2]"}), TUTTI_ERR_CONFIG,
              "--train.seed: the value is a list");
  CHECK_FAILS(PARSE_WITH(NEEDED, &c, {"train.seed", "{a: b}"}), TUTTI_ERR_CONFIG,
              "--train.seed: the value is a map");
  CHECK_FAILS(PARSE_WITH(NEEDED, &c, {"model.layers", "[dense 3"}), TUTTI_ERR_CONFIG,
              "--model.layers:2:1: did not find");
  CHECK_FAILS(PARSE_WITH(NEEDED, &c, {"data.file", "@x"}), TUTTI_ERR_CONFIG,
              "special characters need quotes");
  CHECK_FAILS(PARSE_WITH(NEEDED, &c, {"model.layers", "[dense 3, [a]]"}), TUTTI_ERR_CONFIG,
              "--model.layers: layer 2 is not a line of words");
  CHECK_FAILS(PARSE_WITH(NEEDED, &c, {"model.layers", "[dense 3, dens 2]"}), TUTTI_ERR_CONFIG,
              "--model.layers: layer ");
  CHECK_FAILS(PARSE_WITH(NEEDED, &c, {"optimizer.beta_1", "0.8"}), TUTTI_ERR_CONFIG,
              "--optimizer.beta_1 is 0.8, but rmsprop does not take it");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_command_line_wins),
      cmocka_unit_test(no_file_is_needed),
      cmocka_unit_test(of_the_same_option_the_last_counts),
      cmocka_unit_test(a_budget_replaces_one_of_another_kind),
      cmocka_unit_test(a_number_of_the_rule_can_be_taken_back),
      cmocka_unit_test(errors_name_the_option),
  };
  return cmocka_run_group_tests_name("config.override", tests, NULL, check_no_leak);
}
