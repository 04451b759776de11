#include <math.h>
#include <stdio.h>
#include <string.h>

#include "config/keys_impl.h"
#include "parse.h"

static void each_key_is_described_once(void **state) {
  (void)state;
  tutti_key_info info;
  const char *sections[TUTTI_MAX_SECTIONS];
  assert_true(tutti_config_n_keys() >= 50);
  for (int i = 0; i < tutti_config_n_keys(); i++) {
    tutti_config_key(i, &info);
    assert_int_equal(tutti_config_key_find(info.section, info.name), i);
    assert_true(info.sentence[0] && info.sentence[strlen(info.sentence) - 1] != '.');
    assert_true(info.allowed[0] && strlen(info.allowed) < sizeof info.allowed - 1);
  }
  assert_int_equal(tutti_config_key_sections(sections), 8);
}

static void a_config_without_keys_has_the_defaults(void **state) {
  (void)state;
  tutti_config c;
  CHECK_OK(PARSE("", &c));
  assert_string_equal(c.data.file, "d.h5");
  assert_string_equal(c.data.x_train, "x_train");
  assert_string_equal(c.data.y_test, "y_test");
  assert_true(c.data.validation_split == 0 && c.data.validation_take == TUTTI_TAKE_SHUFFLED);
  assert_true(c.data.limit_train == 0 && c.data.limit_test == 0 && c.data.scale == TUTTI_SCALE_AUTO);
  assert_true(c.model.loss == TUTTI_LOSS_AUTO && c.model.initializer == TUTTI_INIT_GLOROT_UNIFORM);
  assert_true(c.model.label_smoothing == 0);
  assert_true(c.optimizer.rule == TUTTI_RMSPROP && c.optimizer.dialect == TUTTI_DIALECT_KERAS);
  assert_true(c.optimizer.learning_rate == 1e-3 && c.optimizer.rho == 0.9 && c.optimizer.epsilon == 1e-7);
  assert_true(c.schedule.warmup.value == 0 && c.schedule.decay == TUTTI_DECAY_CONSTANT);
  assert_true(c.schedule.decay_rate == 0.1 && c.schedule.decay_power == 1 && c.schedule.decay_end == 0);
  assert_true(c.schedule.decay_every.value == 1 && c.schedule.decay_every.unit == TUTTI_UNIT_EPOCHS);
  assert_true(c.schedule.decay_milestones.n == 0);
  assert_true(c.schedule.scaling == TUTTI_SCALING_NONE && c.schedule.base_batch_size == 0);
  assert_true(c.train.batch_size == 32 && c.train.micro_batch_size == 0 && c.train.seed == 0 &&
              c.train.shuffle);
  assert_true(c.train.budget.value == 1 && c.train.budget.unit == TUTTI_UNIT_EPOCHS);
  assert_true(c.train.evaluate_every.value == 1 && c.train.evaluate_every.unit == TUTTI_UNIT_EPOCHS);
  assert_true(!c.train.stop_at.metric[0] && !c.train.monitor && c.train.patience == 0);
  assert_true(c.parallel.reduce == TUTTI_REDUCE_AUTO && c.parallel.threads == 0);
  assert_string_equal(c.run.directory, "runs/run");
  assert_string_equal(c.run.resume, "auto");
  assert_true(c.run.checkpoint_every.value == 1 && c.run.keep == 2 && c.run.metrics_every.value == 0);
  assert_true(c.run.measure == TUTTI_MEASURE_NONE && c.run.measure_every.value == 0);
  tutti_config_clear(&c);
  assert_null(c.run.directory);
}

