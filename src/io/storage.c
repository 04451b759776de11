/* Checks that all numbers of an array were stored.  HDF5 reads a number that is not stored as zero, without a
 * message: if a source of a virtual array is missing, if a writer died before all chunks were there, or if the file
 * with the numbers of an array is too short.  The data set calls it before it reads. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "io/virtual_impl.h"

#define ABOUT     "%s: array '%s'", at->file, at->name
#define CHUNKS_OF "%s: chunks of '%s'", at->file, at->name

// --- chunks and blocks of the file itself

static tutti_status fail_unwritten(const tutti_array_place *at, const char *what) {
  TUTTI_FAIL(
      TUTTI_ERR_DATA,
      "%s: array '%s' was never written %s, and missing numbers would be read as zeros; did the program "
      "that wrote it end too early?  Write the array again",
      at->file, at->name, what);
}

/** @param[out] n  number of chunks in the file; -1: this HDF5 cannot count them */
static tutti_status count_chunks(const tutti_array_place *at, const tutti_array_storage *s, int64_t *n) {
  *n = -1;
#if H5_VERSION_GE(1, 10, 5)
  hsize_t count = 0;
  TUTTI_H5_TRY(H5Dget_num_chunks(s->dataset, s->space, &count), TUTTI_ERR_DATA, CHUNKS_OF);
  *n = (int64_t)count;
#else
  (void)at, (void)s;
#endif
  return TUTTI_OK;
}

/** A chunk that was never written is not in the file, so count the chunks. */
static tutti_status check_chunks(const tutti_array_place *at, const tutti_array_storage *s) {
  hsize_t chunk[H5S_MAX_RANK] = {0};
  int64_t wanted = 1, n = 0;
  char what[128];
  TUTTI_H5_TRY(H5Pget_chunk(s->creation, s->n_dims, chunk), TUTTI_ERR_DATA, CHUNKS_OF);
  for (int i = 0; i < s->n_dims; i++)
    wanted *= (int64_t)((s->dims[i] + chunk[i] - 1) / (chunk[i] > 0 ? chunk[i] : 1));
  TUTTI_TRY(count_chunks(at, s, &n));
  if (n < 0 || n >= wanted) return TUTTI_OK;
  snprintf(what, sizeof what, "%s (%lld of its %lld chunks are missing)", n > 0 ? "to its end" : "at all",
           (long long)(wanted - n), (long long)wanted);
  return fail_unwritten(at, what);
}

/** An array without chunks is one block, which HDF5 allocates when the first number is written. */
static tutti_status check_block(const tutti_array_place *at, const tutti_array_storage *s) {
  H5D_space_status_t space = H5D_SPACE_STATUS_ALLOCATED;
  TUTTI_H5_TRY(H5Dget_space_status(s->dataset, &space), TUTTI_ERR_DATA, ABOUT);
  const bool written = space == H5D_SPACE_STATUS_ALLOCATED || tutti_array_n_numbers(s) == 0;
  return written ? TUTTI_OK : fail_unwritten(at, "at all");
}

// --- numbers in files without a format

/** The file is found, allowed, regular and long enough; HDF5 would wait for ever for a pipe. */
static tutti_status check_raw_file(const tutti_array_place *at, const char *name, int64_t wanted) {
  char path[TUTTI_PATH_BYTES];
  struct stat state;
  TUTTI_CHECK(
      tutti_io_external_find_raw(at->file, name, path) && stat(path, &state) == 0, TUTTI_ERR_MISSING,
      "%s: the numbers of array '%s' are in the file %s, which does not exist; put it there (HDF5 looks "
      "in the current folder), or write the array into the file itself",
      at->file, at->name, name);
  TUTTI_CHECK(tutti_io_external_allowed(at->bounds, path), TUTTI_ERR_DATA,
              "%s: the numbers of array '%s' are in the file %s, " TUTTI_EXTERNAL_ADVICE, at->file, at->name,
              path, at->bounds->within);
  TUTTI_CHECK(
      S_ISREG(state.st_mode), TUTTI_ERR_DATA,
      "%s: the numbers of array '%s' are in %s, which is not a regular file; write the array into the "
      "file itself",
      at->file, at->name, path);
  TUTTI_CHECK((int64_t)state.st_size >= wanted, TUTTI_ERR_DATA,
              "%s: the numbers of array '%s' are in the file %s, which ends after %lld bytes, expected %lld: "
              "the rest would be read as zeros; copy that file again",
              at->file, at->name, path, (long long)state.st_size, (long long)wanted);
  return TUTTI_OK;
}

