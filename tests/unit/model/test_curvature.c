/** Gradients and Hessian-vector products in evaluation against central differences of an independent network in
 * double. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"
#include "model/model_impl.h"
#include "support/numbers.h"

enum { ROWS = 9, N_IN = 4, MAX_PARAMS = 200, MAX_STATE = 64 };

/** Of the second differences: their error is eps / STEP^2 by rounding and STEP^2 by the fourth derivatives, 1e-8 both;
 * no argument may come over a kink within it. */
#define STEP 1e-4
#define AWAY 3e-3

typedef struct {
  fixture f;
  tutti_model_curvature *curvature;
  reference_net net;
  tutti_model_pass pass;
  double params[MAX_PARAMS], x[ROWS * N_IN], state[MAX_STATE];
  float u[MAX_PARAMS], v[MAX_PARAMS];
} bent;

static double run(bent *b, double *kink) {
  const reference_result result =
      reference_net_run(&b->net, b->params, b->state, &b->pass, b->x, fixture_targets(&b->f, 0), ROWS, NULL);
  if (kink) *kink = result.kink;
  return result.loss / ROWS;
}

static void draw(bent *b, uint32_t part) {
  fixture *f = &b->f;
  fixture_draw(f, part);
  numbers_fill(part * 16 + 5, -1, 1, f->n_params, b->u);
  numbers_fill(part * 16 + 6, -1, 1, f->n_params, b->v);
  numbers_fill(part * 16 + 7, 0.2, 1.5, tutti_model_n_state(f->model), tutti_model_state(f->model));
  numbers_widen(f->params, f->n_params, b->params);
  numbers_widen(f->x, ROWS * N_IN, b->x);
  numbers_widen(tutti_model_state(f->model), tutti_model_n_state(f->model), b->state);
}

static void make(bent *b, const char *words, tutti_loss loss, double smoothing) {
  fixture_make_smoothed(&b->f, words, loss, smoothing, N_IN, ROWS, 1);
  assert_true(b->f.n_params <= MAX_PARAMS && tutti_model_n_state(b->f.model) <= MAX_STATE);
  CHECK_OK(tutti_model_curvature_create(b->f.model, &b->curvature));
  b->net = fixture_reference(&b->f);
  b->pass = (tutti_model_pass){.batch_count = ROWS};
  for (uint32_t part = 1; part < 500; part++) {
    double kink;
    draw(b, part);
    run(b, &kink);
    if (kink > AWAY) return;
  }
  fail_msg("%s: each draw has an argument at a kink", words);
}

static void clear(bent *b) {
  tutti_model_curvature_destroy(&b->curvature);
  fixture_free(&b->f);
}

static tutti_model_curvature_batch batch_of(const bent *b) {
  return (tutti_model_curvature_batch){
      .params = b->f.params, .x = b->f.x, .targets = fixture_targets(&b->f, 0), .rows = ROWS, .count = ROWS};
}

static void move(bent *b, const float *along, double step) {
  for (int64_t i = 0; i < b->f.n_params; i++) b->params[i] += step * along[i];
}

/** d^2 loss / de_i dv. */
static double second_difference(bent *b, int64_t i) {
  double sum = 0;
  const double middle = b->params[i];
  for (int side = 1; side >= -1; side -= 2) {
    move(b, b->v, side * STEP);
    const double moved = b->params[i];
    b->params[i] = moved + STEP;
    sum += side * run(b, NULL);
    b->params[i] = moved - STEP;
    sum -= side * run(b, NULL);
    b->params[i] = moved;
    move(b, b->v, -side * STEP);
  }
  b->params[i] = middle;
  return sum / (4 * STEP * STEP);
}

static double first_difference(bent *b, int64_t i) {
  const double middle = b->params[i];
  b->params[i] = middle + STEP;
  const double above = run(b, NULL);
  b->params[i] = middle - STEP;
  const double below = run(b, NULL);
  b->params[i] = middle;
  return (above - below) / (2 * STEP);
}

static double norm_of(const double *values, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += values[i] * values[i];
  return sqrt(sum);
}

static double dot(const float *u, const double *values, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += u[i] * values[i];
  return sum;
}

static void check_near_differences(bent *b, const double *found, double (*difference)(bent *, int64_t),
                                   const char *what, const char *words) {
  // What single precision leaves, as with gradients, and what the differences do.
  const double tolerance = 200 * FLT_EPSILON * norm_of(found, b->f.n_params) + 1e-6;
  for (int64_t i = 0; i < b->f.n_params; i++) {
    const double expected = difference(b, i);
    if (!(fabs(found[i] - expected) <= tolerance))
      print_error("%s of %s: parameter %d\n", what, words, (int)i);
    CHECK_NEAR(found[i], expected, tolerance);
  }
}