static void each_key_is_read_into_its_field(void **state) {
  (void)state;
  tutti_config c;
  CHECK_OK(tutti_config_parse(
      "data:\n"
      "  {file: a b.h5, x_train: a, y_train: b, x_test: c, y_test: d, validation_split: 0.25,\n"
      "   validation_take: last, limit_train: 100, limit_test: 5, scale: standardize}\n"
      "model:\n"
      "  layers:\n"
      "    - dense 512 relu bias=no\n"
      "    - dropout 0.2\n"
      "    - dense 10 softmax\n"
      "  loss: categorical_crossentropy\n"
      "  label_smoothing: 0.125\n"
      "  initializer: he_normal\n"
      "optimizer: {name: sgd, learning_rate: 0.5, momentum: 9e-1, nesterov: true,\n"
      "            weight_decay: 1e-4, global_clipnorm: 1, dialect: torch}\n"
      "schedule: {warmup: 0.5 epochs, decay: polynomial, decay_over: 1000 steps, decay_power: 2,\n"
      "           decay_end: 0.01, scaling: linear, base_batch_size: 256}\n"
      "train: {batch_size: 4096, micro_batch_size: 128, samples: 6e4, seed: 9223372036854775807,\n"
      "        shuffle: off, evaluate_every: 10 steps, stop_at: val_accuracy >= 0.97,\n"
      "        monitor: val_loss, patience: 3}\n"
      "parallel: {reduce: flat, threads: 2}\n"
      "run: {directory: out, resume: NO, checkpoint_every: 10 minutes, keep: 1,\n"
      "      metrics_every: 100 steps, measure: norms, measure_every: 3 steps}\n",
      "jobs/x.yaml", NULL, 0, &c));
  assert_string_equal(c.data.file, "a b.h5");
  assert_string_equal(c.data.x_train, "a");
  assert_string_equal(c.data.y_test, "d");
  assert_true(c.data.validation_split == 0.25 && c.data.validation_take == TUTTI_TAKE_LAST);
  assert_true(c.data.limit_train == 100 && c.data.limit_test == 5 && c.data.scale == TUTTI_SCALE_STANDARDIZE);
  assert_int_equal(c.model.n_layers, 3);
  assert_true(c.model.layers[0].units == 512 && !c.model.layers[0].bias && c.model.layers[1].rate == 0.2);
  assert_true(c.model.layers[2].activation == TUTTI_SOFTMAX &&
              c.model.loss == TUTTI_CATEGORICAL_CROSSENTROPY);
  assert_true(c.model.initializer == TUTTI_INIT_HE_NORMAL && c.model.label_smoothing == 0.125);
  assert_true(c.optimizer.rule == TUTTI_SGD && c.optimizer.learning_rate == 0.5 &&
              c.optimizer.momentum == 0.9);
  assert_true(c.optimizer.nesterov && c.optimizer.weight_decay == 1e-4 && c.optimizer.global_clipnorm == 1);
  assert_true(c.optimizer.dialect == TUTTI_DIALECT_TORCH);
  assert_true(c.schedule.warmup.value == 0.5 && c.schedule.warmup.unit == TUTTI_UNIT_EPOCHS);
  assert_true(c.schedule.decay == TUTTI_DECAY_POLYNOMIAL && c.schedule.decay_over.value == 1000);
  assert_true(c.schedule.decay_power == 2 && c.schedule.decay_end == 0.01);
  assert_true(c.schedule.scaling == TUTTI_SCALING_LINEAR && c.schedule.base_batch_size == 256);
  assert_true(c.train.batch_size == 4096 && c.train.micro_batch_size == 128);
  assert_true(c.train.budget.value == 60000 && c.train.budget.unit == TUTTI_UNIT_SAMPLES);
  assert_true(c.train.seed == (uint64_t)INT64_MAX && !c.train.shuffle && c.train.evaluate_every.value == 10);
  assert_string_equal(c.train.stop_at.metric, "val_accuracy");
  assert_string_equal(c.train.monitor, "val_loss");
  assert_true(c.train.patience == 3 && c.parallel.reduce == TUTTI_REDUCE_FLAT && c.parallel.threads == 2);
  assert_string_equal(c.run.directory, "out");
  assert_string_equal(c.run.resume, "no");
  assert_true(c.run.checkpoint_every.value == 600 && c.run.checkpoint_every.unit == TUTTI_UNIT_SECONDS);
  assert_true(c.run.keep == 1 && c.run.metrics_every.value == 100);
  assert_true(c.run.measure == TUTTI_MEASURE_NORMS && c.run.measure_every.value == 3);
  tutti_config_clear(&c);
}

static void the_run_directory_is_named_for_the_config(void **state) {
  (void)state;
  static const struct {
    const char *file, *directory;
  } cases[] = {{"jobs/mnist.yaml", "runs/mnist"}, {"mnist.yml", "runs/mnist"}, {"/a/b.c/mnist", "runs/mnist"},
               {"a.b.yaml", "runs/a.b"},          {".yaml", "runs/tutti"},     {NULL, "runs/tutti"}};
  for (int i = 0; i < 6; i++) {
    tutti_config c;
    CHECK_OK(tutti_config_parse(NEEDED, cases[i].file, NULL, 0, &c));
    assert_string_equal(c.run.directory, cases[i].directory);
    tutti_config_clear(&c);
  }
}

