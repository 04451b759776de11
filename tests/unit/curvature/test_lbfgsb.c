/** Searches in a box compared with SciPy 1.17.1, minimize(method="L-BFGS-B", maxcor=10, ftol=0, gtol=0), which is the
 * authors' program: the points are the same, so are the values after a number of iterations, and the evaluations. */
#include <math.h>
#include <stdbool.h>

#include "curvature/lbfgsb_impl.h"
#include "support/check.h"

enum { MAX_N = 25 };

typedef struct {
  void (*function)(int n, const double *x, double *value, double *gradient);
  int n, evaluations, fails_at; // 0: never
  double lower[MAX_N], upper[MAX_N], start[MAX_N];
} task;

static tutti_status evaluate(void *context, const double *x, double *value, double *gradient) {
  task *t = context;
  t->evaluations++;
  if (t->evaluations == t->fails_at) TUTTI_FAIL(TUTTI_ERR_DATA, "no value");
  *value = 0;
  for (int i = 0; i < t->n; i++) {
    gradient[i] = 0;
    assert_true(x[i] >= t->lower[i] && x[i] <= t->upper[i]);
  }
  t->function(t->n, x, value, gradient);
  return TUTTI_OK;
}

static tutti_status minimize(task *t, int iterations, double *x, double *value) {
  const tutti_curvature_lbfgsb_problem problem = {.n = t->n,
                                                  .lower = t->lower,
                                                  .upper = t->upper,
                                                  .iterations = iterations,
                                                  .evaluate = evaluate,
                                                  .context = t};
  t->evaluations = 0;
  for (int i = 0; i < t->n; i++) x[i] = t->start[i];
  return tutti_curvature_lbfgsb_minimize(&problem, x, value);
}

static void rosenbrock(int n, const double *x, double *value, double *gradient) {
  for (int i = 0; i + 1 < n; i++) {
    const double a = x[i + 1] - x[i] * x[i], b = 1 - x[i];
    *value += 100 * a * a + b * b;
    gradient[i] -= 400 * a * x[i] + 2 * b;
    gradient[i + 1] += 200 * a;
  }
}

static task rosenbrock_task(void) {
  task t = {.function = rosenbrock, .n = 10};
  for (int i = 0; i < t.n; i++) {
    t.lower[i] = -1.5;
    t.upper[i] = i % 3 == 0 ? 0.5 : 2;
    t.start[i] = -1.2 + 0.1 * i;
  }
  return t;
}

static void bowl(int n, const double *x, double *value, double *gradient) {
  for (int i = 0; i < n; i++) {
    const double h = 1 + 3.0 * i, error = x[i] - 2 * sin(i + 1.0);
    *value += 0.5 * h * error * error;
    gradient[i] += h * error;
    if (i == 0) continue;
    const double difference = x[i] - x[i - 1];
    *value += 2 * difference * difference;
    gradient[i] += 4 * difference;
    gradient[i - 1] -= 4 * difference;
  }
}

static void waves(int n, const double *x, double *value, double *gradient) {
  for (int i = 0; i < n; i++) {
    const int next = (i + 1) % n;
    *value -= cos(3 * x[i] + i) * (1 + 0.1 * i) + 0.3 * x[i] * x[next];
    gradient[i] += 3 * sin(3 * x[i] + i) * (1 + 0.1 * i) - 0.3 * x[next];
    gradient[next] -= 0.3 * x[i];
  }
}

static void ridges(int n, const double *x, double *value, double *gradient) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += x[i];
  *value = 0.5 * sum * sum;
  for (int i = 0; i < n; i++) {
    *value -= cos(2 * x[i] + i) * (1 + 0.2 * i);
    gradient[i] = sum + 2 * sin(2 * x[i] + i) * (1 + 0.2 * i);
  }
}

static task sized_task(void (*function)(int, const double *, double *, double *), int n, double size) {
  task t = {.function = function, .n = n};
  for (int i = 0; i < n; i++) {
    t.lower[i] = size * (-1 - 0.01 * i);
    t.upper[i] = size * (1 + 0.02 * i);
    t.start[i] = 0.1 * cos(i);
  }
  return t;
}

static task other_task(void (*function)(int, const double *, double *, double *), int n) {
  return sized_task(function, n, 1);
}

static void check(task t, int iterations, double expected, int evaluations) {
  double x[MAX_N], value;
  CHECK_OK(minimize(&t, iterations, x, &value));
  CHECK_CLOSE(value, expected, 1e-11, 1e-6);
  assert_int_equal(t.evaluations, evaluations);
}

static void steps_are_the_authors(void **state) {
  (void)state;
  check(rosenbrock_task(), 1, 119.736704984965, 3);
  check(rosenbrock_task(), 2, 59.6962168188224, 4);
  check(rosenbrock_task(), 5, 10.2039685985435, 7);
  check(rosenbrock_task(), 10, 9.52279978763671, 12);
  check(rosenbrock_task(), 30, 7.59481294894687, 38); // more steps than pairs
  check(other_task(bowl, 20), 1, 172.235063550251, 2);
  check(other_task(bowl, 20), 3, 99.3479363075576, 4);
  check(other_task(bowl, 20), 10, 98.0295673024806, 11);
  check(other_task(waves, 25), 1, -34.2030643990562, 3);
  check(other_task(waves, 25), 3, -49.225638695023, 6);
  check(other_task(waves, 25), 10, -55.5894347552184, 16);
}

