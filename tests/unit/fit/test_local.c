#include <math.h>

#include "fit/bowl_impl.h"
#include "fit/local_branch_impl.h"
#include "support/check.h"

enum { N_SIZES = 5, SIDE = 7, MOST = N_SIZES * SIDE * SIDE };

/** Bowls whose least and place of it are known; places on a grid from 0 to 1. */
typedef struct {
  int64_t first[N_SIZES + 1];
  double places[2 * MOST], logs[MOST];
  tutti_local_points points;
} bowls;

/** Some deviation without a trend. */
static double jitter(int64_t i) {
  return sin(12.9898 * (double)i) + sin(78.233 * (double)i);
}

static double least_at(int size, int key) {
  return 0.4 + 0.05 * size - 0.06 * key * size;
}

static double height_of(int size) {
  return 6 - 0.5 * size;
}

/** Squares and, by `skew`, cubes about the least. */
static double log_at(int size, int n_keys, const double *place, double skew) {
  double t[2] = {place[0] - least_at(size, 0), n_keys == 2 ? place[1] - least_at(size, 1) : 0};
  return height_of(size) + 4 * t[0] * t[0] + 1.5 * t[0] * t[1] + 3 * t[1] * t[1] +
         skew * (t[0] * t[0] * t[0] + t[0] * t[1] * t[1]);
}

static bowls *make_bowls(int n_keys, double skew, double noise) {
  bowls *b = NULL;
  CHECK_OK(TUTTI_NEW(b, 1));
  b->points = (tutti_local_points){N_SIZES, n_keys, b->first, b->places, b->logs, NULL};
  for (int size = 0; size < N_SIZES; size++) {
    int64_t at = b->first[size];
    for (int i = 0; i < 7 * (n_keys == 2 ? 7 : 2); i++, at++) {
      double *place = b->places + at * n_keys;
      place[0] = n_keys == 2 ? i % 7 / 6.0 : i / 13.0;
      if (n_keys == 2) place[1] = i / 7 / 6.0;
      b->logs[at] = log_at(size, n_keys, place, skew) + noise * jitter(at);
    }
    b->first[size + 1] = at;
  }
  return b;
}

static void exact_bowls_give_their_least(void **state) {
  (void)state;
  for (int n_keys = 1; n_keys <= 2; n_keys++)
    for (int skewed = 0; skewed < 2; skewed++) {
      bowls *b = make_bowls(n_keys, skewed ? -2 : 0, 0);
      tutti_local_model model;
      CHECK_OK(tutti_fit_local_make(&b->points, &model));
      for (int i = 0; i < N_SIZES; i++) {
        assert_int_equal(model.states[i], TUTTI_LOCAL_MADE);
        CHECK_NEAR(model.logs[i], height_of(i), 1e-5);
        for (int k = 0; k < n_keys; k++) CHECK_NEAR(model.places[i * n_keys + k], least_at(i, k), 1e-5);
      }
      CHECK_NEAR(model.noise, 0, 1e-5);
      tutti_fit_local_clear(&model);
      tutti_free(b);
    }
}

/** Errors grow with the noise, and the truth lies within a few of them. */
static void errors_are_those_of_the_noise(void **state) {
  (void)state;
  for (int n_keys = 1; n_keys <= 2; n_keys++) {
    bowls *b = make_bowls(n_keys, 0, 0.05);
    tutti_local_model model;
    CHECK_OK(tutti_fit_local_make(&b->points, &model));
    CHECK_CLOSE(model.noise, 0.05, 0.3, 0); // the root mean square of the jitter is 1
    for (int i = 0; i < N_SIZES; i++) {
      const double error = sqrt(model.covariance[i * N_SIZES + i]);
      assert_int_equal(model.states[i], TUTTI_LOCAL_MADE);
      assert_true(error > model.noise / sqrt((double)model.used[i]) && error < model.noise);
      CHECK_NEAR(model.logs[i], height_of(i), 4 * error);
      for (int k = 0; k < n_keys; k++)
        CHECK_NEAR(model.places[i * n_keys + k], least_at(i, k), 4 * model.errors[i * n_keys + k]);
    }
    tutti_fit_local_clear(&model);
    tutti_free(b);
  }
}

static tutti_local_state state_of(bowls *b, int size) {
  tutti_local_model model;
  CHECK_OK(tutti_fit_local_make(&b->points, &model));
  const tutti_local_state made = model.states[size];
  assert_true((made == TUTTI_LOCAL_MADE) == !isnan(model.logs[size]));
  tutti_fit_local_clear(&model);
  return made;
}

