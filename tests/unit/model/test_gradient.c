/** Gradients against central differences of an independent network in double. */
#include <float.h>
#include <math.h>
#include <stdio.h>

#include "fixture.h"
#include "model/model_impl.h"
#include "support/numbers.h"

enum { ROWS = 14, N_IN = 4, MAX_PARAMS = 400 };

#define STEP 1e-6

typedef struct {
  reference_net net;
  tutti_model_pass pass;
  double params[MAX_PARAMS], x[ROWS * N_IN], state[64];
} wide;

static void widen(const fixture *f, wide *w) {
  w->net = fixture_reference(f);
  w->pass = fixture_pass(f);
  assert_true(f->n_params <= MAX_PARAMS);
  numbers_widen(f->params, f->n_params, w->params);
  numbers_widen(f->x, f->rows * f->n_in, w->x);
}

static reference_result run(const fixture *f, wide *w, double *outputs) {
  return reference_net_run(&w->net, w->params, NULL, &w->pass, w->x, fixture_targets(f, 0), f->rows, outputs);
}

/** Draw until no argument lies so near a kink that a difference, or rounding to float, could step over it. */
static void draw_away_from_kinks(fixture *f, wide *w) {
  for (uint32_t part = 1; part < 200; part++) {
    fixture_draw(f, part);
    widen(f, w);
    if (run(f, w, NULL).kink > 1e-4) return;
  }
  fail_msg("each draw has an argument at a kink");
}

static void check_forward(const fixture *f, wide *w, double loss, double metric, const char *words) {
  double outputs[ROWS * 16];
  float found[ROWS * 16];
  const reference_result expected = run(f, w, outputs);
  if (fabs(loss - expected.loss) > 1e-5 * (1 + fabs(expected.loss))) print_error("%s\n", words);
  CHECK_CLOSE(loss, expected.loss, 1e-5, 1);
  CHECK_CLOSE(metric, expected.metric, 1e-5, 1);
  tutti_model_predict(f->model, f->rows, found);
  for (int64_t i = 0; i < f->rows * f->n_out; i++) CHECK_CLOSE(found[i], outputs[i], 1e-5, 1);
}

/** Single precision leaves an error of some eps times the terms of a sum (rows x layers, below 100), times
 * what the layers amplify: 1e-5 of the whole gradient in each of its elements. */
static void check_gradient(const fixture *f, wide *w, const char *words) {
  const double tolerance = 100 * FLT_EPSILON * fixture_norm(f->grads, f->n_params);
  assert_true(tolerance > 0);
  for (int64_t i = 0; i < f->n_params; i++) {
    const double middle = w->params[i];
    w->params[i] = middle + STEP;
    const double above = run(f, w, NULL).loss;
    w->params[i] = middle - STEP;
    const double below = run(f, w, NULL).loss;
    w->params[i] = middle;
    const double expected = (above - below) / (2 * STEP) / (double)w->pass.batch_count;
    if (!(fabs(f->grads[i] - expected) <= tolerance)) print_error("%s: parameter %d\n", words, (int)i);
    CHECK_NEAR(f->grads[i], expected, tolerance);
  }
}

static void check_step(fixture *f, wide *w, const char *words) {
  double loss_sum = 0, metric_sum = 0;
  for (int64_t i = 0; i < f->n_params; i++) f->grads[i] = NAN; // all of it is written
  CHECK_OK(fixture_step(f, fixture_pass(f), 0, ROWS, &loss_sum, &metric_sum));
  check_forward(f, w, loss_sum, metric_sum, words);
  check_gradient(f, w, words);
}

static void check(const char *words, tutti_loss loss) {
  fixture f;
  static wide w;
  fixture_make(&f, words, loss, N_IN, ROWS, 1);
  draw_away_from_kinks(&f, &w);
  check_step(&f, &w, words);
  fixture_free(&f);
}

static void each_activation_in_a_dense_layer(void **state) {
  (void)state;
  for (int kind = 0; kind < TUTTI_N_ACTIVATIONS; kind++) {
    char words[96];
    snprintf(words, sizeof words, "dense 5 %s,dense 3 tanh,dense 2", tutti_activation_names[kind]);
    check(words, TUTTI_MEAN_SQUARED_ERROR);
  }
}

static void each_activation_as_a_layer(void **state) {
  (void)state;
  for (int kind = 0; kind < TUTTI_N_ACTIVATIONS; kind++) {
    char words[96];
    snprintf(words, sizeof words, "dense 5,activation %s,dense 2", tutti_activation_names[kind]);
    check(words, TUTTI_MEAN_SQUARED_ERROR);
  }
}

static void each_activation_at_the_end(void **state) {
  (void)state;
  for (int kind = 0; kind < TUTTI_N_ACTIVATIONS; kind++) {
    char words[96];
    snprintf(words, sizeof words, "dense 3 tanh,dense 4 %s", tutti_activation_names[kind]);
    check(words, TUTTI_MEAN_SQUARED_ERROR);
    snprintf(words, sizeof words, "dense 4,activation %s", tutti_activation_names[kind]);
    check(words, TUTTI_MEAN_ABSOLUTE_ERROR);
  }
}

static void each_loss(void **state) {
  (void)state;
  fixture_each_loss(check);
}

