#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "config/keys_impl.h"
#include "parse.h"

/** All keys print alike, also those that a dump leaves out; but a dump always resumes. */
static void check_same(const tutti_config *a, const tutti_config *b) {
  char buffer_a[TUTTI_VALUE_BYTES], buffer_b[TUTTI_VALUE_BYTES];
  assert_int_equal(a->train.budget.unit, b->train.budget.unit);
  for (int i = 0; i < tutti_config_n_keys(); i++) {
    const tutti_key *key = tutti_config_key_at(i);
    const int64_t n = tutti_config_value_n_parts(key, a);
    if (key->type == TUTTI_KEY_RESUME) continue;
    assert_int_equal(n, tutti_config_value_n_parts(key, b));
    for (int64_t k = 0; k < n; k++)
      assert_string_equal(tutti_config_value_part(key, a, k, buffer_a),
                          tutti_config_value_part(key, b, k, buffer_b));
  }
}

/** Dump, parse, compare, dump again.  The file's name differs: all that counts is in the text. */
static void check_round_trip(const tutti_config *config) {
  char *text = NULL, *again = NULL;
  tutti_config back;
  CHECK_OK(tutti_config_dump(config, &text));
  CHECK_OK(tutti_config_parse(text, "elsewhere.yaml", NULL, 0, &back));
  check_same(config, &back);
  CHECK_OK(tutti_config_dump(&back, &again));
  assert_string_equal(text, again);
  tutti_free(text);
  tutti_free(again);
  tutti_config_clear(&back);
}

static void the_dump_is_a_readable_config(void **state) {
  (void)state;
  tutti_config c;
  char *text;
  CHECK_OK(
      tutti_config_parse("data: {file: data/mnist.h5}\nmodel: {layers: [dense 512 relu, dense 10 softmax]}\n"
                         "train: {epochs: 5}\n",
                         "jobs/mnist.yaml", NULL, 0, &c));
  CHECK_OK(tutti_config_dump(&c, &text));
  assert_int_equal(strncmp(text, TUTTI_CONFIG_MARK "\n", strlen(TUTTI_CONFIG_MARK "\n")), 0);
  const char *const lines[] = {
      "\ndata:\n  file: data/mnist.h5\n  x_train: x_train\n",
      "\nmodel:\n  layers:\n    - dense 512 relu\n    - dense 10 softmax\n  loss: auto\n",
      "\noptimizer:\n  name: rmsprop\n  learning_rate: 0.001\n",
      ("\ntrain:\n  batch_size: 32\n  last_batch: short\n  micro_batch_size: auto\n  epochs: 5\n  seed: 0\n  "
       "shuffle: yes\n"
       "  evaluate_every: 1 epoch\n"),
      "\nrun:\n  directory: runs/mnist\n  resume: auto\n",
  };
  for (int i = 0; i < 5; i++)
    if (!strstr(text, lines[i])) fail_msg("%s\n  does not hold\n%s", text, lines[i]);
  // what these other keys would not let it read back
  const char *const absent[] = {"steps:", "samples:", "decay_rate", "validation_take", "beta_1", "nesterov"};
  for (int i = 0; i < 6; i++)
    if (strstr(text, absent[i])) fail_msg("%s\n  holds\n%s", text, absent[i]);
  tutti_free(text);
  check_round_trip(&c);
  tutti_config_clear(&c);
}

#define NET "model: {layers: [dense 2 softmax]}\n"

/** As a mapping and as a text; a dump has the text. */
static void weights_of_classes_are_read_back(void **state) {
  (void)state;
  static const char *const given[][2] = {{"{0: 1, cat: 2.50}", "0: 1, cat: 2.5"},
                                         {"'a:b : 0,1: 1e3'", "a:b: 0, 1: 1000"},
                                         {"balanced", "balanced"}};
  static const char *const bad[][2] = {{"{0: -1}", "a finite number of at least 0"},
                                       {"{0: nan}", "a finite number of at least 0"},
                                       {"{0: 1e999}", "a finite number of at least 0"},
                                       {"{0: }", "expected a number for each class"},
                                       {"{0: {1: 2}}", "expected a number for each class"},
                                       {"{}", "is empty"},
                                       {"[1, 2]", "the value is a list"},
                                       {"2", "is not of the form 'CLASS: WEIGHT'"},
                                       {"'0: 1,'", "is not of the form 'CLASS: WEIGHT'"}};
  tutti_config c;
  for (int i = 0; i < 3; i++) {
    const tutti_override option[] = {{"data.file", "x.h5"}, {"data.class_weight", given[i][0]}};
    CHECK_OK(tutti_config_parse(NET, NULL, option, 2, &c));
    assert_string_equal(c.data.class_weight, given[i][1]);
    check_round_trip(&c);
    tutti_config_clear(&c);
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    const tutti_override option[] = {{"data.file", "x.h5"}, {"data.class_weight", bad[i][0]}};
    assert_int_equal(tutti_config_parse(NET, NULL, option, 2, &c), TUTTI_ERR_CONFIG);
    if (!strstr(tutti_fail_text(), bad[i][1])) fail_msg("%s does not say: %s", tutti_fail_text(), bad[i][1]);
  }
}

