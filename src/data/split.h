#pragma once
/** Which rows of an import become the test set.  Local. */
#include "tutti/base.h"

/** order [n]: the rows of the training part, then those of the test part, each in the order of the file.  The
 * test part is the round(n * fraction) rows whose random word (TUTTI_STREAM_IMPORT of the seed, counter =
 * row) is smallest.
 * @return ERR_USAGE where the fraction is not in [0, 1) or leaves no training row; ERR_MEMORY */
TUTTI_NODISCARD
tutti_status tutti_split(int64_t n, double fraction, uint64_t seed, int64_t *order, int64_t *n_test);
