#pragma once
/** Doubles that travel as floats through one sum over ranks, and come out exact.  Local.
 *
 * A value, cut to a multiple of 2^-96, is written as integers in base 2^bits, all with the value's sign, each
 * in a float of its own.  With bits = 24 - ceil(log2(size)) a float holds the sum of one digit over `size`
 * ranks exactly, in whatever order MPI adds.  Decoding rounds once, at the end.  So the result is the sum of
 * the cut values, correctly rounded: exact for integers up to 2^53, and the same bits for any order, and for
 * any number of ranks over which the same values are spread.
 *
 * A value that is NaN, infinite or not below 2^144 makes the sum NaN. */

/** Floats that each value takes when `size` ranks are summed; size in [1, 2^23]. */
int tutti_tail_digits(int size);

/** values[n] -> digits[n * tutti_tail_digits(size)]. */
void tutti_tail_encode(const double *values, int n, int size, float *digits);

/** The digits' sums over at most `size` ranks -> the sums of the values. */
void tutti_tail_decode(const float *digits, int n, int size, double *values);
