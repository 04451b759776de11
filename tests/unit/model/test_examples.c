/** Squared norms of the gradients of single samples, which are never formed, against those that are. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "model/model_impl.h"
#include "support/numbers.h"

enum { ROWS = 17, N_IN = 5 };

static double square(const float *values, int64_t n) {
  return pow(fixture_norm(values, n), 2);
}

/** The gradient of one sample at a time, by the network itself. */
static double one_by_one(fixture *f, int64_t from, int64_t to) {
  double sum = 0, loss = 0, metric = 0;
  for (int64_t i = from; i < to; i++) {
    CHECK_OK(fixture_step(f, fixture_pass(f), i, 1, &loss, &metric));
    sum += square(f->grads, f->n_params);
  }
  return sum;
}

static double reference_loss(const fixture *f, const double *params, int64_t row) {
  const reference_net net = fixture_reference(f);
  double x[N_IN];
  tutti_model_pass pass = fixture_pass(f);
  pass.position += row;
  numbers_widen(f->x + row * f->n_in, f->n_in, x);
  return reference_net_run(&net, params, NULL, &pass, x, fixture_targets(f, row), 1, NULL).loss;
}

/** The same by differences of the loss of a network in double. */
static double by_differences(const fixture *f) {
  const double step = 1e-6;
  double *params = calloc((size_t)f->n_params, sizeof *params), sum = 0;
  numbers_widen(f->params, f->n_params, params);
  for (int64_t row = 0; row < f->rows; row++) {
    for (int64_t k = 0; k < f->n_params; k++) {
      const double middle = params[k];
      params[k] = middle + step;
      const double above = reference_loss(f, params, row);
      params[k] = middle - step;
      const double below = reference_loss(f, params, row);
      params[k] = middle;
      sum += pow((above - below) / (2 * step) / (double)f->rows, 2);
    }
  }
  free(params);
  return sum;
}

static const char *const networks[] = {
    "dense 6 tanh,dense 4 softmax",
    "dense 6 gelu bias=no,dense 4 sigmoid",
    "dense 70 tanh,dropout 0.3,dense 4 softmax",
    "gaussian_noise 0.2,dense 6 elu,prelu,dense 3",
    "prelu,dense 6 silu,alpha_dropout 0.1,activation tanh,dense 2 softmax",
};
enum { N_NETWORKS = sizeof networks / sizeof networks[0] };

static void check_squares(const char *words, uint32_t part) {
  fixture f;
  double loss = 0, metric = 0, found = 1;
  fixture_make(&f, words, TUTTI_LOSS_AUTO, N_IN, ROWS, part);
  tutti_model_pass pass = fixture_pass(&f);
  pass.squares = &found;
  assert_true(tutti_model_has_examples(f.model));
  CHECK_OK(fixture_step(&f, pass, 0, ROWS, &loss, &metric));
  const double sum = found - 1, explicit = one_by_one(&f, 0, ROWS);
  if (!(fabs(sum - explicit) <= 1e-6 * explicit)) print_error("%s\n", words);
  CHECK_CLOSE(sum, explicit, 1e-6, 0);
  CHECK_CLOSE(sum, by_differences(&f), 1e-5, 0); // the precision of a network in float
  fixture_free(&f);
}

static void squares_are_those_of_explicit_gradients(void **state) {
  (void)state;
  for (int i = 0; i < N_NETWORKS; i++) check_squares(networks[i], (uint32_t)i);
}

static void squares_of_each_kind_of_the_list(void **state) {
  (void)state;
  for (int kind = 0; kind < TUTTI_N_LAYER_KINDS; kind++) {
    const tutti_layer_ops *ops = tutti_layer_ops_of((tutti_layer_kind)kind);
    char words[128];
    if (ops->mixes_samples) continue;
    snprintf(words, sizeof words, "dense 5 tanh,%s,dense 6 tanh,%s,dense 2", ops->example, ops->example);
    check_squares(words, (uint32_t)kind);
  }
}

/** Gradients of two leaves one after another. */
static float *leaf_gradient(void *context, int leaf, int64_t begin, int64_t n) {
  (void)n;
  fixture *f = context;
  return (leaf == 3 ? f->grads : f->grads + f->n_params) + begin;
}

static void leaf_done(void *context, int leaf, int64_t begin, int64_t n) {
  (void)context, (void)leaf, (void)begin, (void)n;
}

static void each_leaf_has_its_sum_and_gradients_stay_the_same(void **state) {
  (void)state;
  fixture f;
  double loss = 0, metric = 0, found[2] = {0, 0};
  const int64_t ends[] = {6, ROWS};
  fixture_make(&f, networks[2], TUTTI_LOSS_AUTO, N_IN, ROWS, 9);
  f.grads = realloc(f.grads, 2 * (size_t)f.n_params * sizeof *f.grads);
  float *without = malloc(2 * (size_t)f.n_params * sizeof *without);
  const tutti_model_leaves leaves = {.first = 3,
                                     .count = 2,
                                     .apart = true,
                                     .ends = ends,
                                     .gradient = leaf_gradient,
                                     .done = leaf_done,
                                     .context = &f};
  tutti_model_pass pass = fixture_pass(&f);
  pass.leaves = &leaves;
  CHECK_OK(fixture_step(&f, pass, 0, ROWS, &loss, &metric));
  memcpy(without, f.grads, 2 * (size_t)f.n_params * sizeof *without);
  pass.squares = found;
  CHECK_OK(fixture_step(&f, pass, 0, ROWS, &loss, &metric));
  assert_memory_equal(without, f.grads, 2 * (size_t)f.n_params * sizeof *without);
  CHECK_CLOSE(found[0], one_by_one(&f, 0, 6), 1e-6, 0);
  CHECK_CLOSE(found[1], one_by_one(&f, 6, ROWS), 1e-6, 0);
  free(without);
  fixture_free(&f);
}

static void rows_of_batch_norm_have_no_gradient_of_their_own(void **state) {
  (void)state;
  fixture f;
  fixture_make(&f, "dense 4,batch_norm ghost=4,dense 2", TUTTI_MEAN_SQUARED_ERROR, N_IN, ROWS, 2);
  assert_false(tutti_model_has_examples(f.model));
  fixture_free(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(squares_are_those_of_explicit_gradients),
      cmocka_unit_test(squares_of_each_kind_of_the_list),
      cmocka_unit_test(each_leaf_has_its_sum_and_gradients_stay_the_same),
      cmocka_unit_test(rows_of_batch_norm_have_no_gradient_of_their_own),
  };
  return cmocka_run_group_tests_name("model.examples", tests, NULL, check_no_leak);
}
