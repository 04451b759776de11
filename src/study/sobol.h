#pragma once
/** Sobol's sequence, whose points fill a cube evenly: of each 2^k first ones, every coordinate has one point in each of
 * the 2^k equal parts of its range.  Local, no state. */
#include <stdint.h>

enum { TUTTI_SOBOL_DIMENSIONS = 16 };

/** Coordinate `dimension` of point `index`: 32 bits behind the binary point.  The points come in the order of the Gray
 * code, the first is 0.  Direction numbers: S. Joe and F. Y. Kuo, "Constructing Sobol sequences with better
 * two-dimensional projections", SIAM J. Sci. Comput. 30 (2008), their list new-joe-kuo-6.21201. */
uint32_t tutti_sobol(int dimension, uint32_t index);
