#pragma once
/** Which type holds the features of an import.  Local. */
#include <stdbool.h>

#include "tutti/base.h"

/** Float32 would change whole numbers of the column [n], or make so many of its distinct values equal that it is not
 * by the chance that numbers of many digits have.  Sorts the column where it has to. */
bool tutti_needs_double(double *column, int64_t n);

/** Log that features are stored in float64 because of this column. */
void tutti_note_double(const char *path, const char *column);
