#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "parse.h"

static const char valid[] = "# a comment\n"
                            "data: {file: d.h5, validation_split: 0.1, scale: unit}\n"
                            "model:\n"
                            "  layers:\n"
                            "    - dense 512 relu bias=no\n"
                            "    - dropout 0.2\n"
                            "    - dense 10 softmax\n"
                            "  loss: \"auto\"\n"
                            "optimizer: {name: sgd, momentum: 0.9, learning_rate: 1e-2}\n"
                            "schedule:\n"
                            "  warmup: 2 epochs\n"
                            "  decay: cosine\n"
                            "train:\n"
                            "  batch_size: &b 128\n"
                            "  micro_batch_size: *b\n"
                            "  steps: 1000\n"
                            "  stop_at: val_accuracy >= 0.97\n"
                            "run: {directory: 'a b', checkpoint_every: 10 minutes}\n"
                            "study:\n"
                            "  search: sobol\n"
                            "  trials: 7\n"
                            "  vary:\n"
                            "    train.batch_size: [1, 32]\n"
                            "    optimizer.momentum: {from: 0.1, to: 0.99, scale: reverse_log}\n"
                            "    model.layers: [[dense 3, dense 2], dense 1]\n"
                            "    optimizer.name: {sgd: {optimizer.nesterov: [no, yes]}, lars: }\n"
                            "  goal: val_accuracy > 0.9\n";

enum { BYTES = 2 * sizeof valid };

/** Letters that mean something to YAML or to the readers come more often. */
static char letter(uint32_t word) {
  static const char special[] = "\n\t :-[]{},*&!|>'\"#%@`?~.=<0123456789e\\\x01\x7F\xC3\xE2\xFF";
  return word & 1 ? special[(word >> 8) % (sizeof special - 1)] : (char)(1 + (word >> 8) % 255);
}

/** Replace, delete, insert, repeat or move some bytes. */
static void mutate(char *text, const uint32_t words[4]) {
  const size_t n = strlen(text), at = words[1] % (n + 1), span = words[2] % (words[2] & 0x10000 ? 2 : 16);
  const size_t end = at + span < n ? at + span : n;
  char part[32] = "";
  switch (words[0] % 5) {
  case 0:
    if (at < n) text[at] = letter(words[3]);
    break;
  case 1:
    memmove(text + at, text + end, n - end + 1);
    break;
  case 2:
    if (n + 2 < BYTES) {
      memmove(text + at + 1, text + at, n - at + 1);
      text[at] = letter(words[3]);
    }
    break;
  case 3:
    if (n + span + 1 < BYTES) memmove(text + end, text + at, n - at + 1);
    break;
  default:
    memcpy(part, text + at, end - at);
    memmove(text + at, text + end, n - end + 1);
    const size_t to = words[3] % (n - (end - at) + 1);
    memmove(text + to + (end - at), text + to, n - (end - at) - to + 1);
    memcpy(text + to, part, end - at);
  }
}

/** A config that was read is read back from its dump. */
static void check_dump(const tutti_config *config) {
  char *text = NULL, a[128], b[128];
  tutti_config back;
  CHECK_OK(tutti_config_dump(config, &text));
  CHECK_OK(tutti_config_parse(text, "dump", NULL, 0, &back));
  assert_null(first_difference(config, &back, a, b));
  tutti_config_clear(&back);
  tutti_free(text);
}

static void damaged_configs_are_read_or_refused(void **state) {
  (void)state;
  const tutti_stream stream = {.seed = 2, .kind = TUTTI_STREAM_NOISE};
  int n_read = 0, n_refused = 0;
  for (uint64_t trial = 0; trial < 1500; trial++) {
    char text[BYTES];
    tutti_config config;
    memcpy(text, valid, sizeof valid);
    const uint64_t n = trial % 2 ? 1 : 1 + trial / 2 % 6;
    for (uint64_t i = 0; i < n; i++) {
      uint32_t words[4];
      tutti_random_words(stream, trial * 8 + i, words);
      mutate(text, words);
    }
    tutti_fail_set_text("");
    const tutti_status status = tutti_config_parse(text, "fuzz.yaml", NULL, 0, &config);
    if (status == TUTTI_OK) {
      check_dump(&config);
      n_read++;
    } else {
      assert_int_equal(status, TUTTI_ERR_CONFIG);
      assert_true(tutti_fail_text()[0] != '\0');
      n_refused++;
    }
    tutti_config_clear(&config);
  }
  // both ways were taken
  if (n_read < 100 || n_refused < 100) fail_msg("%d read, %d refused", n_read, n_refused);
}

static void damaged_options_are_read_or_refused(void **state) {
  (void)state;
  static const char *const values[] = {
      "[dense 512 relu, dropout 0.2]", "val_accuracy >= 0.97", "10 minutes", "1e-3", "[32, 64]",
      "{from: 1, to: 9, points: 3}"};
  enum { N_VALUES = sizeof values / sizeof values[0] };
  const tutti_stream stream = {.seed = 3, .kind = TUTTI_STREAM_NOISE};
  tutti_key_info info;
  for (uint64_t trial = 0; trial < 1500; trial++) {
    char text[BYTES], key[128];
    tutti_config config;
    uint32_t words[4];
    snprintf(text, sizeof text, "%s", values[trial % N_VALUES]);
    for (uint64_t i = 0; i < trial % 3; i++) {
      tutti_random_words(stream, trial * 4 + i, words);
      mutate(text, words);
    }
    tutti_config_key((int)(trial % (uint64_t)tutti_config_n_keys()), &info);
    snprintf(key, sizeof key, "%s%s.%s", trial / 500 % 2 ? "study.vary." : "", info.section, info.name);
    tutti_fail_set_text("");
    const tutti_status status = PARSE_WITH(valid, &config, {key, text});
    if (status == TUTTI_OK)
      check_dump(&config);
    else
      assert_true(status == TUTTI_ERR_CONFIG && tutti_fail_text()[0] != '\0');
    tutti_config_clear(&config);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(damaged_configs_are_read_or_refused),
      cmocka_unit_test(damaged_options_are_read_or_refused),
  };
  return cmocka_run_group_tests_name("config.fuzz", tests, NULL, check_no_leak);
}
