/* HDF5 does not survive a write that fails: the next close stops half-way, the file stays open, and the library
 * crashes when the process ends.  On a full disk, a clear message would become a segmentation fault.  So HDF5 writes
 * through this driver, which never reports a failure to it: tutti_disk keeps the first error, later writes are
 * dropped, and the rest of this room looks at tutti_disk before it believes that anything was written.
 *
 * The driver works on a file that is already open.  It needs no locks, because the file has a temporary name, and
 * nobody else reads it. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/io_impl.h"

#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

typedef struct {
  const char *path;
  tutti_disk *disk;
} driver_info;

typedef struct {
  H5FD_t base; // HDF5 requires it as the first member
  tutti_disk *disk;
  haddr_t end_allocated, end_written;
} open_disk;

static open_disk *of(H5FD_t *file) {
  return (open_disk *)(void *)file;
}

static const open_disk *of_const(const H5FD_t *file) {
  return (const open_disk *)(const void *)file;
}

static H5FD_t *driver_open(const char *name, unsigned flags, hid_t access, haddr_t max_address) {
  (void)flags;
  (void)max_address;
  const driver_info *info = H5Pget_driver_info(access);
  struct stat state;
  // HDF5 passes this access list on to the target of an external link, which is another file.
  if (!info || strcmp(name, info->path) != 0 || fstat(info->disk->fd, &state) != 0) return NULL;
  open_disk *file = tutti_calloc(1, sizeof *file);
  if (!file) {
    info->disk->error = ENOMEM;
    return NULL;
  }
  file->disk = info->disk;
  file->end_written = (haddr_t)state.st_size;
  return &file->base;
}

static herr_t driver_close(H5FD_t *file) {
  tutti_free(of(file));
  return 0;
}

static herr_t driver_query(const H5FD_t *file, unsigned long *flags) {
  (void)file;
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
           H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

static haddr_t driver_get_eoa(const H5FD_t *file, H5FD_mem_t kind) {
  (void)kind;
  return of_const(file)->end_allocated;
}

static herr_t driver_set_eoa(H5FD_t *file, H5FD_mem_t kind, haddr_t address) {
  (void)kind;
  of(file)->end_allocated = address;
  return 0;
}

static haddr_t driver_get_eof(const H5FD_t *file, H5FD_mem_t kind) {
  (void)kind;
  return of_const(file)->end_written;
}

/** Bytes beyond the end, and bytes that cannot be read, are zeros, because HDF5 allocates before it writes. */
static herr_t driver_read(H5FD_t *file, H5FD_mem_t kind, hid_t transfer, haddr_t address, size_t n,
                          void *buffer) {
  (void)kind;
  (void)transfer;
  tutti_disk *disk = of(file)->disk;
  char *to = buffer;
  while (n > 0) {
    const ssize_t got = pread(disk->fd, to, n, (off_t)address);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && !disk->error) disk->error = errno;
    if (got <= 0) break;
    to += got;
    address += (haddr_t)got;
    n -= (size_t)got;
  }
  memset(to, 0, n);
  return 0;
}

/** Write, and keep the first error.  HDF5 always gets a success; see the top of this file. */
static herr_t driver_write(H5FD_t *file, H5FD_mem_t kind, hid_t transfer, haddr_t address, size_t n,
                           const void *buffer) {
  (void)kind;
  (void)transfer;
  tutti_disk *disk = of(file)->disk;
  const char *from = buffer;
  if (address + n > of(file)->end_written) of(file)->end_written = address + n;
  while (n > 0 && !disk->error) {
    const ssize_t put = pwrite(disk->fd, from, n, (off_t)address);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) {
      disk->error = put < 0 ? errno : ENOSPC;
      break;
    }
    from += put;
    address += (haddr_t)put;
    n -= (size_t)put;
  }
  return 0;
}

/** HDF5 expects that a file has the length that it has allocated. */
static herr_t driver_truncate(H5FD_t *file, hid_t transfer, hbool_t closing) {
  (void)transfer;
  (void)closing;
  open_disk *open = of(file);
  if (open->end_allocated == open->end_written) return 0;
  if (!open->disk->error && ftruncate(open->disk->fd, (off_t)open->end_allocated) != 0)
    open->disk->error = errno;
  open->end_written = open->end_allocated;
  return 0;
}

static const H5FD_class_t driver_class = {
#if H5_VERSION_GE(1, 13, 0)
    .version = H5FD_CLASS_VERSION,
    .value = (H5FD_class_value_t)512, // the first number that the library does not reserve
#endif
    .name = "tutti",
    .maxaddr = (haddr_t)INT64_MAX,
    .fc_degree = H5F_CLOSE_STRONG,
    .fapl_size = sizeof(driver_info),
    .open = driver_open,
    .close = driver_close,
    .query = driver_query,
    .get_eoa = driver_get_eoa,
    .set_eoa = driver_set_eoa,
    .get_eof = driver_get_eof,
    .read = driver_read,
    .write = driver_write,
    .truncate = driver_truncate,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

tutti_status tutti_io_driver_access(const char *path, tutti_disk *disk, hid_t *driver, hid_t *access) {
  const driver_info info = {path, disk};
  TUTTI_H5_TRY(*driver = H5FDregister(&driver_class), TUTTI_ERR_SYSTEM, "%s: file driver", path);
  TUTTI_H5_TRY(*access = H5Pcreate(H5P_FILE_ACCESS), TUTTI_ERR_SYSTEM, "%s: access list", path);
  TUTTI_H5_TRY(H5Pset_driver(*access, *driver, &info), TUTTI_ERR_SYSTEM, "%s: file driver", path);
  TUTTI_H5_TRY(H5Pset_libver_bounds(*access, H5F_LIBVER_V110, H5F_LIBVER_V110), TUTTI_ERR_SYSTEM,
               "%s: file format", path);
  TUTTI_H5_TRY(H5Pset_fclose_degree(*access, H5F_CLOSE_STRONG), TUTTI_ERR_SYSTEM, "%s: access list", path);
  return TUTTI_OK;
}