static void numbers_are_whole_tokens_in_their_range(void **state) {
  (void)state;
  static const char *const wrong[] = {
      "1.5",  "1_000", "0x20", "'32 '", "' 32'", "1e300",   "1e-1",
      "abc",  "32k",   "'-'",  "0",     "-1",    "1e15001", "99999999999999999999",
      "1e16", "nan",   "inf"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    char text[128];
    tutti_config c;
    snprintf(text, sizeof text, NEEDED "train:\n  batch_size: %s\n", wrong[i]);
    CHECK_FAILS(tutti_config_parse(text, "run.yaml", NULL, 0, &c), TUTTI_ERR_CONFIG,
                "expected a whole number from 1");
    assert_non_null(strstr(tutti_fail_text(), "run.yaml:4:15: train.batch_size: '"));
  }
  CHECK_REFUSED("train: {batch_size: 1.5}\n", "'1.5' is not a whole number");
  CHECK_REFUSED("train: {batch_size: 0}\n", "'0' is out of range");
  CHECK_REFUSED("parallel: {threads: 5000}\n", "expected auto or a whole number from 1 to 4096");
  CHECK_REFUSED("train: {epochs: 0}\n", "run.yaml:3:17: train.epochs: '0' is out of range");
  CHECK_REFUSED("train: {epochs: 4294967296}\n", "expected a whole number from 1 to 4294967295");
  CHECK_REFUSED("train: {samples: 2e15}\n", "is out of range");
  CHECK_REFUSED("train: {seed: -1}\n", "from 0");
}

static void reals_are_finite_and_in_their_range(void **state) {
  (void)state;
  static const char *const wrong[] = {"nan", "inf",  "-inf", ".inf", "1e999", "0x1p3",
                                      "1,5", "-0.1", "1",    "a",    " 0.1"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    char text[128];
    tutti_config c;
    snprintf(text, sizeof text, NEEDED "optimizer: {name: sgd, momentum: '%s'}\n", wrong[i]);
    CHECK_FAILS(tutti_config_parse(text, "run.yaml", NULL, 0, &c), TUTTI_ERR_CONFIG,
                "expected auto or a number from 0 and below 1");
  }
  CHECK_REFUSED("optimizer: {learning_rate: -0.1}\n", "expected auto or a number from 0");
  CHECK_REFUSED("optimizer: {name: lars, trust_coefficient: 0}\n", "expected auto or a number above 0");
  CHECK_REFUSED("schedule: {decay: step, decay_rate: 0}\n", "expected a number above 0");
}

static void a_count_says_of_what(void **state) {
  (void)state;
  tutti_config c;
  CHECK_REFUSED("train: {evaluate_every: 5}\n",
                "'5' lacks a unit; expected 0, or a number and a unit: steps, epochs");
  CHECK_REFUSED("train: {evaluate_every: 5 minutes}\n", "'5 minutes' is not a count");
  CHECK_REFUSED("train: {evaluate_every: -1 steps}\n", "'-1 steps' is not a count");
  CHECK_REFUSED("train: {evaluate_every: 0x5 steps}\n", "is not a count");
  CHECK_REFUSED("train: {evaluate_every: 1.5 steps}\n", "'1.5 steps' is not whole");
  CHECK_REFUSED("train: {evaluate_every: 1e300 epochs}\n", "is too large");
  CHECK_REFUSED("train: {epochs: 5 epochs}\n", "'5 epochs' is not a whole number");
  CHECK_REFUSED("run: {metrics_every: 2 epochs}\n", "a unit: steps");
  CHECK_REFUSED("run: {measure: noises}\n", "none, noise, norms, all");
  CHECK_REFUSED("schedule: {decay: step, decay_every: 0}\n", "is out of range; expected a number and a unit");
  CHECK_OK(PARSE("train: {evaluate_every: 0}\nrun: {checkpoint_every: 0.5 hours}\n", &c));
  assert_true(c.train.evaluate_every.value == 0 && c.run.checkpoint_every.value == 1800);
  tutti_config_clear(&c);
}