/** In small boxes the path along the gradient has many breakpoints; in large ones it ends far from the bounds. */
static void boxes_of_many_sizes(void **state) {
  (void)state;
  check(sized_task(waves, 25, 0.1), 2, -10.6795089005323, 3);
  check(sized_task(waves, 25, 0.1), 4, -10.9399935753445, 6);
  check(sized_task(waves, 25, 0.1), 10, -11.3098253791091, 12);
  check(sized_task(waves, 25, 0.3), 10, -33.9206529471065, 13);
  check(sized_task(waves, 25, 3), 4, -46.3525968573245, 6);
  check(sized_task(waves, 25, 3), 10, -52.592446022031, 12);
  check(sized_task(bowl, 20, 0.3), 4, 365.019266571281, 5);
  check(sized_task(bowl, 20, 0.3), 10, 365.006775375724, 11);
  check(sized_task(bowl, 20, 3), 4, 60.4615025482319, 6);
  check(sized_task(bowl, 20, 3), 10, 59.261409674522, 13);
  check(sized_task(ridges, 25, 0.1), 4, -10.3696360702901, 5);
  check(sized_task(ridges, 25, 0.3), 10, -35.9070977883533, 11);
  check(sized_task(ridges, 25, 1), 4, -81.9661110054054, 6);
  check(sized_task(ridges, 25, 1), 10, -82.0819910253575, 12);
  check(sized_task(ridges, 25, 3), 4, -53.2803941864966, 6);
  check(sized_task(ridges, 25, 3), 10, -61.6290316701795, 12);
}

/** The steps differ if a term is missing at a breakpoint, or if the projection into the box is not checked. */
static void bends_count_the_curvature(void **state) {
  (void)state;
  check(sized_task(waves, 4, 0.737894528), 3, -4.45168822248418, 5);
  check(sized_task(waves, 13, 0.737894528), 3, -20.3001916448407, 5);
  check(sized_task(waves, 16, 0.737894528), 3, -27.5399029844792, 5);
  check(sized_task(waves, 19, 0.737894528), 3, -30.2353450105948, 5);
  check(sized_task(waves, 10, 3.968573866270717), 5, -26.3628643157304, 7);
  check(sized_task(waves, 10, 3.968573866270717), 10, -28.3886314087865, 14);
  check(sized_task(rosenbrock, 4, 0.268912), 5, 2.39021554962591, 7);
  check(sized_task(rosenbrock, 4, 0.3764768), 10, 2.06316510970803, 13);
}

/** At the minimum of a convex function in a box, each component of the gradient is 0, or its descent leads out of the box. */
static void ends_at_the_minimum(void **state) {
  (void)state;
  task t = other_task(bowl, 20);
  double x[MAX_N], value, gradient[MAX_N];
  int at_bounds = 0;
  CHECK_OK(minimize(&t, 100, x, &value));
  CHECK_OK(evaluate(&t, x, &value, gradient));
  for (int i = 0; i < t.n; i++) {
    const bool low = x[i] == t.lower[i], high = x[i] == t.upper[i];
    at_bounds += low || high;
    if (low) assert_true(gradient[i] >= 0);
    if (high) assert_true(gradient[i] <= 0);
    if (!low && !high) CHECK_NEAR(gradient[i], 0, 1e-6);
  }
  assert_in_range(at_bounds, 5, 19);
}

/** The minimum of a linear function is a corner, which is found in one step. */
static void slope(int n, const double *x, double *value, double *gradient) {
  for (int i = 0; i < n; i++) {
    gradient[i] = i % 2 ? 100 : -100;
    *value += gradient[i] * x[i];
  }
}

static void a_slope_ends_in_a_corner(void **state) {
  (void)state;
  task t = other_task(slope, 7);
  t.start[3] = 9; // outside
  t.lower[5] = t.upper[5] = 0.25;
  double x[MAX_N], value;
  CHECK_OK(minimize(&t, 10, x, &value));
  for (int i = 0; i < t.n; i++) assert_true(x[i] == (i % 2 ? t.lower[i] : t.upper[i]));
}

static void nothing_leads_down_from_a_top(void **state) {
  (void)state;
  task t = other_task(waves, 1);
  double x[MAX_N], value;
  t.start[0] = 0;
  CHECK_OK(minimize(&t, 10, x, &value));
  assert_true(x[0] == 0 && value == -1);
  assert_int_equal(t.evaluations, 1);
}

static void cliff(int n, const double *x, double *value, double *gradient) {
  bowl(n, x, value, gradient);
  if (x[0] > 0.5) *value = -INFINITY;
}

static void a_value_that_is_not_finite_ends_it(void **state) {
  (void)state;
  task t = other_task(cliff, 20);
  double x[MAX_N], value;
  CHECK_OK(minimize(&t, 10, x, &value));
  assert_true(value == -INFINITY && x[0] > 0.5);
}

static void failures_come_back(void **state) {
  (void)state;
  for (int at = 1; at < 4; at++) {
    task t = rosenbrock_task();
    t.fails_at = at;
    double x[MAX_N], value;
    CHECK_FAILS(minimize(&t, 10, x, &value), TUTTI_ERR_DATA, "no value");
    assert_int_equal(t.evaluations, at);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(steps_are_the_authors),
      cmocka_unit_test(boxes_of_many_sizes),
      cmocka_unit_test(bends_count_the_curvature),
      cmocka_unit_test(ends_at_the_minimum),
      cmocka_unit_test(a_slope_ends_in_a_corner),
      cmocka_unit_test(nothing_leads_down_from_a_top),
      cmocka_unit_test(a_value_that_is_not_finite_ends_it),
      cmocka_unit_test(failures_come_back),
  };
  return cmocka_run_group_tests_name("optim.box", tests, NULL, check_no_leak);
}
