#pragma once
/** Arithmetic of counts that several rooms need. */
#include <stdint.h>

static inline int64_t tutti_min64(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static inline int64_t tutti_max64(int64_t a, int64_t b) {
  return a > b ? a : b;
}

/** a / b, rounded up; a is at least 0, b above 0.  a + b may be too large for an int64_t. */
static inline int64_t tutti_ceil_div(int64_t a, int64_t b) {
  return a / b + (a % b > 0);
}