static void words_are_checked(void **state) {
  (void)state;
  static const char *const spellings[] = {"yes", "TRUE", "On", "no", "False", "off"};
  for (int i = 0; i < 6; i++) {
    char text[128];
    tutti_config c;
    snprintf(text, sizeof text, NEEDED "train: {shuffle: %s}\n", spellings[i]);
    CHECK_OK(tutti_config_parse(text, NULL, NULL, 0, &c));
    assert_true(c.train.shuffle == (i < 3));
    tutti_config_clear(&c);
  }
  CHECK_REFUSED("train: {shuffle: maybe}\n", "'maybe' is neither yes nor no; expected yes or no");
  CHECK_REFUSED("optimizer: {name: rmspop}\n",
                "run.yaml:3:19: optimizer.name: 'rmspop' is not known (did you mean "
                "rmsprop?); expected sgd, adagrad");
  CHECK_REFUSED("run: {resume: yes}\n", "expected auto, no, or the path of a checkpoint");
  CHECK_REFUSED("train: {monitor: acuracy}\n", "'acuracy' is not a metric (did you mean accuracy?)");
  CHECK_REFUSED("train: {stop_at: val_acc > 1}\n", "run.yaml:3:18: train.stop_at: ");
}

static void layers_are_a_list_or_one_line(void **state) {
  (void)state;
  tutti_config c;
  CHECK_OK(tutti_config_parse("data: {file: d}\nmodel: {layers: 'dense 3 relu,dropout 0.5 , dense 2'}\n", "f",
                              NULL, 0, &c));
  assert_true(c.model.n_layers == 3 && c.model.layers[0].units == 3 && c.model.layers[2].units == 2);
  tutti_config_clear(&c);
  const char *wrong = "data: {file: d}\nmodel:\n  layers:\n    - dense 3 relu\n    - dens 2\n";
  CHECK_FAILS(tutti_config_parse(wrong, "f", NULL, 0, &c), TUTTI_ERR_CONFIG, "f:5:7: model.layers: ");
  wrong = "data: {file: d}\nmodel: {layers: 'dense 3,'}\n";
  CHECK_FAILS(tutti_config_parse(wrong, "f", NULL, 0, &c), TUTTI_ERR_CONFIG, "a layer is empty");
}

static void the_model_is_handed_on_as_its_room_takes_it(void **state) {
  (void)state;
  tutti_config c;
  CHECK_OK(
      tutti_config_parse("data: {file: d}\nmodel: {layers: [dense 3, dense 2], loss: huber, initializer: "
                         "he_normal}\n",
                         "f", NULL, 0, &c));
  const tutti_model_options options = tutti_config_model(&c);
  assert_ptr_equal(options.layers, c.model.layers);
  assert_int_equal(options.n_layers, 2);
  assert_int_equal(options.loss, c.model.loss);
  assert_int_equal(options.initializer, TUTTI_INIT_HE_NORMAL);
  tutti_config_clear(&c);
}

static void unknown_names_are_answered_with_the_nearest(void **state) {
  (void)state;
  CHECK_REFUSED("train: {batchsize: 5}\n", "run.yaml:3:9: train: unknown key 'batchsize' (did you mean "
                                           "train.batch_size?); the keys of train are: ");
  CHECK_REFUSED("train: {learning_rate: 5}\n", "did you mean optimizer.learning_rate?");
  CHECK_REFUSED("train: {zzzzzz: 5}\n", "unknown key 'zzzzzz'; the keys of train are: batch_size, ");
  CHECK_REFUSED("optimiser: {name: sgd}\n",
                "run.yaml:3:1: unknown section 'optimiser' (did you mean optimizer?)");
  CHECK_REFUSED("batch_size: 5\n",
                "the key 'batch_size' belongs in a section; did you mean train.batch_size?");
  CHECK_REFUSED("xyzzy: {vary: {a: [1]}}\n",
                "unknown section 'xyzzy'; the sections are: data, model, optimizer, ");
  CHECK_REFUSED("train: {? 'a very long key that goes on and on and on and on and on and on and on and on "
                "and on and on and on' : 5}\n",
                "...'");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_key_is_described_once),
      cmocka_unit_test(a_config_without_keys_has_the_defaults),
      cmocka_unit_test(each_key_is_read_into_its_field),
      cmocka_unit_test(the_run_directory_is_named_for_the_config),
      cmocka_unit_test(numbers_are_whole_tokens_in_their_range),
      cmocka_unit_test(reals_are_finite_and_in_their_range),
      cmocka_unit_test(a_count_says_of_what),
      cmocka_unit_test(words_are_checked),
      cmocka_unit_test(layers_are_a_list_or_one_line),
      cmocka_unit_test(the_model_is_handed_on_as_its_room_takes_it),
      cmocka_unit_test(unknown_names_are_answered_with_the_nearest),
  };
  return cmocka_run_group_tests_name("config.keys", tests, NULL, check_no_leak);
}