static void a_dump_goes_on_where_its_run_is(void **state) {
  (void)state;
  static const char *const values[] = {"auto", "no", "off", "some/path.h5"};
  for (int i = 0; i < 4; i++) {
    const tutti_override option = {"run.resume", values[i]};
    tutti_config c, back;
    char *text = NULL;
    CHECK_OK(tutti_config_parse(NEEDED, "run.yaml", &option, 1, &c));
    CHECK_OK(tutti_config_dump(&c, &text));
    CHECK_OK(tutti_config_parse(text, "run.yaml", NULL, 0, &back));
    assert_string_equal(back.run.resume, "auto");
    tutti_free(text);
    tutti_config_clear(&c);
    tutti_config_clear(&back);
  }
}

static void any_text_is_quoted_as_it_needs(void **state) {
  (void)state;
  static const char *const texts[] = {
      "plain.h5",
      "a b",
      " a",
      "a ",
      "a: b",
      "a #b",
      "#a",
      "null",
      "~",
      "'",
      "\"",
      "\\",
      "a\tb",
      "a\nb\n",
      "- a",
      "[a]",
      "{a}",
      "*a",
      "&a",
      "!a",
      "%a",
      "@a",
      "`a",
      "a,b",
      "yes",
      "1e3",
      "...",
      "---",
      "größe.h5",
      "\xE2\x80\xA8",
      "\xC2\x85",
      "\x7F\x01",
      "\xF0\x9F\x98\x80",
      "\xEF\xBB\xBF",
      "?",
      "|",
      ">",
      "a:",
      ":",
      "=",
      "<<",
  };
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    tutti_config c;
    CHECK_OK(PARSE("", &c));
    tutti_free(c.data.file);
    tutti_free(c.run.directory);
    c.data.file = tutti_strdup(texts[i]);
    c.run.directory = tutti_strdup(texts[i]);
    check_round_trip(&c);
    tutti_config_clear(&c);
  }
}

typedef struct {
  const char *key, *values[6];
} choice;

/** Values that may be combined freely, and NULL for leaving a key out. */
static const choice free_choices[] = {
    {"data.validation_split", {"0.1", "0.3333333333333333", "1e-3", "0.5"}},
    {"data.limit_train", {NULL, "1000", "6e4"}},
    {"data.scale", {NULL, "none", "unit", "standardize_features"}},
    {"data.x_test", {NULL, "'odd: name'", "\"tab\\t\""}},
    {"model.layers",
     {NULL, "dense 3", "dense 4 gelu bias=no l2=1e-4, dropout 0.3, batch_norm, dense 2 softmax"}},
    {"model.label_smoothing", {NULL, "0.1"}},
    {"model.initializer", {NULL, "he_normal"}},
    {"optimizer.name", {NULL, "sgd", "adagrad", "adadelta", "adamw", "nadam"}},
    {"optimizer.dialect", {NULL, "keras", "torch"}},
    {"optimizer.learning_rate", {NULL, "0.1", "0.30000000000000004", "1e-300"}},
    {"optimizer.clipnorm", {NULL, "1", "0.7"}},
    {"optimizer.ema_momentum", {NULL, "0.99", "0"}},
    {"schedule.warmup", {NULL, "0.1 epochs", "500 steps", "123456789 samples", "0.3333333333333333 epochs"}},
    {"schedule.decay", {NULL, "constant", "step", "exponential", "polynomial", "cosine"}},
    {"train.batch_size", {NULL, "1", "4096"}},
    {"train.epochs", {NULL, "7"}},
    {"train.seed", {NULL, "9223372036854775807"}},
    {"train.shuffle", {NULL, "no"}},
    {"train.stop_at", {NULL, "val_accuracy>=0.97", "loss < 1e-5"}},
    {"train.monitor", {NULL, "val_loss", "accuracy"}},
    {"train.evaluate_every", {NULL, "2 epochs", "1e15 steps"}},
    {"run.checkpoint_every", {NULL, "0", "90 seconds", "1.5 hours"}},
    {"run.metrics_every", {NULL, "1 step"}},
    {"run.measure", {NULL, "noise", "all"}},
    {"parallel.threads", {NULL, "4", "auto"}},
};
enum { N_CHOICES = sizeof free_choices / sizeof free_choices[0] };

