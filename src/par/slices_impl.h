#pragma once
/** The cuts of parameters and leaves.  Pure functions, local. */
#include "tutti/base.h"

/** The begin of part `part`, in [0, n_parts], of `n` things that are cut evenly into n_parts. */
int tutti_par_part_begin(int n, int part, int n_parts);

/** The begin of slice `slice`, in [0, n_slices], of n parameters.  Slices consist of whole blocks and are as even as
 * these allow; some are empty if there are more slices than blocks. */
int64_t tutti_par_slice_begin(int64_t n, int slice, int n_slices);

/** The same within one piece of the n parameters, which are cut into pieces of `length`; the last piece may be shorter. */
int64_t tutti_par_piece_slice_begin(int64_t n, int64_t length, int piece, int slice, int n_slices);
