#pragma once
/** Between the files of support/bench. */

/** Floats of bench.other: larger than the caches of most machines. */
enum { BENCH_OTHER = 1 << 25 };

/** Print the header line of the table.  Local. */
void bench_print_columns(void);
