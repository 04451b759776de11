/** Layers with trainable=no: the same network, of which a part has no gradient and no place in the flat buffers. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"
#include "model/model_impl.h"
#include "support/numbers.h"

enum { ROWS = 14, N_IN = 4 };

static const tutti_model_array *find(const tutti_model *model, const tutti_model_array *wanted) {
  for (int i = 0; i < tutti_model_n_arrays(model); i++) {
    const tutti_model_array *array = tutti_model_array_at(model, i);
    if (strcmp(array->layer, wanted->layer) == 0 && strcmp(array->name, wanted->name) == 0) return array;
  }
  fail_msg("there is no %s/%s", wanted->layer, wanted->name);
  return NULL;
}

static float *weights_of(const fixture *f, const tutti_model_array *array) {
  return (array->trainable ? f->params : tutti_model_state(f->model)) + array->offset;
}

/** Initial weights are those of the network that is trained as a whole; so are gradients and squares of what is trained. */
static void check(const char *frozen, const char *whole) {
  fixture a, b;
  double squares[2] = {0}, loss[2] = {0}, metric[2] = {0};
  fixture_make(&a, frozen, TUTTI_LOSS_AUTO, N_IN, ROWS, 1);
  fixture_make(&b, whole, TUTTI_LOSS_AUTO, N_IN, ROWS, 1);
  assert_true(a.n_params < b.n_params && a.n_params + tutti_model_n_state(a.model) == b.n_params);
  tutti_model_init(a.model, 7, a.params);
  tutti_model_init(b.model, 7, b.params);
  for (int i = 0; i < tutti_model_n_arrays(a.model); i++) {
    const tutti_model_array *array = tutti_model_array_at(a.model, i), *twin = find(b.model, array);
    assert_memory_equal(weights_of(&a, array), weights_of(&b, twin), (size_t)array->n * sizeof(float));
  }
  tutti_model_pass pass = fixture_pass(&a);
  assert_true(tutti_model_has_examples(a.model));
  pass.squares = &squares[0];
  CHECK_OK(fixture_step(&a, pass, 0, ROWS, &loss[0], &metric[0]));
  pass.squares = &squares[1];
  CHECK_OK(fixture_step(&b, pass, 0, ROWS, &loss[1], &metric[1]));
  assert_true(loss[0] == loss[1] && metric[0] == metric[1]);
  assert_true(squares[0] > 0 && squares[0] < squares[1]);
  for (int i = 0; i < tutti_model_n_arrays(a.model); i++) {
    const tutti_model_array *array = tutti_model_array_at(a.model, i), *twin = find(b.model, array);
    if (array->trainable)
      assert_memory_equal(a.grads + array->offset, b.grads + twin->offset, (size_t)array->n * sizeof(float));
  }
  fixture_free(&a);
  fixture_free(&b);
}

/** The words of each kind that has weights, but of batch_norm, whose frozen layers take other statistics. */
static void each_kind_of_the_list_can_be_frozen(void **state) {
  (void)state;
  for (int kind = 0; kind < TUTTI_N_LAYER_KINDS; kind++) {
    const tutti_layer_ops *ops = tutti_layer_ops_of((tutti_layer_kind)kind);
    char whole[128], frozen[160];
    fixture f;
    snprintf(whole, sizeof whole, "dense 5 tanh,%s,dense 2", ops->example);
    fixture_make(&f, whole, TUTTI_LOSS_AUTO, N_IN, ROWS, 1);
    const bool has_weights = f.model->layers[1].n_weights > 0;
    fixture_free(&f);
    if (!has_weights || ops->mixes_samples) continue;
    snprintf(frozen, sizeof frozen, "dense 5 tanh,%s trainable=no,dense 2", ops->example);
    check(frozen, whole);
  }
}

static void what_is_trained_has_the_gradients_of_the_whole(void **state) {
  (void)state;
  check("dense 5 tanh trainable=no,dense 3 tanh,dense 2", "dense 5 tanh,dense 3 tanh,dense 2");
  check("dense 5 tanh,prelu trainable=no,dense 3 tanh trainable=no,dense 2",
        "dense 5 tanh,prelu,dense 3 tanh,dense 2");
  check("dense 5,prelu,dropout 0.3,dense 3 softmax trainable=no",
        "dense 5,prelu,dropout 0.3,dense 3 softmax");
}

