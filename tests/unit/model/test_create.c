#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static void the_summary_counts_as_keras_does(void **state) {
  (void)state;
  fixture f;
  fixture_make(&f, "dense 512 relu,dropout 0.2,dense 10 softmax", TUTTI_LOSS_AUTO, 784, 2, 1);
  assert_int_equal(f.n_params, 407050);
  assert_int_equal(tutti_model_n_state(f.model), 0);
  assert_int_equal(tutti_model_n_out(f.model), 10);
  assert_string_equal(tutti_model_metric_name(f.model), "accuracy");
  tutti_layer_info info;
  tutti_model_layer(f.model, 0, &info);
  assert_string_equal(info.name, "dense");
  assert_string_equal(info.type, "Dense");
  assert_int_equal(info.n_out, 512);
  assert_int_equal(info.n_trainable, 401920);
  tutti_model_layer(f.model, 1, &info);
  assert_string_equal(info.name, "dropout");
  assert_int_equal(info.n_trainable + info.n_other, 0);
  tutti_model_layer(f.model, 2, &info);
  assert_string_equal(info.name, "dense_1");
  assert_int_equal(info.n_trainable, 5130);
  fixture_free(&f);
}

static void names_and_types_are_those_of_keras(void **state) {
  (void)state;
  const struct {
    const char *name, *type;
  } expected[] = {{"p_re_lu", "PReLU"},
                  {"batch_normalization", "BatchNormalization"},
                  {"gaussian_noise", "GaussianNoise"},
                  {"gaussian_dropout", "GaussianDropout"},
                  {"alpha_dropout", "AlphaDropout"},
                  {"activation", "Activation"},
                  {"batch_normalization_1", "BatchNormalization"},
                  {"dense", "Dense"}};
  fixture f;
  fixture_make(
      &f,
      "prelu,batch_norm,gaussian_noise 1,gaussian_dropout 0.1,alpha_dropout 0.1,activation relu,batch_norm "
      "ghost=4,dense 2",
      TUTTI_LOSS_AUTO, 3, 4, 1);
  for (int i = 0; i < tutti_model_n_layers(f.model); i++) {
    tutti_layer_info info;
    tutti_model_layer(f.model, i, &info);
    assert_string_equal(info.name, expected[i].name);
    assert_string_equal(info.type, expected[i].type);
  }
  assert_string_equal(tutti_model_metric_name(f.model), "mean_absolute_error");
  fixture_free(&f);
}

static void arrays_tile_the_buffers(void **state) {
  (void)state;
  const struct {
    const char *layer, *name;
    int64_t rows, cols;
    bool trainable;
  } expected[] = {{"dense", "kernel", 3, 4, true},
                  {"batch_normalization", "gamma", 0, 4, true},
                  {"batch_normalization", "beta", 0, 4, true},
                  {"p_re_lu", "alpha", 0, 4, true},
                  {"dense_1", "kernel", 4, 2, true},
                  {"dense_1", "bias", 0, 2, true},
                  {"batch_normalization_1", "gamma", 0, 2, true},
                  {"batch_normalization_1", "beta", 0, 2, true},
                  {"batch_normalization", "moving_mean", 0, 4, false},
                  {"batch_normalization", "moving_variance", 0, 4, false},
                  {"batch_normalization_1", "moving_mean", 0, 2, false},
                  {"batch_normalization_1", "moving_variance", 0, 2, false}};
  fixture f;
  fixture_make(&f, "dense 4 bias=no,batch_norm,prelu,dense 2,batch_norm", TUTTI_LOSS_AUTO, 3, 4, 1);
  assert_int_equal(tutti_model_n_arrays(f.model), sizeof expected / sizeof expected[0]);
  int64_t end[2] = {0, 0};
  for (int i = 0; i < tutti_model_n_arrays(f.model); i++) {
    const tutti_model_array *array = tutti_model_array_at(f.model, i);
    assert_string_equal(array->layer, expected[i].layer);
    assert_string_equal(array->name, expected[i].name);
    assert_int_equal(array->rows, expected[i].rows);
    assert_int_equal(array->cols, expected[i].cols);
    assert_int_equal(array->trainable, expected[i].trainable);
    assert_int_equal(array->n, (array->rows ? array->rows : 1) * array->cols);
    assert_int_equal(array->offset, end[array->trainable]);
    end[array->trainable] += array->n;
  }
  assert_int_equal(end[true], tutti_model_n_params(f.model));
  assert_int_equal(end[false], tutti_model_n_state(f.model));
  fixture_free(&f);
}

