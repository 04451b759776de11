#pragma once
/** How fast memory and caches move data.  Local. */
#include <stdint.h>

/** Measure y[i] += s x[i], which reads two arrays and writes one, as an update of parameters does.
 * @param[in,out] arrays     [2 n] x, then y; numbers between -1 and 1 that are not tiny, which hardly change
 * @param[in]     n          at least 1
 * @param[in]     n_threads  each has a part of both arrays of its own
 * @param[in]     seconds    about how long to measure; the arrays are passed at least twice
 * @return bytes per second, read and written, of all threads together */
double tutti_machine_memory_rate(float *arrays, int64_t n, int n_threads, double seconds);