static void any_config_is_read_back(void **state) {
  (void)state;
  const tutti_stream stream = {.seed = 1, .kind = TUTTI_STREAM_NOISE};
  for (uint64_t trial = 0; trial < 300; trial++) {
    tutti_override options[N_CHOICES];
    uint32_t words[N_CHOICES];
    int n = 0;
    tutti_random_fill(stream, trial * N_CHOICES, N_CHOICES, words);
    for (int i = 0; i < N_CHOICES; i++) {
      const char *value = free_choices[i].values[words[i] % 6];
      if (value) options[n++] = (tutti_override){free_choices[i].key, value};
    }
    const tutti_override split = {"data.validation_split", "0.25"};
    options[0] = n > 0 && strcmp(options[0].key, split.key) == 0 ? options[0] : split;
    tutti_config c;
    CHECK_OK(tutti_config_parse(NEEDED, "run.yaml", options, n > 0 ? n : 1, &c));
    check_round_trip(&c);
    tutti_config_clear(&c);
  }
}

static void keys_that_depend_on_others_are_read_back(void **state) {
  (void)state;
  static const char *const texts[] = {
      NEEDED "schedule: {decay: step, decay_rate: 0.5, decay_every: 30 epochs}\n",
      NEEDED "schedule: {decay: exponential, decay_rate: 2, decay_every: 7 steps}\n",
      NEEDED "schedule: {decay: step, decay_milestones: [10 epochs, 20.5 epochs, 30 epochs]}\n",
      NEEDED "schedule: {decay: step, decay_milestones: '1, 1e3, 5000, 1000000000000000 samples'}\n",
      NEEDED "schedule: {decay: step, decay_milestones: 300 steps}\n",
      NEEDED "schedule: {batch_growth: step, batch_factor: 2.5, batch_milestones: [1, 2.5, 3 epochs], "
             "batch_max: 99}\n",
      NEEDED "schedule: {batch_growth: geometric, batch_every: 20 steps}\n",
      NEEDED "schedule: {decay: polynomial, decay_over: 30 epochs, decay_power: 2, decay_end: 0.1}\n",
      NEEDED "schedule: {decay: cosine, decay_end: 1e-3}\n",
      NEEDED "schedule: {scaling: linear, base_batch_size: 256}\n",
      NEEDED "optimizer: {name: sgd, momentum: 0.9, nesterov: yes, momentum_correction: yes}\n",
      NEEDED "optimizer: {name: rmsprop, centered: yes, momentum: 0.5, dialect: torch}\n",
      NEEDED "optimizer: {name: adam, amsgrad: yes, beta_1: 0.8, epsilon: 0.1}\n",
      NEEDED "optimizer: {name: lars, lars_form: paper, trust_coefficient: 0.02}\n",
      NEEDED "train: {steps: 1000, monitor: loss, patience: 4}\n",
      NEEDED "train: {samples: 1e15}\nrun: {resume: off, directory: \"a\\x85\\u2028b\"}\n",
      "data: {file: d, validation_split: 0.999, validation_take: last}\nmodel: {layers: dense 1}\n",
  };
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    tutti_config c;
    CHECK_OK(tutti_config_parse(texts[i], NULL, NULL, 0, &c));
    check_round_trip(&c);
    tutti_config_clear(&c);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_dump_is_a_readable_config),
      cmocka_unit_test(a_dump_goes_on_where_its_run_is),
      cmocka_unit_test(weights_of_classes_are_read_back),
      cmocka_unit_test(any_text_is_quoted_as_it_needs),
      cmocka_unit_test(any_config_is_read_back),
      cmocka_unit_test(keys_that_depend_on_others_are_read_back),
  };
  return cmocka_run_group_tests_name("config.dump", tests, NULL, check_no_leak);
}
