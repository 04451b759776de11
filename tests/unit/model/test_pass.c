/** Micro-batches, empty ones, and what the buffers hold after them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "linalg/parallel.h"
#include "model/model_impl.h"

enum { ROWS = 22, N_IN = 5 };

static const char *const words =
    "dropout 0.1,dense 7,batch_norm ghost=4,activation relu,gaussian_dropout 0.2,dense 6 "
    "gelu,prelu,dense 3 softmax";

/** The gradient, loss and state of micro-batches that end at cuts[...] against those of the whole. */
static void check_cuts(const char *layers, const int *cuts) {
  fixture whole, parts;
  double loss = 0, metric = 0, loss_sum = 0, metric_sum = 0;
  fixture_make(&whole, layers, TUTTI_LOSS_AUTO, N_IN, ROWS, 3);
  CHECK_OK(fixture_step(&whole, fixture_pass(&whole), 0, ROWS, &loss, &metric));
  CHECK_OK(tutti_model_merge_state(whole.model, ROWS, NULL, NULL));
  fixture_make(&parts, layers, TUTTI_LOSS_AUTO, N_IN, ROWS, 3);
  tutti_model_init(parts.model, 3, parts.params);
  memcpy(parts.params, whole.params, (size_t)whole.n_params * sizeof(float));
  for (int i = 0; cuts[i] < ROWS; i++) {
    tutti_model_pass pass = fixture_pass(&parts);
    pass.accumulate = i > 0;
    CHECK_OK(fixture_step(&parts, pass, cuts[i], cuts[i + 1] - cuts[i], &loss_sum, &metric_sum));
  }
  CHECK_OK(tutti_model_merge_state(parts.model, ROWS, NULL, NULL));
  CHECK_NEAR(loss_sum, loss, 1e-6 * loss);
  assert_true(metric_sum == metric);
  const double norm = fixture_norm(whole.grads, whole.n_params);
  for (int64_t i = 0; i < whole.n_params; i++) {
    if (!(fabs((double)parts.grads[i] - (double)whole.grads[i]) <= 1e-6 * norm)) print_error("%s\n", layers);
    CHECK_NEAR(parts.grads[i], whole.grads[i], 1e-6 * norm);
  }
  for (int64_t i = 0; i < tutti_model_n_state(whole.model); i++)
    CHECK_NEAR(tutti_model_state(parts.model)[i], tutti_model_state(whole.model)[i], 1e-6);
  fixture_free(&parts);
  fixture_free(&whole);
}

static const int cuts[][8] = {{0, 8, 16, 22}, {0, 4, 8, 12, 16, 20, 22}, {0, 20, 22}, {0, 0, 12, 12, 22}};
enum { N_CUTS = sizeof cuts / sizeof cuts[0] };

/** Cuts lie between groups. */
static void micro_batches_sum_to_the_batch(void **state) {
  (void)state;
  for (int k = 0; k < N_CUTS; k++) check_cuts(words, cuts[k]);
}

static void micro_batches_of_each_kind_of_the_list(void **state) {
  (void)state;
  for (int kind = 0; kind < TUTTI_N_LAYER_KINDS; kind++) {
    const tutti_layer_ops *ops = tutti_layer_ops_of((tutti_layer_kind)kind);
    char layers[128];
    if (ops->mixes_samples) continue;
    snprintf(layers, sizeof layers, "dense 7 tanh,%s,dense 6 tanh,%s,dense 3 softmax", ops->example,
             ops->example);
    for (int k = 0; k < N_CUTS; k++) check_cuts(layers, cuts[k]);
  }
}

/** Loss and gradients with this number of threads, which share each loop. */
static void step_of_threads(fixture *f, int threads, double *loss, double *metric) {
  *loss = *metric = 0;
  tutti_linalg_set_threads(threads);
  tutti_linalg_parallel_start_ns = 0;
  CHECK_OK(fixture_step(f, fixture_pass(f), 0, f->rows, loss, metric));
  CHECK_OK(tutti_model_merge_state(f->model, f->rows, NULL, NULL));
  tutti_linalg_set_threads(1);
}

