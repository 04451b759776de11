#pragma once
/** The largest rate of the arithmetic units, with which products are compared. */

/** Local.  Measure single-precision operations per second of `n_threads` threads together (of one thread without
 * OpenMP), which for `seconds` only multiply and add on registers, fused and in the widest vectors of the processor.
 * On a busy machine the work of other processes is missing here. */
double tutti_linalg_peak_flops(int n_threads, double seconds);
