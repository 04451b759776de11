#pragma once
/** The bits of a float as an integer, and back, in loops that the compiler turns into vector instructions. */
#include <stdint.h>
#include <string.h>

#include "base/clones.h"

TUTTI_INLINE uint32_t tutti_float_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

TUTTI_INLINE float tutti_float_of_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}
