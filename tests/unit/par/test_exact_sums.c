#include "par/exact_sums_impl.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/random.h"
#include "support/check.h"

enum { MAX_DIGITS = 240 };
static const int sizes[] = {1, 2, 3, 4, 7, 8, 9, 64, 100, 1000, 4096, 4097, 5000};
enum { N_SIZES = sizeof sizes / sizeof sizes[0] };

static uint32_t word(uint32_t part, int64_t i) {
  uint32_t words[4];
  const tutti_stream stream = {.seed = 5, .kind = TUTTI_STREAM_NOISE, .part = part};
  tutti_random_words(stream, (uint64_t)i, words);
  return words[0];
}

/** The sum as `size` ranks would find it that are added from the first to the last, or the other way
 * round. */
static double sum_in_order(const double *values, int n, int size, bool backwards) {
  const int n_digits = tutti_par_tail_digits(size);
  float sums[MAX_DIGITS] = {0}, digits[MAX_DIGITS];
  assert_true(n_digits <= MAX_DIGITS);
  for (int i = 0; i < n; i++) {
    tutti_par_tail_encode(&values[backwards ? n - 1 - i : i], 1, size, digits);
    for (int k = 0; k < n_digits; k++) sums[k] += digits[k];
  }
  double result = 0;
  tutti_par_tail_decode(sums, 1, size, &result);
  return result;
}

static double sum(const double *values, int n, int size) {
  return sum_in_order(values, n, size, false);
}

static void check_equal(double a, double b, int size) {
  if (a == b || (isnan(a) && isnan(b))) return;
  print_error("size %d: %.17g, expected %.17g\n", size, a, b);
  fail();
}

static void one_value_comes_back(void **state) {
  (void)state;
  const double values[] = {0,          1,       -1,         0.1,    -0.3,       1e-9,    3.14159e20, 0x1p143,
                           -0x1.8p143, 0x1p-96, -0x1.8p-95, 0x1p53, 0x1p53 - 1, -0x1p53, 60000,      1e30};
  for (int s = 0; s < N_SIZES; s++)
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
      if (fabs(values[i]) >= 0x1p-43 || fmod(values[i], 0x1p-96) == 0)
        check_equal(sum(&values[i], 1, sizes[s]), values[i], sizes[s]);
      else
        CHECK_NEAR(sum(&values[i], 1, sizes[s]), values[i], 0x1p-96);
    }
}

static void integers_sum_exactly(void **state) {
  (void)state;
  double values[5000];
  for (int s = 0; s < N_SIZES; s++) {
    int64_t exact = 0;
    for (int i = 0; i < sizes[s]; i++) {
      const int64_t bits = word(1, i) % 41; // 5000 of them stay below 2^53
      const int64_t value = (int64_t)(((uint64_t)word(2, i) << 32 | word(3, i)) >> (63 - bits));
      values[i] = (double)(i % 3 ? value : -value);
      exact += i % 3 ? value : -value;
    }
    check_equal(sum(values, sizes[s], sizes[s]), (double)exact, sizes[s]);
  }
}

/** Each partial sum needs more than 53 bits; a sum of doubles would lose the ones. */
static void large_integers_may_cancel(void **state) {
  (void)state;
  double values[5000];
  for (int s = 0; s < N_SIZES; s++) {
    const int n = sizes[s] / 2 * 2;
    for (int i = 0; i < n; i++) values[i] = i < n / 2 ? 0x1p53 - 1 : -(0x1p53 - 2);
    check_equal(sum(values, n, sizes[s]), n / 2, sizes[s]);
    for (int i = 0; i < n; i++) values[i] = -values[i];
    check_equal(sum(values, n, sizes[s]), -n / 2, sizes[s]);
  }
}

/** All digits at their largest: the sum of each must still be exact in a float. */
static void full_digits_do_not_overflow(void **state) {
  (void)state;
  double values[5000];
  for (int s = 0; s < N_SIZES; s++) {
    for (int i = 0; i < sizes[s]; i++) values[i] = 0x1p53 - 1;
    check_equal(sum(values, sizes[s], sizes[s]), (double)((INT64_C(1) << 53) - 1) * sizes[s], sizes[s]);
  }
}

