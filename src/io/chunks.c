/* The bytes of chunks, for readers that decompress by themselves.  A file is not trusted: what its chunks are, and how
 * long, is compared with what the shape of the array allows.  Reading a data set calls it. */
#include "io/chunks.h"

#include "io/io_impl.h"

// A chunk is read into memory as a whole, more than once; an array that is larger than a chunk pays for it.
enum { MOST_CHUNK_BYTES = 1 << 26, SMALL_CHUNK_BYTES = 1 << 20, MOST_FILTERS = 3 };

struct tutti_array_chunks {
  tutti_array_storage array;
  tutti_chunk_form form;
  int n_filters;
  unsigned filters[MOST_FILTERS]; // [n_filters] in the order in which they are applied
};

// HDF5 has H5Dread_chunk since 1.10.3.
#if H5_VERSION_GE(1, 10, 3)

// --- which arrays are known

/** @return TUTTI_N_STORED: another type */
static tutti_stored stored_type(hid_t type) {
  const hid_t types[TUTTI_N_STORED] = {
      [TUTTI_STORED_I8] = H5T_NATIVE_INT8,   [TUTTI_STORED_U8] = H5T_NATIVE_UINT8,
      [TUTTI_STORED_I16] = H5T_NATIVE_INT16, [TUTTI_STORED_U16] = H5T_NATIVE_UINT16,
      [TUTTI_STORED_I32] = H5T_NATIVE_INT32, [TUTTI_STORED_U32] = H5T_NATIVE_UINT32,
      [TUTTI_STORED_I64] = H5T_NATIVE_INT64, [TUTTI_STORED_U64] = H5T_NATIVE_UINT64,
      [TUTTI_STORED_F32] = H5T_NATIVE_FLOAT, [TUTTI_STORED_F64] = H5T_NATIVE_DOUBLE};
  tutti_stored stored = 0;
  while (stored < TUTTI_N_STORED && H5Tequal(type, types[stored]) <= 0) stored++;
  return stored;
}

/** @return 0: another filter, or one with a parameter that does not fit the numbers */
static unsigned filter_at(hid_t creation, int i, size_t number_bytes) {
  unsigned flags = 0, config = 0, values[1] = {0};
  size_t n_values = 1;
  switch (H5Pget_filter2(creation, (unsigned)i, &flags, &n_values, values, 0, NULL, &config)) {
  case H5Z_FILTER_SHUFFLE:
    return n_values == 1 && values[0] == number_bytes ? TUTTI_FILTER_SHUFFLE : 0;
  case H5Z_FILTER_DEFLATE:
    return TUTTI_FILTER_DEFLATE;
  case H5Z_FILTER_FLETCHER32:
    return TUTTI_FILTER_FLETCHER32;
  default:
    return 0;
  }
}

/** Programs apply the filters in one order. @return false: others, or in another order */
static bool find_filters(tutti_array_chunks *c) {
  unsigned before = 0;
  c->n_filters = H5Pget_nfilters(c->array.creation);
  if (c->n_filters < 0 || c->n_filters > MOST_FILTERS) return false;
  for (int i = 0; i < c->n_filters; i++) {
    c->filters[i] = filter_at(c->array.creation, i, (size_t)c->form.number_bytes);
    if (c->filters[i] <= before) return false;
    before = c->filters[i];
  }
  return true;
}

/** @return false: an empty array, or chunks so large that the memory for them would follow from the file alone */
static bool find_shape(tutti_array_chunks *c) {
  hsize_t chunk[H5S_MAX_RANK];
  tutti_chunk_form *f = &c->form;
  int64_t most = MOST_CHUNK_BYTES, array_bytes = f->number_bytes;
  f->n_dims = c->array.n_dims;
  if (f->n_dims < 1 || f->n_dims > TUTTI_MAX_DIMS) return false;
  if (H5Pget_chunk(c->array.creation, f->n_dims, chunk) != f->n_dims) return false;
  f->chunk_bytes = f->number_bytes;
  for (int i = 0; i < f->n_dims; i++) {
    if (c->array.dims[i] < 1 || chunk[i] < 1 || chunk[i] > (hsize_t)(most / f->chunk_bytes)) return false;
    f->dims[i] = (int64_t)c->array.dims[i];
    f->chunk[i] = (int64_t)chunk[i];
    f->chunk_bytes *= f->chunk[i];
    // An array that is larger than any chunk needs not be measured further.
    array_bytes = f->dims[i] < most / array_bytes ? array_bytes * f->dims[i] : most;
  }
  // What does not compress grows by 5 bytes in 16 thousand, and has a header and checksums.
  f->most_bytes = f->chunk_bytes + f->chunk_bytes / 1000 + 64;
  return f->chunk_bytes <= array_bytes || f->chunk_bytes <= SMALL_CHUNK_BYTES;
}

