#include "base/random.h"

#include <Random123/philox.h>
#include <math.h>

#define TWO_PI 6.283185307179586476925286766559

void tutti_random_words(tutti_stream stream, uint64_t index, uint32_t words[4]) {
  TUTTI_ASSERT(stream.kind < (1u << 16) && index < (UINT64_C(1) << 48));
  const philox4x32_key_t key = {{(uint32_t)stream.seed, (uint32_t)(stream.seed >> 32)}};
  const philox4x32_ctr_t counter = {
      {(uint32_t)index, (uint32_t)(index >> 32) | stream.kind << 16, stream.part, stream.epoch}};
  const philox4x32_ctr_t random = philox4x32(counter, key);
  for (int i = 0; i < 4; i++) words[i] = random.v[i];
}

void tutti_random_fill(tutti_stream stream, uint64_t first, int64_t n, uint32_t *words) {
  uint32_t four[4];
  for (int64_t done = 0; done < n;) {
    const uint64_t at = first + (uint64_t)done;
    tutti_random_words(stream, at / 4, four);
    for (unsigned lane = (unsigned)(at % 4); lane < 4 && done < n; lane++) words[done++] = four[lane];
  }
}

double tutti_random_uniform(uint32_t word) {
  return ((double)word + 0.5) * 0x1p-32;
}

void tutti_random_normal(uint32_t word_a, uint32_t word_b, double normal[2]) {
  const double radius = sqrt(-2.0 * log(tutti_random_uniform(word_a)));
  const double angle = TWO_PI * tutti_random_uniform(word_b);
  normal[0] = radius * cos(angle);
  normal[1] = radius * sin(angle);
}
