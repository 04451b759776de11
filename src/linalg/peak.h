#pragma once
/** What the arithmetic units give at most: the ceiling that products are compared with. */

/** Local.  Single-precision operations a second of `n_threads` threads together (of one where there is no
 * OpenMP) that do nothing for `seconds` but multiply and add on registers: fused, with as many numbers at
 * once as the processor takes.  Busy processors are shared: what other processes do at that time is missing
 * here. */
double tutti_peak_flops(int n_threads, double seconds);
