#include <string.h>

#include "support/check.h"
#include "tutti/model.h"

static void all_words_of_a_dense_layer(void **state) {
  (void)state;
  tutti_layer_spec spec;
  CHECK_OK(tutti_layer_parse("dense 512 relu bias=no initializer=he_uniform l1=1e-5 l2=0.25", &spec));
  assert_int_equal(spec.kind, TUTTI_LAYER_DENSE);
  assert_int_equal(spec.units, 512);
  assert_int_equal(spec.activation, TUTTI_RELU);
  assert_false(spec.bias);
  assert_true(spec.has_initializer);
  assert_int_equal(spec.initializer, TUTTI_INIT_HE_UNIFORM);
  assert_true(spec.l1 == 1e-5 && spec.l2 == 0.25);
}

static void defaults_are_those_of_keras(void **state) {
  (void)state;
  tutti_layer_spec spec;
  CHECK_OK(tutti_layer_parse("  dense\t7 ", &spec));
  assert_true(spec.bias && !spec.has_initializer && spec.activation == TUTTI_LINEAR && spec.l1 == 0 &&
              spec.l2 == 0);
  CHECK_OK(tutti_layer_parse("batch_norm", &spec));
  assert_true(spec.momentum == 0.99 && spec.epsilon == 1e-3 && spec.ghost == 0);
}

static void what_is_printed_reads_back(void **state) {
  (void)state;
  const char *const texts[] = {"dense 10",
                               "dense 10 softmax",
                               "dense 512 leaky_relu bias=no initializer=lecun_normal l1=1e-05 l2=0.1",
                               "activation hard_sigmoid",
                               "activation linear",
                               "dropout 0.2",
                               "dropout 0",
                               "batch_norm",
                               "batch_norm ghost=128 momentum=0.9 epsilon=1e-05",
                               "gaussian_noise 0.3",
                               "gaussian_dropout 0.125",
                               "alpha_dropout 0.1",
                               "prelu"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    tutti_layer_spec spec, again;
    char text[128];
    CHECK_OK(tutti_layer_parse(texts[i], &spec));
    tutti_layer_print(&spec, text, sizeof text);
    assert_string_equal(text, texts[i]);
    CHECK_OK(tutti_layer_parse(text, &again));
    assert_true(again.rate == spec.rate && again.units == spec.units && again.momentum == spec.momentum);
  }
}

static void defaults_are_not_printed(void **state) {
  (void)state;
  tutti_layer_spec spec;
  char text[64];
  CHECK_OK(tutti_layer_parse("dense 10 linear bias=yes l1=0", &spec));
  tutti_layer_print(&spec, text, sizeof text);
  assert_string_equal(text, "dense 10");
  tutti_layer_print(&spec, text, 6);
  assert_string_equal(text, "dense"); // cut, not overrun
}

static void mistakes_are_answered(void **state) {
  (void)state;
  const struct {
    const char *text, *part;
  } cases[] = {
      {"", "a layer is empty"},
      {"dens 10", "layer 'dens 10': 'dens' is not a layer (did you mean dense?); expected one of: dense, "
                  "activation, dropout"},
      {"lstm 10", "'lstm' is not a layer; expected one of: dense, activation, dropout"},
      {"dense", "UNITS is missing; write 'dense UNITS'"},
      {"dense relu", "UNITS is 'relu', expected an integer from 1"},
      {"dense 0", "UNITS is '0', expected an integer from 1"},
      {"dense 3000000000", "UNITS is '3000000000'"},
      {"dense 10 rleu", "'rleu' is not an activation (did you mean relu?)"},
      {"dense 10 relu tanh", "the word 'tanh' has no meaning here"},
      {"dense 10 bias=maybe", "bias is 'maybe', expected yes or no"},
      {"dense 10 initializer=he", "'he' is not an initializer"},
      {"dense 10 initialiser=he_normal",
       "'initialiser' is not an option of dense (did you mean initializer?)"},
      {"dense 10 l1=-1", "l1 is '-1', expected a number >= 0"},
      {"dense 10 l2=", "l2 is '', expected a number >= 0"},
      {"dense 10 l1=1 l1=2", "l1 is given twice"},
      {"activation", "NAME is missing"},
      {"dropout", "RATE is missing"},
      {"dropout 1", "RATE is '1', expected a number >= 0 and < 1"},
      {"dropout -0.1", "RATE is '-0.1'"},
      {"dropout nan", "RATE is 'nan'"},
      {"dropout 0.5 seed=1", "dropout has no option 'seed'"},
      {"alpha_dropout 1", "expected a number >= 0 and < 1"},
      {"gaussian_dropout 2", "expected a number >= 0 and < 1"},
      {"gaussian_noise -1", "STDDEV is '-1', expected a number >= 0"},
      {"batch_norm ghost=1",
       "ghost is '1', expected 0 for the global batch, or a group of at least 2 samples"},
      {"batch_norm 128", "the word '128' has no meaning here"},
      {"batch_norm momentum=1", "momentum is '1'"},
      {"batch_norm epsilon=0", "epsilon is '0', expected a number > 0"},
      {"prelu 0.1", "the word '0.1' has no meaning here"},
  };
  tutti_layer_spec spec;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    CHECK_FAILS(tutti_layer_parse(cases[i].text, &spec), TUTTI_ERR_CONFIG, cases[i].part);
  char words[400] = "dense 10";
  memset(words + 8, ' ', sizeof words - 9);
  words[sizeof words - 1] = '\0';
  CHECK_FAILS(tutti_layer_parse(words, &spec), TUTTI_ERR_CONFIG, "more than 255 letters");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_words_of_a_dense_layer), cmocka_unit_test(defaults_are_those_of_keras),
      cmocka_unit_test(what_is_printed_reads_back), cmocka_unit_test(defaults_are_not_printed),
      cmocka_unit_test(mistakes_are_answered),
  };
  return cmocka_run_group_tests_name("model.layer_words", tests, NULL, check_no_leak);
}
