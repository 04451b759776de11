/** Where parts and slices begin: products before quotients, so that the cuts are even.  The reducers call it. */
#include "par/slices_impl.h"

#include "base/arithmetic.h"

int tutti_par_part_begin(int n, int part, int n_parts) {
  return (int)((int64_t)n * part / n_parts);
}

int64_t tutti_par_slice_begin(int64_t n, int slice, int n_slices) {
  // whole = blocks / n_slices and rest first, for blocks * slice might leave the range
  const int64_t blocks = tutti_ceil_div(n, TUTTI_BLOCK);
  const int64_t whole = blocks / n_slices, rest = blocks % n_slices;
  const int64_t begin = whole * slice + rest * slice / n_slices;
  // The last block may be shorter than the others.
  return begin < blocks ? begin * TUTTI_BLOCK : n;
}

int64_t tutti_par_piece_slice_begin(int64_t n, int64_t length, int piece, int slice, int n_slices) {
  const int64_t begin = piece * length;
  return begin + tutti_par_slice_begin(tutti_min64(length, n - begin), slice, n_slices);
}
