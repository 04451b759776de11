/** Where parts and slices begin: products before quotients, so that the cuts are even.  The reducers call it. */
#include "par/slices_impl.h"

int tutti_par_part_begin(int n, int part, int n_parts) {
  return (int)((int64_t)n * part / n_parts);
}

int64_t tutti_par_slice_begin(int64_t n, int slice, int n_slices) {
  // whole = blocks / n_slices and rest first, for blocks * slice might leave the range
  const int64_t blocks = n / TUTTI_BLOCK + (n % TUTTI_BLOCK > 0);
  const int64_t whole = blocks / n_slices, rest = blocks % n_slices;
  const int64_t begin = whole * slice + rest * slice / n_slices;
  // The last block may be shorter than the others.
  return begin < blocks ? begin * TUTTI_BLOCK : n;
}