static void check_threads(const char *layers) {
  fixture one, three;
  double loss[2], metric[2];
  fixture_make(&one, layers, TUTTI_LOSS_AUTO, N_IN, MAX_SAMPLES, 3);
  fixture_make(&three, layers, TUTTI_LOSS_AUTO, N_IN, MAX_SAMPLES, 3);
  step_of_threads(&one, 1, &loss[0], &metric[0]);
  step_of_threads(&three, 3, &loss[1], &metric[1]);
  assert_true(loss[0] == loss[1] && metric[0] == metric[1]);
  assert_memory_equal(one.grads, three.grads, (size_t)one.n_params * sizeof *one.grads);
  assert_memory_equal(tutti_model_state(one.model), tutti_model_state(three.model),
                      (size_t)tutti_model_n_state(one.model) * sizeof(float));
  fixture_free(&three);
  fixture_free(&one);
}

static void threads_change_no_bit_of_each_kind_of_the_list(void **state) {
  (void)state;
  for (int kind = 0; kind < TUTTI_N_LAYER_KINDS; kind++) {
    const tutti_layer_ops *ops = tutti_layer_ops_of((tutti_layer_kind)kind);
    char layers[128];
    snprintf(layers, sizeof layers, "dense 70 gelu,%s,dense 67 relu,%s,dense 40 softmax", ops->example,
             ops->example);
    check_threads(layers);
  }
}

static void no_rows_give_zeros_or_add_nothing(void **state) {
  (void)state;
  fixture f;
  double loss = 1, metric = 2;
  fixture_make(&f, words, TUTTI_LOSS_AUTO, N_IN, ROWS, 3);
  tutti_model_pass pass = fixture_pass(&f);
  for (int64_t i = 0; i < f.n_params; i++) f.grads[i] = NAN;
  CHECK_OK(fixture_step(&f, pass, 0, 0, &loss, &metric));
  for (int64_t i = 0; i < f.n_params; i++) assert_true(f.grads[i] == 0);
  for (int64_t i = 0; i < f.n_params; i++) f.grads[i] = (float)i;
  pass.accumulate = true;
  CHECK_OK(fixture_step(&f, pass, 0, 0, &loss, &metric));
  for (int64_t i = 0; i < f.n_params; i++) assert_true(f.grads[i] == (float)i);
  assert_true(loss == 1 && metric == 2);
  fixture_free(&f);
}

/** Each rounding to float of a sum that has grown would cost it digits. */
static void many_micro_batches_lose_no_digits(void **state) {
  (void)state;
  enum { TIMES = 1 << 16, FEW = 4 };
  fixture f;
  double loss = 0, metric = 0;
  fixture_make(&f, "dense 3,batch_norm ghost=4,prelu,dense 3 softmax", TUTTI_LOSS_AUTO, N_IN, ROWS, 3);
  CHECK_OK(tutti_model_reserve(f.model, ROWS, 1, (int64_t)TIMES * FEW));
  tutti_model_pass pass = fixture_pass(&f);
  CHECK_OK(fixture_step(&f, pass, 0, FEW, &loss, &metric));
  float *first = malloc((size_t)f.n_params * sizeof *first);
  memcpy(first, f.grads, (size_t)f.n_params * sizeof *first);
  pass.accumulate = true;
  for (int i = 1; i < TIMES; i++) CHECK_OK(fixture_step(&f, pass, 0, FEW, &loss, &metric));
  int n_arrays = 0;
  for (int i = 0; i < tutti_model_n_arrays(f.model); i++) {
    const tutti_model_array *array = tutti_model_array_at(f.model, i);
    if (!array->trainable) continue;
    n_arrays++;
    const double most = array->rows > 0 ? 2e-5 : 1e-6; // the chains of a kernel are of float
    for (int64_t k = array->offset; k < array->offset + array->n; k++)
      CHECK_NEAR(f.grads[k], (double)TIMES * first[k], most * TIMES * fabs((double)first[k]));
  }
  assert_int_equal(n_arrays, 7);
  free(first);
  fixture_free(&f);
}

