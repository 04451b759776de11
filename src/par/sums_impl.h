#pragma once
/** Sums of arrays that read and write each element once.  Local. */
#include "tutti/base.h"

/** sum[count] = sources[0] + (sources[1] + (... + sources[n - 1])), n >= 1, element by element in that order, of
 * elements [at, at + count) of the sources.  `sum` may be these elements of one source; else it overlaps none. */
void tutti_par_sum_sources(const float *const *sources, int n, int64_t at, int64_t count, float *sum);
