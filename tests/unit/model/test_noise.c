/** What noise layers do to a matrix that passes through, seen with an identity layer before them. */
#include <math.h>
#include <string.h>

#include "fixture.h"

enum { N = 8, ROWS = 2000 };

static struct { float y[ROWS * N]; } out;

/** y of `noise` for x: a dense layer that copies, then the noise. */
static void pass_through(fixture *f, const char *noise, const tutti_model_pass *pass, float value) {
  char words[96] = "dense 8,";
  strcat(words, noise);
  fixture_make(f, words, TUTTI_LOSS_AUTO, N, ROWS, 1);
  for (int64_t i = 0; i < f->n_params; i++) f->params[i] = i < N * N && i / N == i % N;
  for (int64_t i = 0; i < ROWS * N; i++) f->x[i] = value;
  CHECK_OK(tutti_model_forward(f->model, f->params, pass, f->x, ROWS));
  tutti_model_predict(f->model, ROWS, out.y);
}

static void moments(double *mean, double *deviation) {
  double sum = 0, squares = 0;
  for (int i = 0; i < ROWS * N; i++) {
    sum += out.y[i];
    squares += (double)out.y[i] * out.y[i];
  }
  *mean = sum / (ROWS * N);
  *deviation = sqrt(squares / (ROWS * N) - *mean * *mean);
}

static const tutti_model_pass training = {
    .training = true, .seed = 1, .epoch = 1, .position = 7, .batch_count = ROWS};

static void dropout_keeps_the_mean(void **state) {
  (void)state;
  fixture f;
  int n_kept = 0;
  pass_through(&f, "dropout 0.2", &training, 2);
  for (int i = 0; i < ROWS * N; i++) {
    assert_true(out.y[i] == 0 || out.y[i] == 2.5f);
    n_kept += out.y[i] != 0;
  }
  CHECK_NEAR(n_kept / (double)(ROWS * N), 0.8, 5 * 0.4 / sqrt(ROWS * N));
  fixture_free(&f);
}

static void gaussian_noise_adds_and_gaussian_dropout_multiplies(void **state) {
  (void)state;
  fixture f;
  double mean, deviation;
  pass_through(&f, "gaussian_noise 0.5", &training, 3);
  moments(&mean, &deviation);
  CHECK_NEAR(mean, 3, 5 * 0.5 / sqrt(ROWS * N));
  CHECK_NEAR(deviation, 0.5, 5 * 0.5 / sqrt(2 * ROWS * N));
  fixture_free(&f);
  pass_through(&f, "gaussian_dropout 0.2", &training, 3);
  moments(&mean, &deviation);
  CHECK_NEAR(mean, 3, 5 * 1.5 / sqrt(ROWS * N));
  CHECK_NEAR(deviation, 1.5, 5 * 1.5 / sqrt(2 * ROWS * N)); // 3 sqrt(0.2 / 0.8)
  fixture_free(&f);
}

static void alpha_dropout_keeps_mean_and_variance(void **state) {
  (void)state;
  fixture f;
  double mean, deviation;
  // The noise gives elements of mean 0 and variance 1, as selu does.
  pass_through(&f, "gaussian_noise 1,alpha_dropout 0.3", &training, 0);
  moments(&mean, &deviation);
  CHECK_NEAR(mean, 0, 5 / sqrt(ROWS * N));
  CHECK_NEAR(deviation, 1, 5 / sqrt(ROWS * N));
  fixture_free(&f);
}

static void evaluation_has_no_noise(void **state) {
  (void)state;
  const char *const layers[] = {"dropout 0.5", "gaussian_noise 1", "gaussian_dropout 0.5",
                                "alpha_dropout 0.5"};
  tutti_model_pass evaluation = training;
  evaluation.training = false;
  for (int k = 0; k < 4; k++) {
    fixture f;
    pass_through(&f, layers[k], &evaluation, 1.25f);
    for (int i = 0; i < ROWS * N; i++) assert_true(out.y[i] == 1.25f);
    fixture_free(&f);
  }
}

/** Rows shifted by one sample have the masks shifted by one row; other seeds, epochs and layers have other
 * masks. */
static void masks_belong_to_positions(void **state) {
  (void)state;
  const char *const layers[] = {"dropout 0.5", "gaussian_noise 1", "gaussian_dropout 0.5",
                                "alpha_dropout 0.5"};
  static float first[ROWS * N];
  for (int k = 0; k < 4; k++) {
    fixture f;
    char words[64] = "dropout 0,";
    pass_through(&f, layers[k], &training, 1);
    memcpy(first, out.y, sizeof first);
    fixture_free(&f);
    tutti_model_pass pass = training;
    pass.position++;
    pass_through(&f, layers[k], &pass, 1);
    assert_memory_equal(out.y, first + N, (ROWS - 1) * N * sizeof *first);
    fixture_free(&f);
    for (int other = 0; other < 3; other++) {
      pass = training;
      if (other == 0) pass.seed++;
      if (other == 1) pass.epoch++;
      pass_through(&f, other == 2 ? strcat(words, layers[k]) : layers[k], &pass, 1);
      assert_memory_not_equal(out.y, first, 64 * sizeof *first);
      fixture_free(&f);
    }
  }
}

static void positions_may_be_large(void **state) {
  (void)state;
  fixture f;
  tutti_model_pass pass = training;
  pass.position = pass.batch_begin = 1000000000;
  fixture_make(&f, "dense 4096,gaussian_dropout 0.5,dropout 0.5", TUTTI_LOSS_AUTO, 1, 2, 1);
  CHECK_OK(tutti_model_forward(f.model, f.params, &pass, f.x, 2));
  assert_int_equal(tutti_model_first_nonfinite(f.model, f.params, 2), -1);
  fixture_free(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dropout_keeps_the_mean),
      cmocka_unit_test(gaussian_noise_adds_and_gaussian_dropout_multiplies),
      cmocka_unit_test(alpha_dropout_keeps_mean_and_variance),
      cmocka_unit_test(evaluation_has_no_noise),
      cmocka_unit_test(masks_belong_to_positions),
      cmocka_unit_test(positions_may_be_large),
  };
  return cmocka_run_group_tests_name("model.noise", tests, NULL, check_no_leak);
}