/** The gradient of `n` samples, the batch again and again, in micro-batches of `micro` of them. */
static void cut(fixture *f, int64_t n, int64_t micro, bool goes_on) {
  double loss = 0, metric = 0;
  tutti_model_pass pass = fixture_pass(f);
  for (int64_t at = 0, now; at < n; at += now) {
    const int64_t first = at % ROWS, most = n - at < micro ? n - at : micro;
    now = ROWS - first < most ? ROWS - first : most;
    pass.accumulate = at > 0;
    pass.goes_on = goes_on && at + now < n;
    CHECK_OK(fixture_step(f, pass, first, now, &loss, &metric));
  }
}

/** Chains of a kernel's gradient begin at the same samples, wherever micro-batches are cut. */
static void cuts_change_no_bit_of_many_samples(void **state) {
  (void)state;
  const int64_t sizes[] = {TUTTI_CHAIN_ROWS - 1, TUTTI_CHAIN_ROWS, TUTTI_CHAIN_ROWS + 1,
                           3 * TUTTI_CHAIN_ROWS + 7};
  fixture f;
  fixture_make(&f, "dense 6 tanh,prelu,dense 3 softmax", TUTTI_LOSS_AUTO, N_IN, ROWS, 3);
  f.model->products.order = TUTTI_SUM_IN_ORDER;
  CHECK_OK(tutti_model_reserve(f.model, ROWS, 1, 4 * TUTTI_CHAIN_ROWS));
  const size_t bytes = (size_t)f.n_params * sizeof(float);
  float *whole = malloc(bytes);
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    cut(&f, sizes[i], ROWS, true);
    memcpy(whole, f.grads, bytes);
    cut(&f, sizes[i], 7, true);
    assert_memory_equal(f.grads, whole, bytes);
    cut(&f, sizes[i], 7, false);
    assert_memory_equal(f.grads, whole, bytes);
  }
  free(whole);
  fixture_free(&f);
}

/** One micro-batch of more samples than a chain has. */
static void a_large_micro_batch_loses_no_digits(void **state) {
  (void)state;
  enum { N = 1 << 18 };
  fixture f;
  fixture_make(&f, "dense 1 bias=no", TUTTI_MEAN_ABSOLUTE_ERROR, 1, N, 3);
  f.model->products.order = TUTTI_SUM_IN_ORDER;
  CHECK_OK(tutti_model_reserve(f.model, N, 1, N));
  for (int i = 0; i < N; i++) {
    f.x[i] = 0.3f;
    f.values[i] = -1;
  }
  f.params[0] = 1;
  double loss = 0, metric = 0;
  tutti_model_pass pass = fixture_pass(&f);
  pass.batch_count = 1;
  CHECK_OK(fixture_step(&f, pass, 0, N, &loss, &metric));
  CHECK_CLOSE(f.grads[0], (double)0.3f * N, 2e-5, 0);
  fixture_free(&f);
}

static void a_model_may_be_for_no_rows(void **state) {
  (void)state;
  fixture f;
  double loss = 0, metric = 0;
  fixture_make(&f, words, TUTTI_LOSS_AUTO, N_IN, 0, 3);
  tutti_model_pass pass = fixture_pass(&f);
  pass.batch_count = 10;
  CHECK_OK(fixture_step(&f, pass, 0, 0, &loss, &metric));
  fixture_free(&f);
}

