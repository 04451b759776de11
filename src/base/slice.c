/** Where the elements of a slice lie, in the flat buffer and in the arrays of its rank.  The reducers make slices;
 * optimizer, meters and checkpoints keep arrays for them. */
#include "tutti/slice.h"

#include <string.h>

int64_t tutti_slice_index(const tutti_slice *slice, int64_t at) {
  int low = 0, high = slice->n_ranges - 1;
  while (low < high) { // the first range that ends behind `at`, or the last one
    const int middle = (low + high) / 2;
    if (slice->ranges[middle].end <= at)
      low = middle + 1;
    else
      high = middle;
  }
  if (slice->n_ranges == 0) return 0;
  const tutti_slice_range *range = &slice->ranges[low];
  TUTTI_ASSERT(at >= range->begin && at <= range->end);
  return range->at + (at - range->begin);
}

static size_t bytes_of(const tutti_slice_range *range) {
  return (size_t)(range->end - range->begin) * sizeof(float);
}

void tutti_slice_copy_own(const tutti_slice *slice, const float *whole, float *own) {
  for (int i = 0; i < slice->n_ranges; i++) {
    const tutti_slice_range *range = &slice->ranges[i];
    memcpy(own + range->at, whole + range->begin, bytes_of(range));
  }
}

void tutti_slice_copy_back(const tutti_slice *slice, const float *own, float *whole) {
  for (int i = 0; i < slice->n_ranges; i++) {
    const tutti_slice_range *range = &slice->ranges[i];
    memcpy(whole + range->begin, own + range->at, bytes_of(range));
  }
}