/** A size whose least lies beyond its settings, and one with few of them, have no model; the others do. */
static void a_size_may_have_none(void **state) {
  (void)state;
  bowls *b = make_bowls(1, 0, 0.01);
  for (int64_t k = b->first[4]; k < b->first[5]; k++) b->logs[k] = 5 - 2 * b->places[k] + 0.01 * jitter(k);
  assert_int_equal(state_of(b, 4), TUTTI_LOCAL_EDGE);
  assert_int_equal(state_of(b, 3), TUTTI_LOCAL_MADE);
  b->first[5] = b->first[4] + 2;
  assert_int_equal(state_of(b, 4), TUTTI_LOCAL_FEW);
  assert_int_equal(state_of(b, 3), TUTTI_LOCAL_MADE);
  tutti_free(b);
}

static void no_bowl_no_model(void **state) {
  (void)state;
  bowls *b = make_bowls(1, 0, 0);
  for (int64_t k = 0; k < b->first[N_SIZES]; k++) b->logs[k] = 5 - b->places[k] * b->places[k];
  assert_int_equal(state_of(b, 0), TUTTI_LOCAL_FLAT);
  for (int i = 0; i <= N_SIZES; i++) b->first[i] = 3 * i;
  assert_int_equal(state_of(b, 0), TUTTI_LOCAL_FEW);
  for (int i = 0; i <= N_SIZES; i++) b->first[i] = 0;
  assert_int_equal(state_of(b, 0), TUTTI_LOCAL_FEW);
  tutti_free(b);
}

/** Where the keys allow of no model, more settings would not help, and nothing says that they would. */
static void the_keys_may_be_none_or_too_many(void **state) {
  (void)state;
  bowls *b = make_bowls(1, 0, 0.01);
  b->points.n_keys = 0;
  assert_int_equal(state_of(b, 0), TUTTI_LOCAL_NONE);
  b->points.n_keys = TUTTI_BOWL_KEYS + 1;
  assert_int_equal(state_of(b, 0), TUTTI_LOCAL_MANY);
  tutti_free(b);
}

/** Then there is a reason instead of intervals, and no draw of another branch stays. */
static void what_is_no_covariance_has_no_interval(void **state) {
  (void)state;
  enum { N_DRAWS = 4 };
  static const double batch[N_SIZES] = {16, 32, 64, 128, 256};
  double draws[N_DRAWS * TUTTI_N_FIT_NUMBERS];
  bowls *b = make_bowls(1, 0, 0.01);
  tutti_local_model model;
  tutti_fit fit;
  CHECK_OK(tutti_fit_local_make(&b->points, &model));
  for (int i = 0; i < N_SIZES; i++) model.logs[i] = log(100 * (1 + 64 / batch[i]));
  for (int i = 0; i < N_SIZES; i++)
    for (int j = 0; j < N_SIZES; j++) model.covariance[i * N_SIZES + j] = i == j ? 0.01 : 0.02;
  for (int i = 0; i < N_DRAWS * TUTTI_N_FIT_NUMBERS; i++) draws[i] = 7;
  CHECK_OK(tutti_fit_local_fit(&model, batch, 1, N_DRAWS, draws, &fit));
  assert_string_equal(fit.refused, "");
  assert_true(fit.no_interval[0] && isnan(fit.low[0]) && !isnan(fit.value[0]));
  for (int i = 0; i < N_DRAWS * TUTTI_N_FIT_NUMBERS; i++) assert_true(isnan(draws[i]));
  tutti_fit_local_clear(&model);
  tutti_free(b);
}

/** Two-sided 95 % of Student's t, from tables. */
static void student_is_that_of_tables(void **state) {
  (void)state;
  CHECK_NEAR(tutti_fit_student_95(1), 12.7062, 1e-4);
  CHECK_NEAR(tutti_fit_student_95(2), 4.3027, 1e-4);
  CHECK_NEAR(tutti_fit_student_95(3), 3.1824, 5e-3);
  CHECK_NEAR(tutti_fit_student_95(5), 2.5706, 1e-3);
  CHECK_NEAR(tutti_fit_student_95(10), 2.2281, 1e-4);
  CHECK_NEAR(tutti_fit_student_95(30), 2.0423, 1e-4);
  CHECK_NEAR(tutti_fit_student_95(1000000), 1.9600, 1e-4);
  CHECK_NEAR(tutti_fit_student(3, 1), 235.8015, 1e-3);
  CHECK_NEAR(tutti_fit_student(3, 2), 19.2067, 1e-3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(exact_bowls_give_their_least),
      cmocka_unit_test(errors_are_those_of_the_noise),
      cmocka_unit_test(a_size_may_have_none),
      cmocka_unit_test(no_bowl_no_model),
      cmocka_unit_test(the_keys_may_be_none_or_too_many),
      cmocka_unit_test(what_is_no_covariance_has_no_interval),
      cmocka_unit_test(student_is_that_of_tables),
  };
  return cmocka_run_group_tests_name("fit.local", tests, NULL, check_no_leak);
}
