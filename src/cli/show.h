#pragma once
/** Samples drawn with characters.  Local. */
#include "tutti/io.h"

/** Draw the first n samples of array x in a data set file on standard output, each with its label from y:
 * images of [N, rows, columns] and square ones of [N, k*k] integers as grey levels, others as a list of
 * numbers.
 * @return ERR_DATA as tutti_file_read_rows */
TUTTI_NODISCARD
tutti_status tutti_show_samples(const tutti_file *file, const char *x, const char *y, int64_t n);