/** Integer labels, one-hot rows, and probabilities. */
static void smoothed_labels(void **state) {
  (void)state;
  static const struct {
    const char *words;
    tutti_loss loss;
  } cases[] = {{"dense 5 tanh,dense 4 softmax", TUTTI_CATEGORICAL_CROSSENTROPY},
               {"dense 5 tanh,dense 3 sigmoid", TUTTI_BINARY_CROSSENTROPY},
               {"dense 5 tanh,dense 1 sigmoid", TUTTI_BINARY_CROSSENTROPY}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    fixture f;
    static wide w;
    fixture_make_smoothed(&f, cases[i].words, cases[i].loss, 0.3, N_IN, ROWS, 1);
    draw_away_from_kinks(&f, &w);
    check_step(&f, &w, cases[i].words);
    f.by_value = true;
    numbers_fill(91, 0, 1, f.rows * f.n_out, f.values);
    check_step(&f, &w, cases[i].words);
    for (int64_t k = 0; k < f.rows * f.n_out; k++) f.values[k] = f.classes[k / f.n_out] == k % f.n_out;
    check_step(&f, &w, cases[i].words);
    fixture_free(&f);
  }
}

static void each_other_layer(void **state) {
  (void)state;
  const char *const middles[] = {"dropout 0.3",          "dropout 0",
                                 "gaussian_noise 0.4",   "gaussian_dropout 0.25",
                                 "alpha_dropout 0.3",    "prelu",
                                 "batch_norm",           "batch_norm epsilon=0.1",
                                 "batch_norm ghost=4",   "batch_norm ghost=7",
                                 "batch_norm ghost=100", "dense 4 bias=no"};
  for (size_t i = 0; i < sizeof middles / sizeof middles[0]; i++) {
    char words[128];
    snprintf(words, sizeof words, "dense 5,%s,dense 3 tanh,dense 2", middles[i]);
    check(words, TUTTI_MEAN_SQUARED_ERROR);
    snprintf(words, sizeof words, "%s,dense 3 tanh,dense 2", middles[i]); // first: no gradient by x
    check(words, TUTTI_MEAN_SQUARED_ERROR);
    snprintf(words, sizeof words, "dense 4 tanh,dense 3,%s", middles[i]); // last: the loss takes its output
    check(words, TUTTI_HUBER);
  }
}

static void each_kind_of_the_list(void **state) {
  (void)state;
  for (int kind = 0; kind < TUTTI_N_LAYER_KINDS; kind++) {
    const char *example = tutti_layer_ops_of((tutti_layer_kind)kind)->example;
    char words[128];
    if (!example) fail_msg("%s has no example", tutti_layer_kind_names[kind]);
    snprintf(words, sizeof words, "dense 5,%s,dense 3 tanh,%s,dense 2", example, example);
    check(words, TUTTI_MEAN_SQUARED_ERROR);
    snprintf(words, sizeof words, "%s,dense 4 tanh,%s", example, example);
    check(words, TUTTI_HUBER);
  }
}

static void layers_together(void **state) {
  (void)state;
  check("dense 6 bias=no,batch_norm ghost=5,activation relu,dropout 0.2,dense 5 gelu,gaussian_noise 0.1,"
        "batch_norm,dense 4 softmax",
        TUTTI_LOSS_AUTO);
  check("gaussian_noise 0.1,batch_norm,prelu,dense 6 silu,alpha_dropout 0.1,dense 1 sigmoid",
        TUTTI_LOSS_AUTO);
}

/** Evaluation takes the moving statistics and no noise, and smooths labels as training does. */
static void evaluation_is_that_of_the_reference(void **state) {
  (void)state;
  fixture f;
  static wide w;
  double outputs[ROWS * 3], loss = 0, metric = 0;
  float found[ROWS * 3];
  fixture_make_smoothed(&f,
                        "gaussian_noise 1,dense 5,batch_norm,dropout 0.5,batch_norm ghost=3,dense 3 softmax",
                        TUTTI_LOSS_AUTO, 0.2, N_IN, ROWS, 4);
  widen(&f, &w);
  w.pass.training = false;
  numbers_fill(77, 0.1, 2, tutti_model_n_state(f.model), tutti_model_state(f.model));
  numbers_widen(tutti_model_state(f.model), tutti_model_n_state(f.model), w.state);
  CHECK_OK(tutti_model_forward(f.model, f.params, &w.pass, f.x, ROWS));
  tutti_model_predict(f.model, ROWS, found);
  tutti_model_loss(f.model, &w.pass, fixture_targets(&f, 0), ROWS, &loss, &metric);
  const reference_result expected =
      reference_net_run(&w.net, w.params, w.state, &w.pass, w.x, fixture_targets(&f, 0), ROWS, outputs);
  CHECK_CLOSE(loss, expected.loss, 1e-5, 1);
  CHECK_CLOSE(metric, expected.metric, 1e-12, 1);
  for (int i = 0; i < ROWS * 3; i++) CHECK_CLOSE(found[i], outputs[i], 1e-5, 1);
  fixture_free(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_activation_in_a_dense_layer),
      cmocka_unit_test(each_activation_as_a_layer),
      cmocka_unit_test(each_activation_at_the_end),
      cmocka_unit_test(each_loss),
      cmocka_unit_test(smoothed_labels),
      cmocka_unit_test(each_other_layer),
      cmocka_unit_test(each_kind_of_the_list),
      cmocka_unit_test(layers_together),
      cmocka_unit_test(evaluation_is_that_of_the_reference),
  };
  return cmocka_run_group_tests_name("model.gradient", tests, NULL, check_no_leak);
}
