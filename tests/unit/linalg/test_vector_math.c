// The functions over the whole range of float against libm in double.
#include "linalg/vector_math.h"

#include <float.h>
#include <stdbool.h>

#include "base/random.h"
#include "support/check.h"

static float cdf(float x) {
  float density;
  return tutti_normal_cdf(x, &density);
}

static float density(float x) {
  float value;
  (void)tutti_normal_cdf(x, &value);
  return value;
}

// The inline functions have no address that several tables could share.
static float exp_of(float x) {
  return tutti_exp(x);
}
static float expm1_of(float x) {
  return tutti_expm1(x);
}
static float sigmoid_of(float x) {
  return tutti_sigmoid(x);
}
static float tanh_of(float x) {
  return tutti_tanh(x);
}
static float softplus_of(float x) {
  return tutti_softplus(x);
}
static float log1p_of(float x) {
  return tutti_log1p_unit(x);
}

static double exact_sigmoid(double x) {
  return 1 / (1 + exp(-x));
}
static double exact_softplus(double x) {
  return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}
static double exact_cdf(double x) {
  return 0.5 * erfc(-x * TUTTI_SQRT_HALF);
}
static double exact_density(double x) {
  return TUTTI_INV_SQRT_2PI * exp(-0.5 * x * x);
}

static const struct {
  const char *name;
  float (*value)(float);
  double (*exact)(double);
  double ulps, from, to;
  float at_infinity, at_minus_infinity, at_0;
} functions[] = {
    {"exp", exp_of, exp, 1, -INFINITY, INFINITY, INFINITY, 0, 1},
    {"expm1", expm1_of, expm1, 1.5, -INFINITY, INFINITY, INFINITY, -1, 0},
    {"sigmoid", sigmoid_of, exact_sigmoid, 2.5, -INFINITY, INFINITY, 1, 0, 0.5f},
    {"tanh", tanh_of, tanh, 2.5, -INFINITY, INFINITY, 1, -1, 0},
    {"softplus", softplus_of, exact_softplus, 2, -INFINITY, INFINITY, INFINITY, 0,
     (float)0.69314718055994531},
    {"log1p", log1p_of, log1p, 1.5, 0, 1, NAN, NAN, 0},
    {"cdf", cdf, exact_cdf, 5.3, -INFINITY, INFINITY, 1, 0, 0.5f},
    {"density", density, exact_density, 2.2, -INFINITY, INFINITY, 0, 0, (float)TUTTI_INV_SQRT_2PI},
};
enum { N_FUNCTIONS = sizeof functions / sizeof functions[0] };

/** In units in the last place of the exact one. */
static double ulps_between(float value, double exact) {
  if ((float)exact == value) return 0;
  if (isinf((float)exact) || isinf(value)) return INFINITY;
  int exponent;
  frexp(exact, &exponent);
  const bool normal = fabs(exact) >= FLT_MIN;
  return fabs(value - exact) / (normal ? ldexp(1, exponent - FLT_MANT_DIG) : 0x1p-149);
}

static void check_at(int k, float x) {
  if (isnan(x) || x < functions[k].from || x > functions[k].to) return;
  const double exact = functions[k].exact(x);
  const float value = functions[k].value(x);
  if (!(ulps_between(value, exact) <= (fabs(exact) < FLT_MIN ? 2.3 : functions[k].ulps)))
    fail_msg("%s(%.9g) is %.9g, not %.9g", functions[k].name, x, value, exact);
}

static void errors_are_as_small_as_promised(void **state) {
  (void)state;
  const uint32_t stride = 40009; // prime, so that all digits change
  for (int k = 0; k < N_FUNCTIONS; k++)
    for (uint64_t bits = 0; bits <= UINT32_MAX; bits += stride)
      check_at(k, tutti_float_of_bits((uint32_t)bits));
}

/** Where the ways through the functions part: powers of 2, multiples of ln 2 / 2, ends of ranges. */
static void nothing_breaks_where_formulas_change(void **state) {
  (void)state;
  for (int k = 0; k < N_FUNCTIONS; k++) {
    for (int i = 0; i < 320; i++) {
      const double ends[] = {17.32868, 18, 14.5, 0.41421356, 1, FLT_MIN, FLT_TRUE_MIN, 88.722839, 89, 105};
      const float at = i < 310 ? (float)(i * 0.34657359) : (float)ends[i - 310];
      for (int step = -8; step <= 8; step++) {
        const float x = tutti_float_of_bits(tutti_float_bits(at + 0x1p-140f) + (uint32_t)step);
        check_at(k, x);
        check_at(k, -x);
      }
    }
  }
}

