#pragma once
/** How parameters and leaves are cut.  Pure functions, local. */
#include "tutti/base.h"

/** Where part `part` of `n` things begins that are cut evenly into n_parts; `part` in [0, n_parts]. */
int tutti_part_begin(int n, int part, int n_parts);

/** Where slice `slice` of n parameters begins, cut at whole blocks as evenly as these allow; `slice` in
 * [0, n_slices].  Where there are more slices than blocks, some are empty. */
int64_t tutti_slice_begin(int64_t n, int slice, int n_slices);
