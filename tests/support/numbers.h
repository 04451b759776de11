#pragma once
/** Arrays of random numbers for tests, the same in each run. */
#include "base/random.h"

/** values[n] = uniform on (low, high), exact in float; `part` tells arrays apart. */
static inline void numbers_fill(uint32_t part, double low, double high, int64_t n, float *values) {
  const tutti_stream stream = {.seed = 99, .kind = TUTTI_STREAM_SHUFFLE, .part = part};
  for (int64_t i = 0; i < n; i++) {
    uint32_t word;
    tutti_random_fill(stream, (uint64_t)i, 1, &word);
    values[i] = (float)(low + (high - low) * tutti_random_uniform(word));
  }
}

/** wide[n] = values[n]. */
static inline void numbers_widen(const float *values, int64_t n, double *wide) {
  for (int64_t i = 0; i < n; i++) wide[i] = values[i];
}
