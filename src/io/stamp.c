/* What tells one version of a file from another.  A path may lead to another file at any time, so HDF5 is asked which
 * file it has open.  Opening a data set calls it. */
#define _POSIX_C_SOURCE 200809L // st_mtim
#include "io/stamp.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "io/io_impl.h"

tutti_status tutti_file_stamp_of(const tutti_file *file, tutti_file_stamp *stamp) {
  void *fd = NULL; // an int, because all files that are read have the driver sec2 (tutti_io_plugins_start)
  struct stat state;
  TUTTI_H5_TRY(H5Fget_vfd_handle(file->id, H5P_DEFAULT, &fd), TUTTI_ERR_IO, "%s: descriptor", file->path);
  TUTTI_CHECK(fstat(*(const int *)fd, &state) == 0, TUTTI_ERR_IO, "%s: cannot read: %s", file->path,
              strerror(errno));
  *stamp = (tutti_file_stamp){.device = (int64_t)state.st_dev,
                              .inode = (int64_t)state.st_ino,
                              .bytes = (int64_t)state.st_size,
                              .written_s = (int64_t)state.st_mtim.tv_sec,
                              .written_ns = (int64_t)state.st_mtim.tv_nsec};
  return TUTTI_OK;
}

bool tutti_file_stamp_same(const tutti_file_stamp *a, const tutti_file_stamp *b) {
  return a->device == b->device && a->inode == b->inode && a->bytes == b->bytes &&
         a->written_s == b->written_s && a->written_ns == b->written_ns;
}
