#include <string.h>

#include "space/space_impl.h"
#include "support/check.h"

/** The first points as the authors' program gives them. */
static void the_first_points_are_the_published_ones(void **state) {
  (void)state;
  static const double expected[8][5] = {
      {0, 0, 0, 0, 0},
      {0.5, 0.5, 0.5, 0.5, 0.5},
      {0.75, 0.25, 0.25, 0.25, 0.75},
      {0.25, 0.75, 0.75, 0.75, 0.25},
      {0.375, 0.375, 0.625, 0.875, 0.375},
      {0.875, 0.875, 0.125, 0.375, 0.875},
      {0.625, 0.125, 0.875, 0.625, 0.625},
      {0.125, 0.625, 0.375, 0.125, 0.125},
  };
  for (uint32_t i = 0; i < 8; i++)
    for (int d = 0; d < 5; d++) {
      const double x = tutti_space_sobol(d, i) / 4294967296.0;
      if (x != expected[i][d]) fail_msg("point %u, dimension %d: %g, expected %g", i, d, x, expected[i][d]);
    }
}

static void later_points_are_the_published_ones(void **state) {
  (void)state;
  static const uint32_t expected[TUTTI_SOBOL_DIMENSIONS] = {
      1187450880, 2413424640, 334991360,  1796354048, 3773812736, 2341023744, 948097024,  1145868288,
      216535040,  18903040,   3815354368, 2925629440, 2247200768, 1216950272, 3861630976, 2001866752};
  for (int d = 0; d < TUTTI_SOBOL_DIMENSIONS; d++) {
    const uint32_t x = tutti_space_sobol(d, 1000003);
    if (x != expected[d]) fail_msg("dimension %d: %u, expected %u", d, x, expected[d]);
  }
}

/** Of each 2^k first points, every one lies in its own of the 2^k equal parts, in each dimension. */
static void each_interval_has_its_point(void **state) {
  (void)state;
  for (int d = 0; d < TUTTI_SOBOL_DIMENSIONS; d++)
    for (unsigned k = 0; k <= 10; k++) {
      unsigned char taken[1 << 10] = {0};
      for (uint32_t i = 0; i < UINT32_C(1) << k; i++) {
        const uint32_t part = k == 0 ? 0 : tutti_space_sobol(d, i) >> (32 - k);
        if (taken[part]++) fail_msg("dimension %d: part %u of 2^%u twice", d, part, k);
      }
    }
}

/** In the plane of the first two dimensions, every box of 2^a by 2^(8 - a) equal ones has one of the 2^8 first points. */
static void the_first_two_dimensions_fill_the_plane(void **state) {
  (void)state;
  enum { K = 8 };
  for (unsigned a = 0; a <= K; a++) {
    unsigned char taken[1 << K] = {0};
    for (uint32_t i = 0; i < 1 << K; i++) {
      const uint32_t x = a == 0 ? 0 : tutti_space_sobol(0, i) >> (32 - a);
      const uint32_t y = a == K ? 0 : tutti_space_sobol(1, i) >> (32 - (K - a));
      if (taken[x << (K - a) | y]++) fail_msg("box %u, %u of 2^%u by 2^%u twice", x, y, a, K - a);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_first_points_are_the_published_ones),
      cmocka_unit_test(later_points_are_the_published_ones),
      cmocka_unit_test(each_interval_has_its_point),
      cmocka_unit_test(the_first_two_dimensions_fill_the_plane),
  };
  return cmocka_run_group_tests_name("space.sobol", tests, NULL, check_no_leak);
}