static void the_loss_follows_from_the_last_layer(void **state) {
  (void)state;
  const struct {
    const char *layers;
    tutti_loss loss;
    bool classifier;
  } cases[] = {{"dense 3 softmax", TUTTI_CATEGORICAL_CROSSENTROPY, true},
               {"dense 3,activation softmax", TUTTI_CATEGORICAL_CROSSENTROPY, true},
               {"dense 1 sigmoid", TUTTI_BINARY_CROSSENTROPY, true},
               {"dense 3 softmax,dropout 0.1", TUTTI_MEAN_SQUARED_ERROR, false},
               {"dense 3 relu", TUTTI_MEAN_SQUARED_ERROR, false}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    fixture f;
    fixture_make(&f, cases[i].layers, TUTTI_LOSS_AUTO, 2, 2, 1);
    assert_int_equal(tutti_model_loss_kind(f.model), cases[i].loss);
    assert_int_equal(tutti_model_is_classifier(f.model), cases[i].classifier);
    fixture_free(&f);
  }
}

static tutti_status create(const char *words, tutti_loss loss, int64_t n_in) {
  tutti_layer_spec layers[4];
  int n = 0;
  char copy[128], *rest = NULL;
  snprintf(copy, sizeof copy, "%s", words);
  for (char *word = strtok_r(copy, ",", &rest); word; word = strtok_r(NULL, ",", &rest))
    CHECK_OK(tutti_layer_parse(word, &layers[n++]));
  const tutti_model_options options = {.layers = layers, .n_layers = n, .loss = loss};
  tutti_model *model = NULL;
  const tutti_status status = tutti_model_create(&options, n_in, 4, &model);
  assert_true((status == TUTTI_OK) == (model != NULL));
  tutti_model_destroy(&model);
  assert_null(model);
  tutti_model_destroy(&model);
  return status;
}

static void smoothing_is_of_cross_entropies(void **state) {
  (void)state;
  for (int loss = TUTTI_LOSS_AUTO + 1; loss < TUTTI_N_LOSSES; loss++) {
    tutti_layer_spec layer;
    const bool categorical = loss == TUTTI_CATEGORICAL_CROSSENTROPY;
    CHECK_OK(tutti_layer_parse(categorical ? "dense 3 softmax" : "dense 3 sigmoid", &layer));
    const tutti_model_options options = {
        .layers = &layer, .n_layers = 1, .loss = (tutti_loss)loss, .label_smoothing = 0.1};
    tutti_model *model = NULL;
    const tutti_status status = tutti_model_create(&options, 2, 4, &model);
    tutti_model_destroy(&model);
    if (categorical || loss == TUTTI_BINARY_CROSSENTROPY)
      CHECK_OK(status);
    else
      CHECK_FAILS(status, TUTTI_ERR_CONFIG, "model.label_smoothing: 0.1 spreads the targets of classes");
  }
}