static double loss_of(fixture *f, const tutti_model_pass *pass) {
  double loss = 0, metric = 0;
  CHECK_OK(tutti_model_forward(f->model, f->params, pass, f->x, ROWS));
  tutti_model_loss(f->model, pass, fixture_targets(f, 0), ROWS, &loss, &metric);
  return loss / ROWS;
}

/** As Keras' BatchNormalization that is not trainable: in training as in evaluation, and what it keeps stays. */
static void a_frozen_batch_norm_takes_its_moving_statistics(void **state) {
  (void)state;
  fixture f;
  double loss = 0, metric = 0;
  float kept[12];
  fixture_make(&f, "dense 3,batch_norm trainable=no,activation tanh,dense 2", TUTTI_LOSS_AUTO, N_IN, ROWS, 1);
  assert_int_equal(tutti_model_n_state(f.model), 12);
  numbers_fill(77, 0.5, 2, 12, tutti_model_state(f.model));
  memcpy(kept, tutti_model_state(f.model), sizeof kept);
  tutti_model_pass pass = fixture_pass(&f);
  const double in_training = loss_of(&f, &pass);
  pass.training = false;
  assert_true(loss_of(&f, &pass) == in_training);
  CHECK_OK(fixture_step(&f, fixture_pass(&f), 0, ROWS, &loss, &metric));
  CHECK_OK(tutti_model_merge_state(f.model, ROWS, NULL, NULL));
  assert_memory_equal(kept, tutti_model_state(f.model), sizeof kept);
  for (int64_t i = 0; i < f.n_params; i++) {
    const float middle = f.params[i], step = 1e-2f;
    f.params[i] = middle + step;
    const double above = loss_of(&f, &pass);
    f.params[i] = middle - step;
    const double below = loss_of(&f, &pass);
    f.params[i] = middle;
    CHECK_NEAR(f.grads[i], (above - below) / (2 * (double)step), 1e-3);
  }
  fixture_free(&f);
}

/** Samples do not depend on each other any more, and what moves is alone in what the ranks sum. */
static void only_what_moves_is_summed(void **state) {
  (void)state;
  fixture f;
  fixture_make(&f, "dense 3 trainable=no,batch_norm,batch_norm ghost=4 trainable=no,dense 2", TUTTI_LOSS_AUTO,
               N_IN, ROWS, 1);
  assert_int_equal(tutti_model_layers_group(f.layers, f.n_layers, 100), 100);
  assert_int_equal(tutti_model_layers_group(f.layers + 2, 2, 100), 1);
  assert_false(tutti_model_layers_single_group(f.layers + 2, 2, 13));
  assert_int_equal(tutti_model_n_state(f.model), 6 + 15 + 12);
  for (int i = 0; i < tutti_model_n_arrays(f.model); i++) {
    const tutti_model_array *array = tutti_model_array_at(f.model, i);
    const bool moves = strcmp(array->layer, "batch_normalization") == 0;
    if (!array->trainable) assert_true(moves == (array->offset < 6));
  }
  fixture_free(&f);
}

static void a_penalty_is_of_what_is_trained(void **state) {
  (void)state;
  fixture f;
  fixture_make(&f, "dense 3 l2=0.1 trainable=no,dense 2 l2=0.01", TUTTI_LOSS_AUTO, N_IN, ROWS, 1);
  CHECK_CLOSE(tutti_model_penalty(f.model, f.params), 0.01 * pow(fixture_norm(f.params, 6), 2), 1e-12, 1);
  fixture_free(&f);
}

static void nothing_to_train_is_refused(void **state) {
  (void)state;
  tutti_model *model = NULL;
  tutti_layer_spec layer;
  CHECK_OK(tutti_layer_parse("dense 3 trainable=no", &layer));
  const tutti_model_options options = {.layers = &layer, .n_layers = 1};
  CHECK_FAILS(tutti_model_create(&options, 3, 1, &model), TUTTI_ERR_CONFIG, "trainable=no");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_kind_of_the_list_can_be_frozen),
      cmocka_unit_test(what_is_trained_has_the_gradients_of_the_whole),
      cmocka_unit_test(a_frozen_batch_norm_takes_its_moving_statistics),
      cmocka_unit_test(only_what_moves_is_summed),
      cmocka_unit_test(a_penalty_is_of_what_is_trained),
      cmocka_unit_test(nothing_to_train_is_refused),
  };
  return cmocka_run_group_tests_name("model.frozen", tests, NULL, check_no_leak);
}
