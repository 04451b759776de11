/** Sobol's sequence.  Its points fill a cube evenly: among the first 2^k points, every coordinate has one point in each
 * of 2^k equal parts of its range.
 *
 * Direction numbers: S. Joe and F. Y. Kuo, "Constructing Sobol sequences with better two-dimensional projections", SIAM
 * J. Sci. Comput. 30 (2008), their list new-joe-kuo-6.21201.  settings.c draws from it. */
#include "space/space_impl.h"

enum { BITS = 32, MAX_DEGREE = 6 };

/** A primitive polynomial over the field of two elements: its degree, its inner coefficients, and its first direction
 * numbers m, which are odd and below 2, 4, 8, ... */
typedef struct {
  unsigned degree, coefficients;
  uint32_t m[MAX_DEGREE];
} polynomial;

// clang-format off
static const polynomial polynomials[TUTTI_SOBOL_DIMENSIONS - 1] = { // of the second dimension and those after it
    {1, 0, {1}},
    {2, 1, {1, 3}},
    {3, 1, {1, 3, 1}},
    {3, 2, {1, 1, 1}},
    {4, 1, {1, 1, 3, 3}},
    {4, 4, {1, 3, 5, 13}},
    {5, 2, {1, 1, 5, 5, 17}},
    {5, 4, {1, 1, 5, 5, 5}},
    {5, 7, {1, 1, 7, 11, 19}},
    {5, 11, {1, 1, 5, 1, 1}},
    {5, 13, {1, 1, 1, 3, 11}},
    {5, 14, {1, 3, 5, 5, 31}},
    {6, 1, {1, 3, 3, 9, 7, 49}},
    {6, 13, {1, 1, 1, 15, 21, 21}},
    {6, 16, {1, 3, 1, 13, 27, 49}},
};
// clang-format on

/** Set v[i] = m[i] / 2^(i + 1) as 32 bits.  Those after the degree follow from equation 2 of Joe and Kuo, "Notes on
 * generating Sobol' sequences" (2008). */
static void make_directions(int dimension, uint32_t v[BITS]) {
  for (unsigned i = 0; i < BITS; i++)
    v[i] = UINT32_C(1) << (BITS - 1 - i); // the first dimension: van der Corput's
  if (dimension == 0) return;
  const polynomial *p = &polynomials[dimension - 1];
  for (unsigned i = 0; i < p->degree; i++) v[i] *= p->m[i];
  for (unsigned i = p->degree; i < BITS; i++) {
    v[i] = v[i - p->degree] ^ (v[i - p->degree] >> p->degree);
    for (unsigned k = 1; k < p->degree; k++)
      if (p->coefficients >> (p->degree - 1 - k) & 1u) v[i] ^= v[i - k];
  }
}

uint32_t tutti_space_sobol(int dimension, uint32_t index) {
  uint32_t v[BITS], x = 0;
  TUTTI_ASSERT(dimension >= 0 && dimension < TUTTI_SOBOL_DIMENSIONS);
  make_directions(dimension, v);
  const uint32_t gray = index ^ (index >> 1);
  for (unsigned i = 0; i < BITS; i++)
    if (gray >> i & 1u) x ^= v[i];
  return x;
}