/** Both signs, and magnitudes from 1e-20 to 10^top. */
static void fill_at_random(double *values, int n, double top) {
  for (int i = 0; i < n; i++) {
    const double exponent = (top + 20) * tutti_random_uniform(word(4, i)) - 20;
    values[i] = (2 * tutti_random_uniform(word(5, i)) - 1) * pow(10, exponent);
  }
}

static void order_and_number_of_ranks_do_not_matter(void **state) {
  (void)state;
  const double tops[] = {20, -19}; // the second: what is cut off decides about the last bits of the sum
  double values[5000];
  for (int t = 0; t < 2; t++)
    for (int s = 0; s < N_SIZES; s++) {
      const int n = sizes[s];
      fill_at_random(values, n, tops[t]);
      const double forwards = sum_in_order(values, n, n, false);
      check_equal(sum_in_order(values, n, n, true), forwards, n);
      check_equal(sum_in_order(values, n, 8191, false), forwards, n);
      check_equal(sum_in_order(values, n, 1 << 20, true), forwards, n);
    }
}

/** Against a sum in long double, for few enough values that its own rounding is small. */
static void real_sums_are_rounded_to_nearest(void **state) {
  (void)state;
  double values[100];
  fill_at_random(values, 100, 20);
  long double expected = 0, magnitude = 0;
  for (int i = 0; i < 100; i++) {
    expected += (long double)values[i];
    magnitude += fabsl((long double)values[i]);
  }
  CHECK_NEAR(sum(values, 100, 100), (double)expected,
             0x1p-52 * fabs((double)expected) + 0x1p-57 * (double)magnitude);

  // Halfway cases: to even, unless something far below tips it.
  const double half[] = {0x1p53, 1}, above[] = {0x1p53, 1, 0x1p-90}, odd[] = {0x1p53 + 2, 1};
  check_equal(sum(half, 2, 3), 0x1p53, 3);
  check_equal(sum(above, 3, 3), 0x1p53 + 2, 3);
  check_equal(sum(odd, 2, 3), 0x1p53 + 4, 3);
  const double below[] = {-0x1p53, -1, -0x1p-90};
  check_equal(sum(below, 3, 3), -0x1p53 - 2, 3);
}

static void what_is_not_finite_is_seen(void **state) {
  (void)state;
  const double bad[] = {NAN, INFINITY, -INFINITY, 0x1p144, -1e300};
  double values[5000];
  for (int s = 0; s < N_SIZES; s++)
    for (size_t b = 0; b < sizeof bad / sizeof *bad; b++) {
      fill_at_random(values, sizes[s], 20);
      values[sizes[s] / 2] = bad[b];
      check_equal(sum(values, sizes[s], sizes[s]), NAN, sizes[s]);
    }
  const double cancelling[] = {INFINITY, -INFINITY};
  check_equal(sum(cancelling, 2, 2), NAN, 2);
}

static void values_do_not_mix(void **state) {
  (void)state;
  const double in[4] = {1, NAN, -3, 60000};
  double out[4];
  float digits[4 * MAX_DIGITS];
  tutti_par_tail_encode(in, 4, 5, digits);
  tutti_par_tail_decode(digits, 4, 5, out);
  for (int i = 0; i < 4; i++) check_equal(out[i], in[i], 5);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_value_comes_back),
      cmocka_unit_test(integers_sum_exactly),
      cmocka_unit_test(large_integers_may_cancel),
      cmocka_unit_test(full_digits_do_not_overflow),
      cmocka_unit_test(order_and_number_of_ranks_do_not_matter),
      cmocka_unit_test(real_sums_are_rounded_to_nearest),
      cmocka_unit_test(what_is_not_finite_is_seen),
      cmocka_unit_test(values_do_not_mix),
  };
  return cmocka_run_group_tests_name("par.exact_sums", tests, NULL, check_no_leak);
}
