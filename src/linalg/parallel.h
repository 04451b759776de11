#pragma once
/** Loops over arrays by the threads of this rank (tutti_linalg_set_threads).  Local. */
#include "tutti/base.h"

/** The part [begin, end) of a loop; it touches nothing that another part writes. */
typedef void (*tutti_loop_part)(void *context, int64_t begin, int64_t end);

/** Terms of a product that take as long as starting a thread, some microseconds. */
enum { TUTTI_TERMS_WORTH_A_THREAD = 1 << 19 };

/** Call `part` for parts that together are [0, n), on one thread each.
 * @param[in] unit  each part but the last is a multiple of it; it should be worth some microseconds, and a loop of one
 *                  unit has one part, on this thread */
void tutti_linalg_parallel(int64_t n, int64_t unit, tutti_loop_part part, void *context);

/** The same by n_threads threads. */
void tutti_linalg_parallel_by(int n_threads, int64_t n, int64_t unit, tutti_loop_part part, void *context);