static void networks_that_cannot_be_are_refused(void **state) {
  (void)state;
  CHECK_FAILS(create("", TUTTI_LOSS_AUTO, 3), TUTTI_ERR_CONFIG, "the network has no layer");
  CHECK_FAILS(create("dropout 0.1,activation relu", TUTTI_LOSS_AUTO, 3), TUTTI_ERR_CONFIG,
              "no layer of the network has weights");
  CHECK_FAILS(create("dense 2,dense 1 softmax", TUTTI_LOSS_AUTO, 3), TUTTI_ERR_CONFIG,
              "layer 2 (dense_1): softmax over one unit is always 1");
  CHECK_FAILS(create("dense 10", TUTTI_CATEGORICAL_CROSSENTROPY, 3), TUTTI_ERR_CONFIG,
              "loss categorical_crossentropy requires softmax at the end of the network, but the last layer "
              "is 'dense 10'");
  CHECK_FAILS(create("dense 10 sigmoid,dropout 0.5", TUTTI_BINARY_CROSSENTROPY, 3), TUTTI_ERR_CONFIG,
              "requires sigmoid at the end of the network, but the last layer is 'dropout 0.5'");
  CHECK_FAILS(create("dense 10", TUTTI_LOSS_AUTO, 0), TUTTI_ERR_DATA, "no features");
  CHECK_FAILS(create("dense 10", TUTTI_LOSS_AUTO, INT64_C(1) << 32), TUTTI_ERR_INTERNAL,
              "features of a sample");
}

/** Each allocation in turn fails; nothing is left. */
static void without_memory_nothing_is_left(void **state) {
  (void)state;
  const char *const words = "dense 3 gelu,batch_norm ghost=2,dropout 0.5,dense 2";
  int attempt = 1;
  for (; attempt < 100; attempt++) {
    char fault[32];
    snprintf(fault, sizeof fault, "memory:0:%d", attempt);
    setenv("TUTTI_FAULT", fault, 1);
    const tutti_status status = create(words, TUTTI_LOSS_AUTO, 3);
    unsetenv("TUTTI_FAULT");
    assert_int_equal(tutti_alloc_live(), 0);
    if (status == TUTTI_OK) break;
    assert_int_equal(status, TUTTI_ERR_MEMORY);
  }
  assert_in_range(attempt, 16, 99);
}

static void penalties_are_those_of_keras(void **state) {
  (void)state;
  fixture f;
  fixture_make(&f, "dense 3 relu l1=0.5,dense 2,dense 2 l1=0.1 l2=0.25 bias=no", TUTTI_LOSS_AUTO, 2, 2, 1);
  for (int64_t i = 0; i < f.n_params; i++) f.params[i] = i % 2 ? -2 : 3;
  // kernels: 6 weights 3, -2, ... at 0; 4 at 17
  const double expected = 0.5 * (3 * 3 + 3 * 2) + 0.1 * (2 * 3 + 2 * 2) + 0.25 * (2 * 9 + 2 * 4);
  CHECK_NEAR(tutti_model_penalty(f.model, f.params), expected, 1e-9);
  for (int64_t begin = 0; begin <= f.n_params; begin += 3) {
    for (int64_t end = begin; end <= f.n_params; end += 2) {
      for (int64_t i = 0; i < f.n_params; i++) f.grads[i] = 1;
      tutti_model_penalty_gradient(f.model, f.params + begin, begin, end, f.grads + begin);
      for (int64_t i = 0; i < f.n_params; i++) {
        double slope = 0;
        const double w = f.params[i], sign = w > 0 ? 1 : -1;
        if (i < 6) slope = 0.5 * sign;
        if (i >= 17) slope = 0.1 * sign + 0.5 * w;
        CHECK_NEAR(f.grads[i], 1 + (i >= begin && i < end ? slope : 0), 1e-6);
      }
    }
  }
  fixture_free(&f);
  fixture_make(&f, "dense 3", TUTTI_LOSS_AUTO, 2, 2, 1);
  assert_true(tutti_model_penalty(f.model, f.params) == 0);
  fixture_free(&f);
}

