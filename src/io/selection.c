/* Selections: the numbers of a virtual array that one of its sources gives.  A selection may be endless, along one
 * dimension, and is then clipped to the array.  virtual.c, storage.c and same_array.c call it. */
#include "io/io_impl.h"

bool tutti_io_selection_is_endless(hid_t space) {
  const tutti_h5_printer printer = tutti_io_h5_mute();
  const bool endless =
      H5Sis_regular_hyperslab(space) > 0 && (hsize_t)H5Sget_select_npoints(space) == H5S_UNLIMITED;
  tutti_io_h5_unmute(printer);
  return endless;
}

static int64_t min(int64_t a, int64_t b) {
  return a < b ? a : b;
}

/** Clip a selection along one dimension.
 * @param[out] n         number of selected indices in [0, size)
 * @param[out] n_blocks  number of blocks in which they are */
static void clip(int64_t size, hsize_t start, hsize_t stride, hsize_t count, hsize_t block, int64_t *n,
                 int64_t *n_blocks) {
  const int64_t room = size > (int64_t)start ? size - (int64_t)start : 0;
  const int64_t width = block == H5S_UNLIMITED ? room : (int64_t)block;
  const int64_t step = stride > 0 ? (int64_t)stride : 1, fit = (room + step - 1) / step;
  *n_blocks = count == H5S_UNLIMITED ? fit : min((int64_t)count, fit);
  *n = *n_blocks > 0 ? (*n_blocks - 1) * width + min(width, room - (*n_blocks - 1) * step) : 0;
}

/** A regular selection in the terms of HDF5. */
typedef struct {
  hsize_t start[H5S_MAX_RANK], stride[H5S_MAX_RANK], count[H5S_MAX_RANK], block[H5S_MAX_RANK];
} slab;

/** The selection of the whole array counts as regular; it may have no shape of its own. */
static bool get_slab(hid_t space, int n_dims, const hsize_t *dims, slab *r) {
  const bool all = H5Sget_select_type(space) == H5S_SEL_ALL;
  for (int i = 0; all && i < n_dims; i++) {
    r->start[i] = 0;
    r->stride[i] = r->count[i] = 1;
    r->block[i] = dims[i];
  }
  if (all) return true;
  const tutti_h5_printer printer = tutti_io_h5_mute();
  const bool regular = H5Sget_select_type(space) == H5S_SEL_HYPERSLABS &&
                       H5Sis_regular_hyperslab(space) > 0 && H5Sget_simple_extent_ndims(space) == n_dims &&
                       H5Sget_regular_hyperslab(space, r->start, r->stride, r->count, r->block) >= 0;
  tutti_io_h5_unmute(printer);
  return regular;
}

tutti_io_extent tutti_io_selection_extent(hid_t space, int n_dims, const hsize_t *dims) {
  slab r;
  tutti_io_extent e = {1, 1, false};
  const bool regular = get_slab(space, n_dims, dims, &r);
  if (!regular) e.n_numbers = (int64_t)H5Sget_select_npoints(space);
  for (int i = 0; regular && i < n_dims; i++) {
    int64_t n = 0, n_blocks = 0;
    clip((int64_t)dims[i], r.start[i], r.stride[i], r.count[i], r.block[i], &n, &n_blocks);
    e.n_numbers *= n;
    if (r.count[i] != H5S_UNLIMITED && r.block[i] != H5S_UNLIMITED) continue;
    e.endless = true;
    e.n_blocks = n_blocks;
  }
  return e;
}

// --- several selections together

/** Clip each dimension, so that an endless selection becomes a finite one that HDF5 can combine. */
static herr_t add_slab(hid_t covered, int n_dims, const hsize_t *dims, slab *r) {
  for (int i = 0; i < n_dims; i++) {
    int64_t n = 0, n_blocks = 0;
    clip((int64_t)dims[i], r->start[i], r->stride[i], r->count[i], r->block[i], &n, &n_blocks);
    if (n == 0) return 0;
    r->count[i] = (hsize_t)n_blocks;
    if (r->block[i] == H5S_UNLIMITED) r->block[i] = (hsize_t)n;
  }
  return H5Sselect_hyperslab(covered, H5S_SELECT_OR, r->start, r->stride, r->count, r->block);
}

static herr_t add_block(hid_t covered, int n_dims, const hsize_t *first, const hsize_t *last) {
  hsize_t count[H5S_MAX_RANK], block[H5S_MAX_RANK];
  for (int i = 0; i < n_dims; i++) {
    count[i] = 1;
    block[i] = last[i] - first[i] + 1;
  }
  return H5Sselect_hyperslab(covered, H5S_SELECT_OR, first, NULL, count, block);
}

/** Add an irregular selection block by block. */
static herr_t add_blocks(hid_t covered, hid_t space, int n_dims) {
  hsize_t corners[2 * H5S_MAX_RANK];
  const hssize_t n = H5Sget_select_hyper_nblocks(space);
  for (hssize_t i = 0; i < n; i++) {
    if (H5Sget_select_hyper_blocklist(space, (hsize_t)i, 1, corners) < 0) return -1;
    if (add_block(covered, n_dims, corners, corners + n_dims) < 0) return -1;
  }
  return n < 0 ? -1 : 0;
}

herr_t tutti_io_selection_add(hid_t covered, hid_t space, int n_dims, const hsize_t *dims) {
  slab r;
  if (get_slab(space, n_dims, dims, &r)) return add_slab(covered, n_dims, dims, &r);
  return H5Sget_simple_extent_ndims(space) == n_dims ? add_blocks(covered, space, n_dims) : -1;
}

int64_t tutti_io_selection_count(hid_t covered, int n_dims, const hsize_t *dims) {
  const hsize_t start[H5S_MAX_RANK] = {0};
  hsize_t count[H5S_MAX_RANK];
  for (int i = 0; i < n_dims; i++) count[i] = 1;
  if (H5Sselect_hyperslab(covered, H5S_SELECT_AND, start, NULL, count, dims) < 0) return -1;
  return (int64_t)H5Sget_select_npoints(covered);
}