static void infinities_zeros_and_nan(void **state) {
  (void)state;
  for (int k = 0; k < N_FUNCTIONS; k++) {
    assert_true(isnan(functions[k].value(NAN)) && isnan(functions[k].value(-NAN)));
    CHECK_NEAR(functions[k].value(0), functions[k].at_0, 0);
    CHECK_NEAR(functions[k].value(-0.0f), functions[k].at_0, 0);
    if (isnan(functions[k].at_infinity)) continue;
    assert_true(functions[k].value(INFINITY) == functions[k].at_infinity);
    assert_true(functions[k].value(-INFINITY) == functions[k].at_minus_infinity);
  }
  assert_true(signbit(tutti_expm1(-0.0f)) && signbit(tutti_tanh(-0.0f)));
  assert_true(!signbit(tutti_expm1(0)) && !signbit(tutti_tanh(0)));
}

static void logarithms_of_sums_keep_their_digits(void **state) {
  (void)state;
  for (int i = 0; i < 20000; i++) {
    const double above = ldexp(1 + (i % 97) / 97.0, i % 120 - 52), x = 1 + above, exact = log(x);
    CHECK_NEAR(tutti_log_from_1(x), exact, 2 * DBL_EPSILON * exact);
  }
  assert_true(tutti_log_from_1(1) == 0 && isnan(tutti_log_from_1(NAN)));
}

static void pairs_of_normal_numbers_are_those_of_double(void **state) {
  (void)state;
  for (uint32_t i = 0; i < 60000; i++) {
    // Words in the middle, the smallest, the largest, and about multiples of an eighth of a turn.
    uint32_t u = i * UINT32_C(2654435761), v = i * UINT32_C(2246822519);
    if (i < 1000) u = i;
    if (i >= 1000 && i < 2000) u = ~(i - 1000);
    if (i % 7 == 0) v = (i % 8 << 29) + i % 5 - 2;
    double exact[2];
    float first, second;
    tutti_random_normal(u, v, exact);
    tutti_normal_pair(u, v, &first, &second);
    const double tolerance = 4 * FLT_EPSILON * hypot(exact[0], exact[1]);
    CHECK_NEAR(first, exact[0], tolerance);
    CHECK_NEAR(second, exact[1], tolerance);
  }
}

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12 && defined(__x86_64__)

TUTTI_INLINE void all_functions(const float *x, int64_t n, float *y) {
  for (int64_t i = 0; i < n; i++) {
    float *to = y + i * (N_FUNCTIONS + 2);
    to[0] = tutti_exp(x[i]);
    to[1] = tutti_expm1(x[i]);
    to[2] = tutti_sigmoid(x[i]);
    to[3] = tutti_tanh(x[i]);
    to[4] = tutti_softplus(x[i]);
    to[5] = tutti_log1p_unit(tutti_sigmoid(x[i]));
    to[6] = tutti_normal_cdf(x[i], &to[7]);
    tutti_normal_pair(tutti_float_bits(x[i]), ~tutti_float_bits(x[i]), &to[8], &to[9]);
  }
}

static void baseline(const float *x, int64_t n, float *y) {
  all_functions(x, n, y);
}

__attribute__((target("arch=x86-64-v3"))) static void with_avx2(const float *x, int64_t n, float *y) {
  all_functions(x, n, y);
}

__attribute__((target("arch=x86-64-v4"))) static void with_avx512(const float *x, int64_t n, float *y) {
  all_functions(x, n, y);
}

static void all_processors_give_the_same_bits(void **state) {
  (void)state;
  enum { N = 4096, SIZE = N * (N_FUNCTIONS + 2) };
  static float x[N], expected[SIZE], y[SIZE];
  for (int i = 0; i < N; i++)
    x[i] =
        i < N / 2 ? (float)(i - N / 4) * 0.03f : tutti_float_of_bits((uint32_t)i % 511 * UINT32_C(8400011));
  for (int i = 0; i < N; i++)
    if (isnan(x[i])) x[i] = 0; // NaN has many bit patterns, of which any may come out
  baseline(x, N, expected);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    with_avx2(x, N, y);
    assert_memory_equal(y, expected, sizeof y);
  }
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
    with_avx512(x, N, y);
    assert_memory_equal(y, expected, sizeof y);
  }
}
#else
static void all_processors_give_the_same_bits(void **state) {
  (void)state;
  skip(); // one set of instructions is all there is
}
#endif

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(errors_are_as_small_as_promised),
      cmocka_unit_test(nothing_breaks_where_formulas_change),
      cmocka_unit_test(infinities_zeros_and_nan),
      cmocka_unit_test(logarithms_of_sums_keep_their_digits),
      cmocka_unit_test(pairs_of_normal_numbers_are_those_of_double),
      cmocka_unit_test(all_processors_give_the_same_bits),
  };
  return cmocka_run_group_tests_name("linalg.vector_math", tests, NULL, check_no_leak);
}
