#pragma once
/** Elementary functions of float for loops over arrays.  Local.
 *
 * Each is straight-line code of additions, multiplications, selections and moves of bits, which the compiler
 * turns into vector instructions where it stands in a loop of a TUTTI_CLONES function; libm would be called once
 * an element.  All clones, and so all processors, give the same bits; NaN gives a NaN.  Where the thread takes
 * numbers below the smallest normal one for 0 (tutti_cpu_flush_subnormals), they are 0 here too.
 *
 * Polynomials are minimax fits of the remainder that each names (weighted least squares on Chebyshev nodes,
 * reweighted to level the error, as Lawson 1961; then the coefficients rounded to float one after the other, the
 * rest fitted again after each).  Errors are in units in the last place of the exact result, the largest of all
 * floats from 0.05 to 110 and of samples of the others; results below the smallest normal number are within 1.2 of
 * their steps where nothing else is said. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/clones.h"
#include "base/float_bits.h"
#include "linalg/constants.h"

/** 2^n for n from -126 to 127, n as a two's complement. */
TUTTI_INLINE float tutti_power_of_2(uint32_t n) {
  return tutti_float_of_bits((n + 127) << 23);
}

// --- exponentials ------------------------------------------------------------------------------------------
//
// x = n ln 2 + r, |r| <= ln 2 / 2, and exp(r) = 1 + r + r^2 E(r).  ln 2 is taken in two parts, as Cody and Waite
// (1980): the products of the first, which has 9 bits, with n are exact.

#define TUTTI_LOG2_E   1.44269504f
#define TUTTI_LN2_HIGH 0.693359375f
#define TUTTI_LN2_LOW  -2.12194440e-4f

/** 1.5 * 2^23: a sum with it is rounded to a whole number, which stands in its low bits. */
#define TUTTI_ROUND_TO_INT 12582912.0f

/** exp(r) - 1, |r| <= 0.347; E within 2^-31 of the result. */
TUTTI_INLINE float tutti_expm1_reduced(float r) {
  float e = 1.97633970e-4f;
  e = e * r + 1.39323424e-3f;
  e = e * r + 8.33354425e-3f;
  e = e * r + 4.16664928e-2f;
  e = e * r + 1.66666657e-1f;
  e = e * r + 0.5f;
  return r + r * r * e;
}

/** exp(x + low) for x from -106 to 89 and a `low` that is small beside it. */
TUTTI_INLINE float tutti_exp_of_sum(float x, float low) {
  const float shifted = (x + low) * TUTTI_LOG2_E + TUTTI_ROUND_TO_INT, n = shifted - TUTTI_ROUND_TO_INT;
  const float r = ((x - n * TUTTI_LN2_HIGH) - n * TUTTI_LN2_LOW) + low;
  // 2^n in two factors: together they leave the range of normal numbers where the result does.
  const uint32_t whole = tutti_float_bits(shifted) - tutti_float_bits(TUTTI_ROUND_TO_INT) + 256,
                 half = whole / 2;
  return (1 + tutti_expm1_reduced(r)) * tutti_power_of_2(half - 128) * tutti_power_of_2(whole - half - 128);
}

/** exp(x): 1.0 ulp; 0 and infinity beyond the range of numbers. */
TUTTI_INLINE float tutti_exp(float x) {
  const float below = x > 89 ? 89 : x;
  return tutti_exp_of_sum(below < -105 ? -105 : below, 0);
}

/** exp(x) - 1: 1.5 ulp, with the sign of x. */
TUTTI_INLINE float tutti_expm1(float x) {
  const float below = x > 89 ? 89 : x, within = below < -18 ? -18 : below; // -1 from -17.4 on
  const float shifted = within * TUTTI_LOG2_E + TUTTI_ROUND_TO_INT, n = shifted - TUTTI_ROUND_TO_INT;
  const float r = (within - n * TUTTI_LN2_HIGH) - n * TUTTI_LN2_LOW;
  // Half of the result, since 2^128 is no number.
  const float half =
      tutti_power_of_2(tutti_float_bits(shifted) - tutti_float_bits(TUTTI_ROUND_TO_INT) - UINT32_C(1));
  return copysignf(2 * (half * tutti_expm1_reduced(r) + (half - 0.5f)), x);
}