/** The numbers may be spread over several files; each holds a part from an offset on. */
static tutti_status check_raw(const tutti_array_place *at, const tutti_array_storage *s, int n_files) {
  int64_t left = tutti_array_n_numbers(s) * (int64_t)H5Tget_size(s->type);
  for (int i = 0; i < n_files && left > 0; i++) {
    char name[TUTTI_PATH_BYTES] = "";
    off_t offset = 0;
    hsize_t size = 0;
    TUTTI_H5_TRY(H5Pget_external(s->creation, (unsigned)i, sizeof name - 1, name, &offset, &size),
                 TUTTI_ERR_DATA, ABOUT);
    const int64_t here = size < (hsize_t)left ? (int64_t)size : left;
    TUTTI_TRY(check_raw_file(at, name, (int64_t)offset + here));
    left -= here;
  }
  return TUTTI_OK;
}

// --- virtual arrays

/** @param[in]     above   the array that is made of this one; NULL: none
 * @param[in,out] opened  gets the sources */
static tutti_status check_array(const tutti_file *file, const char *name, const tutti_array_place *above,
                                tutti_file **opened);

/** Check that a source is large enough.
 * @param[in] from  selection in the source
 * @param[in] n     number of numbers that the array takes from it */
static tutti_status check_source_size(const tutti_array_place *at, const tutti_file *file, const char *name,
                                      hid_t from, int64_t n) {
  tutti_array_storage s = TUTTI_NO_STORAGE;
  hsize_t first[H5S_MAX_RANK] = {0}, last[H5S_MAX_RANK] = {0};
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_array_storage_open(file, "array", name, H5P_DEFAULT, &s));
  const tutti_h5_printer printer = tutti_io_h5_mute();
  const bool whole = H5Sget_select_type(from) == H5S_SEL_ALL; // such a selection has no shape of its own
  const bool ends =
      !whole && !tutti_io_selection_is_endless(from) && H5Sget_select_bounds(from, first, last) >= 0;
  bool enough = whole ? tutti_array_n_numbers(&s) >= n : H5Sget_simple_extent_ndims(from) == s.n_dims;
  tutti_io_h5_unmute(printer);
  if (enough && tutti_io_selection_is_endless(from))
    enough = tutti_io_selection_extent(from, s.n_dims, s.dims).n_numbers >= n;
  for (int i = 0; ends && enough && i < s.n_dims; i++) enough = last[i] < s.dims[i];
  TUTTI_CHECK_GOTO(
      done, enough, TUTTI_ERR_DATA,
      "%s: array '%s' takes more numbers from array '%s' of %s than that has: the rest would be read as "
      "zeros; write that array, or this one, again",
      at->file, at->name, name, file->path);
done:
  tutti_array_storage_close(&s);
  return status;
}

/** @param[in] n  number of numbers in the block */
static tutti_status check_source(const tutti_array_place *at, const tutti_array_mapping *m, int64_t block,
                                 int64_t n) {
  char file_name[TUTTI_PATH_BYTES], name[TUTTI_NAME_BYTES];
  tutti_file *file = NULL;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY(tutti_array_open_source(at, m, block, &file, name));
  tutti_array_expand_name(m->file, block, file_name, sizeof file_name);
  TUTTI_CHECK(
      file, TUTTI_ERR_MISSING,
      "%s: array '%s' takes rows from %s, which does not exist: they would be read as zeros; put that file "
      "beside this one, or write the array into the file itself",
      at->file, at->name, file_name);
  if (strcmp(file->checked, name) != 0) TUTTI_TRY_GOTO(done, check_array(file, name, at, at->opened));
  if (strlen(name) < sizeof file->checked) strcpy(file->checked, name); // a longer name is checked again
  TUTTI_TRY_GOTO(done, check_source_size(at, file, name, m->from, n));
done:
  return status == TUTTI_OK ? TUTTI_OK : tutti_array_fail_source(status, at);
}

/** @param[in,out] covered  gets the selection of this mapping added
 * @param[in,out] endless  becomes true if the mapping has no end */
static tutti_status check_mapping(const tutti_array_place *at, const tutti_array_storage *s, size_t i,
                                  hid_t covered, bool *endless) {
  tutti_array_mapping m;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_array_mapping_open(at, s->creation, i, &m));
  const tutti_io_extent e = tutti_io_selection_extent(m.to, s->n_dims, s->dims);
  const int64_t n = tutti_array_is_numbered(&m) && e.endless ? e.n_blocks : 1;
  for (int64_t block = 0; block < n; block++)
    TUTTI_TRY_GOTO(done, check_source(at, &m, block, e.n_numbers / n));
  *endless = *endless || e.endless;
  TUTTI_H5(done, tutti_io_selection_add(covered, m.to, s->n_dims, s->dims), TUTTI_ERR_DATA,
           TUTTI_SOURCES_OF(at));
done:
  tutti_array_mapping_close(&m);
  return status;
}

/** Check all sources, and that they cover the array.  It closes the array, because while an array is open HDF5 may
 * keep files of its sources open in its own way. */
