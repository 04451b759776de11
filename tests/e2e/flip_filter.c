#include "flip_filter.h"

static size_t flip(unsigned flags, size_t n_values, const unsigned *values, size_t n, size_t *size,
                   void **buffer) {
  (void)flags, (void)n_values, (void)values, (void)size;
  unsigned char *bytes = *buffer;
  for (size_t i = 0; i < n; i++) bytes[i] ^= 0xff;
  return n;
}

const H5Z_class2_t flip_filter = {H5Z_CLASS_T_VERS, FLIP_FILTER, 1, 1, "flip", NULL, NULL, flip};