/** 1 / (1 + exp(-x)): 2.5 ulp. */
TUTTI_INLINE float tutti_sigmoid(float x) {
  const float e = tutti_exp(-fabsf(x)); // below 1: nothing overflows, and the small side keeps its digits
  return (x < 0 ? e : 1) / (1 + e);
}

/** tanh(x): 2.5 ulp. */
TUTTI_INLINE float tutti_tanh(float x) {
  const float t = -tutti_expm1(-2 * fabsf(x));
  return copysignf(t / (2 - t), x);
}

// --- logarithms --------------------------------------------------------------------------------------------

/** log(2^n (1 + f)), sqrt(1/2) <= 1 + f <= sqrt(2), with log(1 + f) = f - f^2 / 2 + f^3 L(f); L within 2^-30 of
 * log(1 + f). */
TUTTI_INLINE float tutti_log_reduced(float n, float f) {
  float l = 6.74953908e-2f;
  l = l * f - 1.16701826e-1f;
  l = l * f + 1.18834712e-1f;
  l = l * f - 1.24062084e-1f;
  l = l * f + 1.42203629e-1f;
  l = l * f - 1.66679904e-1f;
  l = l * f + 2.00020716e-1f;
  l = l * f - 2.50000089e-1f;
  l = l * f + 3.33333135e-1f;
  const float square = f * f;
  return (f + (square * f * l + n * TUTTI_LN2_LOW - 0.5f * square)) + n * TUTTI_LN2_HIGH;
}

/** log(1 + u) for u from 0 to 1: 1.5 ulp. */
TUTTI_INLINE float tutti_log1p_unit(float u) {
  const int upper = u > 0.41421356f; // 1 + u = 2 (1 + (u - 1) / 2)
  return tutti_log_reduced(upper ? 1 : 0, upper ? 0.5f * (u - 1) : u);
}

/** log(1 + exp(x)): 2 ulp. */
TUTTI_INLINE float tutti_softplus(float x) {
  return (x < 0 ? 0 : x) + tutti_log1p_unit(tutti_exp(-fabsf(x)));
}

/** log(x) in double for x from 1 on: 2 ulp.  For the sums of exponentials, whose logarithm may be a loss near 0.
 *
 * x = 2^n m, sqrt(1/2) <= m < sqrt(2), and log m = 2 artanh q with q = (m - 1) / (m + 1), by ten terms of its
 * series: q^2 is below 0.0295. */
TUTTI_INLINE double tutti_log_from_1(double x) {
  const uint64_t sqrt_half = UINT64_C(0x3fe6a09e667f3bcd), bias = UINT64_C(1) << 62,
                 two_to_52 = UINT64_C(0x4330000000000000);
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  const uint64_t scaled = bits - sqrt_half + bias;
  // n + 1024 in the low bits of 2^52 + n + 1024: there are vectors of such sums, but none of 64-bit conversions.
  const uint64_t n_bits = scaled >> 52 | two_to_52, m_bits = (scaled & UINT64_C(0xfffffffffffff)) + sqrt_half;
  double n, m;
  memcpy(&n, &n_bits, sizeof n);
  memcpy(&m, &m_bits, sizeof m);
  const double q = (m - 1) / (m + 1), square = q * q;
  double p = 1.0 / 19;
  p = p * square + 1.0 / 17;
  p = p * square + 1.0 / 15;
  p = p * square + 1.0 / 13;
  p = p * square + 1.0 / 11;
  p = p * square + 1.0 / 9;
  p = p * square + 1.0 / 7;
  p = p * square + 1.0 / 5;
  p = p * square + 1.0 / 3;
  const double log = (n - (0x1p52 + 1024)) * 0.69314718055994530942 + 2 * (q + q * square * p);
  return x >= 1 ? log : x; // NaN
}

// --- the normal distribution -------------------------------------------------------------------------------