static void check_derivatives(bent *b, const char *words) {
  double grads[MAX_PARAMS] = {0}, hv[MAX_PARAMS] = {0}, hu[MAX_PARAMS] = {0}, loss_sum = 0;
  const tutti_model_curvature_batch batch = batch_of(b);
  const int64_t n = b->f.n_params;
  CHECK_OK(tutti_model_curvature_gradient(b->curvature, &batch, &loss_sum, grads));
  CHECK_CLOSE(loss_sum / ROWS, run(b, NULL), 1e-5, 1);
  check_near_differences(b, grads, first_difference, "gradient", words);
  CHECK_OK(tutti_model_curvature_product(b->curvature, &batch, b->v, hv));
  check_near_differences(b, hv, second_difference, "product", words);
  CHECK_OK(tutti_model_curvature_product(b->curvature, &batch, b->u, hu));
  CHECK_NEAR(dot(b->u, hv, n), dot(b->v, hu, n),
             1e-5 * (fixture_norm(b->u, n) * norm_of(hv, n) + fixture_norm(b->v, n) * norm_of(hu, n)));
}

static bool checked[TUTTI_N_LAYER_KINDS];

static void check(const char *words, tutti_loss loss) {
  static bent b;
  make(&b, words, loss, 0);
  for (int i = 0; i < b.f.model->n_layers; i++) checked[b.f.model->layers[i].spec.kind] = true;
  check_derivatives(&b, words);
  clear(&b);
}

static void each_activation(void **state) {
  (void)state;
  for (int kind = 0; kind < TUTTI_N_ACTIVATIONS; kind++) {
    char words[96];
    const char *const name = tutti_activation_names[kind];
    snprintf(words, sizeof words, "dense 3,dense 5 %s,dense 3 tanh,dense 2", name);
    check(words, TUTTI_MEAN_SQUARED_ERROR);
    snprintf(words, sizeof words, "dense 5,activation %s,dense 2", name);
    check(words, TUTTI_MEAN_SQUARED_ERROR);
    snprintf(words, sizeof words, "activation %s,dense 3 tanh,dense 4 %s", name, name);
    check(words, TUTTI_MEAN_SQUARED_ERROR);
  }
}

static void each_loss(void **state) {
  (void)state;
  fixture_each_loss(check);
}

/** Noise is off, and batch_norm takes its moving statistics. */
static void each_other_layer(void **state) {
  (void)state;
  const char *const middles[] = {
      "dropout 0.3", "gaussian_noise 0.4", "gaussian_dropout 0.25",          "alpha_dropout 0.3",
      "prelu",       "batch_norm",         "batch_norm ghost=4 epsilon=0.1", "dense 4 bias=no"};
  for (size_t i = 0; i < sizeof middles / sizeof middles[0]; i++) {
    char words[128];
    snprintf(words, sizeof words, "dense 5,%s,dense 3 tanh,dense 2", middles[i]);
    check(words, TUTTI_MEAN_SQUARED_ERROR);
    snprintf(words, sizeof words, "%s,dense 3 tanh,dense 2", middles[i]); // first: its inputs do not move
    check(words, TUTTI_MEAN_SQUARED_ERROR);
    snprintf(words, sizeof words, "dense 4 tanh,dense 3,%s", middles[i]); // last: the loss takes its output
    check(words, TUTTI_HUBER);
  }
  check("batch_norm,prelu,dense 6 silu,batch_norm,activation relu,dropout 0.2,dense 5 gelu,dense 4 softmax",
        TUTTI_LOSS_AUTO);
}

/** What has second derivatives has the right ones. */
static void each_kind_of_the_list(void **state) {
  (void)state;
  for (int kind = 0; kind < TUTTI_N_LAYER_KINDS; kind++) {
    const tutti_layer_ops *ops = tutti_layer_ops_of((tutti_layer_kind)kind);
    const char *name = tutti_layer_kind_names[kind];
    char words[128];
    if (!ops->tangent_forward != !ops->tangent_backward) fail_msg("%s has one half of a tangent pass", name);
    if (!ops->tangent_forward) continue;
    snprintf(words, sizeof words, "dense 5,%s,dense 3 tanh,%s,dense 2", ops->example, ops->example);
    check(words, TUTTI_MEAN_SQUARED_ERROR);
    snprintf(words, sizeof words, "%s,dense 4 tanh,%s", ops->example, ops->example);
    check(words, TUTTI_HUBER);
    if (!checked[kind]) fail_msg("the example of %s is of another kind", name);
  }
}

static void a_kind_without_second_derivatives_is_refused(void **state) {
  (void)state;
  static bent b;
  make(&b, "dense 3,dense 2", TUTTI_MEAN_SQUARED_ERROR, 0);
  tutti_model_curvature *curvature = NULL;
  tutti_layer *layer = &b.f.model->layers[0];
  const tutti_layer_ops *ops = layer->ops;
  tutti_layer_ops without = *ops;
  without.tangent_forward = without.tangent_backward = NULL;
  layer->ops = &without;
  assert_int_equal(tutti_model_curvature_create(b.f.model, &curvature), TUTTI_ERR_CONFIG);
  assert_non_null(strstr(tutti_fail_text(), "layer 1 (dense): this kind of layer has no second derivatives"));
  assert_null(curvature);
  layer->ops = ops;
  clear(&b);
}