static void diagnosis_names_the_first_bad_layer(void **state) {
  (void)state;
  fixture f;
  fixture_make(&f, "dense 3 relu,dropout 0.1,dense 3,activation exponential,batch_norm,dense 2",
               TUTTI_LOSS_AUTO, 2, 4, 1);
  const tutti_model_pass pass = fixture_pass(&f);
  CHECK_OK(tutti_model_forward(f.model, f.params, &pass, f.x, 4));
  assert_int_equal(tutti_model_first_nonfinite(f.model, f.params, 4), -1);

  float *bias =
      f.params +
      tutti_model_array_at(f.model, 3)->offset; // of dense_1: exp overflows, the layer after it is to blame
  const float before = bias[1];
  bias[1] = 1000;
  CHECK_OK(tutti_model_forward(f.model, f.params, &pass, f.x, 4));
  assert_int_equal(tutti_model_first_nonfinite(f.model, f.params, 4), 3);
  bias[1] = NAN;
  assert_int_equal(tutti_model_first_nonfinite(f.model, f.params, 0), 2); // the weights tell, without a pass
  bias[1] = before;
  CHECK_OK(tutti_model_forward(f.model, f.params, &pass, f.x, 4));
  f.params[f.n_params - 1] = INFINITY;
  assert_int_equal(tutti_model_first_nonfinite(f.model, f.params, 4), 5);
  f.params[f.n_params - 1] = 0;
  assert_int_equal(tutti_model_first_nonfinite(f.model, f.params, 4), -1);

  // Dropout has made NaN in training; in evaluation it makes nothing, and what it made before is old.
  f.x[0] = NAN;
  CHECK_OK(tutti_model_forward(f.model, f.params, &pass, f.x, 4));
  f.x[0] = 1;
  const tutti_model_pass evaluation = {.batch_count = 4};
  CHECK_OK(tutti_model_forward(f.model, f.params, &evaluation, f.x, 4));
  assert_int_equal(tutti_model_first_nonfinite(f.model, f.params, 4), -1);
  fixture_free(&f);
}

static void diagnosis_names_the_layer_of_the_largest_output(void **state) {
  (void)state;
  fixture f;
  double largest = -1;
  fixture_make(&f, "dense 3,activation linear,dropout 0.1,dense 2,dense 2", TUTTI_LOSS_AUTO, 2, 4, 1);
  const tutti_model_pass evaluation = {.batch_count = 4};
  float *bias = f.params + tutti_model_array_at(f.model, 1)->offset, *last = f.params + f.n_params - 1;
  assert_int_equal(tutti_model_largest_layer(f.model, 4, &largest), -1); // there was no pass
  assert_true(largest == 0);

  bias[0] = -1e30f; // of the first layer; the next two give on what it made, the third shrinks it
  float *kernel = f.params + tutti_model_array_at(f.model, 2)->offset;
  for (int i = 0; i < 6; i++) kernel[i] *= 1e-9f;
  CHECK_OK(tutti_model_forward(f.model, f.params, &evaluation, f.x, 4));
  assert_int_equal(tutti_model_first_nonfinite(f.model, f.params, 4), -1);
  assert_int_equal(tutti_model_largest_layer(f.model, 4, &largest), 0);
  CHECK_CLOSE(largest, 1e30, 1e-6, 0);
  assert_int_equal(tutti_model_largest_layer(f.model, 0, &largest), -1);

  *last = 1e35f;
  CHECK_OK(tutti_model_forward(f.model, f.params, &evaluation, f.x, 4));
  assert_int_equal(tutti_model_largest_layer(f.model, 4, &largest), 4);
  *last = NAN;
  CHECK_OK(tutti_model_forward(f.model, f.params, &evaluation, f.x, 4));
  assert_int_equal(tutti_model_largest_layer(f.model, 4, &largest), 4);
  assert_true(isinf(largest));
  fixture_free(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_summary_counts_as_keras_does),
      cmocka_unit_test(names_and_types_are_those_of_keras),
      cmocka_unit_test(arrays_tile_the_buffers),
      cmocka_unit_test(the_loss_follows_from_the_last_layer),
      cmocka_unit_test(smoothing_is_of_cross_entropies),
      cmocka_unit_test(networks_that_cannot_be_are_refused),
      cmocka_unit_test(without_memory_nothing_is_left),
      cmocka_unit_test(penalties_are_those_of_keras),
      cmocka_unit_test(diagnosis_names_the_first_bad_layer),
      cmocka_unit_test(diagnosis_names_the_layer_of_the_largest_output),
  };
  return cmocka_run_group_tests_name("model.create", tests, NULL, check_no_leak);
}