/** Distribution function of the standard normal distribution, 5.3 ulp (below the normal numbers within 2.3
 * steps), and its density, 2.2 ulp.
 *
 * Within 1 of the middle it is 1/2 and x times a polynomial in x^2, 2^-30 of it.  The tail beyond a = |x| is
 * exp(-a^2 / 2) R(a) (Mills' ratio), and (a + 4) R(a) a polynomial in (a - 4) / (a + 4) for a up to 14.5, where
 * the tail is 0 in float; within 2^-25 of it.  The square is taken in two parts: as one its rounding, times
 * a^2 / 2, would enter the result. */
TUTTI_INLINE float tutti_normal_cdf(float x, float *density) {
  const float size = fabsf(x), a = size > 14.5f ? 14.5f : size;
  const float high = tutti_float_of_bits(tutti_float_bits(a) & UINT32_C(0xfffff000));
  const float e = tutti_exp_of_sum(-0.5f * high * high, -0.5f * (a - high) * (a + high));
  const float t = 1 / (a + 4), v = (a - 4) * t;
  float p = -1.24245853e-4f;
  p = p * v + 1.93380198e-4f;
  p = p * v + 1.56970171e-3f;
  p = p * v - 3.52352206e-3f;
  p = p * v - 7.52760656e-3f;
  p = p * v + 6.04068451e-2f;
  p = p * v - 1.86522812e-1f;
  p = p * v + 3.87136579e-1f;
  p = p * v - 6.07896626e-1f;
  p = p * v + 7.55285144e-1f;
  const float square = a * a;
  float q = -1.28194279e-5f;
  q = q * square + 1.26576182e-4f;
  q = q * square - 1.19798316e-3f;
  q = q * square + 9.97758284e-3f;
  q = q * square - 6.64909109e-2f;
  q = q * square + 3.98942292e-1f;
  const float tail = a < 1 ? 0.5f - a * q : t * p * e;
  *density = (float)TUTTI_INV_SQRT_2PI * e;
  return x < 0 ? tail : 1 - tail;
}

/** Two independent standard normal numbers from two words of 32 random bits (Box and Muller, 1958):
 * sqrt(-2 log u) times cosine and sine of 2 pi v, with u and v the words + 1/2 over 2^32.  Each factor within
 * 3 ulp of itself: the same numbers as tutti_random_normal, in float. */
TUTTI_INLINE void tutti_normal_pair(uint32_t word_u, uint32_t word_v, float *first, float *second) {
  // u = 2^n m.  Near 1 the distance to 1, not u, has the digits.
  const uint32_t sqrt_half = UINT32_C(0x3f3504f3), bias = UINT32_C(64) << 23;
  const uint32_t scaled = tutti_float_bits(((float)word_u + 0.5f) * 0x1p-32f) - sqrt_half + bias;
  const int32_t n = (int32_t)(scaled >> 23) - 64;
  const float m = tutti_float_of_bits((scaled & UINT32_C(0x7fffff)) + sqrt_half);
  const float f = n == 0 ? ((float)~word_u + 0.5f) * -0x1p-32f : m - 1;
  const float radius = sqrtf(-2 * tutti_log_reduced((float)n, f));

  // The angle is `quarter` right angles and x, |x| <= pi / 4; sin x = x + x^3 S, cos x = 1 - x^2 / 2 + x^4 C in
  // x^2, within 2^-27 and 2^-32.
  const uint32_t quarter = (word_v + (UINT32_C(1) << 29)) >> 30;
  const float x = ((float)(int32_t)(word_v - (quarter << 30)) + 0.5f) * 1.46291808e-9f; // 2 pi / 2^32
  const float square = x * x;
  const float s = (-1.95182845e-4f * square + 8.33218917e-3f) * square - 1.66666552e-1f;
  const float c = (2.44323273e-5f * square - 1.38873095e-3f) * square + 4.16666456e-2f;
  const float sine = x + x * square * s, cosine = 1 + (square * square * c - 0.5f * square);
  const float even = quarter & 1 ? sine : cosine, odd = quarter & 1 ? cosine : sine;
  *first = radius * tutti_float_of_bits(tutti_float_bits(even) ^ ((quarter + 1) & 2) << 30);
  *second = radius * tutti_float_of_bits(tutti_float_bits(odd) ^ (quarter & 2) << 30);
}
