#include <stdlib.h>
#include <string.h>

#include "config/yaml_impl.h"
#include "parse.h"

static void nodes_know_where_they_stand(void **state) {
  (void)state;
  tutti_yaml *yaml;
  tutti_node key, value;
  CHECK_OK(tutti_config_yaml_open("# first\na: 1\nbb:\n  - x\n  - 'null'\nc: ~\n", "f", &yaml));
  const tutti_node root = tutti_config_yaml_root(yaml);
  assert_int_equal(root.kind, TUTTI_NODE_MAPPING);
  assert_int_equal(root.n, 3);
  tutti_config_yaml_pair(yaml, root, 0, &key, &value);
  assert_string_equal(value.text, "1");
  assert_int_equal(value.line, 2);
  assert_int_equal(value.column, 4);
  tutti_config_yaml_pair(yaml, root, 1, &key, &value);
  assert_string_equal(key.text, "bb");
  assert_int_equal(value.kind, TUTTI_NODE_LIST);
  const tutti_node quoted = tutti_config_yaml_item(yaml, value, 1);
  assert_int_equal(quoted.kind, TUTTI_NODE_SCALAR);
  assert_string_equal(quoted.text, "null");
  assert_int_equal(quoted.line, 5);
  tutti_config_yaml_pair(yaml, root, 2, &key, &value);
  assert_int_equal(value.kind, TUTTI_NODE_NOTHING);
  tutti_config_yaml_close(&yaml);
  assert_null(yaml);
  tutti_config_yaml_close(&yaml);
}

static void an_empty_text_is_nothing(void **state) {
  (void)state;
  const char *const empty[] = {"", "\n\n", "# a comment\n", "---\n", "---\n...\n", "\xEF\xBB\xBF"};
  for (int i = 0; i < 6; i++) {
    tutti_yaml *yaml;
    CHECK_OK(tutti_config_yaml_open(empty[i], "f", &yaml));
    assert_int_equal(tutti_config_yaml_root(yaml).kind, TUTTI_NODE_NOTHING);
    tutti_config_yaml_close(&yaml);
  }
}

/** Editors of Windows write the mark. */
static void a_byte_order_mark_is_no_part_of_the_text(void **state) {
  (void)state;
  static const char mark[] = "\xEF\xBB\xBF";
  tutti_config config;
  CHECK_OK(
      tutti_config_parse("\xEF\xBB\xBF# first\n" NEEDED "train:\n  batch_size: 3\n", "f", NULL, 0, &config));
  assert_int_equal(config.train.batch_size, 3);
  tutti_config_clear(&config);
  CHECK_OK(tutti_config_parse("\xEF\xBB\xBF---\r\n" NEEDED, "f", NULL, 0, &config));
  tutti_config_clear(&config);

  // Only at the beginning, only once, and only as a whole; places count from the text.
  CHECK_FAILS(tutti_config_parse("\xEF\xBB\xBF" NEEDED "trian: {}\n", "f", NULL, 0, &config),
              TUTTI_ERR_CONFIG, "f:3:1: ");
  CHECK_FAILS(tutti_config_parse("\xEF\xBB\xBF\xEF\xBB\xBF" NEEDED, "f", NULL, 0, &config), TUTTI_ERR_CONFIG,
              "f:");
  for (int n = 1; n < 3; n++) {
    char text[8] = "";
    memcpy(text, mark, (size_t)n);
    CHECK_FAILS(tutti_config_parse(text, "f", NULL, 0, &config), TUTTI_ERR_CONFIG, "UTF-8");
  }
}

static void errors_of_syntax_have_a_place(void **state) {
  (void)state;
  CHECK_REFUSED("train: [1, 2\n", "run.yaml:4:1: ");
  CHECK_REFUSED("train:\n  epochs: 3\n bad\n", "run.yaml:5:2: ");
  CHECK_REFUSED("train: {epochs: 'x}\n", "run.yaml:");
  CHECK_REFUSED("train:\n\tepochs: 3\n", "run.yaml:4:1: ");
  CHECK_REFUSED("train:\n\tepochs: 3\n", "indented with a tab");
  CHECK_REFUSED("train: @x\n", "run.yaml:3:8: ");
  CHECK_REFUSED("train: *nowhere\n", "undefined alias");
  CHECK_REFUSED("---\ntrain: {epochs: 1}\n", "run.yaml:4:1: a second document");
}

static void what_is_no_text_is_refused(void **state) {
  (void)state;
  CHECK_REFUSED("run: {directory: caf\xE9}\n", "run.yaml:3:22: ");
  CHECK_REFUSED("run: {directory: caf\xE9}\n", "UTF-8");
  CHECK_REFUSED("\x01\x02\x03\n", "run.yaml:3:1: ");
  CHECK_REFUSED("run: {directory: \"a\\0b\"}\n", "run.yaml:3:18: the value contains a zero character");
  tutti_config config;
  CHECK_FAILS(tutti_config_parse("\x89HDF\r\n\x1a\n", "d.h5", NULL, 0, &config), TUTTI_ERR_CONFIG,
              "d.h5:1:1: ");
}

