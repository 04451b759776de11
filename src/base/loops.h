#pragma once
/** For loops over arrays that are the same or apart, never shifted: y[i] = f(x[i]) with y == x allowed.
 * Without the promise the compiler falls back to one element at a time where they are the same. */
#if defined(__GNUC__) && !defined(__clang__)
#define TUTTI_INDEPENDENT _Pragma("GCC ivdep")
#else
#define TUTTI_INDEPENDENT
#endif