static void predictions_are_probabilities(void **state) {
  (void)state;
  fixture f;
  float out[ROWS * 3];
  double loss = 0, metric = 0;
  tutti_model_pass evaluation = {.batch_count = ROWS};
  fixture_make(&f, words, TUTTI_LOSS_AUTO, N_IN, ROWS, 3);
  CHECK_OK(tutti_model_forward(f.model, f.params, &evaluation, f.x, ROWS));
  tutti_model_loss(f.model, &evaluation, fixture_targets(&f, 0), ROWS, &loss, &metric);
  tutti_model_predict(f.model, ROWS, out);
  double expected = 0;
  for (int i = 0; i < ROWS; i++) {
    CHECK_NEAR((double)out[3 * i] + out[3 * i + 1] + out[3 * i + 2], 1, 1e-6);
    expected -= log(out[3 * i + f.classes[i]]);
  }
  CHECK_CLOSE(loss, expected, 1e-5, 0);
  fixture_free(&f);
}

static void decisions_are_classes_or_labels(void **state) {
  (void)state;
  const struct {
    const char *words;
    tutti_loss loss;
    int64_t n;
  } cases[] = {{"dense 4 softmax", TUTTI_LOSS_AUTO, 1},
               {"dense 1 sigmoid", TUTTI_LOSS_AUTO, 1},
               {"dense 3 sigmoid", TUTTI_LOSS_AUTO, 3},
               {"dense 1", TUTTI_HINGE, 1},
               {"dense 2", TUTTI_HINGE, 2},
               {"dense 2", TUTTI_LOSS_AUTO, 0}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    fixture f;
    float out[ROWS * 4];
    int32_t classes[ROWS * 3];
    const tutti_model_pass evaluation = {.batch_count = ROWS};
    fixture_make(&f, cases[i].words, cases[i].loss, N_IN, ROWS, 3);
    assert_int_equal(tutti_model_n_decisions(f.model), cases[i].n);
    if (cases[i].n > 0) {
      CHECK_OK(tutti_model_forward(f.model, f.params, &evaluation, f.x, ROWS));
      tutti_model_predict(f.model, ROWS, out);
      tutti_model_decide(f.model, ROWS, classes);
    }
    for (int64_t k = 0; k < ROWS * cases[i].n; k++) {
      if (f.n_out == 4)
        for (int j = 0; j < 4; j++) assert_true(out[4 * k + j] <= out[4 * k + classes[k]]);
      else
        assert_int_equal(classes[k], out[k] > (cases[i].loss == TUTTI_HINGE ? 0 : 0.5));
    }
    fixture_free(&f);
  }
}

/** The mean of the global batch, whatever part of it this rank has. */
static void the_gradient_is_divided_by_the_global_batch(void **state) {
  (void)state;
  fixture f;
  double loss = 0, metric = 0;
  fixture_make(&f, "dense 4 tanh,dense 3 softmax", TUTTI_LOSS_AUTO, N_IN, ROWS, 3);
  tutti_model_pass pass = fixture_pass(&f);
  float *first = malloc((size_t)f.n_params * sizeof *first);
  CHECK_OK(fixture_step(&f, pass, 0, ROWS, &loss, &metric));
  memcpy(first, f.grads, (size_t)f.n_params * sizeof *first);
  pass.batch_count *= 4;
  CHECK_OK(fixture_step(&f, pass, 0, ROWS, &loss, &metric));
  for (int64_t i = 0; i < f.n_params; i++) assert_true(f.grads[i] == first[i] / 4);
  free(first);
  fixture_free(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(micro_batches_sum_to_the_batch),
      cmocka_unit_test(micro_batches_of_each_kind_of_the_list),
      cmocka_unit_test(threads_change_no_bit_of_each_kind_of_the_list),
      cmocka_unit_test(no_rows_give_zeros_or_add_nothing),
      cmocka_unit_test(many_micro_batches_lose_no_digits),
      cmocka_unit_test(cuts_change_no_bit_of_many_samples),
      cmocka_unit_test(a_large_micro_batch_loses_no_digits),
      cmocka_unit_test(a_model_may_be_for_no_rows),
      cmocka_unit_test(predictions_are_probabilities),
      cmocka_unit_test(decisions_are_classes_or_labels),
      cmocka_unit_test(the_gradient_is_divided_by_the_global_batch),
  };
  return cmocka_run_group_tests_name("model.pass", tests, NULL, check_no_leak);
}
