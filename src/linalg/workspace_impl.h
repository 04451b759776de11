#pragma once
/** Memory for packed factors of products.  Local to the thread. */
#include "tutti/base.h"

/** Return room for n floats at the beginning of a page, which belongs to the calling thread and stays until the thread
 * ends.  Its contents are lost at the next call in the same thread.
 * @return NULL if the system has no memory for it */
float *tutti_linalg_workspace(int64_t n);