/** Smoothed classes, and rows that need not add up to 1. */
static void smoothed_labels_and_probabilities(void **state) {
  (void)state;
  static bent b;
  const char *const words[] = {"dense 5 tanh,dense 4 softmax", "dense 5 tanh,dense 3 sigmoid"};
  for (int i = 0; i < 2; i++) {
    make(&b, words[i], TUTTI_LOSS_AUTO, 0.3);
    check_derivatives(&b, words[i]);
    b.f.by_value = true;
    numbers_fill(91, 0, 1, ROWS * b.f.n_out, b.f.values);
    check_derivatives(&b, words[i]);
    clear(&b);
  }
}

/** Micro-batches add up, and one without samples adds nothing. */
static void parts_add_up(void **state) {
  (void)state;
  static bent b;
  double whole[MAX_PARAMS] = {0}, sum[MAX_PARAMS] = {0};
  make(&b, "dense 4 tanh,dense 3 softmax", TUTTI_LOSS_AUTO, 0);
  tutti_model_curvature_batch batch = batch_of(&b);
  CHECK_OK(tutti_model_curvature_product(b.curvature, &batch, b.v, whole));
  const int64_t ends[] = {0, 4, 4, ROWS};
  for (int i = 0; i < 3; i++) {
    batch.rows = ends[i + 1] - ends[i];
    batch.x = b.f.x + ends[i] * N_IN;
    batch.targets = fixture_targets(&b.f, ends[i]);
    CHECK_OK(tutti_model_curvature_product(b.curvature, &batch, b.v, sum));
  }
  for (int64_t i = 0; i < b.f.n_params; i++) CHECK_NEAR(sum[i], whole[i], 1e-6);
  clear(&b);
}

/** 2 l2 v on kernels alone; l1 is a piece of straight lines. */
static void penalty_has_a_hessian(void **state) {
  (void)state;
  static bent b;
  double product[MAX_PARAMS] = {0};
  make(&b, "dense 3 tanh l1=0.5 l2=0.25,dense 2", TUTTI_MEAN_SQUARED_ERROR, 0);
  tutti_model_penalty_product(b.f.model, b.v, product);
  for (int64_t i = 0; i < b.f.n_params; i++) CHECK_NEAR(product[i], i < 3 * N_IN ? 0.5 * b.v[i] : 0, 1e-7);
  clear(&b);
}

/** Like samples: a sum in single precision would lose digits with each. */
static void many_samples_lose_no_digits(void **state) {
  (void)state;
  enum { N = 1 << 17, WIDTH = 3 };
  fixture f;
  tutti_model_curvature *curvature = NULL;
  fixture_make(&f, "dense 3,prelu,batch_norm", TUTTI_MEAN_SQUARED_ERROR, WIDTH, N, 3);
  CHECK_OK(tutti_model_curvature_create(f.model, &curvature));
  numbers_fill(50, 0.2, 1.5, tutti_model_n_state(f.model), tutti_model_state(f.model));
  for (int i = WIDTH; i < N * WIDTH; i++) {
    f.x[i] = f.x[i - WIDTH];
    f.values[i] = f.values[i - WIDTH];
  }
  double one[MAX_PARAMS] = {0}, all[MAX_PARAMS] = {0}, loss_sum = 0;
  float v[MAX_PARAMS];
  numbers_fill(51, -1, 1, f.n_params, v);
  tutti_model_curvature_batch batch = {
      .params = f.params, .x = f.x, .targets = fixture_targets(&f, 0), .rows = 1, .count = 1};
  for (int product = 0; product < 2; product++) {
    memset(one, 0, sizeof one);
    memset(all, 0, sizeof all);
    for (batch.rows = 1; batch.rows <= N; batch.rows += N - 1) {
      double *sums = batch.rows == 1 ? one : all;
      if (product)
        CHECK_OK(tutti_model_curvature_product(curvature, &batch, v, sums));
      else
        CHECK_OK(tutti_model_curvature_gradient(curvature, &batch, &loss_sum, sums));
    }
    for (int64_t k = WIDTH * WIDTH; k < f.n_params; k++)
      CHECK_NEAR(all[k], N * one[k], 1e-6 * fabs(N * one[k]));
  }
  tutti_model_curvature_destroy(&curvature);
  fixture_free(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_activation),
      cmocka_unit_test(each_loss),
      cmocka_unit_test(each_other_layer),
      cmocka_unit_test(each_kind_of_the_list),
      cmocka_unit_test(a_kind_without_second_derivatives_is_refused),
      cmocka_unit_test(smoothed_labels_and_probabilities),
      cmocka_unit_test(parts_add_up),
      cmocka_unit_test(penalty_has_a_hessian),
      cmocka_unit_test(many_samples_lose_no_digits),
  };
  return cmocka_run_group_tests_name("model.curvature", tests, NULL, check_no_leak);
}
