#pragma once
/** A promise for a loop like y[i] = f(x[i]): the arrays are the same or do not overlap.  Without it the compiler
 * computes one element at a time if they are the same. */
#if defined(__GNUC__) && !defined(__clang__)
#define TUTTI_INDEPENDENT _Pragma("GCC ivdep")
#else
#define TUTTI_INDEPENDENT
#endif
