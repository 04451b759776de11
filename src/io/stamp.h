#pragma once
/** What tells one version of a file from another.  Local. */
#include "tutti/io.h"

/** Of the file alone, not of those to which its links and virtual arrays lead. */
typedef struct {
  int64_t device, inode, bytes;
  int64_t written_s, written_ns; // when it was last written, since 1970
} tutti_file_stamp;

/** The stamp of an open file as it is now, also if another file has its path by now.
 * @return ERR_IO */
TUTTI_NODISCARD
tutti_status tutti_file_stamp_of(const tutti_file *file, tutti_file_stamp *stamp);

bool tutti_file_stamp_same(const tutti_file_stamp *a, const tutti_file_stamp *b);
