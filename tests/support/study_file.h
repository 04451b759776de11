#pragma once
/** A made-up study's file. */
#include <stdbool.h>

/** Write a study of digits.h5 with sgd: batch sizes 16, 32, ... 1024, learning rates 0.1, 0.2 and 0.4 of a range and two
 * initializers, one seed.  The best has S = 100 + 20000 / B steps, at rate 0.2 with he_uniform; rate 0.4 diverges, and
 * the others need twice the steps, or do not arrive within 800.  Trial 0 has a curve of two evaluations.
 * @param[in] alone  only the best setting of each batch size arrives: too few for intervals */
void study_file_write(const char *path, bool alone);
