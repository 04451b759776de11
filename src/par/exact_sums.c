/** Exact sums of doubles that travel in the floats of a gradient's message (exact_sums_impl.h has the idea).  The
 * reducers encode the tail before the reduction and decode it afterwards. */
#include "par/exact_sums_impl.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "tutti/par.h"

enum {
  FLOAT_BITS = 24,         // integers up to 2^24 are exact in a float
  RANGE_BITS = 240,        // from LOWEST_BIT up
  LOWEST_BIT = -96,        // what is below is cut off
  MAX_DIGITS = RANGE_BITS, // of one bit each
};

/** A digit has as many bits less than a float as the sum of `size` digits may have more than one digit. */
static int digit_bits(int size) {
  int bits = FLOAT_BITS;
  for (int64_t ranks = 1; ranks < size; ranks *= 2) bits--;
  TUTTI_ASSERT(size >= 1 && bits >= 1);
  return bits;
}

static int n_digits(int bits) {
  return (RANGE_BITS + bits - 1) / bits;
}

/** Any other value makes the sum NaN. */
static bool is_representable(double value) {
  return fabs(value) < ldexp(1, RANGE_BITS + LOWEST_BIT);
}

/** Highest digit first; the last one always counts 2^LOWEST_BIT.  Scaling by powers of two and taking the
 * whole part away are exact. */
static void encode(double value, int n, int bits, float *digits) {
  for (int k = 0; k < n; k++) digits[k] = 0;
  if (!is_representable(value)) {
    digits[0] = NAN;
    return;
  }
  const double base = ldexp(1, bits);
  double rest = ldexp(value, -LOWEST_BIT - n * bits);
  for (int k = 0; k < n && rest != 0; k++) {
    rest *= base;
    const double digit = trunc(rest);
    digits[k] = (float)digit;
    rest -= digit;
  }
}

/** Make all digits but the highest fall into [0, 2^bits).  Masks and shifts round negative digits down, too, and a step of
 * one sample would notice the time of divisions. */
static void carry(int64_t *digits, int n, int bits) {
  const int64_t mask = (INT64_C(1) << bits) - 1;
  for (int k = n - 1; k > 0; k--) {
    digits[k - 1] += digits[k] >> bits;
    digits[k] &= mask;
  }
}

/** The double nearest to carried digits that are not negative: the 64 leading bits, the lowest of them set
 * where anything but zeros follows, so that the one rounding, from 64 bits to 53, knows of the rest. */
static double nearest(const int64_t *digits, int n, int bits) {
  uint64_t head = 0;
  bool more = false;
  int n_dropped = 0;
  for (int k = 0; k < n; k++) {
    const uint64_t digit = (uint64_t)digits[k];
    int n_take = bits;
    while (n_take > 0 && head >> (64 - n_take)) n_take--;
    const int n_drop = bits - n_take;
    head = head << n_take | digit >> n_drop;
    more = more || (digit & ((UINT64_C(1) << n_drop) - 1));
    n_dropped += n_drop;
  }
  return ldexp((double)(head | more), n_dropped + LOWEST_BIT);
}

static double decode(const float *sums, int n, int bits) {
  if (isnan(sums[0])) return NAN;
  int64_t digits[MAX_DIGITS];
  digits[0] = (int64_t)sums[0];
  for (int k = 1; k < n; k++) digits[k] = (int64_t)sums[k];
  carry(digits, n, bits);
  const bool negative = digits[0] < 0;
  if (negative) {
    for (int k = 0; k < n; k++) digits[k] = -digits[k];
    carry(digits, n, bits);
  }
  // Digits of one sign are rounded to the nearest double; a sign of its own avoids rounding towards minus infinity.
  const double magnitude = nearest(digits, n, bits);
  return negative ? -magnitude : magnitude;
}

int tutti_par_tail_digits(int size) {
  return n_digits(digit_bits(size));
}

void tutti_par_tail_encode(const double *values, int n, int size, float *digits) {
  const int bits = digit_bits(size), n_each = n_digits(bits);
  for (int i = 0; i < n; i++) encode(values[i], n_each, bits, digits + i * n_each);
}

void tutti_par_tail_decode(const float *digits, int n, int size, double *values) {
  const int bits = digit_bits(size), n_each = n_digits(bits);
  for (int i = 0; i < n; i++) values[i] = decode(digits + i * n_each, n_each, bits);
}
