#pragma once
/** Between the files of support/bench. */

/** Floats of bench.other: more than the caches of most machines hold. */
enum { BENCH_OTHER = 1 << 25 };

/** Local.  The header line of the table. */
void bench_print_columns(void);
