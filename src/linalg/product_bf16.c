/** The loops of the products of bfloat16, for processors with AVX-512 BF16; product_pairs.c calls them. */
#define TUTTI_PRODUCT tutti_linalg_product_bf16
#define NAME          "AVX-512 BF16"
#define WIDTH         16
#define PAIRS
enum { IN_PLACE = 128 };
#define PANEL 4
#include "linalg/product_loops.inc"

/** Rounded to nearest, ties to even; numbers below the smallest normal one become 0. */
TUTTI_INLINE __m512i round_32(__m512 low, __m512 high) {
  return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

/** The first n of 16 floats; 0 behind them. */
TUTTI_INLINE __m512 load_some(const float *from, int n) {
  if (n <= 0) return _mm512_setzero_ps();
  return n >= WIDTH ? _mm512_loadu_ps(from) : _mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), from);
}

TUTTI_INLINE void store_some(float *to, __m512i words, int n) {
  _mm512_mask_storeu_epi32(to, (__mmask16)(n >= WIDTH ? 0xffff : (1u << n) - 1), words);
}

void tutti_linalg_pairs_of_row(const float *from, int n, float *pairs) {
  for (int i = 0; i < n; i += 2 * WIDTH) {
    const __m512i words = round_32(load_some(from + i, n - i), load_some(from + i + WIDTH, n - i - WIDTH));
    store_some(pairs + i / 2, words, (n - i + 1) / 2);
  }
}

void tutti_linalg_pairs_of_rows(const float *first, const float *second, int n, float *pairs) {
  // Numbers 0, 32, 1, 33, ... of the two rounded rows.
  const __m512i steps = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
                order = _mm512_add_epi32(_mm512_mullo_epi32(steps, _mm512_set1_epi32(0x00010001)),
                                         _mm512_set1_epi32(WIDTH << 16));
  for (int i = 0; i < n; i += WIDTH) {
    const __m512i words =
        round_32(load_some(first + i, n - i), load_some(second ? second + i : first, second ? n - i : 0));
    store_some(pairs + i, _mm512_permutexvar_epi16(order, words), n - i);
  }
}
