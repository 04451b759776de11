#pragma once
/** Exact sums of doubles by way of one reduction of floats.  Local.
 *
 * A value, cut to a multiple of 2^-96, is written as integers in base 2^bits, all with the value's sign, each
 * in a float of its own.  With bits = 24 - ceil(log2(size)) a float holds the sum of one digit over `size`
 * ranks exactly, in any order of MPI's additions.  Decoding rounds once, at the end.  The result is the correctly
 * rounded sum of the cut values: exact for integers up to 2^53, and the same bits for any order and any number of
 * ranks.
 *
 * A value that is NaN, infinite or not below 2^144 makes the sum NaN. */

/** The number of floats for one value.
 * @param[in] size  number of values in a sum, in [1, 2^23] */
int tutti_par_tail_digits(int size);

/** Write values[n] as digits[n * tutti_par_tail_digits(size)]. */
void tutti_par_tail_encode(const double *values, int n, int size, float *digits);

/** Read the sums of the values, values[n], from the sums of the digits over at most `size` of them. */
void tutti_par_tail_decode(const float *digits, int n, int size, double *values);
