#pragma once
/** Loops over arrays, by the threads that tutti_linalg_set_threads gave this rank.  Local. */
#include "tutti/base.h"

/** The part [begin, end) of a loop; it touches nothing that another part writes. */
typedef void (*tutti_loop_part)(void *context, int64_t begin, int64_t end);

/** The terms of a product that take some microseconds, which starting a thread costs. */
enum { TUTTI_TERMS_WORTH_A_THREAD = 1 << 19 };

/** Call `part` for parts that together are [0, n), each but the last a multiple of `unit` long.  In one piece, by this
 * thread, where that is all there is or one `unit` is not worth a thread: it should be worth some microseconds. */
void tutti_parallel(int64_t n, int64_t unit, tutti_loop_part part, void *context);