static void tags_are_refused_and_aliases_work(void **state) {
  (void)state;
  tutti_config config;
  CHECK_REFUSED("train: {epochs: !!int 3}\n", "run.yaml:3:17: the tag 'tag:yaml.org,2002:int'");
  CHECK_REFUSED("train: {epochs: !mine 3}\n", "'!mine'");
  CHECK_OK(PARSE("train: {batch_size: &n 64, patience: 3, monitor: loss}\nschedule: {scaling: sqrt, "
                 "base_batch_size: *n}",
                 &config));
  assert_int_equal(config.schedule.base_batch_size, 64);
  tutti_config_clear(&config);
  CHECK_REFUSED("train: &t {epochs: *t}\n", "train.epochs: the value is a mapping");
  CHECK_REFUSED("train: {<<: {epochs: 3}}\n", "unknown key '<<'");
}

static void wrong_shapes_are_refused(void **state) {
  (void)state;
  tutti_config config;
  CHECK_FAILS(tutti_config_parse("hello\n", "f", NULL, 0, &config), TUTTI_ERR_CONFIG,
              "f:1:1: this is not a config");
  CHECK_FAILS(tutti_config_parse("- a\n- b\n", "f", NULL, 0, &config), TUTTI_ERR_CONFIG,
              "f:1:1: this is not a config");
  CHECK_REFUSED("train: 5\n", "run.yaml:3:1: the section train has no keys");
  CHECK_REFUSED("train: [epochs]\n", "the section train has no keys");
  CHECK_REFUSED("[a, b]: {epochs: 5}\n", "run.yaml:3:1: a section has a name");
  CHECK_REFUSED("train: {[a]: 5}\n", "run.yaml:3:9: train: a key is a name");
  CHECK_REFUSED("train: {epochs: [5]}\n",
                "run.yaml:3:17: train.epochs: the value is a list; expected a whole number");
  CHECK_REFUSED("train: {epochs: {a: 5}}\n", "train.epochs: the value is a mapping");
  CHECK_REFUSED("train: {epochs: }\n", "train.epochs: the value is nothing");
  CHECK_REFUSED("train: {epochs: null}\n", "train.epochs: the value is nothing");
  CHECK_REFUSED("run: {directory: ''}\n", "run.directory: '' is empty");
  CHECK_FAILS(tutti_config_parse("model:\n  layers:\n    - dense: 5\n", "f", NULL, 0, &config),
              TUTTI_ERR_CONFIG, "f:3:7: model.layers: layer 1 is not a line of words");
}

static void what_stands_twice_is_refused(void **state) {
  (void)state;
  CHECK_REFUSED("train: {seed: 5, shuffle: no, seed: 5}\n",
                "run.yaml:3:31: train.seed: the key is set twice, at line 3");
  CHECK_REFUSED("train: {seed: 1}\nrun: {keep: 1}\ntrain: {epochs: 5}\n",
                "run.yaml:5:1: the section train appears twice, before at line 3");
  CHECK_REFUSED("train:\ntrain: {epochs: 5}\n",
                "run.yaml:4:1: the section train appears twice, before at line 3");
}

static void a_section_may_be_empty(void **state) {
  (void)state;
  tutti_config config;
  CHECK_OK(PARSE("train:\n  # epochs: 5\nrun: {}\n", &config));
  assert_true(config.train.budget.value == 1);
  tutti_config_clear(&config);
}

/** `n` times `open`, in one text. */
static char *repeated(const char *start, const char *part, size_t n) {
  const size_t first = strlen(start), bytes = strlen(part);
  char *text = malloc(first + n * bytes + 1);
  assert_non_null(text);
  memcpy(text, start, first + 1);
  for (size_t i = 0; i < n; i++) memcpy(text + first + i * bytes, part, bytes + 1);
  return text;
}

static void deep_and_huge_texts_are_refused(void **state) {
  (void)state;
  tutti_config config;
  static const struct {
    const char *start, *part, *answer;
    size_t n;
  } cases[] = {{"train: ", "[", "f:1:23: 17 levels", 200000},
               {"train: ", "{a: ", "17 levels", 60000},
               {"", "- ", "17 levels", 100000},
               {"", "? ", "17 levels", 100000},
               {"a: [", "a, ", "did not find", 80000},
               {"run: {directory: ", "long", "262161 bytes are too many", 1 << 16}};
  for (int i = 0; i < 6; i++) {
    char *text = repeated(cases[i].start, cases[i].part, cases[i].n);
    CHECK_FAILS(tutti_config_parse(text, "f", NULL, 0, &config), TUTTI_ERR_CONFIG, cases[i].answer);
    free(text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nodes_know_where_they_stand),
      cmocka_unit_test(an_empty_text_is_nothing),
      cmocka_unit_test(errors_of_syntax_have_a_place),
      cmocka_unit_test(what_is_no_text_is_refused),
      cmocka_unit_test(tags_are_refused_and_aliases_work),
      cmocka_unit_test(wrong_shapes_are_refused),
      cmocka_unit_test(what_stands_twice_is_refused),
      cmocka_unit_test(a_section_may_be_empty),
      cmocka_unit_test(deep_and_huge_texts_are_refused),
      cmocka_unit_test(a_byte_order_mark_is_no_part_of_the_text),
  };
  return cmocka_run_group_tests_name("config.yaml", tests, NULL, check_no_leak);
}
