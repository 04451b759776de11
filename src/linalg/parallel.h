#pragma once
/** Loops over arrays by the threads of this rank (tutti_linalg_set_threads).  Local. */
#include <stdbool.h>

#include "tutti/base.h"

/** The part [begin, end) of a loop; it touches nothing that another part writes. */
typedef void (*tutti_loop_part)(void *context, int64_t begin, int64_t end);

/** Terms of a product that take as long as starting a thread, some microseconds. */
enum { TUTTI_TERMS_WORTH_A_THREAD = 1 << 19 };

/** Call `part` for parts that together are [0, n): one for each thread if that is expected to take less time than one
 * thread needs, else one part on this thread.
 * @param[in] unit  >= 1; each part but the last is a multiple of it
 * @param[in] ns    about the time of one thread for an element, in nanoseconds */
void tutti_linalg_parallel(int64_t n, int64_t unit, double ns, tutti_loop_part part, void *context);

/** Whether such loops may be shared at all, until the next call; the first value is true.  Products are not concerned. */
void tutti_linalg_parallel_share(bool shares);

/** The same for columns of a matrix [rows, n].  A thread has whole cache lines of each row, and whole columns: their sums
 * do not depend on the number of threads.
 * @param[in] ns  about the time of one thread for an element */
void tutti_linalg_parallel_columns(int64_t rows, int64_t n, double ns, tutti_loop_part part, void *context);

/** Call `part` for at most n_parts parts, on one thread each.
 * @param[in] unit  >= 1; each part but the last is a multiple of it, and a loop of one unit has one part, on this
 *                  thread */
void tutti_linalg_parallel_by(int n_parts, int64_t n, int64_t unit, tutti_loop_part part, void *context);

/** Bytes of the second cache, which a core has for itself: a thread that reads what another one has written there waits for
 * each line. */
int64_t tutti_linalg_second_cache(void);

/** What beginning and ending a loop of all threads costs, in nanoseconds.  Tests set it to 0, so that threads share
 * each loop. */
extern double tutti_linalg_parallel_start_ns;

/** Set the number of threads, n >= 1; if it changes, measure that cost, in a millisecond.  For tutti_linalg_set_threads
 * alone, which also tells the BLAS. */
void tutti_linalg_parallel_set_threads(int n);