static bool is_known(tutti_array_chunks *c) {
  if (H5Pget_layout(c->array.creation) != H5D_CHUNKED) return false;
#if H5_VERSION_GE(1, 10, 0)
  unsigned options = 0;
  if (H5Pget_chunk_opts(c->array.creation, &options) < 0 || options != 0) return false;
#endif
  c->form.stored = stored_type(c->array.type);
  if (c->form.stored == TUTTI_N_STORED) return false;
  c->form.number_bytes = (int64_t)H5Tget_size(c->array.type);
  return find_filters(c) && find_shape(c);
}

// --- reading

/** @param[in] n  number of bytes in the file, which is the room of `bytes` */
static bool read_chunk(hid_t dataset, const hsize_t *first, size_t n, void *bytes, uint32_t *mask) {
#if H5_VERSION_GE(2, 0, 0)
  return H5Dread_chunk2(dataset, H5P_DEFAULT, first, mask, bytes, &n) >= 0;
#else
  (void)n;
  return H5Dread_chunk(dataset, H5P_DEFAULT, first, mask, bytes) >= 0;
#endif
}

bool tutti_array_chunks_read(const tutti_array_chunks *c, const int64_t *first, void *bytes, int64_t *n,
                             unsigned *filters) {
  hsize_t at[TUTTI_MAX_DIMS], size = 0;
  uint32_t mask = 0;
  for (int i = 0; i < c->form.n_dims; i++) at[i] = (hsize_t)first[i];
  const tutti_h5_printer printer = tutti_io_h5_mute();
  const bool there = H5Dget_chunk_storage_size(c->array.dataset, at, &size) >= 0 && size > 0 &&
                     size <= (hsize_t)c->form.most_bytes &&
                     read_chunk(c->array.dataset, at, (size_t)size, bytes, &mask);
  tutti_io_h5_unmute(printer);
  *n = (int64_t)size;
  *filters = 0;
  for (int i = 0; i < c->n_filters; i++) // a bit of the mask says that a filter was left out
    if (!(mask >> i & 1)) *filters |= c->filters[i];
  return there;
}

#else

static bool is_known(tutti_array_chunks *c) {
  (void)c;
  return false;
}

bool tutti_array_chunks_read(const tutti_array_chunks *c, const int64_t *first, void *bytes, int64_t *n,
                             unsigned *filters) {
  (void)c, (void)first, (void)bytes, (void)n, (void)filters;
  return false;
}

#endif

// --- opening

tutti_status tutti_array_chunk_size(const tutti_file *file, const char *name, int64_t *rows, int64_t *bytes) {
  const hsize_t most = INT64_MAX;
  hsize_t chunk[H5S_MAX_RANK], n = 0;
  tutti_array_storage s = TUTTI_NO_STORAGE;
  *rows = 1;
  *bytes = 0;
  TUTTI_TRY(tutti_array_storage_open(file, "array", name, H5P_DEFAULT, &s));
  const tutti_h5_printer printer = tutti_io_h5_mute();
  if (H5Pget_layout(s.creation) == H5D_CHUNKED && H5Pget_chunk(s.creation, s.n_dims, chunk) == s.n_dims) {
    n = H5Tget_size(s.type);
    for (int i = 0; i < s.n_dims; i++) n = n > 0 && chunk[i] > most / n ? most : n * chunk[i];
    if (s.dims[0] > 0) *rows = (int64_t)(chunk[0] < s.dims[0] ? chunk[0] : s.dims[0]);
    *bytes = (int64_t)n;
  }
  tutti_io_h5_unmute(printer);
  tutti_array_storage_close(&s);
  return TUTTI_OK;
}

tutti_status tutti_array_chunks_open(const tutti_file *file, const char *name, tutti_array_chunks **chunks) {
  tutti_array_chunks *c = NULL;
  tutti_status status = TUTTI_OK;
  *chunks = NULL;
  TUTTI_TRY(TUTTI_NEW(c, 1));
  c->array = TUTTI_NO_STORAGE;
  TUTTI_TRY_GOTO(done, tutti_array_storage_open(file, "array", name, H5P_DEFAULT, &c->array));
  const tutti_h5_printer printer = tutti_io_h5_mute();
  const bool known = is_known(c);
  tutti_io_h5_unmute(printer);
  if (!known) goto done;
  *chunks = c;
  c = NULL;
done:
  tutti_array_chunks_close(&c);
  return status;
}

const tutti_chunk_form *tutti_array_chunks_form(const tutti_array_chunks *chunks) {
  return &chunks->form;
}

void tutti_array_chunks_close(tutti_array_chunks **chunks) {
  if (!*chunks) return;
  tutti_array_storage_close(&(*chunks)->array);
  tutti_free(*chunks);
  *chunks = NULL;
}