static tutti_status check_sources(const tutti_array_place *at, tutti_array_storage *s, bool *endless) {
  tutti_status status = TUTTI_OK;
  size_t n = 0;
  hid_t covered = H5I_INVALID_HID; // sources may overlap, so the sum of their sizes is not enough
  int64_t n_covered = 0;
  tutti_io_h5_release(s->dataset);
  s->dataset = H5I_INVALID_HID;
  TUTTI_H5(done, H5Pget_virtual_count(s->creation, &n), TUTTI_ERR_DATA, TUTTI_SOURCES_OF(at));
  TUTTI_H5(done, covered = H5Screate_simple(s->n_dims, s->dims, NULL), TUTTI_ERR_DATA, TUTTI_SOURCES_OF(at));
  TUTTI_H5(done, H5Sselect_none(covered), TUTTI_ERR_DATA, TUTTI_SOURCES_OF(at));
  for (size_t i = 0; i < n; i++) TUTTI_TRY_GOTO(done, check_mapping(at, s, i, covered, endless));
  TUTTI_H5(done, n_covered = tutti_io_selection_count(covered, s->n_dims, s->dims), TUTTI_ERR_DATA,
           TUTTI_SOURCES_OF(at));
  TUTTI_CHECK_GOTO(done, n_covered == tutti_array_n_numbers(s), TUTTI_ERR_DATA,
                   "%s: array '%s' is made of others, but none of them has %lld of its %lld numbers: they "
                   "would be read as "
                   "zeros; write the array again",
                   at->file, at->name, (long long)(tutti_array_n_numbers(s) - n_covered),
                   (long long)tutti_array_n_numbers(s));
done:
  tutti_io_h5_release(covered);
  return status;
}

// --- virtual arrays that grow with their sources

/** An array that grows with its sources is as long as the longest of them.  If no number is missing, it is also as
 * long as the shortest.  The array must not be open elsewhere, because the first opening decides which length HDF5
 * sees. */
static tutti_status check_growing(const tutti_file *file, const char *name, int64_t n) {
  tutti_array_storage shortest = TUTTI_NO_STORAGE;
  hid_t access = H5I_INVALID_HID;
  tutti_status status = TUTTI_OK;
  TUTTI_H5(done, access = H5Pcopy(file->access), TUTTI_ERR_SYSTEM, "%s: access list", file->path);
  TUTTI_H5(done, H5Pset_virtual_view(access, H5D_VDS_FIRST_MISSING), TUTTI_ERR_SYSTEM, "%s: access list",
           file->path);
  TUTTI_TRY_GOTO(done, tutti_array_storage_open(file, "array", name, access, &shortest));
  TUTTI_CHECK_GOTO(
      done, tutti_array_n_numbers(&shortest) == n, TUTTI_ERR_DATA,
      "%s: array '%s' grows with its sources, but one of them is shorter than another: %lld of its "
      "%lld numbers would be read as zeros; write the rest of that source",
      file->path, name, (long long)(n - tutti_array_n_numbers(&shortest)), (long long)n);
done:
  tutti_array_storage_close(&shortest);
  tutti_io_h5_release(access);
  return status;
}

// --- any array

static tutti_status check_storage(const tutti_array_place *at, tutti_array_storage *s, bool *endless) {
  switch (H5Pget_layout(s->creation)) {
  case H5D_VIRTUAL:
    return check_sources(at, s, endless);
  case H5D_CHUNKED:
    return check_chunks(at, s);
  case H5D_CONTIGUOUS: {
    const int n_files = H5Pget_external_count(s->creation);
    return n_files > 0 ? check_raw(at, s, n_files) : check_block(at, s);
  }
  default:
    return TUTTI_OK; // compact: in the header of the array, which exists
  }
}

/** Fail with the text of the last failure, and the name by which the caller asked for the array. */
static tutti_status fail_linked(tutti_status status, const tutti_file *file, const char *name) {
  TUTTI_FAIL(status, "%s; '%s' of %s is a link to it", tutti_fail_text(), name, file->path);
}

/** Check one array, and for a virtual one its sources, which may be virtual themselves. */
static tutti_status check_array(const tutti_file *file, const char *name, const tutti_array_place *above,
                                tutti_file **opened) {
  tutti_array_storage s = TUTTI_NO_STORAGE;
  tutti_array_place at = {.opened = opened};
  bool endless = false;
  tutti_status status = TUTTI_OK;
  TUTTI_TRY_GOTO(done, tutti_array_place_open(file, name, above, &at, &s));
  TUTTI_TRY_GOTO(done, check_storage(&at, &s, &endless));
  const int64_t n = tutti_array_n_numbers(&s);
  tutti_array_storage_close(&s);
  if (endless) TUTTI_TRY_GOTO(done, check_growing(file, name, n));
done:
  if (status != TUTTI_OK && at.file[0] && !tutti_io_same_file(at.file, file->path))
    status = fail_linked(status, file, name);
  tutti_array_storage_close(&s);
  return status;
}

tutti_status tutti_file_check_stored(const tutti_file *file, const char *name) {
  tutti_file *opened = NULL;
  const tutti_status status = check_array(file, name, NULL, &opened);
  tutti_array_close_sources(&opened);
  return status;
}
