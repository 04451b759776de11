#pragma once
/** The part of a flat buffer that one rank sums and updates: ranges of the buffer, in ascending order.  A rank keeps one
 * array of each kind for all of its ranges, in which the elements of the first range come first.  Local. */
#include "tutti/base.h"

/** Elements [begin, end) of the flat buffer.  They are elements [at, at + end - begin) of the rank's own arrays. */
typedef struct {
  int64_t begin, end, at;
} tutti_slice_range;

/** Each range begins at a whole block, see TUTTI_BLOCK, and only the end of the buffer may be inside of one. */
typedef struct {
  const tutti_slice_range *ranges; // [n_ranges] borrowed
  int n_ranges;
  int64_t n; // elements of all ranges
} tutti_slice;

/** The slice of one range, whose memory belongs to the block of code around it. */
#define TUTTI_SLICE(begin, end)                                                                              \
  ((tutti_slice){(const tutti_slice_range[]){{(begin), (end), 0}}, 1, (end) - (begin)})

/** The index in the rank's own arrays of element `at` of the flat buffer, which is in the slice or ends a range. */
int64_t tutti_slice_index(const tutti_slice *slice, int64_t at);

/** Copy the elements of the slice from whole[n of the flat buffer] to own[slice->n], or back. */
void tutti_slice_copy_own(const tutti_slice *slice, const float *whole, float *own);
void tutti_slice_copy_back(const tutti_slice *slice, const float *own, float *whole);
